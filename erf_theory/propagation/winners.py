"""Gates before a max pool: that of the largest sample is open more often than the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache, partial
from math import prod
from typing import NamedTuple

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.lattice import per_axis
from erf_theory.network.base import Given
from erf_theory.network.nodes import Network, remembered
from erf_theory.network.pointwise import Activation, Norm
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import ChannelShuffle, Concat, Split
from erf_theory.propagation.forward import Signals
from erf_theory.propagation.gates import gated, squared_slope
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.pooled import pooled
from erf_theory.propagation.shortcuts import leaves_samples
from erf_theory.propagation.signal import Signal

__all__ = ["WINNERS_ALONE", "Winners", "all_winners", "winners"]

WINNERS_ALONE = (
    "gates before a max pool are taken as independent of which sample is the largest, or as "
    "increasing on samples without lags: what that does to the mass has not been measured"
)


class Winners(NamedTuple):
    """What a max pool's choice says of the gates before it.

    ``ratios`` are E σ'² of the largest sample of a window over E σ'² of any; ``is_known`` says
    whether that is all.
    """

    ratios: Pieces[float]
    is_known: bool


def winners(
    network: Network,
    before: Sequence[Signals],
    place: int,
    source: int,
    joined: Collection[int] = (),
) -> Winners:
    """How much more open the gate right before a max pool is for what the pool lets through.

    Parameters
    ----------
    network : Network
        The network.
    before : sequence of Pieces of Signal
        The signal before every node.
    place : int
        Place of the pool.
    source : int
        Place of the node whose output the gradient is taken by: gates up to it do not count.
    joined : collection of int
        Places of gates whose runs know of the winner.
    """
    layer = network.nodes[place].layer
    size = per_axis(layer.size, network.ndim) if isinstance(layer, MaxPool) else (1,)
    met = gated(network, source)
    search = _Search(network, before, source, prod(size), met, joined)
    return search.through(network.nodes[place].inputs[0])


def all_winners(
    network: Network,
    before: Sequence[Signals],
    source: int,
    joined: Collection[int],
    notes: Notes,
) -> list[Pieces[float] | None]:
    """The ratios of `winners` at every max pool behind the source; None at other nodes."""
    found: list[Pieces[float] | None] = [None] * len(network.nodes)
    for place in _pools(network, source):
        ratios, is_known = winners(network, before, place, source, joined)
        if not is_known:
            notes.add(WINNERS_ALONE, network.nodes[place].name)
        found[place] = ratios
    return found


@remembered
def _pools(network: Network, source: int) -> list[int]:
    """Places of the max pools behind the source."""
    nodes = enumerate(network.nodes)
    return [i for i, node in nodes if i > source and isinstance(node.layer, MaxPool)]


class _Search(NamedTuple):
    """A search for the gates that the samples of a window went through."""

    network: Network
    before: Sequence[Signals]
    source: int
    places: int
    gated: Sequence[bool]
    joined: Collection[int]

    def through(self, place: int) -> Winners:
        """What is known behind a node."""
        count = (*self.network.channels, self.network.in_channels)[place]
        even = Pieces.uniform(count, 1.0)
        if place <= self.source or self.places == 1:
            return Winners(even, is_known=True)
        layer, inputs = self.network.nodes[place].layer, self.network.nodes[place].inputs
        if isinstance(layer, Activation):
            return self._gate(place, layer.nonlinearity)
        if isinstance(layer, Concat):
            return self._concatenated(inputs)
        if isinstance(layer, Split | ChannelShuffle):
            return self._rerouted(layer, inputs[0], count)
        if leaves_samples(layer, self.network.ndim) or _is_increasing(layer):
            return self.through(inputs[0])
        return Winners(even, is_known=not self.gated[place])

    def _gate(self, place: int, gate: Nonlinearity) -> Winners:
        signals = self.before[place]
        known = [_is_known(gate, signal) for _, _, signal in signals.parts]
        ratios = signals.each(lambda signal: _ratio(gate, signal, self.places))
        met = any(self.gated[i] for i in self.network.nodes[place].inputs)
        return Winners(ratios, is_known=all(known) and (place in self.joined or not met))

    def _rerouted(self, layer: Split | ChannelShuffle, place: int, count: int) -> Winners:
        ratios, is_known = self.through(place)
        if isinstance(layer, Split):
            return Winners(ratios.take(layer.start, layer.stop), is_known)
        return Winners(ratios.dealt(count // layer.groups, count), is_known)

    def _concatenated(self, inputs: Sequence[int]) -> Winners:
        parts: list[tuple[int, int, float]] = []
        known, first = True, 0
        for place in inputs:
            found = self.through(place)
            parts.extend(found.ratios.moved(first).parts)
            known &= found.is_known
            first = parts[-1][1]
        return Winners(Pieces(tuple(parts)), known)


def _is_increasing(layer: object) -> bool:
    """Whether a layer is a norm whose factors keep the order of samples."""
    if not isinstance(layer, Norm):
        return False
    return not isinstance(layer.scale, Given) or bool(np.all(layer.scale.array > 0))


@lru_cache(maxsize=4096)
def _is_known(gate: Nonlinearity, signal: Signal) -> bool:
    """Whether the largest sample of a window is that of the largest sample before the gate."""
    reach = 9 * signal.second**0.5
    values = gate.value(np.linspace(-reach, reach, 1001), np)
    has_law = signal.law is not None and signal.is_independent
    is_known = (signal.is_normal or has_law) and not signal.lags and not signal.is_guessed
    return is_known and bool(np.all(np.diff(values) >= 0))


@lru_cache(maxsize=4096)
def _ratio(gate: Nonlinearity, signal: Signal, places: int) -> float:
    """E σ'² of the largest sample of a window over E σ'² of any."""
    slopes = partial(squared_slope, gate)
    if signal.law is not None:
        weights = signal.law.halved(slopes)
        share = float(signal.law.shares @ weights)
        largest = float(signal.law.largest(places).shares @ weights)
    else:
        share = gate.slope_second_moment(signal.second).value
        largest = pooled(gate, signal.second, max(signal.shared, 0.0), places).slope
    return largest / share if share else 1.0
