"""The forward signal through a network: one rule per layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce, singledispatch
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
from erf_theory.propagation.branches import coherent_sums
from erf_theory.propagation.lags import averaged, divided, divides, interpolated
from erf_theory.propagation.laws import law_of, mixed, on_law, summed
from erf_theory.propagation.notes import GUESSED, NOT_NORMAL, Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.pooled import pooled
from erf_theory.propagation.signal import IDENTITY, Signal, normal

__all__ = ["Signals", "behind", "group_variance", "signals"]

Signals = Pieces[Signal]
_PHASES = (
    "the lags behind an upsampling depend on the phase and are dropped: in bilinear U-Nets of two "
    "to four levels the mass is within 2 %, the std within 1 %"
)


@dataclass(frozen=True)
class _Place:
    """Where a rule is applied: the network's axes, the input's channels, a list for reasons."""

    ndim: int
    channels: int
    reasons: list[str]

    def note(self, reason: str) -> None:
        """Note why the signal is only approximate."""
        self.reasons.append(reason)

    def doubt(self, before: Signals) -> None:
        """Note that what two places share counts, if it is guessed."""
        if any(signal.is_guessed for _, _, signal in before.parts):
            self.note(GUESSED)


def signals(network: Network, notes: Notes) -> tuple[Signals, ...]:
    """The signal before every node, for an input of standard normal noise.

    A node with several inputs has the signal of their sum, or of their channels in a row.
    """
    source = Pieces.uniform(network.in_channels, normal(1.0))
    counts = (*network.channels, network.in_channels)
    coherent = coherent_sums(network)
    before: list[Signals] = []
    after: list[Signals] = []
    for node in network.nodes:
        inputs = [source if i == INPUT else after[i] for i in node.inputs]
        sizes = [counts[i] for i in node.inputs]
        whole, doubts = _merged(node.layer, inputs, sizes), tuple[str, ...]()
        if node.name in coherent:
            doubts = ("branches that are added are taken as independent",)
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


def _merged(layer: Layer, inputs: Sequence[Signals], sizes: Sequence[int]) -> Signals:
    """The signal of all inputs."""
    if isinstance(layer, Concat):
        parts: list[tuple[int, int, Signal]] = []
        first = 0
        for one, size in zip(inputs, sizes, strict=True):
            parts.extend(one.moved(first).parts)
            first += size
        return Pieces(tuple(parts))
    return reduce(lambda total, one: total.joined(one, summed), inputs)


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
            is_guessed=signal.is_guessed,
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
        at.doubt(before)
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
    kept = 1 - layer.rate
    return before.each(
        lambda x: Signal(x.second / kept, x.shared, x.mean, is_guessed=x.is_guessed, lags=x.lags)
    )


@_passed.register
def _(layer: MaxPool, before: Signals, at: _Place) -> Signals:
    size = per_axis(layer.size, at.ndim)
    if prod(size) == 1:
        return before
    if any(k > s for k, s in zip(size, per_axis(layer.stride, at.ndim), strict=True)):
        at.note("the lags behind an overlapping max pool are dropped")
    at.doubt(before)
    return before.each(lambda signal: _largest(signal, prod(size), at))


@_passed.register
def _(layer: AvgPool, before: Signals, at: _Place) -> Signals:
    values = (layer.size, layer.stride, layer.dilation)
    at.doubt(before)
    return before.each(
        lambda signal: averaged(signal, *(per_axis(value, at.ndim) for value in values))
    )


@_passed.register
def _(layer: Upsample, before: Signals, at: _Place) -> Signals:
    at.note(_PHASES)
    if layer.mode == "nearest":
        return before.each(lambda signal: replace(signal, lags=()))
    shares = [interpolated(s) for s in per_axis(layer.scale, at.ndim)]
    kept = prod(shares)
    at.doubt(before)
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
        return on_law(gate, signal, signal.law.mapped(lambda x: gate.value(x, np)))
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
        is_guessed=signal.is_guessed,
        lags=tuple((h, scale * (r - shared)) for h, r in signal.lags),
    )
    if signal.is_normal:
        return replace(found, before=(found.second, 0.0))
    law = law_of(signal) if signal.is_independent else None
    return found if law is None else replace(found, law=law.scaled(scale**0.5, signal.mean))


def _affine(signal: Signal, scale: float, mean: float, lost: float) -> Signal:
    """A sample less a mean that moves with the image by ``lost``, over the root of a variance."""
    off = mean * (2 * signal.mean - mean) + lost
    second, shared = scale * (signal.second - off), scale * (signal.shared - off)
    law = None if signal.is_normal else law_of(signal)
    return replace(
        signal,
        second=second,
        shared=shared,
        mean=scale**0.5 * (signal.mean - mean),
        gate=IDENTITY,
        before=(second, shared) if signal.is_normal else None,
        law=None if law is None else law.scaled(scale**0.5, mean),
        lags=tuple((h, scale * (r - off)) for h, r in signal.lags),
    )


def _largest(signal: Signal, places: int, at: _Place) -> Signal:
    """The largest sample of a window."""
    gate, before = signal.gate, signal.before
    law = law_of(signal) if signal.is_independent and not signal.lags else None
    if law is not None:
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
