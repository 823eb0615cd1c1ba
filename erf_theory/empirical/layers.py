"""What a layer does to real samples, forwards and backwards, as the frameworks do it.

Arrays have the axes (sample, channel, place...) and belong to any namespace of the Python array
API standard, which is an argument. They hold the box that the output unit depends on and no more,
so that no border is ever met.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch
from math import prod
from typing import Any

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import box, per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv
from erf_theory.network.geometry import Region
from erf_theory.network.pointwise import Activation

__all__ = ["Pull", "draw", "forward"]

Pull = Callable[[Any], Any]
"""From the gradient by a layer's output to the gradient by its input."""


@singledispatch
def draw(layer: Layer, ndim: int, rng: np.random.Generator) -> FloatArray | None:
    """Random weights of a layer; None if it has none."""
    return None


@draw.register
def _(layer: Conv, ndim: int, rng: np.random.Generator) -> FloatArray:
    return layer.draw(ndim, rng)


@singledispatch
def forward(layer: Layer, x: Any, weights: Any, region: Region, xp: Any) -> tuple[Any, Pull]:
    """The samples of a layer's output in a region, and how a gradient goes back."""
    raise ErfTheoryError(f"no samples go through a layer of type {type(layer).__name__}")


@forward.register
def _(layer: Activation, x: Any, weights: Any, region: Region, xp: Any) -> tuple[Any, Pull]:
    slope = layer.nonlinearity.slope(x, xp)
    return layer.nonlinearity.value(x, xp), lambda gradient: gradient * slope


@forward.register
def _(layer: Conv, x: Any, weights: Any, region: Region, xp: Any) -> tuple[Any, Pull]:
    windows = _windows(layer, region)
    rows = (x.shape[0], layer.groups, layer.out_channels // layer.groups)
    columns = (x.shape[0], layer.groups, layer.in_channels // layer.groups, prod(region.shape))
    w = xp.reshape(weights, (*rows, *weights.shape[2:]))
    y: Any = 0
    for tap, window in windows:
        y = y + xp.matmul(w[(..., *tap)], xp.reshape(x[window], columns))

    def pull(gradient: Any) -> Any:
        g = xp.reshape(gradient, (*rows, prod(region.shape)))
        total = xp.zeros(x.shape, dtype=x.dtype)
        for tap, window in windows:
            part = xp.matmul(xp.matrix_transpose(w[(..., *tap)]), g)
            total[window] += xp.reshape(part, (*x.shape[:2], *region.shape))
        return total

    return xp.reshape(y, (x.shape[0], layer.out_channels, *region.shape)), pull


def _windows(layer: Conv, region: Region) -> list[tuple[tuple[int, ...], Any]]:
    """Every tap, with the index of the samples that it sees while the output runs."""
    axes = len(region.shape)
    values = (layer.size, layer.stride, layer.dilation)
    size, stride, dilation = (per_axis(value, axes) for value in values)
    taps = list(np.ndindex(size))
    starts = [tuple(a * d for a, d in zip(tap, dilation, strict=True)) for tap in taps]
    return [
        (tap, box(start, region.shape, stride)) for tap, start in zip(taps, starts, strict=True)
    ]
