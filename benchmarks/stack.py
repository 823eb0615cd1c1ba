"""Stacks of equal layers."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np
from flint import fmpz_poly

from benchmarks.row import Row
from erf_theory import theoretical_erf
from erf_theory.exact import FloatArray

__all__ = ["rows"]


def rows(*, smoke: bool) -> list[Row]:
    """All questions about stacks; small ones for a smoke run."""
    deep = 1_000 if smoke else 10_000
    return [_values(3, 20), _exact(3, 300 if smoke else 1_000), _logs(3, deep)]


def _values(k: int, n: int) -> Row:
    def convolve_in_a_loop() -> FloatArray:
        result = np.ones(1)
        for _ in range(n):
            result = np.convolve(result, np.ones(k))
        return np.asarray(result / result.sum())

    return Row(
        f"theoretical_erf({k}, {n}).values",
        "np.convolve in a loop",
        lambda: theoretical_erf(k, n).values,
        convolve_in_a_loop,
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-12),
    )


def _exact(k: int, n: int) -> Row:
    def check(ours: Any, theirs: list[int]) -> None:
        numerators, denominator = ours
        assert numerators.tolist() == theirs
        assert denominator == k**n

    return Row(
        f"theoretical_erf({k}, {n}).exact()",
        "power of a flint.fmpz_poly",
        lambda: theoretical_erf(k, n).exact(),
        lambda: _integers(k, n),
        check,
    )


def _logs(k: int, n: int) -> Row:
    size = n * (k - 1) + 1

    def invert_the_spectrum() -> FloatArray:
        spectrum = (np.fft.rfft(np.ones(k) / k, size)) ** n
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(np.fft.irfft(spectrum, size)))

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        truth = [log(c) - n * log(k) for c in _integers(k, n)]
        np.testing.assert_allclose(ours, truth, rtol=0, atol=1e-9)
        middle = slice(n - int(n**0.5), n + int(n**0.5) + 1)
        np.testing.assert_allclose(theirs[middle], truth[middle], rtol=0, atol=1e-9)

    return Row(
        f"theoretical_erf({k}, {n}).log_values",
        "irfft, right in the middle",
        lambda: theoretical_erf(k, n).log_values,
        invert_the_spectrum,
        check,
    )


def _integers(k: int, n: int) -> list[int]:
    """The coefficients of (1 + z + … + z^(k-1))ⁿ."""
    return [int(c) for c in (fmpz_poly([1] * k) ** n).coeffs()]
