"""Samples that are added or mixed, and laws that stay normal no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.propagation.signal import Signal
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["law_of", "mixed", "on_law", "summed"]


@lru_cache(maxsize=65536)
def summed(a: Signal, b: Signal) -> Signal:
    """The signal of a sum of two independent branches."""
    cross = 0.0 if a.is_symmetric or b.is_symmetric else 2 * a.mean * b.mean
    shared = a.shared + b.shared + cross
    lags: dict[tuple[int, ...], float] = {}
    for part in (a, b):
        for lag, value in part.lags:
            lags[lag] = lags.get(lag, shared) + value - part.shared
    total = Signal(
        second=a.second + b.second + cross,
        shared=shared,
        mean=a.mean + b.mean,
        is_normal=a.is_normal and b.is_normal,
        is_symmetric=a.is_symmetric and b.is_symmetric,
        is_guessed=a.is_guessed or b.is_guessed,
        lags=tuple(lags.items()),
    )
    if total.is_normal:
        return replace(total, before=(total.second, total.shared))
    first, second = law_of(a), law_of(b)
    return total if first is None or second is None else replace(total, law=first.plus(second))


@lru_cache(maxsize=4096)
def law_of(signal: Signal) -> Tabled | None:
    """The law of a sample over weights and images, if it is known."""
    if signal.law is not None or signal.before is None:
        return signal.law
    law = tabled_normal(signal.before[0])
    return law if signal.is_normal else law.mapped(lambda z: signal.gate.value(z, np))


def on_law(gate: Nonlinearity, signal: Signal, law: Tabled) -> Signal:
    """A function of samples that are not normal, with its law.

    What depends on two samples is shared in the ratio in which it would be if they were.
    """
    mean = law.expect(lambda x: x)
    found = Signal(law.expect(np.square), mean**2, mean, law=law)
    if signal.is_independent and not signal.lags:
        return found
    variance = signal.second - signal.mean**2
    normal_mean = gate.mean(variance, mean=signal.mean).value
    normal_variance = gate.second_moment(variance, mean=signal.mean).value - normal_mean**2

    def product(of: float) -> float:
        c = float(np.clip((of - signal.mean**2) / variance, -1, 1))
        part = gate.product(variance, c, mean=signal.mean).value - normal_mean**2
        ratio = part / normal_variance if normal_variance > 0 else c
        return mean**2 + (found.second - mean**2) * ratio

    lags = tuple((h, product(r)) for h, r in signal.lags)
    return replace(found, shared=product(signal.shared), lags=lags, is_guessed=True)


def mixed(inside: Sequence[tuple[int, Signal]]) -> Signal:
    """The mean over channels."""
    if len(inside) == 1:
        return inside[0][1]
    total = sum(count for count, _ in inside)
    shared = sum(count * signal.shared for count, signal in inside) / total
    lags: dict[tuple[int, ...], float] = {}
    for count, signal in inside:
        for lag, value in signal.lags:
            lags[lag] = lags.get(lag, shared) + count * (value - signal.shared) / total
    return Signal(
        second=sum(count * signal.second for count, signal in inside) / total,
        shared=shared,
        mean=sum(count * signal.mean for count, signal in inside) / total,
        is_guessed=any(signal.is_guessed for _, signal in inside),
        lags=tuple(lags.items()),
    )
