"""The energy of given weights with their signs kept: gates that are independent, paths that not.

A gate is its mean and a rest that is independent of all other gates. Means make a linear network,
through which gradients keep the signs of the weights; every rest starts a gradient of its own.
So the energy is a sum of squares of linear gradients, one for every gate that starts one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import add
from typing import NamedTuple, cast

import numpy as np

from erf_theory.channelmaps import stored
from erf_theory.engines import convolution
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.convolutions import ConvTranspose
from erf_theory.network.gating import Gate, Global
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, PReLU
from erf_theory.network.pooling import MaxPool, Upsample
from erf_theory.network.receptive import receptive_field
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.channelwise import Setting, channelwise
from erf_theory.propagation.statistics import Channels, gate_factors, mean_slopes, statistics
from erf_theory.propagation.walking import Question, Row, walk

__all__ = ["coherent_erf"]

_REASON = "weights as given, signs kept: gates are independent of each other and of the gradient"
_EPS = float(np.finfo(np.float64).eps)


def coherent_erf(network: Network, *, layer: str | None = None, axis: int = 0) -> ERF:
    """Profile of E g² of a network with given weights, whose signs count.

    `network_erf` keeps signs from gate to gate only; those of trained filters go on to agree: their
    taps add up to edges and blobs. Here gates alone are independent, and open as often as the
    channel's mean and variance say. The answer is exact for such gates, whatever the weights.

    Parameters
    ----------
    network : Network
        The network, every weight given.
    layer : str, optional
        The node whose output the unit is in; None for the last one.
    axis : int
        Axis of the profile; the map is summed over all others.

    Returns
    -------
    ERF
        On one axis, without borders, mean over the channels of both ends as in `network_erf`.

    Raises
    ------
    ErfTheoryError
        If weights are missing, or a layer has no rule: upsamplings, gates that see all places,
        dropout in training.

    Notes
    -----
    With g the gradient behind a gate and W = E g² there: the mean gradient is handed on times
    E σ', signs kept, and a rest of energy W·(E σ'² − (E σ')²) starts anew, independent of all
    others. A max pool hands on its mean, and one of its places at random is what is left.
    There is one linear gradient for every channel of every gate, so that time grows with the
    square of the size: it is for narrow networks and first layers.

    Examples
    --------
    Taps that differ in sign alone: what they add up to behind the mean gate is not the same.

    >>> from erf_theory.network import Activation, Chain, Conv
    >>> blob, edge = (
    ...     Chain([Conv(1, 1, 2, weights=[[[1, 1]]]), Activation("relu"),
    ...            Conv(1, 1, 2, weights=[[[1, sign]]])], ndim=1)
    ...     for sign in (1, -1)
    ... )
    >>> [coherent_erf(net).values.round(3).tolist() for net in (blob, edge)]
    [[0.2, 0.6, 0.2], [0.333, 0.333, 0.333]]
    """
    whole = resolved(network if layer is None else network.until(layer), None)
    if not 0 <= axis < whole.ndim:
        raise ErfTheoryError(f"axis is one of 0 to {whole.ndim - 1}, not {axis}")
    _need_known(whole)
    line = _Gradients(whole, axis).energy()
    values = np.maximum(line.values.mean(axis=0), 0.0)
    field = convolution.Samples(values, (line.start,), 0)
    call = f"coherent_erf(<network>, layer={layer!r}, axis={axis})"
    found = stored(values, field, _EPS * float(values.sum()), _EPS * len(whole.nodes))
    return ERF((found,), "energy", call, (_REASON,))


class _Line(NamedTuple):
    """Energies of all channels along the axis."""

    start: int
    values: FloatArray

    def plus(self, other: _Line | None) -> _Line:
        """The sum of both."""
        if other is None:
            return self
        start = min(self.start, other.start)
        stop = max(line.start + line.values.shape[1] for line in (self, other))
        values = np.zeros((len(self.values), stop - start))
        for line in (self, other):
            first = line.start - start
            values[:, first : first + line.values.shape[1]] += line.values
        return _Line(start, values)

    def spread(self, shares: FloatArray, first: int, step: int) -> _Line:
        """The same for every place of a source, ``step`` places apart, times its share."""
        size = self.values.shape[1]
        values = np.zeros((len(self.values), size + step * (len(shares) - 1)))
        for place in np.flatnonzero(shares).tolist():
            values[:, step * place : step * place + size] += shares[place] * self.values
        return _Line(self.start + step * first, values)


class _Source(NamedTuple):
    """Gradients that start at a node's output, with their energies: independent of all others.

    With sign -1 they are taken away again before the node, where they came through it.
    """

    place: int
    energies: _Line
    sign: int = 1


@dataclass(frozen=True)
class _Gradients:
    """Linear gradients of a network whose gates are their means."""

    network: Network
    axis: int

    @cached_property
    def before(self) -> tuple[Channels, ...]:
        """What every node reads."""
        return statistics(self.network)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Channels behind every node; last those of the input."""
        return (*self.network.channels, self.network.in_channels)

    @cached_property
    def jumps(self) -> tuple[int, ...]:
        """Input pixels between places behind every node; last those of the input."""
        rows = receptive_field(self.network)
        return (*(int(rows[n.name].axes[self.axis].jump) for n in self.network.nodes), 1)

    @cached_property
    def starts(self) -> frozenset[int]:
        """Nodes that hand on a mean and a rest."""
        kinds = (Activation, MaxPool, PReLU)
        return frozenset(i for i, n in enumerate(self.network.nodes) if isinstance(n.layer, kinds))

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What the rules know, by node."""
        rows = zip(self.network.nodes, self.network.channels_before, self.before, strict=True)
        axes = Axes(self.network.ndim)
        found = []
        for node, channels, known in rows:
            layer = node.layer
            gates = mean_slopes(layer, known) if isinstance(layer, Activation | PReLU) else None
            found.append(Setting(node.name, axes, channels, "mean", gates))
        return tuple(found)

    def energy(self) -> _Line:
        """The energy by the input of one unit of the last node."""
        last = len(self.network.nodes) - 1
        unit = np.full((self.counts[last], 1), 1 / self.counts[last])
        found: dict[int, _Line] = {}
        self._start(_Source(last, _Line(0, unit)), found)
        for place in sorted(self.starts, reverse=True):
            if place in found:
                for source in self._rest(place, found.pop(place)):
                    self._start(source, found)
        return found[INPUT]

    def _rest(self, place: int, line: _Line) -> Iterator[_Source]:
        """What starts anew at a node that hands on its mean, from the energy behind it."""
        node = self.network.nodes[place]
        if isinstance(node.layer, MaxPool):
            yield _Source(node.inputs[0], self._chosen(node.layer, line))
            yield _Source(place, line, -1)
            return
        slopes = mean_slopes(cast("Activation | PReLU", node.layer), self.before[place])
        squares = cast("FloatArray", gate_factors(node.layer, self.before[place]))
        rest = np.maximum(squares - slopes**2, 0.0)
        yield _Source(node.inputs[0], line._replace(values=rest[:, None] * line.values))

    def _chosen(self, layer: MaxPool, line: _Line) -> _Line:
        """The energy at what a max pool reads, one place of every window chosen at random."""
        size, stride, dilation = (
            per_axis(value, self.network.ndim)[self.axis]
            for value in (layer.size, layer.stride, layer.dilation)
        )
        window = np.zeros((len(line.values), dilation * (size - 1) + 1))
        window[:, ::dilation] = 1 / size
        first = -layer.pads(self.network.ndim)[self.axis][0]
        values = np.zeros((len(line.values), window.shape[1] + stride * (line.values.shape[1] - 1)))
        for at, column in enumerate(line.values.T):
            values[:, stride * at : stride * at + window.shape[1]] += column[:, None] * window
        return _Line(first + stride * line.start, values)

    def _start(self, source: _Source, found: dict[int, _Line]) -> None:
        """Add the energies of gradients that start at a source to what is before it."""
        shares = source.energies.values
        for channel in np.flatnonzero(shares.any(axis=1)).tolist():
            for place, line in self._squares(source.place, channel).items():
                if place != source.place or source.sign > 0:
                    step = self.jumps[source.place] // self.jumps[place]
                    signed = source.sign * shares[channel]
                    moved = line.spread(signed, source.energies.start, step)
                    found[place] = moved.plus(found.get(place))

    def _squares(self, place: int, channel: int) -> dict[int, _Line]:
        """Squares of the mean gradient of one channel's unit, at every gate and at the input."""
        ndim = self.network.ndim
        field = convolution.impulse(ndim, np.eye(self.counts[place])[channel])
        if place == INPUT:
            return {INPUT: self._line(field)}
        found: dict[int, _Line] = {}

        def rule(row: Row, field: convolution.Samples) -> convolution.Samples:
            for at in row:
                if at in self.starts:
                    found[at] = self._line(field)
                layer = self.network.nodes[at].layer
                field = channelwise(layer, field, self.settings[at])
            return field

        part = self.network.until(self.network.nodes[place].name)
        question = Question(part, (0,) * ndim)
        found[INPUT] = self._line(walk(question, field, rule, convolution.Samples.take, add))
        return found

    def _line(self, field: convolution.Samples) -> _Line:
        squares = np.ldexp(field.values, field.exponent) ** 2
        others = tuple(i + 1 for i in range(self.network.ndim) if i != self.axis)
        return _Line(field.start[self.axis], squares.sum(axis=others))


def _need_known(network: Network) -> None:
    """Refuse layers whose gradients are not a mean and an independent rest."""
    for node in network.nodes:
        layer = node.layer
        drops = isinstance(layer, Dropout) and layer.training
        if drops or isinstance(layer, ConvTranspose | Gate | Global | Upsample):
            raise ErfTheoryError(
                f"node {node.name}: signs are not followed through a layer of type "
                f"{type(layer).__name__}: ask network_erf, which takes them as independent"
            )
