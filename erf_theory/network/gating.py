"""Factors: fixed ones, ones that depend on the whole input, and what sees the whole input."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number
from erf_theory.network.base import Given, given, keep, need_one, need_whole
from erf_theory.network.pointwise import Pointwise

__all__ = ["Factors", "Gate", "Global", "Scale"]

Factors = Number | Given | npt.ArrayLike
"""One number, or one for every channel."""


@dataclass(frozen=True, repr=False)
class _Factor(Pointwise):
    """A layer with numbers that are the same at all places."""

    factor: Factors = 1

    def __post_init__(self) -> None:
        _keep(self, "factor")

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        count = need_one(channels)
        for name, numbers in vars(self).items():
            if isinstance(numbers, Given) and numbers.array.shape != (count,):
                raise ErfTheoryError(
                    f"the {name} of {type(self).__name__} has shape {numbers.array.shape}, and "
                    f"{count} channels go in: give one number, or one for each"
                )
        return count

    def factors(self, channels: int) -> FloatArray:
        """What every channel is multiplied by."""
        return _per_channel(self.factor, channels)


@final
@dataclass(frozen=True, repr=False)
class Scale(_Factor):
    """Every sample times a fixed number, plus a fixed number.

    Parameters
    ----------
    factor, shift : number or array_like
        One number, or one for every channel.

    Examples
    --------
    >>> Scale(0.5)
    Scale(factor=0.5)
    """

    shift: Factors = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        _keep(self, "shift")

    def shifts(self, channels: int) -> FloatArray:
        """What is added to every channel."""
        return _per_channel(self.shift, channels)


@final
@dataclass(frozen=True, repr=False)
class Gate(_Factor):
    """Every sample times a number that depends on the whole input, but not on the place.

    What squeeze-and-excitation does. The path through the samples stays local, with the number's
    expected value as its factor; the other path, by which every input has some influence on the
    number, is not in a map: maps say so.

    Parameters
    ----------
    factor : number or array_like
        The expected value, for all channels or for every channel.
    """


@final
@dataclass(frozen=True, repr=False)
class Global(Pointwise):
    """Samples that depend on all places of an image, and look the same at all of them.

    They are no part of a map, and maps say so. Its input only tells where its places are.

    Parameters
    ----------
    channels : int
        Channels that come out.
    """

    channels: int

    def __post_init__(self) -> None:
        need_whole("channels of Global", self.channels, 1)

    def out_of(self, *channels: int) -> int:
        """As many as it says."""
        need_one(channels)
        return self.channels


def _keep(layer: Any, name: str) -> None:
    """Keep one finite number, or some."""
    value = getattr(layer, name)
    if not isinstance(value, Real):
        keep(layer, name, given(name, value))
    elif not isfinite(value):
        raise ErfTheoryError(f"the {name} of {type(layer).__name__} is finite, not {value!r}")


def _per_channel(numbers: Any, channels: int) -> FloatArray:
    one = numbers.array if isinstance(numbers, Given) else float(numbers)
    return np.broadcast_to(np.asarray(one, dtype=np.float64), (channels,))
