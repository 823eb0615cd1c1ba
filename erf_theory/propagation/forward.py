"""The forward signal through a network: one rule per layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, singledispatch
from math import prod

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose, Weighted
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split
from erf_theory.propagation.lags import averaged, divided, divides, interpolated
from erf_theory.propagation.notes import NOT_NORMAL, Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.pooled import pooled
from erf_theory.propagation.signal import IDENTITY, Signal, normal
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["Signals", "behind", "group_variance", "mixed", "signals"]

Signals = Pieces[Signal]


@dataclass(frozen=True)
class _Place:
    """Where a rule is applied: the network's axes, the input's channels, a list for reasons."""

    ndim: int
    channels: int
    reasons: list[str]

    def note(self, reason: str) -> None:
        """Note why the signal is only approximate."""
        self.reasons.append(reason)


def signals(network: Network, notes: Notes) -> tuple[Signals, ...]:
    """The signal before every node, for an input of standard normal noise.

    A node with several inputs has the signal of their sum, or of their channels in a row.
    """
    source = Pieces.uniform(network.in_channels, normal(1.0))
    counts = (*network.channels, network.in_channels)
    before: list[Signals] = []
    after: list[Signals] = []
    for node in network.nodes:
        inputs = [source if i == INPUT else after[i] for i in node.inputs]
        sizes = [counts[i] for i in node.inputs]
        whole, doubts = inputs[0], tuple[str, ...]()
        if len(inputs) > 1:
            whole, doubts = _merged(node.layer, inputs, sizes)
        try:
            passed, reasons = _behind(node.layer, whole, network.ndim, sum(sizes))
        except ErfTheoryError as error:
            raise ErfTheoryError(f"node {node.name}: {error}") from None
        before.append(whole)
        after.append(passed)
        for reason in (*doubts, *reasons):
            notes.add_to_signal(reason, node.name)
    return tuple(before)


def behind(network: Network, before: Sequence[Signals], place: int) -> Signals:
    """The signal behind a node, from those before all nodes."""
    node = network.nodes[place]
    counts = (*network.channels, network.in_channels)
    channels = sum(counts[i] for i in node.inputs)
    return _behind(node.layer, before[place], network.ndim, channels)[0]


@lru_cache(maxsize=65536)
def _behind(
    layer: Layer, before: Signals, ndim: int, channels: int
) -> tuple[Signals, tuple[str, ...]]:
    """The signal behind a layer, and the reasons why it is only approximate."""
    at = _Place(ndim, channels, [])
    return _passed(layer, before, at), tuple(at.reasons)


def _merged(
    layer: Layer, inputs: Sequence[Signals], sizes: Sequence[int]
) -> tuple[Signals, tuple[str, ...]]:
    """The signal of several inputs, and the reasons why it is only approximate."""
    if isinstance(layer, Concat):
        parts: list[tuple[int, int, Signal]] = []
        first = 0
        for one, size in zip(inputs, sizes, strict=True):
            parts.extend(one.moved(first).parts)
            first += size
        return Pieces(tuple(parts)), ()
    reasons: list[str] = []

    def both(a: Signal, b: Signal) -> Signal:
        total, depends = _sum(a, b)
        if depends:
            reasons.append("branches that are added are taken as independent")
        return total

    total = inputs[0]
    for one in inputs[1:]:
        total = total.joined(one, both)
    return total, tuple(reasons)


@lru_cache(maxsize=65536)
def _sum(a: Signal, b: Signal) -> tuple[Signal, bool]:
    """The signal of a sum of two branches, and whether they may depend on each other."""
    cross = 0.0 if a.is_symmetric or b.is_symmetric else 2 * a.mean * b.mean
    shared = a.shared + b.shared + cross
    lags: dict[tuple[int, ...], float] = {}
    for part in (a, b):
        for lag, value in part.lags:
            lags[lag] = lags.get(lag, shared) + value - part.shared
    total = Signal(
        second=a.second + b.second + cross,
        shared=shared,
        mean=a.mean + b.mean,
        is_normal=a.is_normal and b.is_normal,
        is_symmetric=a.is_symmetric and b.is_symmetric,
        lags=tuple(lags.items()),
    )
    if total.is_normal:
        return replace(total, before=(total.second, total.shared)), False
    for one, other in ((a, b), (b, a)):
        if one.is_normal and one.shared <= 1e-12 * one.second and (law := _law(other)):
            return replace(total, law=law.plus_normal(one.second)), cross != 0
    return total, cross != 0


def _law(signal: Signal) -> Tabled | None:
    """The law of a sample over images, if all channels have the same one."""
    if signal.law is not None:
        return signal.law
    if signal.before is None or signal.before[1] > 1e-12 * signal.before[0]:
        return None
    return tabled_normal(signal.before[0]).mapped(lambda z: signal.gate.value(z, np))


@singledispatch
def _passed(layer: Layer, before: Signals, at: _Place) -> Signals:
    """The signal behind a layer."""
    raise ErfTheoryError(f"no signal is known behind a layer of type {type(layer).__name__}")


@_passed.register(Add)
@_passed.register(Concat)
@_passed.register(Crop)
@_passed.register(Identity)
@_passed.register(Pad)
def _(layer: Layer, before: Signals, at: _Place) -> Signals:
    return before


@_passed.register
def _(layer: Weighted, before: Signals, at: _Place) -> Signals:
    taps = _variance(layer, at.ndim)
    strides = per_axis(layer.stride, at.ndim)
    if isinstance(layer, ConvTranspose):
        taps /= prod(strides)
        if any(k % s for k, s in zip(per_axis(layer.size, at.ndim), strides, strict=True)):
            at.note("the signal behind a transposed convolution depends on the phase: its mean")
    size = layer.in_channels // layer.groups
    found = []
    for first, last, inside in before.grouped(layer.groups, size):
        signal = mixed(inside)
        lags = signal.lags
        if isinstance(layer, Conv):
            lags = tuple((divided(h, strides), r) for h, r in lags if divides(h, strides))
        elif lags:
            at.note("lags before a transposed convolution are dropped")
            lags = ()
        gain, bias = size * taps, float(layer.bias_variance)
        after = replace(
            normal(gain * signal.second + bias, gain * signal.shared + bias),
            lags=tuple((h, gain * r + bias) for h, r in lags),
        )
        width = layer.out_channels // layer.groups
        found.append((first * width, last * width, after))
    return Pieces(tuple(found))


@_passed.register
def _(layer: Activation, before: Signals, at: _Place) -> Signals:
    return before.each(lambda signal: _activated(layer.nonlinearity, signal, at))


@_passed.register
def _(layer: Norm, before: Signals, at: _Place) -> Signals:
    if layer.kind in ("batch", "instance"):
        return before.each(lambda signal: _standardised(signal, signal.shared, layer.eps))
    found = []
    size = at.channels // layer.groups if layer.kind == "group" else at.channels
    for first, last, inside in before.grouped(at.channels // size, size):
        whole = mixed(inside)
        lost = (whole.shared - whole.mean**2) / size
        scale = 1 / (group_variance(whole, size) + layer.eps)
        for a, b, signal in before.take(first * size, last * size).moved(first * size).parts:
            found.append((a, b, _affine(signal, scale, whole.mean, lost)))
    return Pieces(tuple(found))


@_passed.register
def _(layer: Dropout, before: Signals, at: _Place) -> Signals:
    if not layer.training or layer.rate == 0:
        return before
    return before.each(lambda x: Signal(x.second / (1 - layer.rate), x.shared, x.mean, lags=x.lags))


@_passed.register
def _(layer: MaxPool, before: Signals, at: _Place) -> Signals:
    size = per_axis(layer.size, at.ndim)
    if prod(size) == 1:
        return before
    if any(k > s for k, s in zip(size, per_axis(layer.stride, at.ndim), strict=True)):
        at.note("the lags behind an overlapping max pool are dropped")
    return before.each(lambda signal: _largest(signal, prod(size), at))


@_passed.register
def _(layer: AvgPool, before: Signals, at: _Place) -> Signals:
    values = (layer.size, layer.stride, layer.dilation)
    return before.each(
        lambda signal: averaged(signal, *(per_axis(value, at.ndim) for value in values))
    )


@_passed.register
def _(layer: Upsample, before: Signals, at: _Place) -> Signals:
    at.note("the lags behind an upsampling depend on the phase and are dropped")
    if layer.mode == "nearest":
        return before.each(lambda signal: replace(signal, lags=()))
    shares = [interpolated(s) for s in per_axis(layer.scale, at.ndim)]
    kept = prod(shares)
    return before.each(
        lambda x: replace(
            x, second=kept * x.second + (1 - kept) * x.shared, before=None, law=None, lags=()
        )
    )


@_passed.register
def _(layer: Split, before: Signals, at: _Place) -> Signals:
    return before.take(layer.start, layer.stop)


@_passed.register
def _(layer: ChannelShuffle, before: Signals, at: _Place) -> Signals:
    return before.dealt(at.channels // layer.groups, at.channels)


@lru_cache(maxsize=4096)
def _variance(layer: Weighted, ndim: int) -> float:
    """Sum of the variances over the taps."""
    return float(layer.variances(ndim).mass)


def group_variance(signal: Signal, channels: int) -> float:
    """Variance over the places of one image and so many channels.

    What all images share moves the mean over the channels, too, and is lost in part.
    """
    return signal.second - signal.mean**2 - (signal.shared - signal.mean**2) / channels


def _activated(gate: Nonlinearity, signal: Signal, at: _Place) -> Signal:
    if signal.law is not None:
        law = signal.law.mapped(lambda x: gate.value(x, np))
        mean = law.expect(lambda x: x)
        return Signal(law.expect(np.square), mean**2, mean, law=law)
    if not signal.is_normal:
        at.note(NOT_NORMAL)
    second = signal.second
    return Signal(
        second=gate.second_moment(second).value,
        shared=gate.product(second, signal.correlation).value,
        mean=gate.mean(second).value,
        gate=gate,
        before=(second, signal.shared),
        lags=tuple(
            (h, gate.product(second, float(np.clip(r / second, -1, 1))).value)
            for h, r in signal.lags
        ),
    )


def _standardised(signal: Signal, shared: float, eps: float) -> Signal:
    """A channel less its mean over images, over its standard deviation."""
    scale = 1 / (signal.second - shared + eps)
    found = Signal(
        second=scale * (signal.second - shared),
        is_normal=signal.is_normal,
        is_symmetric=signal.is_symmetric,
        lags=tuple((h, scale * (r - shared)) for h, r in signal.lags),
    )
    if signal.is_normal:
        return replace(found, before=(found.second, 0.0))
    law = _law(signal)
    return found if law is None else replace(found, law=law.scaled(scale**0.5, signal.mean))


def _affine(signal: Signal, scale: float, mean: float, lost: float) -> Signal:
    """A sample less a mean that moves with the image by ``lost``, over the root of a variance."""
    off = mean * (2 * signal.mean - mean) + lost
    second, shared = scale * (signal.second - off), scale * (signal.shared - off)
    return replace(
        signal,
        second=second,
        shared=shared,
        mean=scale**0.5 * (signal.mean - mean),
        gate=IDENTITY,
        before=(second, shared) if signal.is_normal else None,
        law=None if signal.law is None else signal.law.scaled(scale**0.5, mean),
        lags=tuple((h, scale * (r - off)) for h, r in signal.lags),
    )


def _largest(signal: Signal, places: int, at: _Place) -> Signal:
    """The largest sample of a window."""
    gate, before = signal.gate, signal.before
    if (law := _law(signal)) is not None and not signal.lags:
        largest = law.largest(places)
        mean = largest.expect(lambda x: x)
        return Signal(largest.expect(np.square), mean**2, mean, law=largest)
    if before is None:
        at.note("samples before a max pool are taken as normal")
        gate, before = IDENTITY, (signal.second, signal.shared)
    if signal.lags:
        at.note("lags before a max pool are dropped")
    found = pooled(gate, *before, places)
    return Signal(found.second, found.shared, found.mean)


def mixed(inside: Sequence[tuple[int, Signal]]) -> Signal:
    """The mean over channels."""
    if len(inside) == 1:
        return inside[0][1]
    total = sum(count for count, _ in inside)
    shared = sum(count * signal.shared for count, signal in inside) / total
    lags: dict[tuple[int, ...], float] = {}
    for count, signal in inside:
        for lag, value in signal.lags:
            lags[lag] = lags.get(lag, shared) + count * (value - signal.shared) / total
    return Signal(
        second=sum(count * signal.second for count, signal in inside) / total,
        shared=shared,
        mean=sum(count * signal.mean for count, signal in inside) / total,
        lags=tuple(lags.items()),
    )
