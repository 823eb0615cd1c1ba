"""Mean and variance of every channel on its way forward, for weights as given.

They tell how open the gates of a trained network are. Samples are taken as normal, and different
places and channels as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, singledispatch
from math import prod
from typing import Literal, NamedTuple

import numpy as np

from erf_theory.activations import Nonlinearity, nonlinearity
from erf_theory.activations.closed import CLIP, LEAKY, below
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import ConvTranspose, Weighted
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.channelwise import Setting, kernel_of

__all__ = ["Channels", "gate_factors", "gates", "mean_slopes", "statistics"]

_NODES = 48
_REACH = 9.0
_BEYOND = 1e3
"""Standard deviations from which on no double holds the normal density, nor what is left."""


class _Activated(NamedTuple):
    """E σ, E σ², E σ'² and E σ' for every channel."""

    first: FloatArray
    second: FloatArray
    squares: FloatArray
    slopes: FloatArray

    @property
    def channels(self) -> Channels:
        """Mean and variance of σ."""
        return Channels(self.first, np.maximum(self.second - self.first**2, 0.0))


class Channels(NamedTuple):
    """Mean and variance of the samples of every channel."""

    mean: FloatArray
    variance: FloatArray


def statistics(network: Network) -> tuple[Channels, ...]:
    """Mean and variance of every channel before every node, for an input of mean 0, variance 1."""
    return tuple(before for before, _ in _walked(network))


@remembered
def gates(network: Network) -> tuple[FloatArray | None, ...]:
    """What every node multiplies the energy of its channels by: `gate_factors` of all."""
    rows = zip(network.nodes, _walked(network), strict=True)
    return tuple(
        gate_factors(node.layer, before) if passed is None else passed.squares
        for node, (before, passed) in rows
    )


@remembered
def _walked(network: Network) -> list[tuple[Channels, _Activated | None]]:
    """What is before every node, and what an activation makes of it."""
    source = Channels(np.zeros(network.in_channels), np.ones(network.in_channels))
    found: list[tuple[Channels, _Activated | None]] = []
    after: list[Channels] = []
    for node in network.nodes:
        inputs = [source if i == INPUT else after[i] for i in node.inputs]
        before, passed = _merged(node.layer, inputs), None
        try:
            if isinstance(node.layer, Activation | PReLU):
                passed = _activated(node.layer, before)
            after.append(passed.channels if passed else _passed(node.layer, before, network.ndim))
        except ErfTheoryError as error:
            raise ErfTheoryError(f"node {node.name}: {error}") from None
        found.append((before, passed))
    return found


def gate_factors(layer: Layer, before: Channels) -> FloatArray | None:
    """What a layer multiplies the energy of every channel by: E σ'², or a norm's scale squared."""
    if isinstance(layer, Activation | PReLU):
        return _activated(layer, before).squares
    if not isinstance(layer, Norm):
        return None
    scale = _scale(layer)
    if layer.kind == "batch" and isinstance(layer.variance, Given):
        return np.asarray(scale**2 / (layer.variance.array + layer.eps))
    return np.asarray(scale**2 / (_normalised(layer, before).variance + layer.eps))


def mean_slopes(layer: Activation | PReLU, before: Channels) -> FloatArray:
    """What an activation multiplies the mean gradient of every channel by: E σ'."""
    return _activated(layer, before).slopes


def _merged(layer: Layer, inputs: Sequence[Channels]) -> Channels:
    if len(inputs) == 1:
        return inputs[0]
    if isinstance(layer, Concat):
        return Channels(*(np.concatenate(parts) for parts in zip(*inputs, strict=True)))
    return Channels(*(np.sum(parts, axis=0) for parts in zip(*inputs, strict=True)))


@singledispatch
def _passed(layer: Layer, before: Channels, ndim: int) -> Channels:
    """Mean and variance behind a layer."""
    raise ErfTheoryError(f"no statistics are known behind a layer of type {type(layer).__name__}")


@_passed.register(Add)
@_passed.register(Concat)
@_passed.register(Crop)
@_passed.register(Identity)
@_passed.register(Pad)
def _(layer: Layer, before: Channels, ndim: int) -> Channels:
    return before


@_passed.register
def _(layer: Weighted, before: Channels, ndim: int) -> Channels:
    if layer.given_weights is None:
        second = _summed(layer, "energy", ndim, before.variance + before.mean**2)
        return Channels(np.zeros(layer.out_channels), second + float(layer.bias_variance))
    bias = 0.0 if layer.given_bias is None else layer.given_bias
    mean = _summed(layer, "amplitude", ndim, before.mean) + bias
    return Channels(mean, _summed(layer, "energy", ndim, before.variance))


@_passed.register
def _(layer: Dropout, before: Channels, ndim: int) -> Channels:
    if not layer.training:
        return before
    second = (before.variance + before.mean**2) / (1 - layer.rate)
    return Channels(before.mean, second - before.mean**2)


@_passed.register
def _(layer: Norm, before: Channels, ndim: int) -> Channels:
    scale = _scale(layer)
    shift = layer.shift.array if isinstance(layer.shift, Given) else np.zeros_like(scale)
    if layer.kind == "batch":
        return Channels(*(np.broadcast_to(x, before.mean.shape) for x in (shift, scale**2)))
    centre, spread = _normalised(layer, before)
    return Channels(
        scale * (before.mean - centre) / np.sqrt(spread + layer.eps) + shift,
        scale**2 * before.variance / (spread + layer.eps),
    )


@_passed.register(AvgPool)
@_passed.register(MaxPool)
def _(layer: AvgPool | MaxPool, before: Channels, ndim: int) -> Channels:
    places = prod(per_axis(layer.size, ndim))
    if isinstance(layer, AvgPool):
        return Channels(before.mean, before.variance / places)
    std = np.sqrt(before.variance)
    shift, spread = _largest(places)
    return Channels(before.mean + shift * std, spread * before.variance)


@_passed.register
def _(layer: Upsample, before: Channels, ndim: int) -> Channels:
    return before


@_passed.register(Gate)
@_passed.register(Scale)
def _(layer: Gate | Scale, before: Channels, ndim: int) -> Channels:
    factors = layer.factors(len(before.mean))
    shifts = layer.shifts(len(before.mean)) if isinstance(layer, Scale) else 0.0
    return Channels(factors * before.mean + shifts, factors**2 * before.variance)


@_passed.register
def _(layer: Global, before: Channels, ndim: int) -> Channels:
    return Channels(np.zeros(layer.channels), np.zeros(layer.channels))


@_passed.register
def _(layer: Split, before: Channels, ndim: int) -> Channels:
    return Channels(*(part[layer.start : layer.stop] for part in before))


@_passed.register
def _(layer: ChannelShuffle, before: Channels, ndim: int) -> Channels:
    return Channels(*(part.reshape(layer.groups, -1).T.ravel() for part in before))


def _summed(
    layer: Weighted, kind: Literal["amplitude", "energy"], ndim: int, numbers: FloatArray
) -> FloatArray:
    """Sums of one number per input channel, times all weights or their squares, by channel."""
    kernel = kernel_of(layer, Setting("", Axes(ndim), layer.in_channels, kind))
    taps = kernel.taps.reshape(*kernel.channels, -1)
    taps = taps[..., 0] if taps.shape[-1] == 1 else taps.sum(axis=-1)
    phases = prod(per_axis(layer.stride, ndim)) if isinstance(layer, ConvTranspose) else 1
    return np.asarray(taps @ numbers if taps.ndim == 2 else taps * numbers) / phases


def _scale(layer: Norm) -> FloatArray:
    return layer.scale.array if isinstance(layer.scale, Given) else np.ones(1)


def _normalised(layer: Norm, before: Channels) -> Channels:
    """Mean that a norm takes away and variance that it divides by, for every channel."""
    if layer.kind in ("batch", "instance"):
        return before
    groups = layer.groups if layer.kind == "group" else 1
    means = before.mean.reshape(groups, -1)
    spread = before.variance.reshape(groups, -1).mean(axis=1) + means.var(axis=1)
    size = means.shape[1]
    return Channels(np.repeat(means.mean(axis=1), size), np.repeat(spread, size))


def _activated(layer: Activation | PReLU, before: Channels) -> _Activated:
    if isinstance(layer, Activation):
        return _moments(layer.nonlinearity, before)
    parts = [
        _moments(nonlinearity(name), Channels(before.mean[a:b], before.variance[a:b]))
        for a, b, name in layer.runs
    ]
    return _Activated(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _moments(gate: Nonlinearity, before: Channels) -> _Activated:
    std = np.sqrt(np.maximum(before.variance, 1e-300))
    with np.errstate(over="ignore"):
        cuts = [np.clip((kink - before.mean) / std, -_BEYOND, _BEYOND) for kink in gate.kinks]
    integral = _linear_pieces if gate.closed in (CLIP, LEAKY) else _smooth_pieces
    return integral(gate, before.mean, std, cuts)


def _linear_pieces(
    gate: Nonlinearity, mean: FloatArray, std: FloatArray, cuts: list[FloatArray]
) -> _Activated:
    """Of straight lines between kinks: c + d·z over a < z < b, a row for every line."""
    ends = np.stack([np.full_like(mean, -np.inf), *cuts, np.full_like(mean, np.inf)])
    kinks = np.array(gate.kinks or (0.0,))
    inside = np.array([kinks[0] - 1, *(kinks[1:] + kinks[:-1]) / 2, kinks[-1] + 1])
    inside = inside[: len(cuts) + 1, None]
    slope = np.asarray(gate.slope(inside, np), dtype=np.float64)
    c, d = gate.value(inside, np) + slope * (mean - inside), slope * std
    density, tails = np.zeros_like(ends), np.zeros_like(ends)
    density[1:-1] = np.exp(-ends[1:-1] * ends[1:-1] / 2) / np.sqrt(2 * np.pi)
    tails[1:-1] = below(-np.abs(ends[1:-1]))
    sign = np.where(ends[:-1] > 0, -1, 1)
    low, high = (
        np.where(sign * at < 0, tail, 1 - tail)
        for at, tail in ((ends[:-1], tails[:-1]), (ends[1:], tails[1:]))
    )
    share = sign * (high - low)
    edge = np.zeros_like(ends)
    edge[1:-1] = ends[1:-1] * density[1:-1]
    first, second = density[:-1] - density[1:], share - (edge[1:] - edge[:-1])
    square = slope * slope
    return _Activated(
        (c * share + d * first).sum(axis=0),
        (c * c * share + 2 * c * d * first + d * d * second).sum(axis=0),
        (square * share).sum(axis=0),
        (slope * share).sum(axis=0),
    )


def _smooth_pieces(
    gate: Nonlinearity, mean: FloatArray, std: FloatArray, cuts: list[FloatArray]
) -> _Activated:
    """By Gauss-Legendre between kinks."""
    nodes, weights = _gauss_legendre()
    middle = cuts or [np.zeros_like(mean)]
    ends = np.stack([np.full_like(mean, -_REACH), *middle, np.full_like(mean, _REACH)], axis=1)
    ends = np.clip(ends, -_REACH, _REACH)
    half = np.diff(ends)[:, :, None] / 2
    z = ends[:, :-1, None] + half * (nodes + 1)
    share = half * weights * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    x = mean[:, None, None] + std[:, None, None] * z
    value, slope = gate.value(x, np), gate.slope(x, np)
    parts = (value, value**2, slope**2, slope)
    return _Activated(*(np.sum(share * part, axis=(1, 2)) for part in parts))


@cache
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights between -1 and 1."""
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(_NODES)
    return nodes, weights


def _largest(places: int) -> tuple[float, float]:
    """Mean and variance of the largest of K standard normal numbers."""
    from erf_theory.propagation.pooled import pooled

    found = pooled(nonlinearity("identity"), 1.0, 0.0, places)
    return found.mean, found.second - found.mean**2
