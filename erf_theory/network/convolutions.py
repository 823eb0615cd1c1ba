"""Convolutions and transposed convolutions, with random weights or weights as given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, number_array
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.base import (
    Given,
    Layer,
    Padding,
    Window,
    given,
    keep,
    need_number,
    need_steps,
    need_whole,
)
from erf_theory.network.weights import law, middle

__all__ = ["Conv", "ConvTranspose", "Init", "Weighted", "is_given"]

Init = str | Number | npt.ArrayLike


@dataclass(frozen=True, repr=False)
class Weighted(Window, Layer):
    """A layer with weights: the base of both convolutions.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input and of the output.
    size : int or tuple of int
        Taps per axis.
    stride, dilation : int or tuple of int
        Distance of the outputs (transposed: of what the inputs are spread to), and of the taps.
    padding : int, tuple or str
        See `erf_theory.network.base.Padding`.
    groups : int
        Groups of channels that do not see each other; ``in_channels`` for a depthwise one.
    init : str, number or array_like
        Law of the random weights by name ("he", "xavier", "lecun", "pytorch" or
        "delta_orthogonal"), or the variance of every weight, or one variance per tap: 1-D (used on
        every axis) or of the kernel's shape.
    bias_variance : number
        Variance of the biases.
    weights, bias : array_like, optional
        Weights as given, laid out as in PyTorch, and a bias beside them; then ``init`` and
        ``bias_variance`` do not count.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.
    """

    in_channels: int
    out_channels: int
    size: Steps
    stride: Steps = 1
    padding: Padding = 0
    dilation: Steps = 1
    groups: int = 1
    init: Init = "he"
    bias_variance: Number = 0
    weights: Given | npt.ArrayLike | None = None
    bias: Given | npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        what = type(self).__name__
        for name in ("in_channels", "out_channels", "groups"):
            keep(self, name, need_whole(f"{name} of {what}", getattr(self, name), 1))
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ErfTheoryError(
                f"{self.groups} groups do not divide {self.in_channels} channels in and "
                f"{self.out_channels} out: choose a common divisor"
            )
        self.check()
        need_number(f"bias_variance of {what}", self.bias_variance)
        keep(self, "init", _init(self.init))
        for name in ("weights", "bias"):
            keep(self, name, given(name, getattr(self, name)))
        if self.given_weights is not None:
            self._check_weights(self.given_weights)
        elif self.given_bias is not None:
            raise ErfTheoryError(
                "a bias as given stands beside weights as given: give both, or bias_variance"
            )
        if self.given_bias is not None and self.given_bias.shape != (self.out_channels,):
            raise ErfTheoryError(
                f"a bias of shape {self.given_bias.shape} does not fit {self.out_channels} "
                "channels: give one number for each"
            )

    def out_of(self, *channels: int) -> int:
        """Channels that come out."""
        if channels != (self.in_channels,):
            raise ErfTheoryError(
                f"a convolution with in_channels={self.in_channels} is given "
                f"{', '.join(map(str, channels))} channels: make the two equal"
            )
        return self.out_channels

    @property
    def lengths(self) -> set[int]:
        """Numbers of axes that its tuples, variances and weights speak of."""
        found = super().lengths
        if self.given_weights is not None:
            found = found | {self.given_weights.ndim - 2}
        if isinstance(self.init, tuple) and isinstance(self.init[0], tuple):
            found = found | {number_array(self.init).ndim}
        return found

    @property
    def given_weights(self) -> FloatArray | None:
        """The weights as given; None for random ones."""
        return self.weights.array if isinstance(self.weights, Given) else None

    @property
    def given_bias(self) -> FloatArray | None:
        """The bias as given, if there is one."""
        return self.bias.array if isinstance(self.bias, Given) else None

    def weight_shape(self, ndim: int) -> tuple[int, ...]:
        """Shape of the weight array, as PyTorch has it."""
        lead = (self.out_channels, self.in_channels // self.groups)
        return (*lead, *per_axis(self.size, ndim))

    def variances(self, ndim: int) -> Kernel:
        """Variance of the random weights at every tap, the first one at 0.

        Raises
        ------
        ErfTheoryError
            If given variances do not fit the size.
        """
        shape = per_axis(self.size, ndim)
        one: Any = self.init
        if isinstance(self.init, str):
            one = law(self.init).variance(self.weight_shape(ndim), self.groups)
            if law(self.init).is_centred:
                taps = np.full(shape, 0, dtype=object)
                taps[middle(shape)] = one
                return Kernel(taps)
        if not isinstance(one, tuple):
            return Kernel(np.full(shape, one, dtype=object))
        given = number_array(one)
        with np.errstate(over="ignore"):
            taps = reduce(np.multiply.outer, [given] * ndim) if given.ndim == 1 else given
        if taps.shape != shape:
            raise ErfTheoryError(
                f"variances of shape {given.shape} do not fit taps of shape {shape}: give one "
                "number, one per tap of an axis, or one per tap"
            )
        return Kernel(taps)

    def draw(self, ndim: int, rng: np.random.Generator) -> FloatArray:
        """Weights of shape `weight_shape`: as given, or random; normal for given variances."""
        if self.given_weights is not None:
            return self.given_weights
        shape = self.weight_shape(ndim)
        if isinstance(self.init, str):
            return law(self.init).draw(shape, rng, self.groups)
        std = np.sqrt(self.variances(ndim).taps.astype(np.float64))
        return np.asarray(rng.standard_normal(shape) * std)

    def _check_weights(self, weights: FloatArray) -> None:
        ndim = weights.ndim - 2
        if ndim not in (1, 2, 3) or weights.shape != self.weight_shape(ndim):
            raise ErfTheoryError(
                f"weights of shape {weights.shape} do not fit {self.in_channels} channels in, "
                f"{self.out_channels} out, {self.groups} groups and size {self.size}"
            )


@final
@dataclass(frozen=True, repr=False)
class Conv(Weighted):
    """A convolution as the frameworks have it: y[i] = Σ_a w[a]·x[stride·i + dilation·a - padding].

    Its parameters are those of `Weighted`.

    Examples
    --------
    >>> Conv(16, 32, 3).variances(2)
    Kernel([[1/72, 1/72, 1/72], [1/72, 1/72, 1/72], [1/72, 1/72, 1/72]], origin=(0, 0))
    """


@final
@dataclass(frozen=True, repr=False)
class ConvTranspose(Weighted):
    """A transposed convolution: x[i]·w[a] is added to y[stride·i + dilation·a - padding].

    Its parameters are those of `Weighted`; the fan-in of its laws is that of PyTorch, out_channels
    / groups times the taps.

    Parameters
    ----------
    output_padding : int or tuple of int
        Places that are added behind the last output.

    Examples
    --------
    >>> ConvTranspose(32, 16, 2, stride=2).variances(1)
    Kernel([1/16, 1/16], origin=(0,))
    """

    output_padding: Steps = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.padding, str):
            raise ErfTheoryError("the padding of ConvTranspose is given in numbers")
        value = need_steps("output_padding of ConvTranspose", self.output_padding, 0)
        keep(self, "output_padding", value)

    def weight_shape(self, ndim: int) -> tuple[int, ...]:
        """Shape of the weight array, as PyTorch has it."""
        lead = (self.in_channels, self.out_channels // self.groups)
        return (*lead, *per_axis(self.size, ndim))


def is_given(layer: Layer) -> bool:
    """Whether a layer has weights as given.

    Examples
    --------
    >>> is_given(Conv(1, 1, 3, weights=[[[1, 2, 1]]])), is_given(Conv(1, 1, 3))
    (True, False)
    """
    return isinstance(layer, Weighted) and layer.given_weights is not None


def _init(given: Any) -> Any:
    """The law's name, one variance, or nested tuples of them."""
    if isinstance(given, str):
        return law(given).name
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
