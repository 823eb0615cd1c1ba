"""What a layer does to real samples, forwards and backwards, as the frameworks do it.

Arrays have the axes (network, input, channel, place...) and belong to any namespace of the Python
array API standard, which is an argument. They hold boxes of an infinite image, so that no border
is ever met: a padding only moves coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from erf_theory.empirical.links import Link, Taps
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer, Window
from erf_theory.network.convolutions import Conv, ConvTranspose, Weighted
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.geometry import Region
from erf_theory.network.pointwise import Activation, Dropout, Identity, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

__all__ = ["At", "Pull", "forward", "matrices"]

Pull = Callable[[Any], Sequence[Any]]
"""From the gradient by a layer's output to the gradients by its inputs."""


@dataclass(frozen=True)
class At:
    """Where a layer acts, and the numbers that it acts with.

    Attributes
    ----------
    source, region : Region
        Boxes that its inputs and its output hold.
    xp : module
        Namespace of the arrays.
    weights : array, optional
        What `matrices` makes of the weights.
    bias : array, shape (networks, channels), optional
        The biases.
    mask : array, optional
        What a dropout's samples are multiplied by.
    statistics : pair of arrays, optional
        Mean and variance of a batch norm's channels, of shape (networks, 1, channels, 1...).
    """

    source: Region
    region: Region
    xp: Any
    weights: Any = None
    bias: Any = None
    mask: Any = None
    statistics: tuple[Any, Any] | None = None


@singledispatch
def forward(layer: Layer, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    """The samples of a layer's output, and how a gradient goes back to its inputs.

    Raises
    ------
    ErfTheoryError
        If it is not known what the layer does.
    """
    raise ErfTheoryError(f"no samples go through a layer of type {type(layer).__name__}")


@forward.register(Crop)
@forward.register(Identity)
@forward.register(Pad)
def _(layer: Layer, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    return xs[0], lambda gradient: (gradient,)


@forward.register
def _(layer: Activation, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    (x,), what = xs, layer.nonlinearity
    return what.value(x, at.xp), lambda gradient: (gradient * what.slope(x, at.xp),)


@forward.register
def _(layer: PReLU, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    (x,), shape = xs, (1, 1, -1, *(1,) * len(at.region.shape))
    below = at.xp.asarray(layer.array.reshape(shape).copy(), dtype=x.dtype)
    slope = at.xp.where(x > 0, at.xp.ones_like(x), below * at.xp.ones_like(x))
    return slope * x, lambda gradient: (gradient * slope,)


@forward.register
def _(layer: Dropout, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    mask = 1.0 if at.mask is None else at.mask
    return xs[0] * mask, lambda gradient: (gradient * mask,)


@forward.register
def _(layer: Conv, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    return _weighted(layer, xs[0], _taps(layer, at).gather(at.source, at.region), at)


@forward.register
def _(layer: ConvTranspose, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    return _weighted(layer, xs[0], _taps(layer, at).spread(at.source, at.region), at)


def _taps(layer: Window, at: At) -> Taps:
    """The window of a layer."""
    ndim = len(at.region.shape)
    values = (layer.size, layer.stride, layer.dilation)
    size, stride, dilation = (per_axis(value, ndim) for value in values)
    return Taps(size, stride, dilation, [before for before, _ in layer.pads(ndim)])


def matrices(layer: Weighted, weights: FloatArray) -> FloatArray:
    """One matrix per tap, network and group, from the weights of several networks.

    Returns
    -------
    ndarray, shape (tap..., networks, 1, groups, channels out, channels in)
        The channels are those of one group.
    """
    count, lead, *taps = weights.shape
    lead_last = np.reshape(weights, (count, 1, layer.groups, lead // layer.groups, *taps))
    if isinstance(layer, ConvTranspose):
        lead_last = np.swapaxes(lead_last, 3, 4)
    axes = range(lead_last.ndim)
    return np.ascontiguousarray(np.transpose(lead_last, (*axes[5:], *axes[:5])))


def _weighted(layer: Weighted, x: Any, links: Sequence[Link], at: At) -> tuple[Any, Pull]:
    """A sum over taps of matrices that act on the channels."""
    xp, lead, groups = at.xp, x.shape[:2], layer.groups
    rows, columns = (*lead, layer.out_channels), (*lead, layer.in_channels)

    def grouped(part: Any, channels: int) -> Any:
        return xp.reshape(part, (*lead, groups, channels // groups, prod(part.shape[3:])))

    y = xp.zeros((*rows, *at.region.shape), dtype=x.dtype)
    for link in links:
        part = _times(at.weights[(*link.tap, ...)], grouped(x[link.inputs], layer.in_channels), xp)
        y[link.outputs] += xp.reshape(part, (*rows, *link.shape))
    if at.bias is not None:
        y += xp.reshape(at.bias, (lead[0], 1, layer.out_channels, *(1,) * len(at.region.shape)))

    def pull(gradient: Any) -> Sequence[Any]:
        total = xp.zeros(x.shape, dtype=x.dtype)
        for link in links:
            matrix = xp.matrix_transpose(at.weights[(*link.tap, ...)])
            part = _times(matrix, grouped(gradient[link.outputs], layer.out_channels), xp)
            total[link.inputs] += xp.reshape(part, (*columns, *link.shape))
        return (total,)

    return y, pull


def _times(matrix: Any, part: Any, xp: Any) -> Any:
    """The product, which has no sum in it where the matrix has one column: that is faster."""
    return matrix * part if matrix.shape[-1] == 1 else xp.matmul(matrix, part)


@forward.register
def _(layer: AvgPool, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    links = _taps(layer, at).gather(at.source, at.region)
    return _fixed(xs[0], [(link, 1 / len(links)) for link in links], at)


@forward.register
def _(layer: Upsample, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    scales = per_axis(layer.scale, len(at.region.shape))
    ones, nothing = (1,) * len(scales), (0,) * len(scales)
    if layer.mode == "nearest":
        links = Taps(scales, scales, ones, nothing).spread(at.source, at.region)
        return _fixed(xs[0], [(link, 1.0) for link in links], at)
    sizes = [2 * s - s % 2 for s in scales]
    links = Taps(sizes, scales, ones, [s // 2 for s in scales]).spread(at.source, at.region)
    return _fixed(xs[0], [(link, _tent(link.tap, sizes, scales)) for link in links], at)


def _tent(tap: Sequence[int], sizes: Sequence[int], scales: Sequence[int]) -> float:
    """Share of an input in an output of linear interpolation: 1 - distance/scale on every axis."""
    axes = zip(tap, sizes, scales, strict=True)
    return prod(1 - abs(2 * a - k + 1) / (2 * s) for a, k, s in axes)


def _fixed(x: Any, links: Sequence[tuple[Link, float]], at: At) -> tuple[Any, Pull]:
    """A sum over taps of what every channel is multiplied by."""
    y = at.xp.zeros((*x.shape[:3], *at.region.shape), dtype=x.dtype)
    for link, share in links:
        y[link.outputs] += share * x[link.inputs]

    def pull(gradient: Any) -> Sequence[Any]:
        total = at.xp.zeros(x.shape, dtype=x.dtype)
        for link, share in links:
            total[link.inputs] += share * gradient[link.outputs]
        return (total,)

    return y, pull


@forward.register
def _(layer: MaxPool, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    """The gradient goes to the first of the largest samples, in the order of the taps."""
    (x,), xp = xs, at.xp
    links = _taps(layer, at).gather(at.source, at.region)
    best = x[links[0].inputs]
    winner = xp.zeros(best.shape, dtype=xp.int64)
    for number, link in enumerate(links):
        sample = x[link.inputs]
        winner = xp.where(sample > best, xp.full_like(winner, number), winner)
        best = xp.maximum(sample, best)

    def pull(gradient: Any) -> Sequence[Any]:
        total = xp.zeros(x.shape, dtype=x.dtype)
        for number, link in enumerate(links):
            total[link.inputs] += xp.where(winner == number, gradient, xp.zeros_like(gradient))
        return (total,)

    return best, pull


@forward.register
def _(layer: Split, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    (x,) = xs

    def pull(gradient: Any) -> Sequence[Any]:
        total = at.xp.zeros(x.shape, dtype=x.dtype)
        total[:, :, layer.start : layer.stop, ...] = gradient
        return (total,)

    return x[:, :, layer.start : layer.stop, ...], pull


@forward.register
def _(layer: ChannelShuffle, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    def dealt(x: Any, groups: int) -> Any:
        shape = (*x.shape[:2], groups, x.shape[2] // groups, *x.shape[3:])
        axes = range(len(shape))
        swapped = at.xp.permute_dims(at.xp.reshape(x, shape), (0, 1, 3, 2, *axes[4:]))
        return at.xp.reshape(swapped, x.shape)

    back = xs[0].shape[2] // layer.groups
    return dealt(xs[0], layer.groups), lambda gradient: (dealt(gradient, back),)


@forward.register(Gate)
@forward.register(Scale)
def _(layer: Gate | Scale, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    (x,), shape = xs, (1, 1, -1, *(1,) * len(at.region.shape))

    def beside(numbers: FloatArray) -> Any:
        return at.xp.asarray(numbers.reshape(shape).copy(), dtype=x.dtype)

    factors = beside(layer.factors(x.shape[2]))
    shift = beside(layer.shifts(x.shape[2])) if isinstance(layer, Scale) else 0.0
    return x * factors + shift, lambda gradient: (gradient * factors,)


@forward.register
def _(layer: Global, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    """Nothing: what it stands for is the same at all places, and hands nothing back to one."""
    (x,) = xs
    shape = (*x.shape[:2], layer.channels, *at.region.shape)
    nothing = at.xp.zeros(shape, dtype=x.dtype)
    return nothing, lambda _: (at.xp.zeros(x.shape, dtype=x.dtype),)


@forward.register
def _(layer: Add, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return total, lambda gradient: (gradient,) * len(xs)


@forward.register
def _(layer: Concat, xs: Sequence[Any], at: At) -> tuple[Any, Pull]:
    ends = list(accumulate((x.shape[2] for x in xs), initial=0))

    def pull(gradient: Any) -> Sequence[Any]:
        return [gradient[:, :, a:b, ...] for a, b in pairwise(ends)]

    return at.xp.concat(list(xs), axis=2), pull
