"""What a norm does to real samples, forwards and backwards.

A batch norm is in eval mode: its statistics were taken before, and stay. The others take theirs
from the samples in the box, and the gradient goes through them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from erf_theory.empirical.layers import At, Pull, forward
from erf_theory.network.base import Given
from erf_theory.network.pointwise import Norm

__all__ = ["channel_statistics"]


def channel_statistics(x: Any, xp: Any) -> tuple[Any, Any]:
    """Mean and variance of every channel over inputs and places."""
    axes = (1, *range(3, x.ndim))
    return xp.mean(x, axis=axes, keepdims=True), xp.var(x, axis=axes, keepdims=True)


@forward.register
def _(layer: Norm, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    (x,) = xs
    scale, shift = (_per_channel(part, x, at.xp) for part in (layer.scale, layer.shift))
    y, pull = _frozen(layer, x, at) if layer.kind == "batch" else _moving(layer, x, at.xp)
    gain = 1.0 if scale is None else scale
    return y * gain + (0.0 if shift is None else shift), lambda gradient: pull(gradient * gain)


def _frozen(layer: Norm, x: Any, at: At) -> tuple[Any, Pull]:
    """A batch norm in eval mode: numbers of the layer, or else of the calibration."""
    mean, variance = (_per_channel(part, x, at.xp) for part in (layer.mean, layer.variance))
    if at.statistics is not None:
        mean = at.statistics[0] if mean is None else mean
        variance = at.statistics[1] if variance is None else variance
    factor = 1 / at.xp.sqrt(variance + layer.eps)
    return (x - mean) * factor, lambda gradient: (gradient * factor,)


def _moving(layer: Norm, x: Any, xp: Any) -> tuple[Any, Pull]:
    """A norm that takes its statistics from the samples themselves."""
    if layer.kind == "place":
        return _of_places(layer, x, xp)
    groups = {"layer": 1, "group": layer.groups, "instance": x.shape[2]}[layer.kind]
    shape = (*x.shape[:2], groups, prod(x.shape[2:]) // groups)
    unit, pull = _standardised(layer.eps, xp.reshape(x, shape), -1, xp)
    return xp.reshape(unit, x.shape), lambda gradient: (
        xp.reshape(pull(xp.reshape(gradient, shape)), x.shape),
    )


def _of_places(layer: Norm, x: Any, xp: Any) -> tuple[Any, Pull]:
    """A norm over the channels of every place."""
    unit, pull = _standardised(layer.eps, x, 2, xp)
    return unit, lambda gradient: (pull(gradient),)


def _standardised(eps: float, rows: Any, axis: int, xp: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Rows less their mean, over their standard deviation, and how a gradient goes back."""
    factor = 1 / xp.sqrt(xp.var(rows, axis=axis, keepdims=True) + eps)
    unit = (rows - xp.mean(rows, axis=axis, keepdims=True)) * factor

    def pull(g: Any) -> Any:
        along = xp.mean(g * unit, axis=axis, keepdims=True)
        return factor * (g - xp.mean(g, axis=axis, keepdims=True) - unit * along)

    return unit, pull


def _per_channel(numbers: Any, x: Any, xp: Any) -> Any:
    """Numbers of a layer, one per channel, beside the samples; None for none."""
    if not isinstance(numbers, Given):
        return None
    shape = (1, 1, -1, *(1,) * (x.ndim - 3))
    return xp.asarray(numbers.array.copy().reshape(shape), dtype=x.dtype)
