"""Samples that are added or mixed, and laws that stay normal no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from math import sqrt

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.network.convolutions import Conv, Weighted
from erf_theory.network.weights import law as law_named
from erf_theory.propagation.fewsums import FewSum, channel_laws
from erf_theory.propagation.signal import IDENTITY, Signal
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["few_sum", "law_of", "mixed", "on_law", "on_sums", "seen", "summed"]


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
        is_guessed=any(part.is_guessed or part.sums is not None for part in (a, b)),
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


def on_sums(gate: Nonlinearity, signal: Signal, few: FewSum, law: Tabled) -> Signal:
    """A function of standardised sums of few samples, which have this law over all channels."""
    behind, std = law.mapped(lambda z: gate.value(z, np)), sqrt(signal.second)
    return Signal(
        second=behind.expect(np.square),
        shared=channel_laws(few).squared_mean(lambda z: gate.value(std * z, np)),
        mean=behind.expect(lambda x: x),
        gate=gate,
        before=(signal.second, 0.0),
        law=behind,
    )


def seen(signal: Signal) -> Tabled | None:
    """The law of a sample as a gradient sees it, where it is no normal one."""
    if signal.sums is None or signal.law is None:
        return signal.law
    return channel_laws(signal.sums).seen.scaled(sqrt(signal.second), 0.0)


def few_sum(layer: Weighted, signal: Signal, ndim: int) -> FewSum | None:
    """What a convolution adds up of samples like these, if they are independent, weights alike."""
    taps = [v for v in layer.variances(ndim).taps.flat if v]
    if not isinstance(layer, Conv) or layer.given_weights is not None or len(set(taps)) > 1:
        return None
    if signal.lags or not (signal.is_normal or signal.is_independent):
        return None
    kind = law_named(layer.init).distribution if isinstance(layer.init, str) else "normal"
    count = len(taps) * layer.in_channels // layer.groups
    if signal.before is None:
        return FewSum(None, signal.second, count, kind)
    gate = IDENTITY if signal.is_normal else signal.gate
    return FewSum(gate, float(f"{signal.before[0]:.3g}"), count, kind)


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
