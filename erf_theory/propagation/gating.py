"""Rules of gates, factors and slopes of every channel, for random weights."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from erf_theory.engines.field import F
from erf_theory.exact import FloatArray
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.pointwise import Activation, PReLU
from erf_theory.propagation.energy import Context, energy
from erf_theory.propagation.forward import Place, Signals, passed
from erf_theory.propagation.norms import on_line
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import Signal

__all__: list[str] = []


@energy.register(Gate)
@energy.register(Scale)
def _(layer: Gate | Scale, fields: Pieces[F], at: Context) -> Pieces[F]:
    squares = _runs(layer.factors(at.channels) ** 2)
    return fields.met(squares, at.axes.scaled)


@passed.register(Gate)
@passed.register(Scale)
def _(layer: Gate | Scale, before: Signals, at: Place) -> Signals:
    channels = max(last for _, last, _ in before.parts)
    shifts = layer.shifts(channels) if isinstance(layer, Scale) else np.zeros(channels)
    pairs = zip(layer.factors(channels).tolist(), shifts.tolist(), strict=True)
    parts, first = [], 0
    for line, run in itertools.groupby(pairs):
        last = first + len(list(run))
        parts.append((first, last, line))
        first = last
    return before.met(Pieces(tuple(parts)), on_line)


@passed.register
def _(layer: Global, before: Signals, at: Place) -> Signals:
    """As large as what it reads, and the same for all images."""
    signal = before.parts[0][2]
    found = replace(
        signal, shared=signal.second, is_guessed=True, before=None, law=None, lags=(), sums=None
    )
    return Pieces.uniform(layer.channels, replace(found, is_normal=False))


@energy.register
def _(layer: PReLU, fields: Pieces[F], at: Context) -> Pieces[F]:
    found: list[tuple[int, int, F]] = []
    for first, last, name in layer.runs:
        here = at._replace(signals=at.signals.take(first, last), channels=last - first)
        part = energy(Activation(name), fields.take(first, last), here)
        found.extend(part.moved(first).parts)
    return Pieces(tuple(found))


@passed.register
def _(layer: PReLU, before: Signals, at: Place) -> Signals:
    found: list[tuple[int, int, Signal]] = []
    for first, last, name in layer.runs:
        part = passed(Activation(name), before.take(first, last), at)
        found.extend(part.moved(first).parts)
    return Pieces(tuple(found))


def _runs(numbers: FloatArray) -> Pieces[float]:
    """Runs of channels with the same number, those with 0 left out."""
    cuts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    runs = [(a, b, float(numbers[a])) for a, b in itertools.pairwise(cuts)]
    return Pieces(tuple(run for run in runs if run[2]))
