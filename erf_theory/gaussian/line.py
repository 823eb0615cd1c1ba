"""The law of a map on one axis, with its distribution function and quantiles."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import cos, exp, log, log1p, pi, sqrt
from typing import TYPE_CHECKING, final

import numpy as np

from erf_theory.exact import FloatArray, root_of
from erf_theory.gaussian.lattices import support_lattice
from erf_theory.gaussian.laws import (
    REACH,
    ROUNDING,
    Law,
    excess_of,
    logs_of,
    need_law,
    relevant,
)

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Line", "line_of"]

_END = 38.0
"""Standard deviations beyond which the normal law has less than the smallest double."""
_EPS = float(np.finfo(np.float64).eps)
_INEXACT = 1e-12
"""Relative error of moments that come from samples."""


@final
@dataclass(frozen=True, eq=False)
class Line(Law):
    """The law of a map on one axis, at lattice places one step apart.

    Attributes
    ----------
    z : ndarray, shape (m,)
        The places in standard deviations from the mean, ascending.
    span : int
        The step in pixels.
    std : float
        Standard deviation in pixels.
    shift : float
        Estimate of the largest error of ``z`` from a mean that is no fraction.
    """

    z: FloatArray
    span: int
    std: float
    shift: float

    @cached_property
    def log_theta(self) -> float:
        """Logarithm of what the density sums to; by Poisson's formula where steps are small.

        The term left out is below 1e-34.
        """
        if self.step > 1:
            return log(float(np.sum(self.density)))
        beside = exp(-2 * (pi / self.step) ** 2)
        return log1p(2 * beside * cos(2 * pi * float(self.z[0]) / self.step))

    @cached_property
    def below(self) -> FloatArray:
        """The map's distribution function F at every place."""
        return np.cumsum(self.p)

    @cached_property
    def above(self) -> FloatArray:
        """What lies above every place: 1 − F."""
        return np.append(np.cumsum(self.p[:0:-1])[::-1], 0.0)

    @cached_property
    def gaps(self) -> FloatArray:
        """F − G at every place but the last, summed on the side that has less."""
        left = np.cumsum(self.difference[:-1])
        right = np.cumsum(self.difference[:0:-1])[::-1]
        return np.where(self.below[:-1] <= self.above[:-1], left, -right)

    @cached_property
    def astray(self) -> FloatArray:
        """Largest errors of F at every place: what may be missing on the side that has less."""
        below = np.cumsum(self.lost)
        return np.asarray(np.minimum(below, below[-1] - below))

    @cached_property
    def normal_tail(self) -> FloatArray:
        """What the normal law has beyond every place, seen from the mean: Φ(−|z|)."""
        from scipy.special import ndtr

        return np.asarray(ndtr(-np.abs(self.z)))

    @cached_property
    def normal_below(self) -> FloatArray:
        """Φ(z)."""
        return np.where(self.z > 0, 1 - self.normal_tail, self.normal_tail)

    @cached_property
    def quantile(self) -> FloatArray:
        """Φ⁻¹(F) at every place but the last; 38 away where all of the map is on one side."""
        from scipy.special import ndtri

        below, above = self.below[:-1], self.above[:-1]
        found = np.maximum(ndtri(np.minimum(below, above)), -_END)
        return np.asarray(np.where(below <= above, found, -found))


def line_of(erf: ERF) -> Line:
    """The law of a 1-D map, where it and its normal law are not negligible.

    Raises
    ------
    ErfTheoryError
        If the map is no law, or a single point.
    """
    need_law(erf)
    logs, relative = logs_of(erf.factors[0])
    first, span, size = support_lattice(logs > -np.inf)
    lattice = logs[first : first + size * span : span]
    mean, variance = erf.cumulant(1), erf.cumulant(2)
    inexact = _INEXACT * any(isinstance(moment, float) for moment in (mean, variance))
    std = root_of(variance)
    step = span / std
    start = (first - Fraction(logs.size - 1, 2) - Fraction(mean)) / span
    centre = round(-start)
    rest = float(start + centre)
    low, high = _window(lattice, centre, rest, step)
    z = (np.arange(low - centre, high - centre, dtype=np.float64) + rest) * step
    log_p = np.full(high - low, -np.inf)
    log_p[max(-low, 0) : size - low] = lattice[max(low, 0) : high]
    log_p -= log(float(np.sum(np.exp(log_p))))
    log_density = log(step / sqrt(2 * pi)) - z * z / 2
    shift = 2 * _EPS * logs.size / std * isinstance(mean, float)
    errors = 2 * relative + ROUNDING + inexact + shift * np.abs(z)
    excess = excess_of(log_p, log_density)
    return Line(log_p, log_density, excess, errors, step, z, span, std, shift)


def _window(lattice: FloatArray, centre: int, rest: float, step: float) -> tuple[int, int]:
    """The places within reach of the normal law, and those whose share is not negligible."""
    reach = int(REACH / step) + 1
    z = np.arange(-centre, lattice.size - centre, dtype=np.float64)
    z += rest
    z *= step
    some = relevant(lattice, z * z / 2)
    first, last = int(np.argmax(some)), lattice.size - int(np.argmax(some[::-1]))
    return min(first, centre - reach), max(last, centre + reach + 1)
