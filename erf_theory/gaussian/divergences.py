"""Distances that compare a law and its normal law place by place, on any number of axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, sqrt

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.gaussian.laws import Estimate, Law

__all__ = ["CONTINUOUS", "SAMPLED", "root"]

_NEAR = 0.01
"""Logarithms of ratios up to it go through a series."""


def _total_variation(law: Law) -> Estimate:
    value = float(np.sum(np.abs(law.difference))) / 2
    return Estimate(value, law.unsure / 2 + law.rounding * value)


def _hellinger(law: Law) -> Estimate:
    """√(½ Σ q·expm1(log(p/q)/2)²)."""
    near = np.sqrt(law.q) * np.expm1(np.minimum(law.ratio, 1.0) / 2)
    roots = np.where(law.ratio < 1, near, np.sqrt(law.p) - np.sqrt(law.q))
    square = float(roots @ roots) / 2
    lost = float(np.abs(roots) @ (np.sqrt(law.p) * law.errors)) / 2
    return root(square, lost + law.rounding * square)


def _kullback_leibler(law: Law) -> Estimate:
    value = float(np.sum(_information(law.ratio, law.p, law.difference)))
    return Estimate(value, float(law.lost @ np.abs(law.ratio)) + law.rounding * value)


def _information(ratio: FloatArray, p: FloatArray, difference: FloatArray) -> FloatArray:
    """The terms p·log(p/q) − p + q, none negative.

    With r = log(p/q) they are q·Σ_{i≥2} rⁱ(i − 1)/i!, which loses nothing where r is small.
    """
    near = np.abs(ratio) < _NEAR
    r = np.where(near, ratio, 0.0)
    series = r * r * (1 / 2 + r * (1 / 3 + r * (1 / 8 + r * (1 / 30 + r / 144))))
    return np.where(near, (p - difference) * series, p * ratio - difference)


def _chi_square(law: Law) -> Estimate:
    ratio, p = law.ratio, law.p
    x = np.expm1(np.minimum(ratio, 1.0))
    with np.errstate(over="ignore"):
        square = np.exp(np.where(ratio < 1, -inf, law.log_p + ratio))
    value = float(np.sum(np.where(ratio < 1, law.difference * x, square - 2 * p + law.q)))
    slopes = 2 * np.where(ratio < 1, p * np.abs(x), square)
    return Estimate(value, float(np.sum(slopes * law.errors)) + law.rounding * value)


def _density_error(law: Law) -> Estimate:
    return _gap(law, law.density_difference)


def _sampled_density_error(law: Law) -> Estimate:
    return _gap(law, law.difference)


def _gap(law: Law, difference: FloatArray) -> Estimate:
    value = float(np.max(np.abs(difference))) / law.step
    return Estimate(value, float(np.max(law.lost)) / law.step + law.rounding * value)


def root(square: float, error: float) -> Estimate:
    """The root of a square with an error."""
    found = sqrt(max(square, 0.0))
    return Estimate(found, min(error / found if found else inf, sqrt(error)))


CONTINUOUS: Mapping[str, Callable[[Law], Estimate]] = {"density_error": _density_error}
"""Distances to the normal law with its density."""
SAMPLED: Mapping[str, Callable[[Law], Estimate]] = {
    "total_variation": _total_variation,
    "hellinger": _hellinger,
    "kullback_leibler": _kullback_leibler,
    "chi_square": _chi_square,
    "density_error": _sampled_density_error,
}
"""Distances to the normal law that is sampled on the lattice and normalised there."""
