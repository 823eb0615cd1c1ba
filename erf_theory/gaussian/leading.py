"""How far a lattice law is from its Gaussian to leading order: the first Edgeworth term.

With the skewness γ₁, the excess kurtosis γ₂, both of order r = 3 or 4 divided by r!, and the
lattice's span h in standard deviations, ``p/q - 1 = a·He_r(z)`` against the sampled normal, where
a is γ₁/6 (r = 3), or γ₂/24 (r = 4) if γ₁ = 0. Distribution functions then differ by
``-a·He_{r-1}(z)·φ(z)``; against the continuous normal also by the sawtooth ``h·S·φ(z)``, S
uniform on (-1/2, 1/2] (Esseen 1945).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import factorial, pi, sqrt
from typing import final

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["LEADING", "Departure"]

_DENSITY_AT_0 = 1 / sqrt(2 * pi)


@final
@dataclass(frozen=True)
class Departure:
    """What the first Edgeworth term knows of a law.

    Attributes
    ----------
    skewness, kurtosis : float
        γ₁ and the excess γ₂.
    span : float
        Distance of the lattice's points in standard deviations.

    Examples
    --------
    >>> Departure(0.0, -0.1, 0.3).order
    4
    """

    skewness: float
    kurtosis: float
    span: float

    @property
    def order(self) -> int:
        """Degree r of the first Hermite polynomial."""
        return 3 if self.skewness else 4

    @property
    def weight(self) -> float:
        """Its coefficient a."""
        return self.skewness / 6 if self.skewness else self.kurtosis / 24

    @cached_property
    def shift(self) -> FloatArray:
        """How far quantiles are moved, in standard deviations, at the grid of `_Z`."""
        return self.weight * _hermite(self.order - 1)


def _hermite(r: int) -> FloatArray:
    """He_r on the grid of integrals."""
    return np.asarray(np.polynomial.hermite_e.hermeval(_Z, [0] * r + [1]))


_Z = np.linspace(-12, 12, 24_001)
_WEIGHTS = np.exp(-(_Z**2) / 2) * (_Z[1] - _Z[0]) * _DENSITY_AT_0


def _mean(values: FloatArray) -> float:
    """Mean over a standard normal variable."""
    return float(values @ _WEIGHTS)


@lru_cache
def _mean_magnitude(r: int) -> float:
    """E|He_r|: between its roots, ∫ He_r φ = -He_{r-1} φ."""
    roots = np.polynomial.hermite_e.hermeroots([0] * r + [1])
    at_roots = np.polynomial.hermite_e.hermeval(roots, [0] * (r - 1) + [1])
    return float(2 * np.sum(np.abs(at_roots) * np.exp(-(roots**2) / 2)) * _DENSITY_AT_0)


@lru_cache
def _largest(r: int) -> float:
    """Supremum of |He_r φ|: at a root of He_{r+1}."""
    roots = np.polynomial.hermite_e.hermeroots([0] * (r + 1) + [1])
    values = np.polynomial.hermite_e.hermeval(roots, [0] * r + [1])
    return float(np.max(np.abs(values) * np.exp(-(roots**2) / 2)) * _DENSITY_AT_0)


def _rounded_up(shift: FloatArray) -> FloatArray:
    """Mean square of a shift by whole steps whose mean is ``shift``."""
    rest = shift - np.floor(shift)
    return shift**2 + rest * (1 - rest)


def _chi_square(law: Departure) -> float:
    return law.weight**2 * factorial(law.order)


def _density_error(law: Departure) -> float:
    return abs(law.weight) * _largest(law.order)


def _wasserstein2(law: Departure) -> float:
    return law.span * sqrt(_mean(_rounded_up(law.shift / law.span)))


def _cramer_von_mises(law: Departure) -> float:
    return _mean(law.shift**2 * np.exp(-(_Z**2))) * _DENSITY_AT_0**2


def _skew(law: Departure) -> FloatArray:
    """What skewness moves quantiles by."""
    return law.skewness / 6 * _hermite(2)


def _sawtooth_wasserstein1(law: Departure) -> float:
    """E|h·S - b|: |b| beyond h/2, within it h/4 + b²/h."""
    shift = np.abs(_skew(law))
    inside = law.span / 4 + shift**2 / law.span
    return _mean(np.where(shift < law.span / 2, inside, shift))


def _sawtooth_cramer_von_mises(law: Departure) -> float:
    squares = law.span**2 / 12 + _skew(law) ** 2
    return _mean(squares * np.exp(-(_Z**2))) * _DENSITY_AT_0**2


LEADING: Mapping[str, Mapping[str, Callable[[Departure], float]]] = {
    "sampled normal": {
        "kolmogorov": lambda law: abs(law.weight) * _largest(law.order - 1),
        "total_variation": lambda law: abs(law.weight) / 2 * _mean_magnitude(law.order),
        "hellinger": lambda law: sqrt(_chi_square(law) / 8),
        "kullback_leibler": lambda law: _chi_square(law) / 2,
        "chi_square": _chi_square,
        "wasserstein1": lambda law: abs(law.weight) * _mean_magnitude(law.order - 1),
        "wasserstein2": _wasserstein2,
        "cramer_von_mises": _cramer_von_mises,
        "density_error": _density_error,
    },
    "normal": {
        "kolmogorov": lambda law: _DENSITY_AT_0 * (law.span / 2 + abs(law.skewness) / 6),
        "wasserstein1": _sawtooth_wasserstein1,
        "wasserstein2": lambda law: sqrt(law.span**2 / 12 + law.skewness**2 / 18),
        "cramer_von_mises": _sawtooth_cramer_von_mises,
        "density_error": _density_error,
    },
}
"""Leading terms by what a law is compared with, and by metric; lengths in standard deviations."""
