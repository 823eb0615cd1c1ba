"""The one loop: fields from the output unit back to the input, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from math import prod
from operator import add
from typing import final

from erf_theory.engines.field import Border, F, Program
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network.geometry import image_sizes
from erf_theory.network.nodes import INPUT, Network, Node
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Concat, Pad
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.energy import Context, correlates, energy
from erf_theory.propagation.forward import Notes, Signals
from erf_theory.propagation.pieces import Pieces

__all__ = ["Question", "energy_program", "is_chain"]


@final
@dataclass(frozen=True)
class Question:
    """What is asked of a network.

    Attributes
    ----------
    network : Network
        Its paddings in numbers.
    unit : tuple of int
        The output unit, one coordinate for every axis of the network.
    source : int
        Place of the node whose output the unit's gradient is taken by; `INPUT` for the input.
    image : tuple of int, optional
        Size of the input, whose borders then count.
    """

    network: Network
    unit: tuple[int, ...]
    source: int = INPUT
    image: tuple[int, ...] | None = None

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Channels behind every node; last those of the input."""
        return (*self.network.channels, self.network.in_channels)

    @cached_property
    def sizes(self) -> tuple[tuple[int, ...], ...] | None:
        """Shapes behind every node, last that of the input; None without borders."""
        if self.image is None:
            return None
        return (*image_sizes(self.network, self.image), self.image)

    @cached_property
    def pools(self) -> list[int]:
        """Places of the max pool that is the only reader of a node; 1 where there is none."""
        nodes = self.network.nodes
        readers = Counter(i for node in nodes for i in node.inputs)
        found = [1] * len(nodes)
        for node in nodes:
            before = node.inputs[0]
            if isinstance(node.layer, MaxPool) and before != INPUT and readers[before] == 1:
                found[before] = prod(per_axis(node.layer.size, self.network.ndim))
        return found


def energy_program(
    question: Question, before: Sequence[Signals], axes: Axes, notes: Notes
) -> Program:
    """What a network does to the energy of one output unit, averaged over its channels.

    Parameters
    ----------
    question : Question
        What is asked.
    before : sequence of Pieces of Signal
        The forward signal before every node.
    axes : Axes
        The field's.
    notes : Notes
        Where the rules note why they are only approximate.

    Returns
    -------
    Program
        From the unit impulse to the mean energy of the source's channels.
    """
    network, counts = question.network, question.counts

    def backward(field: F, /) -> F:
        start = axes.moved(axes.scaled(field, Fraction(1, network.out_channels)), question.unit)
        output = len(network.nodes) - 1
        fields: dict[int, Pieces[F]] = {output: Pieces.uniform(network.out_channels, start)}
        correlated: set[int] = set()
        for place in range(output, question.source, -1):
            node = network.nodes[place]
            if (here := fields.pop(place, None)) is None:
                continue
            at = Context(
                name=node.name,
                axes=axes,
                channels=_channels(node, counts),
                signals=before[place],
                notes=notes,
                correlated=place in correlated,
                pool=question.pools[place],
            )
            found = energy(node.layer, here, at)
            for source, part in _shares(node, found, counts):
                inside = _bounded(node, source, part, question, axes)
                known = fields.get(source)
                fields[source] = inside if known is None else known.joined(inside, add)
                if place in correlated or correlates(node.layer, network.ndim):
                    correlated.add(source)
        if question.source not in fields:
            raise ErfTheoryError("the output does not depend on the source")
        return _mean(fields[question.source], counts[question.source], axes)

    return backward


def _channels(node: Node, counts: Sequence[int]) -> int:
    """Channels of a node's input."""
    if isinstance(node.layer, Concat):
        return sum(counts[i] for i in node.inputs)
    return counts[node.inputs[0]]


def _bounded(
    node: Node, source: int, fields: Pieces[F], question: Question, axes: Axes
) -> Pieces[F]:
    """What is left of fields by the borders of an image."""
    if question.sizes is None:
        return fields
    if axes.mode == "marginal" and axes.ndim > 1:
        raise NoMarginalError("borders on the axes that are summed")
    border: Border = node.layer.border if isinstance(node.layer, Pad) else "zeros"
    size = axes.steps(question.sizes[source])
    return fields.each(lambda field: field.fold(size, border))


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
    parts = [axes.scaled(field, Fraction(b - a, channels)) for a, b, field in fields.parts]
    return reduce(add, parts)
