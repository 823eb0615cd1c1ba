"""Effective receptive fields in closed form: the questions that the package answers."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.engines.field import F, Program
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.exact import Number, number, text_of, whole
from erf_theory.kernel import Kernel, need_few_taps
from erf_theory.lattice import Steps, per_axis
from erf_theory.maps import ProgramMap

__all__ = ["theoretical_erf", "variance_erf"]

_MOST_BITS = 10_000
"""A map of strided layers has no side of more bits than this: numbers of 3000 digits."""


def theoretical_erf(
    k: int | None,
    n: int,
    *,
    ndim: int = 1,
    kernel: npt.ArrayLike | Kernel | None = None,
    dilation: Steps = 1,
    stride: Steps = 1,
    engine: str = "auto",
) -> ERF:
    """Effective receptive field of n equal linear convolution layers with fixed weights.

    The gradient of one output unit with respect to the input: o = v * v * … * v ([Luo16], section
    2), in DTFT V(ω)ⁿ. With a stride s and dilation d it is Π V(z^(sᵖ d)) over the layers p.

    Parameters
    ----------
    k : int or None
        Taps per axis, 1 or more; None takes them from ``kernel``.
    n : int
        Number of layers; 0 gives the unit impulse.
    ndim : int
        Spatial axes: 1, 2 or 3.
    kernel : array_like or Kernel, optional
        The taps, signed ones too: 1-D of length k (used on every axis), or of shape
        ``(k,) * ndim``. Integers and fractions stay exact. Default: all ones, so that the mass is
        ``k**(n*ndim)``.
    dilation, stride : int or sequence of int
        Distance of the taps, and of the outputs, in every layer.
    engine : str
        "auto" takes the fastest engine whose answer is right; or "convolution", "dtft",
        "contour", "multinomial", "balls".

    Returns
    -------
    ERF
        Of kind "amplitude", on ``n*(k-1)*dilation + 1`` samples per axis for stride 1. Nothing is
        computed before it is asked for.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense; the message says which and why.

    Examples
    --------
    >>> erf = theoretical_erf(3, 2)
    >>> erf.values.tolist() == [1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9]
    True
    >>> erf = theoretical_erf(3, 10_000)
    >>> erf.theoretical_rf, round(erf.std, 2), float(erf.log_values[0].round(3))
    ((20001,), 81.65, -10986.123)
    """
    layer, rounded = _layer(k, kernel, _dimension(ndim))
    layers = whole("n", n, 0)
    steps, strides = _steps("dilation", dilation, ndim), _steps("stride", stride, ndim)
    call = _call(
        "theoretical_erf", layer, n, ndim=ndim, kernel=kernel, dilation=dilation, stride=stride
    )
    factors = _factors(layer, layers, steps, strides, engine)
    whole_map = _in_one_piece(rounded, layers, steps, strides)
    return ERF(factors, "amplitude", call, unfactored=whole_map)


def variance_erf(
    k: int | None,
    n: int,
    *,
    weight_variance: Number | npt.ArrayLike = 1.0,
    ndim: int = 1,
    dilation: Steps = 1,
    stride: Steps = 1,
    engine: str = "auto",
) -> ERF:
    """Energy E g² of n equal convolution layers with independent random weights of mean 0.

    Every layer's kernel becomes the variances of its weights: for one variance C the map is Cⁿ
    times that of `theoretical_erf`, the same shape ([Luo16], section 2).

    Parameters
    ----------
    k : int or None
        Taps per axis, 1 or more; None takes them from the variances.
    n : int
        Number of layers, 0 or more.
    weight_variance : number or array_like
        Variance C of every weight, above 0; or one variance per tap, shaped as the ``kernel`` of
        `theoretical_erf`.
    ndim : int
        Spatial axes: 1, 2 or 3.
    dilation, stride, engine
        As for `theoretical_erf`.

    Returns
    -------
    ERF
        Of kind "energy", with mass ``(C * k**ndim)**n``; its `ERF.rms` is the map of √(E g²).

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense; the message says which and why.

    Examples
    --------
    >>> erf = variance_erf(3, 20, weight_variance=2)
    >>> erf.mass == 6**20
    True
    >>> round(variance_erf(3, 10_000, weight_variance=10, ndim=2).log_mass, 3)
    44998.097
    """
    axes, layers = _dimension(ndim), whole("n", n, 0)
    steps, strides = _steps("dilation", dilation, ndim), _steps("stride", stride, ndim)
    variance: Any = weight_variance
    each = np.ndim(variance) == 0
    layer, rounded = _layer(k, None if each else variance, axes)
    factor = _variance(variance) if each else 1
    if not all(kernel.is_nonnegative for kernel in layer):
        raise ErfTheoryError(f"variances are not negative: {_text(variance)}")
    first, *rest = _factors(layer, layers, steps, strides, engine)
    scaled = replace(first, factor=factor, times=layers)
    call = _call(
        "variance_erf",
        layer,
        n,
        weight_variance=variance,
        ndim=ndim,
        dilation=dilation,
        stride=stride,
    )
    whole_map = _in_one_piece(rounded, layers, steps, strides)
    return ERF((scaled, *rest), "energy", call, unfactored=whole_map)


def _factors(
    layer: tuple[Kernel, ...],
    n: int,
    dilation: tuple[int, ...],
    stride: tuple[int, ...],
    engine: str,
) -> tuple[ProgramMap, ...]:
    """One map per axis if the kernel is separable, the same one for equal axes; else one map."""
    if layer[0].ndim > 1:
        return (ProgramMap(_stack(layer[0], n, dilation, stride), layer[0].ndim, engine),)
    axes = list(zip(layer, dilation, stride, strict=True))
    boxes = {(line.origin, line.shape) for line in layer}
    if len(boxes) == 1 and all(axis == axes[0] for axis in axes):
        return (_line(*axes[0], n, engine),) * len(axes)
    return tuple(_line(*axis, n, engine) for axis in axes)


def _in_one_piece(
    rounded: Kernel | None, n: int, dilation: tuple[int, ...], stride: tuple[int, ...]
) -> ProgramMap | None:
    """The map without factors, if they are right to rounding only."""
    if rounded is None:
        return None
    return ProgramMap(_stack(rounded, n, dilation, stride), rounded.ndim)


def _line(kernel: Kernel, dilation: int, stride: int, n: int, engine: str) -> ProgramMap:
    """The map on one axis."""
    return ProgramMap(_stack(kernel, n, (dilation,), (stride,)), 1, engine)


def _stack(kernel: Kernel, n: int, dilation: tuple[int, ...], stride: tuple[int, ...]) -> Program:
    """What n equal layers do to a gradient field, from the output back.

    Single taps only move the map as a whole, with a stride or without.
    """
    spread = prod(kernel.shape) > 1 and max(stride) > 1
    if spread and n * (max(stride).bit_length() - 1) > _MOST_BITS:
        raise MapTooLargeError(
            f"{text_of(n)} layers of stride {text_of(max(stride))} spread the map over more than "
            f"2^{_MOST_BITS} pixels: choose a smaller n or stride"
        )

    def backward(field: F, /) -> F:
        if not spread:
            return field.convolve(kernel, dilation, n)
        for _ in range(n):
            field = field.expand(stride).convolve(kernel, dilation)
        return field

    return backward


def _layer(
    k: int | None, kernel: npt.ArrayLike | Kernel | None, ndim: int
) -> tuple[tuple[Kernel, ...], Kernel | None]:
    """The taps of a layer: one kernel per axis, or a single one that is not separable.

    Then the kernel in one piece, where its factors are right to rounding only.
    """
    if kernel is None:
        if k is None:
            raise ErfTheoryError("give k, the number of taps per axis, or the kernel itself")
        return (Kernel.uniform(whole("k", k, 1)),) * ndim, None
    taps = _taps(k, kernel, ndim)
    if taps.ndim == 1:
        return (taps,) * ndim, None
    factors = taps.factors()
    return factors or (taps,), None if taps.is_exact or not factors else taps


def _taps(k: int | None, kernel: npt.ArrayLike | Kernel, ndim: int) -> Kernel:
    """The given taps: 1-D, to be used on every axis, or on ``ndim`` axes."""
    taps = kernel if isinstance(kernel, Kernel) else Kernel(kernel)
    size = max(taps.shape) if k is None else whole("k", k, 1)
    need_few_taps(taps.taps.size)
    if taps.channels:
        raise ErfTheoryError(
            f"a layer's kernel is without channels, not of shape {taps.taps.shape}: choose one "
            "with kernel[...]"
        )
    if taps.ndim not in (1, ndim):
        raise ErfTheoryError(
            f"a kernel of shape {taps.shape} has {taps.ndim} axes and ndim is {ndim}: give ndim "
            f"{taps.ndim} (--ndim {taps.ndim}), or one row of taps for every axis"
        )
    if set(taps.shape) != {size}:
        shapes = " or ".join(str((size,) * axes) for axes in sorted({1, ndim}))
        raise ErfTheoryError(
            f"k = {size} and a kernel of shape {taps.shape} disagree: its shape is {shapes}"
        )
    if not np.any(taps.taps):
        raise ErfTheoryError(
            "a kernel of zeros has no effective receptive field: give a tap that is not 0"
        )
    return taps


def _dimension(ndim: int) -> int:
    if (axes := whole("ndim", ndim, 1)) > 3:
        raise ErfTheoryError(f"ndim is 1, 2 or 3, not {axes}")
    return axes


def _steps(name: str, value: Steps, ndim: int) -> tuple[int, ...]:
    if np.ndim(value) == 0:
        return (whole(name, value, 1),) * ndim
    return per_axis(tuple(whole(name, part, 1) for part in value), ndim)  # type: ignore[union-attr]


def _variance(value: Any) -> Number:
    """A positive number; a float that is whole counts as exact."""
    try:
        variance = number(value)
    except ErfTheoryError:
        raise ErfTheoryError(f"a weight's variance is a number above 0, not {value!r}") from None
    if variance <= 0:
        raise ErfTheoryError(f"a weight's variance is above 0, not {text_of(value)}")
    return int(variance) if isinstance(variance, float) and variance.is_integer() else variance


_DEFAULTS = {"1", "1.0", "None"}
"""How the default of every option reads."""


def _call(name: str, layer: tuple[Kernel, ...], n: int, **options: Any) -> str:
    """The call as one would write it, defaults left out."""
    given = [f"{key}={_text(v)}" for key, v in options.items() if text_of(v) not in _DEFAULTS]
    return f"{name}({', '.join([text_of(layer[0].shape[0]), text_of(n), *given])})"


def _text(value: Any) -> str:
    """A value as one would write it; long arrays are shortened."""
    text = _written(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 60 else f"{text[:56]} …"


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return text_of(value)
