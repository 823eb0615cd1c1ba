"""The one loop: fields from the output unit back to the input, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import prod
from operator import add
from typing import Any

from erf_theory.engines.field import F, Program
from erf_theory.lattice import per_axis
from erf_theory.network.nodes import INPUT, Network, Node
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Add, Concat
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.energy import Context, correlates, energy
from erf_theory.propagation.forward import Notes, Signals
from erf_theory.propagation.pieces import Pieces

__all__ = ["energy_program", "is_chain"]


def energy_program(
    network: Network, before: Sequence[Signals], axes: Axes, notes: Notes, unit: Sequence[int]
) -> Program:
    """What a network does to the energy of one output unit, averaged over its channels.

    Parameters
    ----------
    network : Network
        Its paddings in numbers.
    before : sequence of Pieces of Signal
        The forward signal before every node.
    axes : Axes
        The field's.
    notes : Notes
        Where the rules note why they are only approximate.
    unit : sequence of int
        The output unit, one coordinate for every axis of the network.

    Returns
    -------
    Program
        From the unit impulse to the mean energy of the input's channels.
    """
    counts = (*network.channels, network.in_channels)
    pools = _pools(network)

    def backward(field: F, /) -> F:
        start = axes.moved(axes.scaled(field, Fraction(1, network.out_channels)), unit)
        fields: dict[int, Pieces[F]] = {
            len(network.nodes) - 1: Pieces.uniform(network.out_channels, start)
        }
        correlated: set[int] = set()
        for place in reversed(range(len(network.nodes))):
            node = network.nodes[place]
            if (here := fields.pop(place, None)) is None:
                continue
            at = Context(
                name=node.name,
                axes=axes,
                channels=sum(counts[i] for i in node.inputs)
                if isinstance(node.layer, Concat)
                else counts[node.inputs[0]],
                signals=before[place],
                notes=notes,
                correlated=place in correlated,
                pool=pools[place],
            )
            found = energy(node.layer, here, at)
            for source, part in _shares(node, found, counts):
                known = fields.get(source)
                fields[source] = part if known is None else known.joined(part, add)
                if place in correlated or correlates(node.layer, network.ndim):
                    correlated.add(source)
        return _mean(fields[INPUT], network.in_channels, axes)

    return backward


def is_chain(network: Network) -> bool:
    """Whether every node reads the one before it: fields may then be outer products."""
    return all(node.inputs == (place - 1,) for place, node in enumerate(network.nodes))


def _shares(node: Node, fields: Pieces[F], counts: Sequence[int]) -> list[tuple[int, Pieces[F]]]:
    """What every input of a node receives."""
    if not isinstance(node.layer, Concat):
        return [(source, fields) for source in node.inputs]
    found = []
    first = 0
    for source in node.inputs:
        part = fields.take(first, first + counts[source])
        first += counts[source]
        if part.parts:
            found.append((source, part))
    return found


def _mean(fields: Pieces[F], channels: int, axes: Axes) -> F:
    """The mean over channels."""
    total: Any = None
    for a, b, field in fields.parts:
        part = axes.scaled(field, Fraction(b - a, channels))
        total = part if total is None else total + part
    return total


def _pools(network: Network) -> list[int]:
    """Places of the max pool that is the only reader of a node; 1 where there is none."""
    readers = Counter(i for node in network.nodes for i in node.inputs)
    found = [1] * len(network.nodes)
    for node in network.nodes:
        if isinstance(node.layer, MaxPool) and node.inputs[0] != INPUT:
            if readers[node.inputs[0]] == 1:
                found[node.inputs[0]] = prod(per_axis(node.layer.size, network.ndim))
    return found
