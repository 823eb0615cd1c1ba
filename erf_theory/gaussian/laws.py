"""A map as a law on its lattice, beside the normal law with its mean and covariance.

Everything comes from logarithms: differences of the two laws are p − q = q·expm1(log p − log q),
which loses no digit however near they are.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from functools import cached_property
from math import log, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import BoolArray, FloatArray

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.maps import Map

__all__ = [
    "FAINT",
    "REACH",
    "ROUNDING",
    "Estimate",
    "Law",
    "excess_of",
    "logs_of",
    "need_law",
    "relevant",
    "single_point",
]

REACH = 9.0
"""Standard deviations to which sums over the normal law go: 2e-19 of it is left out."""
FAINT = -REACH * REACH / 2
"""Logarithms below it add nothing."""
ROUNDING = 4e-15
"""Relative error of a value that is computed from exact inputs."""
_NOTHING = -1e4
"""Stands for the logarithm of 0 in ratios."""
_DOUBLES = 1e-10
"""Relative error of normal doubles where a map knows no logarithms."""


class Estimate(NamedTuple):
    """A distance, and the largest error that it may have."""

    value: float
    error: float


@dataclass(frozen=True, eq=False)
class Law(ABC):
    """The law of a map and the normal law, at the lattice places that matter.

    Attributes
    ----------
    log_p : ndarray, shape (m,)
        Logarithms of the map's shares; -inf where it is 0.
    log_density : ndarray, shape (m,)
        Logarithms of the normal density times the pixels per place.
    step : float
        Pixels per place over the product of standard deviations (the root of the covariance's
        determinant): h/s on one axis.
    excess : ndarray, shape (m,)
        Logarithms of the shares over the density, bounded below.
    errors : ndarray, shape (m,)
        Estimates of the largest error of ``excess``.
    """

    log_p: FloatArray
    log_density: FloatArray
    excess: FloatArray
    errors: FloatArray
    step: float

    @cached_property
    def p(self) -> FloatArray:
        """Shares of the map."""
        return np.exp(self.log_p)

    @cached_property
    def density(self) -> FloatArray:
        """The normal density times the pixels per place."""
        return np.exp(self.log_density)

    @cached_property
    def log_theta(self) -> float:
        """Logarithm of what the normal density sums to over the whole lattice; about 0."""
        return log(float(np.sum(self.density)))

    @cached_property
    def q(self) -> FloatArray:
        """The sampled normal law."""
        return np.exp(self.log_density - self.log_theta)

    @cached_property
    def ratio(self) -> FloatArray:
        """Log p − log q, bounded below."""
        return self.excess + self.log_theta

    @cached_property
    def difference(self) -> FloatArray:
        """Shares of the map minus the sampled normal law: p − q."""
        return _apart(self.ratio, self.p, self.q)

    @cached_property
    def density_difference(self) -> FloatArray:
        """Shares of the map minus the normal density per place."""
        return _apart(self.excess, self.p, self.density)

    @cached_property
    def lost(self) -> FloatArray:
        """Largest errors of the shares."""
        return self.p * self.errors

    @cached_property
    def unsure(self) -> float:
        """Sum of the largest errors of the shares."""
        return float(np.sum(self.lost))

    @cached_property
    def rounding(self) -> float:
        """Absolute rounding error of a sum over the law."""
        return ROUNDING + 1e-15 * sqrt(self.p.size)


def _apart(ratio: FloatArray, p: FloatArray, reference: FloatArray) -> FloatArray:
    """The difference of shares and a reference, from the logarithms of their ratios."""
    near = reference * np.expm1(np.minimum(ratio, 1.0))
    return np.where(ratio < 1, near, p - reference)


def excess_of(log_p: FloatArray, log_density: FloatArray) -> FloatArray:
    """Logarithms of shares over a density, bounded below."""
    return np.maximum(log_p - log_density, _NOTHING)


def relevant(log_p: FloatArray, exponent: FloatArray) -> BoolArray:
    """Where a share p, or its part p²/exp(-exponent) of χ², is not negligible."""
    weight = 2 * log_p
    weight += exponent
    return np.asarray(np.maximum(log_p, weight, out=weight) > FAINT)


def need_law(erf: ERF) -> None:
    """Refuse a map with signs.

    Raises
    ------
    ErfTheoryError
        If a sample is negative.
    """
    if not erf.is_nonnegative and np.any(erf.sign < 0):
        raise ErfTheoryError(
            "a map with signs is no law, so that it has no distance to one: ask for the energy, "
            "or give taps that are not negative"
        )


def single_point() -> ErfTheoryError:
    """The error of a map that does not spread."""
    return ErfTheoryError(
        "the map is a single point: its standard deviation is 0, and no normal density has that: "
        "give layers with two taps or more (k ≥ 2, n ≥ 1)"
    )


def logs_of(factor: Map) -> tuple[FloatArray, float]:
    """Logarithms of a map without signs and their error; of its doubles if it knows no others."""
    try:
        return factor.logs.values, factor.logs.error
    except EngineError:
        shares = factor.shares
        if shares.error:
            raise
        with np.errstate(divide="ignore"):
            return np.log(np.abs(shares.values)), _DOUBLES
