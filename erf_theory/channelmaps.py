"""Maps of networks whose weights are given: every channel carries its own field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from math import log, prod
from typing import Any, Literal

import numpy as np

from erf_theory.derived import Stored
from erf_theory.engines import convolution
from erf_theory.engines.extent import extent_of, need_memory
from erf_theory.engines.field import F, Program, entered
from erf_theory.engines.tape import recorded
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.base import need_whole
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import regions
from erf_theory.network.nodes import Network, remembered
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.backward import Question, Row, bounded, walk
from erf_theory.propagation.channelwise import Setting
from erf_theory.propagation.statistics import gates
from erf_theory.propagation.stretches import Stretches, Unsquared, nothing
from erf_theory.routes import Logs, Shares

__all__ = ["Channelwise", "has_given_weights", "stored"]

_EPS = float(np.finfo(np.float64).eps)


@remembered
def has_given_weights(network: Network) -> bool:
    """Whether any layer has weights as given."""
    return any(
        isinstance(node.layer, Weighted) and node.layer.given_weights is not None
        for node in network.nodes
    )


@dataclass(frozen=True)
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
            return replace(thing, field=seen(place, field))

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

    def _sizes(self, axes: Axes) -> list[int]:
        """Samples at the source, and of all channels' fields before every node behind it."""
        network, source = self.question.network, self.question.source
        boxes = [
            None if box is None else prod([box.shape[axis] for axis in axes.kept])
            for box in regions(network, self.question.unit)
        ]
        nodes = list(zip(network.nodes, network.channels_before, network.channels, strict=True))
        fields = [
            max(before, behind) * box
            for node, before, behind in nodes[source + 1 :]
            for box in [boxes[i + 1] for i in node.inputs]
            if box is not None
        ]
        first = boxes[source + 1]
        return [] if first is None else [first, *fields]

    def map(self, axes: Axes) -> Stored:
        """The map on some axes, computed now.

        Raises
        ------
        NoMarginalError
            If the sum over the other axes is no field of its own.
        """
        counts = self.question.counts
        if sizes := self._sizes(axes):
            need_memory(sizes[0], -(-4 * max(sizes) // sizes[0]))
        unit = _weights(counts[-2], self.channel)
        ends = _weights(counts[self.question.source], self.input_channel)
        ndim = len(axes.kept)
        program = recorded(self.program(axes), ndim)
        field = program(convolution.impulse(ndim, unit))
        values = np.tensordot(ends, field.values, 1)
        lost = 0.0
        if np.any(values < 0):
            bound = convolution.absolute_error(program, ndim, unit)
            lost = float(np.max(np.tensordot(ends, bound.values, 1)))
            lost *= 2.0 ** (bound.exponent - field.exponent)
        roundings = extent_of(program, ndim).roundings
        return stored(np.asarray(values), field, lost, 2 * _EPS * roundings)


def _need_channel(name: str, chosen: int | None, channels: int) -> None:
    if chosen is not None and need_whole(name, chosen, 0) >= channels:
        raise ErfTheoryError(f"{name} is one of 0 to {channels - 1}, not {chosen}")


def _weights(channels: int, chosen: int | None) -> FloatArray:
    """Shares of the channels: one of them, or all alike."""
    return np.full(channels, 1 / channels) if chosen is None else np.eye(channels)[chosen]


def stored(values: FloatArray, field: convolution.Samples, lost: float, relative: float) -> Stored:
    """The normalised map of samples that share an exponent."""
    total = float(np.sum(np.abs(values)))
    if total == 0:
        raise ErfTheoryError("the map is 0 everywhere, so it cannot be normalised: check weights")
    log_norm, signed = log(total) + field.exponent * log(2), float(np.sum(values))
    with np.errstate(divide="ignore"):
        logs = np.log(np.abs(values / total))
    sign = np.sign(values).astype(np.int8)
    return Stored(
        start=field.start,
        shares=Shares(values / total, log_norm, lost / total, "convolution"),
        logs=Logs(logs, sign, relative + lost / total, "convolution"),
        mass=Decimal(signed) * Decimal(2) ** field.exponent,
        log_mass=log(abs(signed)) + field.exponent * log(2) if signed else -np.inf,
    )
