"""Profiles of plans by one product of transfer functions: quick, for a search to look at many."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np

from erf_theory.design.plans import Plan
from erf_theory.exact import FloatArray, Number

__all__ = ["profile_of"]


def profile_of(plan: Plan) -> FloatArray:
    """The energy of a plan on one axis, normalised; right to about 1e-15 of its maximum.

    Examples
    --------
    >>> from erf_theory.design.plans import Form, Step
    >>> profile_of(Plan((Step(3), Step(3)), Form())).round(3).tolist()
    [0.111, 0.222, 0.333, 0.222, 0.111]
    """
    terms = plan.terms
    extent = 1 + sum(repeats * scale * (step.size - 1) for step, scale, _, repeats in terms)
    points = 1 << (extent - 1).bit_length()
    total = np.ones(points // 2 + 1, dtype=np.complex128)
    for (step, scale, share, repeats), times in Counter(terms).items():
        total *= _transfer(step.size, scale, repeats, share, points) ** times
    return np.asarray(np.fft.irfft(total, points)[:extent]) if points > 1 else np.ones(1)


@lru_cache(maxsize=4096)
def _transfer(k: int, scale: int, repeats: int, share: Number, points: int) -> FloatArray:
    """Of (1 - share)·δ + share·(taps at multiples of a scale)^repeats, first place at 0."""
    comb = np.zeros(points)
    comb[np.arange(k) * scale % points] = 1 / k
    line = np.fft.rfft(comb)
    middle = np.exp(-2j * np.pi * np.arange(len(line)) * (scale * (k - 1) * repeats // 2) / points)
    return np.asarray((1 - float(share)) * middle + float(share) * line**repeats)
