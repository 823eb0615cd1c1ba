"""Networks whose weights are given: every channel carries its own field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from erf_theory.engines.field import F, Program, entered
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer, need_whole
from erf_theory.network.convolutions import is_given
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.network.pointwise import Activation
from erf_theory.network.pooling import MaxPool
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.channelwise import Setting
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.statistics import gates
from erf_theory.propagation.stretches import Stretches, Unsquared, nothing
from erf_theory.propagation.walking import Question, Row, bounded, walk
from erf_theory.propagation.whole import needed, note_global

__all__ = ["Channelwise", "given_reasons", "has_given_weights"]

_SIGNS = (
    "weights as given: the signs of different paths are taken as independent, but for linear "
    "layers in a row that mix channels: they are multiplied out"
)
_WINNERS = (
    "weights as given: gates are taken as independent of which sample a max pool chooses, which "
    "makes the energy through a ReLU and a pool of four low by a factor of 15/8"
)


@remembered
def has_given_weights(network: Network) -> bool:
    """Whether any layer that the output depends on has weights as given."""
    return any(map(is_given, _needed(network)))


def _needed(network: Network) -> list[Layer]:
    """The layers that the output depends on."""
    return [network.nodes[place].layer for place in needed(network) if place != INPUT]


@dataclass(frozen=True, eq=False, repr=False)
class Channelwise:
    """A question about a network whose weights are given.

    Attributes
    ----------
    question : Question
        What is asked.
    kind : {"amplitude", "energy"}
        The gradient itself, or its square with the signs of different paths independent, but for
        linear layers in a row, which are multiplied out.
    channel : int, optional
        Channel of the output unit; None for the mean over all of them, of an energy.
    input_channel : int, optional
        Channel of the source; None for the mean over all of them, of an energy.
    """

    question: Question
    kind: Literal["amplitude", "energy"]
    channel: int | None = None
    input_channel: int | None = None

    def __post_init__(self) -> None:
        counts, source = self.question.counts, self.question.source
        _need_channel("channel", self.channel, counts[-2])
        _need_channel("input_channel", self.input_channel, counts[source])

    def program(self, axes: Axes, seen: Callable[[int, Any], Any] | None = None) -> Program:
        """From the output unit's field to the source's, both with channels.

        ``seen`` is shown the field behind every node with the node's place, and gives the one to
        go on with.
        """
        way = Stretches(
            self.question.network,
            self._settings(axes),
            partial(bounded, question=self.question, axes=axes),
            has_borders=self.question.image is not None,
        )

        def shown(place: int, thing: Unsquared[F]) -> Unsquared[F]:
            if seen is None:
                return thing.each(partial(entered, place=place))
            field = nothing(thing, len(axes.kept)) if thing.field is None else thing.field
            return thing._replace(field=seen(place, field))

        def rule(row: Row, thing: Unsquared[F]) -> Unsquared[F]:
            for place in row:
                thing = way.before(place, shown(place, thing))
            return thing

        def take(whole: Unsquared[F], first: int, last: int) -> Unsquared[F]:
            return whole if self.is_single else whole.each(lambda field: field.take(first, last))

        def backward(field: F, /) -> F:
            unit = Unsquared(axes.moved(field, self.question.unit))
            return way.squared(walk(self.question, unit, rule, take, Unsquared.joined))

        return backward

    def _settings(self, axes: Axes) -> list[Setting]:
        """What the rules know, by node."""
        network = self.question.network
        all_gates = gates(network) if self.kind == "energy" else (None,) * len(network.nodes)
        rows = zip(network.nodes, network.channels_before, all_gates, strict=True)
        return [
            Setting(
                name=node.name,
                axes=axes,
                channels=channels,
                kind=self.kind,
                gates=factors,
                single=self.is_single,
            )
            for node, channels, factors in rows
        ]

    @property
    def is_single(self) -> bool:
        """Whether every node has one channel."""
        return set(self.question.counts) == {1}


def _need_channel(name: str, chosen: int | None, channels: int) -> None:
    if chosen is not None and need_whole(name, chosen, 0) >= channels:
        raise ErfTheoryError(f"{name} is one of 0 to {channels - 1}, not {chosen}")


def given_reasons(network: Network, kind: str = "energy") -> tuple[str, ...]:
    """Why the map of a network with weights as given is only approximate."""
    notes = Notes()
    note_global(network, notes)
    reasons = () if kind == "amplitude" else _given_reasons(network)
    return reasons + notes.texts(network)


def _given_reasons(network: Network) -> tuple[str, ...]:
    """Why the energy of a network with weights as given is only approximate."""
    layers = _needed(network)
    sizes = (per_axis(x.size, network.ndim) for x in layers if isinstance(x, MaxPool))
    chooses = any(isinstance(x, Activation) for x in layers) and any(max(s) > 1 for s in sizes)
    return (_SIGNS, _WINNERS) if chooses else (_SIGNS,)
