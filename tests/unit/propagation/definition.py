"""The energy of a network by its definition: every place, every tap, every channel, one by one.

Only for networks whose activations have slopes that do not depend on the signal.
"""

from collections import defaultdict
from fractions import Fraction
from functools import singledispatch
from itertools import product
from math import floor, prod

import numpy as np

from erf_theory.lattice import per_axis
from erf_theory.network import (
    Activation,
    AvgPool,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    MaxPool,
    Pad,
    Split,
    Upsample,
)
from erf_theory.network.nodes import INPUT

SLOPES = {"relu": Fraction(1, 2), "identity": Fraction(1), "abs": Fraction(1)}


def energy_by_place(network, unit=0, source=INPUT):
    """From every place of the source to the mean over channels of E g² there, as a fraction."""
    counts = (*network.channels, network.in_channels)
    fields = defaultdict(lambda: defaultdict(Fraction))
    for channel in range(network.out_channels):
        at = (channel, per_axis(unit, network.ndim))
        fields[len(network.nodes) - 1][at] = Fraction(1, network.out_channels)
    for place in range(len(network.nodes) - 1, source, -1):
        node, behind = network.nodes[place], fields.pop(place, {})
        sizes = [counts[i] for i in node.inputs]
        whole = sum(sizes) if isinstance(node.layer, Concat) else sizes[0]
        before = defaultdict(Fraction)
        for (channel, x), value in behind.items():
            for y, share in seen(node.layer, x):
                for other in channels_before(node.layer, channel, whole):
                    before[other, y] += value * share
        pass_on(node, sizes, before, fields)
    total = defaultdict(Fraction)
    for (_, x), value in fields[source].items():
        total[x] += value / counts[source]
    return {x: value for x, value in total.items() if value}


def pass_on(node, sizes, before, fields):
    """Give the field before a node to the nodes that it reads."""
    first = 0
    for source, size in zip(node.inputs, sizes, strict=True):
        for (channel, x), value in before.items():
            if not isinstance(node.layer, Concat):
                fields[source][channel, x] += value
            elif first <= channel < first + size:
                fields[source][channel - first, x] += value
        first += size


@singledispatch
def seen(layer, x):
    """The places of its input that a unit sees, with what they count."""
    return [(x, 1)]


@seen.register(Conv)
@seen.register(AvgPool)
@seen.register(MaxPool)
def _(layer, x):
    ndim = len(x)
    size, stride, dilation = steps(layer, ndim)
    pads = layer.pads(ndim)
    for tap in product(*map(range, size)):
        rows = zip(x, tap, stride, dilation, pads, strict=True)
        y = tuple(s * i + d * a - before for i, a, s, d, (before, _) in rows)
        yield y, share_of(layer, tap, ndim)


def share_of(layer, tap, ndim):
    """Variance of a weight, or the square of a mean's; the chance to be the largest."""
    if isinstance(layer, Conv):
        return Fraction(layer.variances(ndim).taps[tap])
    places = prod(per_axis(layer.size, ndim))
    return Fraction(1, places**2 if isinstance(layer, AvgPool) else places)


@seen.register
def _(layer: ConvTranspose, x):
    ndim = len(x)
    size, stride, dilation = steps(layer, ndim)
    for tap in product(*map(range, size)):
        rows = zip(x, tap, stride, dilation, layer.pads(ndim), strict=True)
        y = [Fraction(i + before - d * a, s) for i, a, s, d, (before, _) in rows]
        if all(at.denominator == 1 for at in y):
            yield tuple(map(int, y)), Fraction(layer.variances(ndim).taps[tap])


@seen.register
def _(layer: Upsample, x):
    lines = []
    for i, s in zip(x, per_axis(layer.scale, len(x)), strict=True):
        at = Fraction(2 * i + 1 - s, 2 * s)
        part = at - floor(at)
        near = [(floor(at), 1 - part), (floor(at) + 1, part)]
        lines.append([(i // s, 1)] if layer.mode == "nearest" else [p for p in near if p[1]])
    for line in product(*lines):
        yield tuple(y for y, _ in line), prod(share for _, share in line) ** 2


@seen.register
def _(layer: Pad, x):
    return [
        (tuple(i - before for i, (before, _) in zip(x, layer.per_axis(len(x)), strict=True)), 1)
    ]


@seen.register
def _(layer: Crop, x):
    return [
        (tuple(i + before for i, (before, _) in zip(x, layer.per_axis(len(x)), strict=True)), 1)
    ]


@seen.register
def _(layer: Activation, x):
    return [(x, SLOPES[layer.nonlinearity.name])]


@seen.register
def _(layer: Dropout, x):
    return [(x, 1 / (1 - Fraction(layer.rate)) if layer.training else 1)]


@singledispatch
def channels_before(layer, channel, whole):
    """The channels of its input, ``whole`` of them, that a channel of its output reads."""
    return [channel]


@channels_before.register(Conv)
@channels_before.register(ConvTranspose)
def _(layer, channel, whole):
    inner, outer = whole // layer.groups, layer.out_channels // layer.groups
    return range(channel // outer * inner, (channel // outer + 1) * inner)


@channels_before.register
def _(layer: Split, channel, whole):
    return [layer.start + channel]


@channels_before.register
def _(layer: ChannelShuffle, channel, whole):
    (found,) = (
        group * (whole // layer.groups) + i
        for group, i in product(range(layer.groups), range(whole // layer.groups))
        if i * layer.groups + group == channel
    )
    return [found]


def steps(layer, ndim):
    """Size, stride and dilation on every axis."""
    return [per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)]


def on_axes(energies, axes):
    """The sum over all other axes."""
    total = defaultdict(Fraction)
    for x, value in energies.items():
        total[tuple(x[axis] for axis in axes)] += value
    return dict(total)


def by_place(start, array):
    """The numbers of an array that are not 0, by place."""
    pairs = np.ndenumerate(array)
    return {tuple(map(sum, zip(start, at, strict=True))): v for at, v in pairs if v}
