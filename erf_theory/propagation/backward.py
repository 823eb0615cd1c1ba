"""Energies of networks with random weights, from the output unit back to the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import repeat
from operator import add
from typing import Any, final

from erf_theory.engines.field import F, Program, entered
from erf_theory.engines.tape import Recorded, Tape
from erf_theory.exact import FloatArray
from erf_theory.network.base import Layer, first_like
from erf_theory.network.nodes import Network, remembered
from erf_theory.propagation import gating
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.branches import COHERENT, coherent_sums
from erf_theory.propagation.energy import CORRELATED, Context, correlates, energy
from erf_theory.propagation.forward import Signals, few_inputs
from erf_theory.propagation.gates import Labelled, Runs
from erf_theory.propagation.lagged import Lagged, TooManyLagsError, furthest, kept_within
from erf_theory.propagation.local import is_local, local_seconds
from erf_theory.propagation.notes import FEW_INPUTS, GATES, Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.walking import Question, Row, bounded, walk
from erf_theory.propagation.winners import all_winners

__all__ = ["energy_program"]

_ = gating  # it enters its rules
_NOT_ENTERED = entered.dispatch(object)


@remembered
def _correlated(network: Network) -> list[bool]:
    """Whether the field behind every node is correlated between places."""
    found = [False] * (len(network.nodes) + 1)
    for place, node in reversed(list(enumerate(network.nodes))):
        if found[place] or correlates(node.layer, network.ndim):
            for source in node.inputs:
                found[source] = True
    return found[:-1]


@remembered
def _columns(network: Network) -> tuple[list[str], list[Layer], list[type[Layer]]]:
    """Of every node its name, its layer, and the type of that."""
    layers = [first_like(node.layer) for node in network.nodes]
    return [node.name for node in network.nodes], layers, [type(layer) for layer in layers]


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
    for place in sorted(run.loose):
        notes.add(GATES, question.network.nodes[place].name)
    for name in few_inputs(question.network) if run.gates else ():
        notes.add(FEW_INPUTS, name)
    won = all_winners(question.network, before, question.source, run.pooled, notes)
    contexts = partial(_contexts, question, before, axes, won)
    lagged = _needs_lags(question, contexts, axes, run)
    if lagged and axes.mode == "factor":
        raise NoMarginalError("the gates of two places are no product of axes")
    rules = _Rules(question, axes, contexts(notes, lagged=lagged), run)
    return rules.from_lags if lagged else rules.from_output


def _needs_lags(
    question: Question, contexts: Callable[..., list[Context]], axes: Axes, run: Runs
) -> bool:
    """Whether fixed windows correlate places that others read, few enough to be carried along."""
    if question.image is not None or not any(_correlated(question.network)):
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
        _columns(question.network)[0],
        repeat(axes),
        question.network.channels_before,
        before,
        repeat(notes),
        _correlated(question.network),
        won,
        needed,
        _seconds(question),
    )
    return list(map(tuple.__new__, repeat(Context), rows))


def _seconds(question: Question) -> Sequence[FloatArray | None]:
    """E x² before every node at every place of the image, where that is known."""
    network, image = question.network, question.image
    if image is None or question.far_signal or not is_local(network):
        return (None,) * len(network.nodes)
    return local_seconds(network, image)


@final
@dataclass(frozen=True)
class _Rules:
    """The rules of all nodes, and the gates that identity shortcuts join.

    ``enters`` says whether the engine asks which node does what.
    """

    question: Question
    axes: Axes
    contexts: Sequence[Context]
    run: Runs
    enters: bool = False

    @cached_property
    def steps(self) -> list[tuple[Callable[..., Any], Layer, Context]]:
        """The rule of every node, looked up once for every type of layer, and what it is given."""
        _, layers, types = _columns(self.question.network)
        rules = {kind: energy.dispatch(kind) for kind in set(types)}
        return list(zip(map(rules.__getitem__, types), layers, self.contexts, strict=True))

    @cached_property
    def ends(self) -> bool:
        """Whether fields end somewhere: at borders, or at the furthest lags."""
        return self.question.sizes is not None or self.contexts[-1].furthest is not None

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
            replace(self, enters=entered.dispatch(type(field)) is not _NOT_ENTERED).before,
            lambda fields, a, b: fields.each(lambda part: part.take(a, b)),
            lambda one, other: one.joined(other, _join),
        )
        return _mean(found.total(_join), question.counts[question.source], axes)

    def from_lags(self, field: F, /) -> F:
        """The same, with the covariance between places on the way."""
        here = (0,) * self.axes.ndim
        return self.from_output(Lagged({here: field})).parts[here]

    def before(self, row: Row, fields: Labelled[Pieces[F]]) -> Labelled[Pieces[F]]:
        """The fields before a row of nodes, apart by the gate of the unit they came through."""
        place = row[0]
        if place in self.run.gates:
            parts = fields.relabelled(place, _join).parts
            return Labelled({label: self._gated(row, label, parts[label]) for label in parts})
        if place in self.run.links:
            return fields.each(partial(self._plain, row))
        return Labelled({None: self._plain(row, fields.total(_join))})

    def _gated(self, row: Row, label: int | None, fields: Pieces[F]) -> Pieces[F]:
        found, ratio = self._plain(row, fields), self.run.ratio(row[0], label)
        if ratio == 1:
            return found
        if self.contexts[row[0]].furthest is not None:
            self.contexts[row[0]].note(GATES)
        return found.each(lambda field: self.axes.scaled(field, ratio))

    def _plain(self, row: Row, fields: Pieces[F]) -> Pieces[F]:
        steps, enters, ends = self.steps, self.enters, self.ends
        for place in row:
            rule, layer, at = steps[place]
            if enters:
                fields = fields.each(partial(entered, place=place))
            fields = rule(layer, fields, at)
            if ends:
                fields = fields.each(partial(self._ended, place))
        return fields

    def _ended(self, place: int, field: F) -> F:
        """What the furthest lags and the borders of an image leave of a field before a node."""
        question, at = self.question, self.contexts[place]
        if at.furthest is not None:
            field = kept_within(field, at.furthest)
        return bounded(field, question.network.nodes[place], question, self.axes)


def _join(one: Pieces[F], other: Pieces[F]) -> Pieces[F]:
    return one.joined(other, add)


def _mean(fields: Pieces[F], channels: int, axes: Axes) -> F:
    """The mean over channels."""
    parts = [axes.scaled(field, Fraction(b - a, channels)) for a, b, field in fields]
    return axes.total(parts)
