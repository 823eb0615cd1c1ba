"""The forward signal near the borders of an image, place by place.

Zeros that surround an image weaken the signal near its border. Where the slope of an activation
depends on the signal, so does its factor, and the energy is weighed place by place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.lattice import box, per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity
from erf_theory.network.routing import Add, Crop, Pad

__all__ = ["gate_map", "is_local", "local_seconds", "varies"]

_LAYERS = (Activation, Add, Conv, Crop, Dropout, Identity, Pad)
_DIGITS = 12


def varies(gate: Nonlinearity, second: float) -> bool:
    """Whether the mean squared slope depends on the signal's strength."""
    slope = gate.slope_second_moment
    return abs(slope(second).value - slope(second / 2).value) > 1e-12


def is_local(network: Network) -> bool:
    """Whether the signal is known place by place: no norms, pools or channels that part."""
    return all(
        isinstance(node.layer, _LAYERS)
        and not (isinstance(node.layer, Pad) and node.layer.border != "zeros")
        for node in network.nodes
    )


def local_seconds(network: Network, image: Sequence[int]) -> tuple[FloatArray, ...]:
    """E x² at every place before every node, for an image of white noise surrounded by zeros.

    Examples
    --------
    >>> from erf_theory.network import Chain
    >>> net = Chain([Conv(1, 1, 3, padding=1, init=1), Activation("tanh")], ndim=1)
    >>> local_seconds(net, (4,))[1].tolist()
    [2.0, 3.0, 3.0, 2.0]
    """
    source = np.ones(tuple(image))
    before: list[FloatArray] = []
    after: list[FloatArray] = []
    for node in network.nodes:
        inputs = [source if i == INPUT else after[i] for i in node.inputs]
        whole = np.asarray(np.sum(inputs, axis=0))
        before.append(whole)
        after.append(_behind(node.layer, whole))
    return tuple(before)


def gate_map(gate: Nonlinearity, seconds: FloatArray) -> FloatArray:
    """E σ'² at every place."""
    return _each(lambda q: gate.slope_second_moment(q).value, seconds)


@singledispatch
def _behind(layer: Layer, seconds: FloatArray) -> FloatArray:
    """E x² behind a layer."""
    return seconds


@_behind.register
def _(layer: Conv, seconds: FloatArray) -> FloatArray:
    ndim = seconds.ndim
    pads = layer.pads(ndim)
    padded = np.pad(seconds, pads)
    sizes, strides, dilations = (
        per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)
    )
    rows = zip(padded.shape, sizes, strides, dilations, strict=True)
    shape = tuple((m - d * (k - 1) - 1) // s + 1 for m, k, s, d in rows)
    total = np.full(shape, float(layer.bias_variance))
    for at, variance in np.ndenumerate(layer.variances(ndim).taps):
        start = [a * d for a, d in zip(at, dilations, strict=True)]
        window = padded[box(start, shape, strides)]
        total += layer.in_channels // layer.groups * float(variance) * window
    return total


@_behind.register
def _(layer: Activation, seconds: FloatArray) -> FloatArray:
    return _each(lambda q: layer.nonlinearity.second_moment(q).value, seconds)


@_behind.register
def _(layer: Dropout, seconds: FloatArray) -> FloatArray:
    return seconds / (1 - layer.rate) if layer.training else seconds


@_behind.register
def _(layer: Pad, seconds: FloatArray) -> FloatArray:
    return np.pad(seconds, layer.per_axis(seconds.ndim))


@_behind.register
def _(layer: Crop, seconds: FloatArray) -> FloatArray:
    ends = layer.per_axis(seconds.ndim)
    spans = zip(seconds.shape, ends, strict=True)
    return seconds[tuple(slice(a, m - b) for m, (a, b) in spans)]


def _each(function: Callable[[float], float], values: FloatArray) -> FloatArray:
    """A function of every value; values that agree to twelve digits are asked for once."""
    scale = float(np.max(values)) or 1.0
    different, places = np.unique(np.round(values / scale, _DIGITS), return_inverse=True)
    found = np.array([function(float(value) * scale) for value in different])
    return np.asarray(found[places].reshape(values.shape))
