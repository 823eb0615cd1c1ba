"""Layers as frozen data: what a network is made of, in 1 to 3 dimensions.

Sizes, strides, dilations and paddings are one integer for all axes, or a tuple with one for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, fields
from functools import cached_property, reduce
from operator import index
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.activations import Nonlinearity, nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number_array
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.weights import law

__all__ = ["Activation", "Conv", "Layer", "need_whole"]


@dataclass(frozen=True, repr=False)
class Layer(ABC):
    """One layer: the base of all of them."""

    @abstractmethod
    def out_of(self, channels: int) -> int:
        """Channels that come out where ``channels`` go in.

        Raises
        ------
        ErfTheoryError
            If the layer does not take that many.
        """

    @property
    @abstractmethod
    def steps(self) -> tuple[Steps, ...]:
        """Everything that has one integer per axis."""

    def __repr__(self) -> str:
        given = [(part, getattr(self, part.name)) for part in fields(self)]
        texts = [
            repr(value) if part.default is MISSING else f"{part.name}={value!r}"
            for part, value in given
            if value != part.default
        ]
        return f"{type(self).__name__}({', '.join(texts)})"


@final
@dataclass(frozen=True, repr=False)
class Conv(Layer):
    """A convolution as the frameworks have it: y[i] = Σ_a w[a]·x[stride·i + dilation·a - padding].

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the output.
    size : int or tuple of int
        Taps per axis.
    stride, padding, dilation : int or tuple of int
        Distance of the outputs, zeros before the first sample, distance of the taps.
    groups : int
        Groups of channels that do not see each other; ``in_channels`` for a depthwise one.
    init : str, number or array_like
        Law of the random weights by name ("he", "xavier", "lecun", "pytorch"), or the variance of
        every weight, or one variance per tap: 1-D (used on every axis) or of the kernel's shape.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.

    Examples
    --------
    >>> Conv(16, 32, 3).variances(2)
    Kernel([[1/72, 1/72, 1/72], [1/72, 1/72, 1/72], [1/72, 1/72, 1/72]], origin=(0, 0))
    """

    in_channels: int
    out_channels: int
    size: Steps
    stride: Steps = 1
    padding: Steps = 0
    dilation: Steps = 1
    groups: int = 1
    init: str | Number | npt.ArrayLike = "he"

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            self._set(name, need_whole(f"{name} of a convolution", getattr(self, name), 1))
        for name, least in (("size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            given, text = getattr(self, name), f"{name} of a convolution"
            each = isinstance(given, tuple)
            parts = tuple(need_whole(text, part, least) for part in (given if each else (given,)))
            self._set(name, parts if each else parts[0])
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ErfTheoryError(
                f"{self.groups} groups do not divide {self.in_channels} channels in and "
                f"{self.out_channels} out: choose a common divisor"
            )
        if isinstance(self.init, str):
            law(self.init)
        else:
            self._set("init", _variances(self.init))

    def out_of(self, channels: int) -> int:
        """Channels that come out."""
        if channels != self.in_channels:
            raise ErfTheoryError(
                f"a convolution with in_channels={self.in_channels} is given {channels} channels: "
                "make the two equal"
            )
        return self.out_channels

    @property
    def steps(self) -> tuple[Steps, ...]:
        """Everything that has one integer per axis."""
        return (self.size, self.stride, self.padding, self.dilation)

    def weight_shape(self, ndim: int) -> tuple[int, ...]:
        """Shape of the weight array, as PyTorch has it."""
        return (self.out_channels, self.in_channels // self.groups, *per_axis(self.size, ndim))

    def variances(self, ndim: int) -> Kernel:
        """Variance of the weights at every tap.

        Raises
        ------
        ErfTheoryError
            If given variances do not fit the size.
        """
        shape = per_axis(self.size, ndim)
        one: Any = self.init
        if isinstance(self.init, str):
            one = law(self.init).variance(self.weight_shape(ndim))
        if not isinstance(one, tuple):
            return Kernel(np.full(shape, one, dtype=object))
        given = number_array(one)
        taps = reduce(np.multiply.outer, [given] * ndim) if given.ndim == 1 else given
        if taps.shape != shape:
            raise ErfTheoryError(
                f"variances of shape {given.shape} do not fit taps of shape {shape}: give one "
                "number, one per tap of an axis, or one per tap"
            )
        return Kernel(taps)

    def draw(self, ndim: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Random weights, of shape `weight_shape`; normal where only the variance is known."""
        shape = self.weight_shape(ndim)
        if isinstance(self.init, str):
            return law(self.init).draw(shape, rng)
        std = np.sqrt(self.variances(ndim).taps.astype(np.float64))
        return np.asarray(rng.standard_normal(shape) * std)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


@final
@dataclass(frozen=True, repr=False)
class Activation(Layer):
    """A function of every sample.

    Parameters
    ----------
    function : str or Nonlinearity
        A name of `erf_theory.activations.ACTIVATIONS`, or what
        `erf_theory.activations.nonlinearity` makes of a function and its derivative.

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

    def out_of(self, channels: int) -> int:
        """As many as go in."""
        return channels

    @property
    def steps(self) -> tuple[Steps, ...]:
        """None."""
        return ()

    @cached_property
    def nonlinearity(self) -> Nonlinearity:
        """The function, its slope and their Gaussian moments."""
        return nonlinearity(self.function) if isinstance(self.function, str) else self.function


def need_whole(name: str, value: Any, least: int) -> int:
    """A whole number that is not too small.

    Raises
    ------
    ErfTheoryError
        If it is none; ``name`` says what it would be.
    """
    try:
        number = index(value)
    except TypeError:
        raise ErfTheoryError(f"the {name} is a whole number, not {value!r}") from None
    if number < least:
        raise ErfTheoryError(f"the {name} is {least} or more, not {number}")
    return number


def _variances(given: Any) -> Any:
    """One number, or nested tuples of them."""
    try:
        array = number_array(np.atleast_1d(np.asarray(given)))
    except ValueError as error:
        raise ErfTheoryError(
            f"init is the name of a law, one variance, or one per tap, not {given!r}: {error}"
        ) from None
    if np.any(array < 0) or not np.any(array > 0):
        raise ErfTheoryError(f"variances are not negative, and not all 0, unlike {given!r}")
    values = array.tolist()
    return _nested(values if np.ndim(given) else values[0])


def _nested(value: Any) -> Any:
    return tuple(map(_nested, value)) if isinstance(value, list) else value
