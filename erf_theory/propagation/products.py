"""Convolutions with given weights that follow each other, or are added: one convolution."""

from __future__ import annotations

from dataclasses import replace
from math import gcd, prod

import numpy as np
import numpy.typing as npt

from erf_theory.exact import FloatArray
from erf_theory.lattice import box, per_axis
from erf_theory.network.base import Given
from erf_theory.network.convolutions import Conv

__all__ = ["product_of", "sum_of", "weights_of"]

_MOST = 2**31
"""Multiplications of a product: layers whose product takes more are squared apart."""


def product_of(last: Conv, first: Conv, ndim: int, *, borders: bool = False) -> Conv | None:
    """Two convolutions with given weights as one; None where that is too much, or not the same.

    Near a border it is not the same if the last one reads beyond it and the first one has several
    taps: what that finds from there on the image is not read.

    Parameters
    ----------
    last, first : Conv
        The layer at the output, and the one that it reads.
    ndim : int
        Spatial axes.
    borders : bool
        Whether there is an image with borders.

    Examples
    --------
    >>> one = Conv(1, 1, 2, weights=[[[1, 2]]])
    >>> other = Conv(1, 1, 2, stride=2, weights=[[[1, -1]]])
    >>> both = product_of(one, other, 1)
    >>> both.stride, both.given_weights.tolist()
    ((2,), [[[1.0, -1.0, 2.0, -2.0]]])
    """
    outer, inner = weights_of(last), weights_of(first)
    shapes = outer.shape[2:], inner.shape[2:]
    work = prod(outer.shape) * prod(inner.shape) // last.in_channels
    beyond = prod(shapes[0]) > 1 or any(map(any, last.pads(ndim)))
    if work > _MOST or (borders and beyond and prod(shapes[1]) > 1):
        return None
    strides, spread = per_axis(first.stride, ndim), per_axis(last.stride, ndim)
    far = [s * d for s, d in zip(strides, per_axis(last.dilation, ndim), strict=True)]
    near = per_axis(first.dilation, ndim)
    rows = [(a * (m > 1), b * (n > 1)) for a, b, m, n in zip(far, near, *shapes, strict=True)]
    grid = [gcd(a, b) or 1 for a, b in rows]
    steps = [(a // g, b // g) for (a, b), g in zip(rows, grid, strict=True)]
    size = tuple(a * (m - 1) + b * (n - 1) + 1 for (a, b), m, n in zip(steps, *shapes, strict=True))
    if prod(shapes[0]) == 1:
        weights = np.tensordot(outer.reshape(outer.shape[:2]), inner, 1)
    else:
        weights = np.zeros((last.out_channels, first.in_channels, *size))
        for tap in np.ndindex(shapes[0]):
            start = [i * a for i, (a, _) in zip(tap, steps, strict=True)]
            inside = box(start, shapes[1], [b or 1 for _, b in steps])
            weights[inside] += np.tensordot(outer[(..., *tap)], inner, 1)
    ends = zip(strides, last.pads(ndim), first.pads(ndim), strict=True)
    return Conv(
        first.in_channels,
        last.out_channels,
        size,
        stride=tuple(s * t for s, t in zip(strides, spread, strict=True)),
        padding=tuple((s * a + c, s * b + d) for s, (a, b), (c, d) in ends),
        dilation=tuple(grid),
        weights=Given(weights),
    )


def sum_of(one: Conv, other: Conv) -> Conv:
    """Two convolutions with given weights and equal strides, whose outputs are added, as one.

    Its padding is that before the first place.

    Examples
    --------
    >>> window = Conv(1, 1, 3, padding=1, weights=[[[1, 2, 3]]])
    >>> both = sum_of(window, Conv(1, 1, 1, weights=[[[5]]]))
    >>> both.given_weights.tolist(), both.padding
    ([[[1.0, 7.0, 3.0]]], ((1, 0),))
    """
    rows = list(zip(_offsets(one), _offsets(other), strict=True))
    starts = [min(a[0], b[0]) for a, b in rows]
    grid = [
        int(np.gcd.reduce([*(a - low), *(b - low)])) or 1
        for (a, b), low in zip(rows, starts, strict=True)
    ]
    stops = [max(a[-1], b[-1]) for a, b in rows]
    size = tuple((high - low) // g + 1 for low, high, g in zip(starts, stops, grid, strict=True))
    weights = np.zeros((one.out_channels, one.in_channels, *size))
    for layer, places in zip((one, other), zip(*rows, strict=True), strict=True):
        taps = [(a - low) // g for a, low, g in zip(places, starts, grid, strict=True)]
        weights[(..., *np.ix_(*taps))] += weights_of(layer)
    pads = tuple((-low, 0) for low in starts)
    return replace(one, size=size, padding=pads, dilation=tuple(grid), weights=Given(weights))


def _offsets(layer: Conv) -> list[npt.NDArray[np.intp]]:
    """Places of the taps on every axis, from the one that the unit's place becomes."""
    shape = weights_of(layer).shape[2:]
    rows = zip(shape, layer.pads(len(shape)), per_axis(layer.dilation, len(shape)), strict=True)
    return [step * np.arange(size) - before for size, (before, _), step in rows]


def weights_of(layer: Conv) -> FloatArray:
    """The weights of a layer that has them as given."""
    weights = layer.given_weights
    assert weights is not None  # noqa: S101
    return weights
