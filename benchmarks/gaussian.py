"""Distances of a map to its normal laws, beside evaluating the two laws at the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtr

from benchmarks import truth
from benchmarks.row import Ratio
from erf_theory import Distances, distance_to_normal, distance_to_sampled_normal, theoretical_erf
from erf_theory.exact import FloatArray

__all__ = ["rows"]

_DIGITS = 5
"""Digits that every distance is to have right, and to claim."""


def rows(*, smoke: bool) -> list[Ratio]:
    """All rows; a smoke run has a hundredth of the layers."""
    return [_distances(10_000 // (100 if smoke else 1))]


def _distances(n: int) -> Ratio:
    erf = theoretical_erf(3, n)
    logs, z = erf.log_values, erf.offsets[0] / erf.std

    def ours() -> tuple[Distances, Distances]:
        return distance_to_normal(erf), distance_to_sampled_normal(erf)

    def check(ours: tuple[Distances, Distances], theirs: tuple[FloatArray, FloatArray]) -> None:
        p = truth.shares(n)
        np.testing.assert_allclose(theirs[0], p, rtol=1e-9, atol=1e-300)
        for found, true in zip(ours, _truth(p, z, theirs[1], erf.std), strict=True):
            for metric, value in true.items():
                assert abs(found[metric] - value) <= 10.0**-_DIGITS * value, metric
            assert min(found.digits.values()) >= _DIGITS

    return Ratio(
        f"`distance_to_normal` and `distance_to_sampled_normal` of {2 * n + 1} logarithms, "
        "all 14 distances",
        "`np.exp` and `scipy.special.ndtr` of as many",
        5,
        ours,
        lambda: (np.exp(logs), ndtr(z)),
        check,
    )


def _truth(p: FloatArray, z: FloatArray, normal: FloatArray, std: float) -> list[dict[str, Any]]:
    """Distances by their definitions, those that doubles can tell."""
    q = np.exp(-z * z / 2)
    q /= q.sum()
    below, apart = np.cumsum(p), p - q
    inside = (p > 0) & (q > 0)
    ratio = np.where(inside, apart, 0.0) / np.where(inside, q, 1.0)
    gaps = np.abs(np.cumsum(apart))
    jumps = np.maximum(np.abs(below - normal), np.abs(below - p - normal))
    return [
        {
            "kolmogorov": jumps.max(),
            "density_error": np.abs(p * std - np.exp(-z * z / 2) / np.sqrt(2 * np.pi)).max(),
        },
        {
            "kolmogorov": gaps.max(),
            "total_variation": np.abs(apart).sum() / 2,
            "hellinger": np.sqrt((q * (np.sqrt(1 + ratio) - 1) ** 2).sum() / 2),
            "kullback_leibler": (q * ((1 + ratio) * np.log1p(ratio) - ratio)).sum(),
            "chi_square": (q * ratio * ratio).sum(),
            "wasserstein1": gaps.sum() / std,
            "cramer_von_mises": ((q[1:] + q[:-1]) / 2 * gaps[:-1] ** 2).sum(),
            "density_error": np.abs(apart).max() * std,
        },
    ]
