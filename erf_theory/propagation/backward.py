"""The one loop: fields from the output unit back to the input, node by node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from operator import add
from typing import TypeVar, final

import numpy as np

from erf_theory.engines.field import Border, F, Program
from erf_theory.engines.tape import Recorded, Tape
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.geometry import image_sizes, regions
from erf_theory.network.nodes import INPUT, Network, Node
from erf_theory.network.pooling import MaxPool, Upsample
from erf_theory.network.routing import Concat, Pad
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.branches import COHERENT, coherent_sums
from erf_theory.propagation.energy import CORRELATED, Context, correlates, energy
from erf_theory.propagation.forward import Signals
from erf_theory.propagation.gates import Labelled, Runs
from erf_theory.propagation.gating import transmits
from erf_theory.propagation.lagged import Lagged, TooManyLagsError, furthest, kept_within
from erf_theory.propagation.local import is_local, local_seconds
from erf_theory.propagation.notes import GATES, Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.winners import WINNERS_ALONE, winners

__all__ = ["Question", "bounded", "energy_program", "is_chain", "walk"]

_T = TypeVar("_T")


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
    def correlated(self) -> list[bool]:
        """Whether the field behind every node is correlated between places."""
        nodes = self.network.nodes
        found = [False] * (len(nodes) + 1)
        for place in reversed(range(len(nodes))):
            layer = nodes[place].layer
            if found[place] or correlates(layer, self.network.ndim):
                for source in nodes[place].inputs:
                    found[source] = True
        return found[:-1]

    @cached_property
    def seconds(self) -> Sequence[FloatArray | None]:
        """E x² before every node at every place of the image, where that is known."""
        if self.image is None or self.far_signal or not is_local(self.network):
            return (None,) * len(self.network.nodes)
        return local_seconds(self.network, self.image)

    @cached_property
    def met(self) -> tuple[tuple[bool, bool], ...]:
        """Whether the unit depends on anything beyond the low and the high border, per axis."""
        met = np.zeros((len(self.unit), 2), dtype=bool)
        if self.sizes is not None:
            places = (self.sizes[-1], *self.sizes[:-1])
            for region, size in zip(regions(self.network, self.unit), places, strict=True):
                if region is not None:
                    ends = np.add(region.start, region.shape)
                    met |= np.stack([np.less(region.start, 0), ends > size], axis=1)
        return tuple((bool(low), bool(high)) for low, high in met)

    def inputs(self, node: Node) -> int:
        """Channels of a node's input."""
        if isinstance(node.layer, Concat):
            return sum(self.counts[i] for i in node.inputs)
        return self.counts[node.inputs[0]]


def walk(
    question: Question,
    start: _T,
    rule: Callable[[int, _T], _T],
    take: Callable[[_T, int, int], _T],
    join: Callable[[_T, _T], _T],
) -> _T:
    """Carry something from the output back to the source, node by node.

    Parameters
    ----------
    question : Question
        What is asked.
    start : thing
        What is at the output.
    rule : callable
        From the place of a node and the thing behind it to the thing before it.
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
    for place in range(len(nodes) - 1, question.source, -1):
        if place not in things:
            continue
        if not transmits(nodes[place].layer):
            del things[place]
            continue
        before, first = rule(place, things.pop(place)), 0
        for source in nodes[place].inputs:
            part = before
            if isinstance(nodes[place].layer, Concat):
                last = first + question.counts[source]
                part, first = take(before, first, last), last
            things[source] = join(things[source], part) if source in things else part
    if question.source not in things:
        raise ErfTheoryError("the output does not depend on the source, or only on all of it alike")
    return things[question.source]


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
    for name in coherent_sums(question.network):
        notes.add(COHERENT, name)
    run = Runs.of(question.network, before, question.source)
    for place in run.loose:
        notes.add(GATES, question.network.nodes[place].name)
    contexts = partial(_contexts, question, before, axes, _winners(question, before, run, notes))
    lagged = _needs_lags(question, contexts, axes, run)
    if lagged and axes.mode == "factor":
        raise NoMarginalError("the gates of two places are no product of axes")
    rules = _Rules(question, axes, contexts(notes, lagged=lagged), run)
    return rules.from_lags if lagged else rules.from_output


def _needs_lags(
    question: Question, contexts: Callable[..., list[Context]], axes: Axes, run: Runs
) -> bool:
    """Whether fixed windows correlate places that others read, few enough to be carried along."""
    if question.image is not None or not any(question.correlated):
        return False
    notes = Notes()
    blank = Recorded(Tape(), 0, len(axes.kept))
    plain, lagged = (
        _Rules(question, axes, contexts(notes, lagged=which), run) for which in (False, True)
    )
    plain.from_output(blank)
    if CORRELATED not in notes.field:
        return False
    try:
        lagged.from_lags(blank)
    except TooManyLagsError:
        return False
    return True


def _winners(
    question: Question, before: Sequence[Signals], run: Runs, notes: Notes
) -> list[Pieces[float] | None]:
    """How much more open gates are for the winners of every max pool; None for other nodes."""
    found: list[Pieces[float] | None] = []
    for place, node in enumerate(question.network.nodes):
        if place <= question.source or not isinstance(node.layer, MaxPool):
            found.append(None)
            continue
        ratios, is_known = winners(question.network, before, place, question.source, run.pooled)
        if not is_known:
            notes.add(WINNERS_ALONE, node.name)
        found.append(ratios)
    return found


def _contexts(
    question: Question,
    before: Sequence[Signals],
    axes: Axes,
    won: Sequence[Pieces[float] | None],
    notes: Notes,
    *,
    lagged: bool,
) -> list[Context]:
    """What the rule of every node knows beside its layer and the field."""
    nodes = question.network.nodes
    needed = furthest(question.network, question.source) if lagged else [None] * len(nodes)
    rows = zip(
        nodes,
        before,
        question.correlated,
        won,
        question.seconds,
        needed,
        strict=True,
    )
    return [
        Context(
            name=node.name,
            axes=axes,
            channels=question.inputs(node),
            signals=signal,
            notes=notes,
            correlated=correlated,
            winners=ratios,
            furthest=lags,
            seconds=seconds,
        )
        for node, signal, correlated, ratios, seconds, lags in rows
    ]


@final
@dataclass(frozen=True)
class _Rules:
    """The rules of all nodes, and the gates that identity shortcuts join."""

    question: Question
    axes: Axes
    contexts: Sequence[Context]
    run: Runs

    def from_output(self, field: F, /) -> F:
        """The mean energy of the source's channels, from the unit impulse."""
        question, axes = self.question, self.axes
        outputs = question.network.out_channels
        unit = axes.moved(axes.scaled(field, Fraction(1, outputs)), question.unit)
        if question.sizes is not None:
            unit = unit.fold(axes.steps(question.sizes[-2]), "zeros")
        found = walk(
            question,
            Labelled({None: Pieces.uniform(outputs, unit)}),
            self.before,
            lambda fields, a, b: fields.each(lambda part: part.take(a, b)),
            lambda one, other: one.joined(other, _join),
        )
        return _mean(found.total(_join), question.counts[question.source], axes)

    def from_lags(self, field: F, /) -> F:
        """The same, with the covariance between places on the way."""
        here = (0,) * self.axes.ndim
        return self.from_output(Lagged({here: field})).parts[here]

    def before(self, place: int, fields: Labelled[Pieces[F]]) -> Labelled[Pieces[F]]:
        """The fields before a node, apart by the gate of the unit that they came through."""
        if place in self.run.gates:
            parts = fields.relabelled(place, _join).parts
            return Labelled({label: self._gated(place, label, parts[label]) for label in parts})
        if place in self.run.links:
            return fields.each(lambda part: self._plain(place, part))
        return Labelled({None: self._plain(place, fields.total(_join))})

    def _gated(self, place: int, label: int | None, fields: Pieces[F]) -> Pieces[F]:
        ratio = self.run.ratio(place, label)
        if self.contexts[place].furthest is not None and ratio != 1:
            self.contexts[place].note(GATES)
        return self._plain(place, fields).each(lambda field: self.axes.scaled(field, ratio))

    def _plain(self, place: int, fields: Pieces[F]) -> Pieces[F]:
        node = self.question.network.nodes[place]
        at = self.contexts[place]
        found = energy(node.layer, fields, at)
        if at.furthest is not None:
            found = found.each(partial(kept_within, furthest=at.furthest))
        if self.question.sizes is None:
            return found
        return found.each(lambda field: bounded(field, node, self.question, self.axes))


def _join(one: Pieces[F], other: Pieces[F]) -> Pieces[F]:
    return one.joined(other, add)


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


def is_chain(network: Network) -> bool:
    """Whether every node reads the one before it: fields may then be outer products."""
    return all(node.inputs == (place - 1,) for place, node in enumerate(network.nodes))


def _mean(fields: Pieces[F], channels: int, axes: Axes) -> F:
    """The mean over channels."""
    parts = [axes.scaled(field, Fraction(b - a, channels)) for a, b, field in fields.parts]
    return axes.total(parts)
