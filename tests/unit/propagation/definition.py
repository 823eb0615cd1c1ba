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
    Scale,
    Split,
    Upsample,
)
from erf_theory.network.nodes import INPUT

SLOPES = {"relu": Fraction(1, 2), "identity": Fraction(1), "abs": Fraction(1)}
PAIRS = {"relu": Fraction(1, 4), "identity": Fraction(1), "abs": Fraction(0)}
FIXED = (AvgPool, MaxPool, Upsample)


def energy_by_place(network, unit=0, source=INPUT):
    """From every place of the source to the mean over channels of E g² there, as a fraction.

    Pairs of places are followed, E g(x)g(z), as long as a fixed window may join them again.
    """
    counts = (*network.channels, network.in_channels)
    fields = defaultdict(lambda: defaultdict(Fraction))
    for channel in range(network.out_channels):
        at = per_axis(unit, network.ndim)
        fields[len(network.nodes) - 1][channel, at, at] = Fraction(1, network.out_channels)
    for place in range(len(network.nodes) - 1, source, -1):
        node, behind = network.nodes[place], fields.pop(place, {})
        sizes = [counts[i] for i in node.inputs]
        whole = sum(sizes) if isinstance(node.layer, Concat) else sizes[0]
        before = defaultdict(Fraction)
        may_join = any(isinstance(n.layer, FIXED) for n in network.nodes[source + 1 : place])
        for (channel, *at), value in behind.items():
            for y, w, share in both_seen(node.layer, *at):
                if y == w or may_join:
                    for other in channels_before(node.layer, channel, whole):
                        before[other, y, w] += value * share
        pass_on(node, sizes, before, fields)
    total = defaultdict(Fraction)
    for (_, x, z), value in fields[source].items():
        if x == z:
            total[x] += value / counts[source]
    return {x: value for x, value in total.items() if value}


def pass_on(node, sizes, before, fields):
    """Give the field before a node to the nodes that it reads."""
    first = 0
    for source, size in zip(node.inputs, sizes, strict=True):
        for (channel, *at), value in before.items():
            if not isinstance(node.layer, Concat):
                fields[source][channel, *at] += value
            elif first <= channel < first + size:
                fields[source][channel - first, *at] += value
        first += size


def both_seen(layer, x, z):
    """Pairs of places of its input that two units see, with what they count."""
    if isinstance(layer, Conv | ConvTranspose):
        here, there = (dict(seen(layer, at)) for at in (x, z))
        shares = layer.variances(len(x)).taps
        return [(here[tap], there[tap], Fraction(shares[tap])) for tap in here.keys() & there]
    same = x == z
    if isinstance(layer, MaxPool) and same:
        return [(y, y, share) for y, share in seen(layer, x)]
    share = Fraction(1)
    if isinstance(layer, Activation):
        share = (SLOPES if same else PAIRS)[layer.nonlinearity.name]
    elif isinstance(layer, Dropout) and layer.training and same:
        share = 1 / (1 - Fraction(layer.rate))
    elif isinstance(layer, Scale):
        share = Fraction(layer.factor) ** 2
    pairs = product(seen(layer, x), seen(layer, z))
    return [(y, w, share * one * other) for (y, one), (w, other) in pairs]


@singledispatch
def seen(layer, x):
    """The places of its input that a unit sees, with their fixed weights; or with their taps."""
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
        yield (tap, y) if isinstance(layer, Conv) else (y, Fraction(1, prod(size)))


@seen.register
def _(layer: ConvTranspose, x):
    size, stride, dilation = steps(layer, len(x))
    for tap in product(*map(range, size)):
        rows = zip(x, tap, stride, dilation, layer.pads(len(x)), strict=True)
        y = [Fraction(i + before - d * a, s) for i, a, s, d, (before, _) in rows]
        if all(at.denominator == 1 for at in y):
            yield tap, tuple(map(int, y))


@seen.register
def _(layer: Upsample, x):
    lines = []
    for i, s in zip(x, per_axis(layer.scale, len(x)), strict=True):
        at = Fraction(2 * i + 1 - s, 2 * s)
        part = at - floor(at)
        near = [(floor(at), 1 - part), (floor(at) + 1, part)]
        lines.append([(i // s, 1)] if layer.mode == "nearest" else [p for p in near if p[1]])
    for line in product(*lines):
        yield tuple(y for y, _ in line), prod(share for _, share in line)


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
