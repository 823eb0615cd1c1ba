"""Layers that act on every sample alone: activations, norms, dropout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, final

import numpy as np
import numpy.typing as npt

from erf_theory.activations import Nonlinearity, nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.base import Given, Layer, given, keep, need_number, need_one, need_whole

__all__ = ["Activation", "Dropout", "Identity", "Norm", "PReLU", "Pointwise"]


@dataclass(frozen=True, repr=False)
class Pointwise(Layer):
    """A layer whose output sees one place of its input: the base."""

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        return need_one(channels)


@final
@dataclass(frozen=True, repr=False)
class Identity(Pointwise):
    """Nothing at all: the shortcut of a residual block."""


@final
@dataclass(frozen=True, repr=False)
class Activation(Pointwise):
    """A function of every sample.

    Parameters
    ----------
    function : str or Nonlinearity
        A name, or what `erf_theory.activations.nonlinearity` makes of a function and its
        derivative.

    Examples
    --------
    >>> Activation("relu").nonlinearity.slope_second_moment(1.0).value
    0.5
    """

    function: str | Nonlinearity

    def __post_init__(self) -> None:
        if not isinstance(self.nonlinearity, Nonlinearity):
            raise ErfTheoryError(
                f"{self.function!r} is no activation: give a name, or make one with nonlinearity"
            )

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        """The function, its slope and their Gaussian moments."""
        return nonlinearity(self.function) if isinstance(self.function, str) else self.function


@final
@dataclass(frozen=True, repr=False)
class PReLU(Pointwise):
    """A ReLU whose slope below 0 is a number of its own for every channel.

    With one slope for all channels it is ``Activation("prelu(0.25)")``.

    Parameters
    ----------
    slopes : array_like
        One slope per channel.

    Examples
    --------
    >>> PReLU([0.25, 0.1]).runs
    ((0, 1, 'prelu(0.25)'), (1, 2, 'prelu(0.1)'))
    """

    slopes: Given | npt.ArrayLike

    def __post_init__(self) -> None:
        keep(self, "slopes", given("slopes", self.slopes))
        if self.array.ndim != 1:
            raise ErfTheoryError(f"slopes are one number per channel, not {self.array.ndim}-D")

    @property
    def array(self) -> FloatArray:
        """The slopes."""
        assert isinstance(self.slopes, Given)  # noqa: S101
        return self.slopes.array

    @property
    def runs(self) -> tuple[tuple[int, int, str], ...]:
        """Channels that are alike: the first, the one behind the last, and their activation."""
        cuts = [0, *(np.flatnonzero(np.diff(self.array)) + 1).tolist(), len(self.array)]
        return tuple((a, b, f"prelu({float(self.array[a])!r})") for a, b in pairwise(cuts))

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        count = need_one(channels)
        if count != len(self.array):
            raise ErfTheoryError(
                f"{len(self.array)} slopes do not fit {count} channels: give one for each"
            )
        return count


@final
@dataclass(frozen=True, repr=False)
class Norm(Pointwise):
    """A normalisation.

    Parameters
    ----------
    kind : {"batch", "layer", "place", "group", "instance"}
        Over what: inputs and places of a channel; all of a sample; all channels of one place of
        it, as a layer norm behind a transposition has it; a group of its channels; one channel.
    groups : int
        Groups of channels, for "group".
    eps : float
        What is added to variances.
    scale, shift, mean, variance : array_like, optional
        Numbers of a trained batch norm, one per channel.
    """

    kind: Literal["batch", "layer", "place", "group", "instance"] = "batch"
    groups: int = 1
    eps: float = 1e-5
    scale: Given | npt.ArrayLike | None = None
    shift: Given | npt.ArrayLike | None = None
    mean: Given | npt.ArrayLike | None = None
    variance: Given | npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        if self.kind not in _NORMS:
            raise ErfTheoryError(f"a norm is one of {', '.join(_NORMS)}, not {self.kind!r}")
        need_whole("groups of Norm", self.groups, 1)
        need_number("eps of Norm", self.eps)
        for name in _NUMBERS:
            object.__setattr__(self, name, given(name, getattr(self, name)))

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        count = need_one(channels)
        if count % self.groups:
            raise ErfTheoryError(f"{self.groups} groups do not divide {count} channels")
        for name in _NUMBERS:
            numbers = getattr(self, name)
            if isinstance(numbers, Given) and numbers.array.shape != (count,):
                raise ErfTheoryError(
                    f"the {name} of a norm has shape {numbers.array.shape}, and {count} channels "
                    "go in: give one number for each"
                )
        return count


@final
@dataclass(frozen=True, repr=False)
class Dropout(Pointwise):
    """Inverted dropout: a sample is 0 at a rate, and what is left is scaled up.

    Parameters
    ----------
    rate : float
        From 0 to below 1.
    training : bool
        Whether it acts; in eval mode it is the identity.
    """

    rate: float = 0.5
    training: bool = True

    def __post_init__(self) -> None:
        need_number("rate of Dropout", self.rate, 1)


_NUMBERS = ("scale", "shift", "mean", "variance")
_NORMS = ("batch", "layer", "place", "group", "instance")
