"""Stacks of equal layers, beside convolutions in a loop, transforms and integers of FLINT."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.fft

from benchmarks import truth
from benchmarks.row import Ratio
from erf_theory import theoretical_erf
from erf_theory.exact import FloatArray

__all__ = ["rows"]

_TINY = float(np.finfo(np.float64).tiny)


def rows(*, smoke: bool) -> list[Ratio]:
    """All rows; a smoke run has a hundredth of the deepest layers."""
    part = 100 if smoke else 1
    return [
        _looped(20, 3),
        _looped(1000, 1 / 4),
        _transformed(100_000 // part, 5),
        _logarithms(100_000 // part),
        _logarithms(1_000_000 // part),
        *(_exact(k, n // (part if n > 1000 else 1)) for k in (3, 7) for n in (1000, 10_000)),
        _plane(500),
    ]


def _looped(n: int, reach: float) -> Ratio:
    def convolve_in_a_loop() -> FloatArray:
        result, taps = np.ones(1), np.ones(3) / 3
        for _ in range(n):
            result = np.convolve(result, taps)
        return result

    return Ratio(
        f"`theoretical_erf(3, {n}).values`",
        f"a loop of {n} `np.convolve`",
        reach,
        lambda: theoretical_erf(3, n).values,
        convolve_in_a_loop,
        _values_check(n, theirs_to=1e-10),
    )


def _transformed(n: int, reach: float) -> Ratio:
    return Ratio(
        f"`theoretical_erf(3, {n}).values`",
        "`irfft(rfft(v, N)**n, N)`, right near the centre only",
        reach,
        lambda: theoretical_erf(3, n).values,
        lambda: _by_transform(n),
        _values_check(n, theirs_to=1e-8),
    )


def _logarithms(n: int) -> Ratio:
    def log_of_the_transform() -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(_by_transform(n))

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        true = truth.logarithms(n)
        assert ours.shape == true.shape
        assert np.all(np.abs(ours - true) <= np.maximum(1e-9, 1e-14 * np.abs(true)))
        np.testing.assert_allclose(theirs[_centre(n)], true[_centre(n)], rtol=0, atol=1e-8)

    return Ratio(
        f"`theoretical_erf(3, {n}).log_values`, all {2 * n + 1}",
        "the logarithm of `irfft(rfft(v, N)**n, N)`, right near the centre only",
        10,
        lambda: theoretical_erf(3, n).log_values,
        log_of_the_transform,
        check,
    )


def _exact(k: int, n: int) -> Ratio:
    def check(ours: Any, theirs: list[int]) -> None:
        numerators, denominator = ours
        assert numerators.tolist() == theirs
        assert denominator == k**n

    return Ratio(
        f"`theoretical_erf({k}, {n}).exact()`",
        "integers of a power of a `flint.fmpz_poly`",
        1,
        lambda: theoretical_erf(k, n).exact(),
        lambda: truth.integers(k, n),
        check,
    )


def _plane(n: int) -> Ratio:
    profile = theoretical_erf(3, n).values

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        line = truth.shares(n)
        for found in (ours, theirs):
            np.testing.assert_allclose(found, np.multiply.outer(line, line), rtol=1e-10, atol=_TINY)

    return Ratio(
        f"`theoretical_erf(3, {n}, ndim=2).values`",
        "`np.multiply.outer` of its profile",
        1.5,
        lambda: theoretical_erf(3, n, ndim=2).values,
        lambda: np.multiply.outer(profile, profile),
        check,
    )


def _by_transform(n: int) -> FloatArray:
    """The map from the n-th power of its transfer function."""
    size = scipy.fft.next_fast_len(2 * n + 1, real=True)
    spectrum = scipy.fft.rfft(np.ones(3) / 3, size) ** n
    return np.asarray(scipy.fft.irfft(spectrum, size)[: 2 * n + 1])


def _values_check(n: int, theirs_to: float) -> Callable[[FloatArray, FloatArray], None]:
    """Every normal double of ours to 1e-10; theirs near the centre."""

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        true = truth.shares(n)
        normal = true >= _TINY
        np.testing.assert_allclose(ours[normal], true[normal], rtol=1e-10)
        assert ours.shape == true.shape
        assert np.all(ours[~normal] <= 2 * _TINY)
        np.testing.assert_allclose(theirs[_centre(n)], true[_centre(n)], rtol=theirs_to)

    return check


def _centre(n: int) -> slice:
    """Places within √n of the middle."""
    return slice(n - int(n**0.5), n + int(n**0.5) + 1)
