"""What linear layers do to whole images, as the frameworks do it, tap by tap.

With ``power`` 2 every weight is squared: the energy of independent signs.
"""

from functools import reduce, singledispatch
from math import prod

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network import (
    Add,
    AvgPool,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Norm,
    Pad,
    Scale,
    Split,
    Upsample,
)
from erf_theory.network.nodes import INPUT

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def run(network, images, power=1, source=INPUT):
    """The output of a network, from images of shape (images, channels, place...)."""
    values = {source: images}
    for place, node in enumerate(network.nodes):
        if place > source:
            values[place] = passed(node.layer, [values[i] for i in node.inputs], power)
    return values[len(network.nodes) - 1]


def jacobian(network, shape, unit, power=1, channels=None):
    """What every output channel at a unit gets from every channel and place of an image."""
    count = network.in_channels if channels is None else channels
    size = count * prod(shape)
    basis = np.eye(size).reshape(size, count, *shape)
    zero = np.zeros((1, count, *shape))
    out = run(network, np.concatenate([basis, zero]), power)[(slice(None), slice(None), *unit)]
    return (out[:-1] - out[-1]).T.reshape(-1, count, *shape)


@singledispatch
def passed(layer, xs, power):
    """What is behind a layer."""
    return xs[0]


@passed.register
def _(layer: Add, xs, power):
    return reduce(np.add, xs)


@passed.register
def _(layer: Concat, xs, power):
    return np.concatenate(xs, axis=1)


@passed.register
def _(layer: Split, xs, power):
    return xs[0][:, layer.start : layer.stop]


@passed.register
def _(layer: ChannelShuffle, xs, power):
    (x,) = xs
    dealt = x.reshape(len(x), layer.groups, -1, *x.shape[2:])
    return np.swapaxes(dealt, 1, 2).reshape(x.shape)


@passed.register
def _(layer: Norm, xs, power):
    factors = layer.scale.array / np.sqrt(layer.variance.array + layer.eps)
    return xs[0] * (factors**power).reshape(-1, *(1,) * (xs[0].ndim - 2))


@passed.register
def _(layer: Scale, xs, power):
    factors = layer.factors(xs[0].shape[1])
    return xs[0] * (factors**power).reshape(-1, *(1,) * (xs[0].ndim - 2))


@passed.register
def _(layer: Pad, xs, power):
    ends = layer.per_axis(xs[0].ndim - 2)
    return np.pad(xs[0], [(0, 0), (0, 0), *ends], MODES[layer.border])


@passed.register
def _(layer: Crop, xs, power):
    ends = layer.per_axis(xs[0].ndim - 2)
    spans = zip(xs[0].shape[2:], ends, strict=True)
    return xs[0][(..., *(slice(a, m - b) for m, (a, b) in spans))]


@passed.register
def _(layer: Conv, xs, power):
    return correlated(layer, xs[0], layer.given_weights**power, layer.groups)


@passed.register
def _(layer: AvgPool, xs, power):
    channels, size = xs[0].shape[1], per_axis(layer.size, xs[0].ndim - 2)
    weights = np.full((channels, 1, *size), prod(size) ** -float(power))
    return correlated(layer, xs[0], weights, channels)


def correlated(layer, x, weights, groups):
    """A convolution with zeros beyond the border."""
    ndim = x.ndim - 2
    size, stride, dilation = steps(layer, ndim)
    padded = np.pad(x, [(0, 0), (0, 0), *layer.pads(ndim)])
    rows = zip(padded.shape[2:], size, stride, dilation, strict=True)
    shape = [(m - d * (k - 1) - 1) // s + 1 for m, k, s, d in rows]
    y = np.zeros((len(x), len(weights), *shape))
    for tap in np.ndindex(*size):
        spans = zip(tap, shape, stride, dilation, strict=True)
        places = tuple(slice(a * d, a * d + s * (m - 1) + 1, s) for a, m, s, d in spans)
        inputs = np.split(padded[(..., *places)], groups, axis=1)
        blocks = np.split(weights[(..., *tap)], groups)
        parts = [np.einsum("oi,ni...->no...", w, p) for w, p in zip(blocks, inputs, strict=True)]
        y += np.concatenate(parts, axis=1)
    return y


@passed.register
def _(layer: ConvTranspose, xs, power):
    (x,) = xs
    ndim, weights = x.ndim - 2, layer.given_weights**power
    size, stride, dilation = steps(layer, ndim)
    more = per_axis(layer.output_padding, ndim)
    rows = list(zip(x.shape[2:], size, stride, dilation, more, strict=True))
    whole = [s * (m - 1) + d * (k - 1) + 1 + o for m, k, s, d, o in rows]
    y = np.zeros((len(x), layer.out_channels, *whole))
    for tap in np.ndindex(*size):
        places = tuple(
            slice(a * d, a * d + s * (m - 1) + 1, s)
            for a, (m, _, s, d, _) in zip(tap, rows, strict=True)
        )
        blocks = np.split(weights[(..., *tap)], layer.groups)
        inputs = np.split(x, layer.groups, axis=1)
        parts = [np.einsum("io,ni...->no...", w, p) for w, p in zip(blocks, inputs, strict=True)]
        y[(..., *places)] += np.concatenate(parts, axis=1)
    ends = zip(layer.pads(ndim), whole, strict=True)
    return y[(..., *(slice(before, m - after) for (before, after), m in ends))]


@passed.register
def _(layer: Upsample, xs, power):
    found = xs[0]
    for axis, s in enumerate(per_axis(layer.scale, found.ndim - 2)):
        size = found.shape[axis + 2]
        matrix = np.zeros((s * size, size))
        for i in range(s * size):
            at = (2 * i + 1 - s) / (2 * s) if layer.mode == "linear" else i // s
            low, part = int(np.floor(at)), at - np.floor(at)
            for place, share in ((low, 1 - part), (low + 1, part)):
                matrix[i, np.clip(place, 0, size - 1)] += share
        found = np.moveaxis(np.tensordot(matrix**power, found, (1, axis + 2)), 0, axis + 2)
    return found


def steps(layer, ndim):
    """Size, stride and dilation on every axis."""
    return [per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)]


def conv(inner, outer, size, seed=0, kind=Conv, **more):
    """A convolution with random weights as given; ``size`` is a tuple."""
    groups = more.get("groups", 1)
    lead = (outer, inner // groups) if kind is Conv else (inner, outer // groups)
    weights = np.random.default_rng(seed).standard_normal((*lead, *size))
    return kind(inner, outer, size, weights=weights, **more)


def on_image(erf, shape):
    """The map on an image of that shape, which holds it."""
    whole = np.zeros(shape)
    start = sum((tuple(factor.start) for factor in erf.factors), ())
    places = tuple(slice(a, a + m) for a, m in zip(start, erf.shape, strict=True))
    assert whole[places].shape == erf.shape
    whole[places] = erf.values * np.exp(erf.log_mass if erf.kind == "energy" else 0.0)
    return whole


def pairs(network, exact, **named):
    """The map from every channel to every other, and what it should be; none where that is 0."""
    for out, inner in np.ndindex(network.out_channels, network.in_channels):
        named |= {"channel": out, "input_channel": inner}
        if np.any(exact[out, inner]):
            yield network_erf(network, **named), exact[out, inner]
        else:
            with pytest.raises(ErfTheoryError, match="0 everywhere"):
                network_erf(network, **named)


def need_amplitudes(network, shape, unit, exact, **named):
    for erf, expected in pairs(network, exact, kind="amplitude", unit=unit, **named):
        total = np.sum(np.abs(expected))
        assert on_image(erf, shape) == pytest.approx(expected / total, abs=1e-12)
        assert erf.mass == pytest.approx(np.sum(expected), abs=1e-12 * total)
        assert erf.exactness == "exact"
