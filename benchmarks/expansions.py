"""Edgeworth's expansion of a deep stack, beside the normal density at the same places."""

from __future__ import annotations

import numpy as np

from benchmarks import truth
from benchmarks.row import Ratio
from erf_theory import edgeworth, theoretical_erf
from erf_theory.exact import FloatArray

__all__ = ["rows"]


def rows(*, smoke: bool) -> list[Ratio]:
    """All rows; a smoke run has a hundredth of the layers."""
    n = 1_000_000 // (100 if smoke else 1)
    return [_edgeworth(n, 6), _edgeworth(n, 12)]


def _edgeworth(n: int, order: int) -> Ratio:
    (places,) = theoretical_erf(3, n).offsets
    variance = 2 * n / 3

    def normal_density() -> FloatArray:
        density = np.exp(-places * places / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        return np.asarray(density)

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        true = truth.shares(n)
        np.testing.assert_allclose(ours, true, rtol=0, atol=1e-12 * true.max())
        np.testing.assert_allclose(theirs, true, rtol=0, atol=true.max() / n)

    return Ratio(
        f"`edgeworth(theoretical_erf(3, {n}), {order}).mass(t)`, all {2 * n + 1}",
        "`np.exp(-t*t/(2*v)) / np.sqrt(2*np.pi*v)`, the normal density",
        10,
        lambda: edgeworth(theoretical_erf(3, n), order).mass(places),
        normal_density,
        check,
    )
