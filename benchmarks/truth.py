"""Answers that share no code with the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from flint import arb, ctx, fmpz_poly

from erf_theory.exact import FloatArray

__all__ = ["integers", "logarithms", "shares"]

_BITS = 128
"""Working precision: 2^-128 per step leaves more than 100 bits after a million steps."""


def integers(k: int, n: int) -> list[int]:
    """The coefficients of (1 + z + … + z^(k-1))ⁿ, multiplied out by FLINT."""
    return [int(c) for c in (fmpz_poly([1] * k) ** n).coeffs()]


def shares(n: int) -> FloatArray:
    """Trinomial coefficients over 3ⁿ: the map of n layers of three ones."""
    with ctx.workprec(_BITS):
        total = arb(3) ** n
        return _whole(n, [float(ball / total) for ball in _trinomials(n)])


def logarithms(n: int) -> FloatArray:
    """Logarithms of `shares`, where they are below the smallest double too."""
    with ctx.workprec(_BITS):
        total = arb(3).log() * n
        return _whole(n, [float(ball.log() - total) for ball in _trinomials(n)])


def _trinomials(n: int) -> Iterator[Any]:
    """The coefficients T(0) … T(n) of P = (1 + z + z²)ⁿ, as balls with a proven error.

    (1 + z + z²) P' = n (1 + 2z) P, compared at z^t:
    (t+1) T(t+1) = (n-t) T(t) + (2n-t+1) T(t-1). Nothing is subtracted.
    """
    before, ball = arb(0), arb(1)
    for t in range(n + 1):
        assert ball.rel_accuracy_bits() > 90
        yield ball
        before, ball = ball, (ball * (n - t) + before * (2 * n - t + 1)) / (t + 1)


def _whole(n: int, half: list[float]) -> FloatArray:
    """Both halves of a row that is its own mirror image."""
    return np.array(half + half[:n][::-1])
