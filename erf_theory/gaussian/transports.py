"""Distances that compare distribution functions and quantiles, on one axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi, sqrt

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.gaussian.divergences import root
from erf_theory.gaussian.laws import Estimate
from erf_theory.gaussian.line import Line

__all__ = ["CONTINUOUS", "SAMPLED"]

_MATTERS = 1e-9
"""Shares below it cannot raise the slope of a square that is moved."""


def _kolmogorov(law: Line) -> Estimate:
    """F jumps at the places only, so that the supremum is beside one of them."""
    above = np.max(law.below - law.normal_below)
    under = np.max(law.normal_below[1:] - law.below[:-1])
    return Estimate(float(max(above, under)), _wrong(law))


def _wasserstein1(law: Line) -> Estimate:
    """∫ |F − Φ| dz: between two places F is constant, and Φ crosses it once or not at all.

    On the right of the mean with 1 − F and 1 − Φ, which are small there.
    """
    from scipy.special import ndtr

    left, right = law.z[:-1], law.z[1:]
    crossing = np.clip(law.quantile, left, right)
    side = np.where(left > 0, -1.0, 1.0)
    share = side * np.where(left > 0, law.above[:-1], law.below[:-1])
    area = _density(law.z) - np.abs(law.z) * law.normal_tail
    middle = _density(crossing) + side * crossing * ndtr(side * crossing)
    ends = area[:-1] + area[1:] + np.where(left > 0, 0.0, np.maximum(right, 0.0))
    pieces = share * (2 * crossing - left - right) + ends - 2 * middle
    return Estimate(float(np.sum(pieces)), _moved(law) + law.shift + law.rounding)


def _wrong(law: Line) -> float:
    """Largest error of F − Φ."""
    return law.unsure / 2 + law.shift / sqrt(2 * pi) + law.rounding


def _moved(law: Line) -> float:
    """Largest error of an integral of F."""
    return law.step * float(np.sum(law.astray))


def _density(z: FloatArray) -> FloatArray:
    return np.exp(-z * z / 2) / sqrt(2 * pi)


def _wasserstein2(law: Line) -> Estimate:
    """W₂² = Σ z²p + 1 − 2·(h/s)·Σ φ(Φ⁻¹(F)), by parts from Σ z²p + 1 − 2∫ F⁻¹Φ⁻¹ du.

    A share that moves by a step moves its square by (z + z' − 2Φ⁻¹(F))·h/s.
    """
    z, quantile = law.z, law.quantile
    square = float(law.p @ (z * z)) + 1 - 2 * law.step * float(np.sum(_density(quantile)))
    moved = law.step * float(law.astray[:-1] @ np.abs(z[1:] + z[:-1] - 2 * quantile))
    value, error = root(square, moved + 2 * law.rounding)
    return Estimate(value, error + law.shift)


def _cramer_von_mises(law: Line) -> Estimate:
    """∫ (F − Φ)² dΦ: a difference of cubes between two places."""
    normal = law.normal_below
    high, low = normal[1:] - law.below[:-1], normal[:-1] - law.below[:-1]
    pieces = np.diff(normal) * (high * high + high * low + low * low)
    value = float(np.sum(pieces)) / 3
    return Estimate(value, 2 * sqrt(value) * _wrong(law))


def _sampled_kolmogorov(law: Line) -> Estimate:
    value = float(np.max(np.abs(law.gaps)))
    return Estimate(value, law.unsure / 2 + law.rounding * value)


def _sampled_wasserstein1(law: Line) -> Estimate:
    value = law.step * float(np.sum(np.abs(law.gaps)))
    return Estimate(value, _moved(law) + law.rounding * value)


def _sampled_wasserstein2(law: Line) -> Estimate:
    """From the quantiles of both laws: they are constant between values of F and of G."""
    normal = np.cumsum(law.q)
    below = np.maximum.accumulate(normal + np.append(law.gaps, 0.0))
    ends = np.sort(np.concatenate([below, normal]))
    middles, parts = (ends[1:] + ends[:-1]) / 2, np.diff(ends)
    steps = np.searchsorted(below, middles) - np.searchsorted(normal, middles)
    square = float(parts @ (steps * steps)) * law.step**2
    farthest = int(np.max(np.abs(steps[parts > _MATTERS]), initial=0))
    slope = law.step * (2 * farthest + 1)
    return root(square, slope * (_moved(law) + law.rounding))


def _sampled_cramer_von_mises(law: Line) -> Estimate:
    """Σ (F − G)²·(q + q')/2, q' at the next place: the same for the mirrored laws."""
    weights = (law.q[1:] + law.q[:-1]) / 2
    value = float(weights @ (law.gaps * law.gaps))
    lost = 2 * float((weights * law.astray[:-1]) @ np.abs(law.gaps))
    return Estimate(value, lost + law.rounding * value)


CONTINUOUS: Mapping[str, Callable[[Line], Estimate]] = {
    "kolmogorov": _kolmogorov,
    "wasserstein1": _wasserstein1,
    "wasserstein2": _wasserstein2,
    "cramer_von_mises": _cramer_von_mises,
}
"""Distances to the normal law with its density."""
SAMPLED: Mapping[str, Callable[[Line], Estimate]] = {
    "kolmogorov": _sampled_kolmogorov,
    "wasserstein1": _sampled_wasserstein1,
    "wasserstein2": _sampled_wasserstein2,
    "cramer_von_mises": _sampled_cramer_von_mises,
}
"""Distances to the normal law that is sampled on the lattice and normalised there."""
