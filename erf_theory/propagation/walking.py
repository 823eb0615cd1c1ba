"""The one loop: from the output unit back to the source, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, final

from erf_theory.engines.field import Border, F
from erf_theory.errors import ErfTheoryError
from erf_theory.network.geometry import crossed, image_sizes
from erf_theory.network.nodes import INPUT, Network, Node, remembered
from erf_theory.network.pooling import Upsample
from erf_theory.network.routing import Concat, Pad
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.shortcuts import joined
from erf_theory.propagation.whole import transmits

__all__ = ["Question", "Row", "bounded", "is_chain", "walk"]

_T = TypeVar("_T")
Row = tuple[int, ...]


@final
@dataclass(frozen=True, eq=False, repr=False)
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
    far_signal : bool
        Whether the forward signal is that far from borders at every place.
    """

    network: Network
    unit: tuple[int, ...]
    source: int = INPUT
    image: tuple[int, ...] | None = None
    far_signal: bool = False

    def __post_init__(self) -> None:
        if self.sizes is not None:
            inside = zip(self.unit, self.sizes[-2], strict=True)
            if any(not 0 <= at < size for at, size in inside):
                raise ErfTheoryError(
                    f"the unit {self.unit} lies outside the output, which has {self.sizes[-2]} "
                    "places: choose another one or a larger image_size"
                )

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
    def met(self) -> tuple[tuple[bool, bool], ...]:
        """Whether the unit depends on anything beyond the low and the high border, per axis."""
        if self.sizes is None:
            return ((False, False),) * len(self.unit)
        return crossed(self.network, self.unit, (self.sizes[-1], *self.sizes[:-1]))


@remembered
def _rows(network: Network, source: int) -> list[Row]:
    """All nodes behind the source, from the output on, in rows.

    A node alone reads the next one of its row and nothing else, and no run of gates holds it;
    other nodes are rows of their own. Rows that hand on nothing that has a place are left out.
    """
    readers = Counter(i for node in network.nodes for i in node.inputs)
    alone = joined(network)
    rows: list[list[int]] = []
    for place in range(len(network.nodes) - 1, source, -1):
        follows = rows and network.nodes[rows[-1][-1]].inputs == (place,) and readers[place] == 1
        if follows and alone.isdisjoint((place, rows[-1][-1])):
            rows[-1].append(place)
        else:
            rows.append([place])
    nodes = network.nodes
    return [tuple(row) for row in rows if all(transmits(nodes[place].layer) for place in row)]


def walk(
    question: Question,
    start: _T,
    rule: Callable[[Row, _T], _T],
    take: Callable[[_T, int, int], _T],
    join: Callable[[_T, _T], _T],
) -> _T:
    """Carry something from the output back to the source, row by row.

    Parameters
    ----------
    question : Question
        What is asked.
    start : thing
        What is at the output.
    rule : callable
        From the places of nodes in a row and the thing behind them to the thing before them.
    take : callable
        From a thing to that of channels a to b-1: an input of a concatenation.
    join : callable
        From two things at one node, which come from two of its readers, to their sum.

    Raises
    ------
    ErfTheoryError
        If the output does not depend on the source.
    """
    nodes = question.network.nodes
    things = {len(nodes) - 1: start}
    for row in _rows(question.network, question.source):
        if row[0] not in things:
            continue
        before, first, node = rule(row, things.pop(row[0])), 0, nodes[row[-1]]
        for source in node.inputs:
            part = before
            if isinstance(node.layer, Concat):
                last = first + question.counts[source]
                part, first = take(before, first, last), last
            things[source] = join(things[source], part) if source in things else part
    if question.source not in things:
        raise ErfTheoryError("the output does not depend on the source, or only on all of it alike")
    return things[question.source]


def bounded(field: F, node: Node, question: Question, axes: Axes) -> F:
    """What the borders of an image leave of a field before a node.

    Raises
    ------
    NoMarginalError
        If the unit meets borders on axes that are summed over.
    """
    if question.sizes is None:
        return field
    summed = (ends for axis, ends in enumerate(question.met) if axis not in axes.kept)
    if axes.mode == "marginal" and any(map(any, summed)):
        raise NoMarginalError("borders on the axes that are summed")
    border: Border = "zeros"
    if isinstance(node.layer, Pad):
        border = node.layer.border
    elif isinstance(node.layer, Upsample) and node.layer.mode == "linear":
        border = "replicate"
    return field.fold(axes.steps(question.sizes[node.inputs[0]]), border)


@remembered
def is_chain(network: Network) -> bool:
    """Whether every node reads the one before it: fields may then be outer products."""
    return all(node.inputs == (place - 1,) for place, node in enumerate(network.nodes))
