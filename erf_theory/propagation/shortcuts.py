"""Identity shortcuts: which gates of one unit they join, and what lies between them."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.network.pointwise import Activation, Dropout, Identity
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Add, Crop, Pad
from erf_theory.propagation.branches import coherent_sums

__all__ = ["Join", "Way", "joined", "joins", "leaves_samples", "way_back"]


class Way(NamedTuple):
    """A way back to a gate, past what only moves samples and one pool that chooses among them.

    ``past`` are places on the way, ``pool`` those of the pool's window; 1 without one.
    """

    gate: int
    past: tuple[int, ...]
    pool: int


class Join(NamedTuple):
    """A gate, the sum before it, which of the sum's inputs leads back to a gate, and how."""

    place: int
    total: int
    branch: int
    way: Way


@remembered
def joined(network: Network) -> frozenset[int]:
    """Places of nodes that a run may hold: gates, and what lies between two of them."""
    return frozenset(
        at
        for join in joins(network)
        for at in (join.place, join.total, join.way.gate, *join.way.past)
    )


@remembered
def joins(network: Network) -> tuple[Join, ...]:
    """All ways from a gate through one branch of a sum to the gate right behind it."""
    coherent = coherent_sums(network)
    found = []
    for place, node in enumerate(network.nodes):
        total = node.inputs[0]
        if not isinstance(node.layer, Activation) or total == INPUT:
            continue
        layer, name = network.nodes[total].layer, network.nodes[total].name
        if isinstance(layer, Add) and name not in coherent:
            for branch, at in enumerate(network.nodes[total].inputs):
                way = way_back(network, at)
                if way is not None:
                    found.append(Join(place, total, branch, way))
    return tuple(found)


def way_back(network: Network, place: int) -> Way | None:
    """The way from a node back to a gate, if nothing else changes samples on it."""
    past: list[int] = []
    pool = 1
    while place >= 0:
        layer = network.nodes[place].layer
        if isinstance(layer, Activation):
            return Way(place, tuple(past), pool)
        if isinstance(layer, MaxPool) and pool == 1:
            pool = prod(per_axis(layer.size, network.ndim))
        elif not leaves_samples(layer, network.ndim):
            return None
        past.append(place)
        place = network.nodes[place].inputs[0]
    return None


def leaves_samples(layer: Layer, ndim: int) -> bool:
    """Whether a layer moves or leaves out samples, and changes none."""
    if isinstance(layer, Dropout):
        return not layer.training or layer.rate == 0
    if isinstance(layer, MaxPool):
        return max(per_axis(layer.size, ndim)) == 1
    return isinstance(layer, Crop | Identity | Pad)
