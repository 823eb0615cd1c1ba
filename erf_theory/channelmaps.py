"""Maps of networks whose weights are given: every channel carries its own field."""

from __future__ import annotations

from decimal import Decimal
from math import log, prod

import numpy as np

from erf_theory.derived import Stored
from erf_theory.engines import convolution
from erf_theory.engines.extent import extent_of, need_memory
from erf_theory.engines.tape import recorded
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.geometry import regions
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.perchannel import Channelwise
from erf_theory.propagation.walking import Question
from erf_theory.routes import Logs, Shares

__all__ = ["channel_map", "stored"]

_EPS = float(np.finfo(np.float64).eps)


def channel_map(asked: Channelwise, axes: Axes) -> Stored:
    """The map on some axes, computed now.

    Raises
    ------
    NoMarginalError
        If the sum over the other axes is no field of its own.
    """
    counts = asked.question.counts
    if sizes := _sizes(asked.question, axes):
        need_memory(sizes[0], -(-4 * max(sizes) // sizes[0]))
    unit = _weights(counts[-2], asked.channel)
    ends = _weights(counts[asked.question.source], asked.input_channel)
    ndim = len(axes.kept)
    program = recorded(asked.program(axes), ndim)
    field = program(convolution.impulse(ndim, unit))
    values = np.tensordot(ends, field.values, 1)
    lost = 0.0
    if np.any(values < 0):
        bound = convolution.absolute_error(program, ndim, unit)
        lost = float(np.max(np.tensordot(ends, bound.values, 1)))
        lost *= 2.0 ** (bound.exponent - field.exponent)
    roundings = extent_of(program, ndim).roundings
    return stored(np.asarray(values), field, lost, 2 * _EPS * roundings)


def _sizes(question: Question, axes: Axes) -> list[int]:
    """Samples at the source, and of all channels' fields before every node behind it."""
    network, source = question.network, question.source
    boxes = [
        None if box is None else prod([box.shape[axis] for axis in axes.kept])
        for box in regions(network, question.unit)
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
