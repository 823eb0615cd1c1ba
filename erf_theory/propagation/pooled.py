"""The largest of several normal samples: moments of what a max pool lets through."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.activations.closed import below
from erf_theory.exact import FloatArray

__all__ = ["Pooled", "pooled"]

_LEGENDRE, _PANELS, _REACH = 16, 8, 9.0


class Pooled(NamedTuple):
    """Moments of σ(max of K normal samples).

    ``second`` is E σ², ``shared`` E σσ' for two images, ``mean`` E σ, ``slope`` E σ'², the last
    two of the sample that is largest.
    """

    second: float
    shared: float
    mean: float
    slope: float


@lru_cache(maxsize=4096)
def pooled(gate: Nonlinearity, second: float, shared: float, places: int) -> Pooled:
    """Moments of an increasing function of the largest of so many samples.

    The samples of one window are normal, with variance ``second`` and covariance ``shared``: a
    part that all share, and independent ones, of which the largest has the density K φ Φ^(K-1).

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> found = pooled(nonlinearity("relu"), 1.0, 0.0, 4)
    >>> round(found.slope, 9) == 1 - 2**-4
    True
    """
    spread = sqrt(max(second - shared, 0.0))
    base, weights = _normal(sqrt(max(shared, 0.0)), gate.kinks)
    own, density = _largest(places, _cuts(base, spread, gate.kinks))
    samples = base[:, None] + spread * own
    value, slope = gate.value(samples, np), gate.slope(samples, np)
    means = np.sum(value * density, axis=1)
    return Pooled(
        second=float(weights @ np.sum(value**2 * density, axis=1)),
        shared=float(weights @ means**2),
        mean=float(weights @ means),
        slope=float(weights @ np.sum(slope**2 * density, axis=1)),
    )


def _normal(std: float, kinks: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for a normal number."""
    if std == 0:
        return np.zeros(1), np.ones(1)
    at, sizes = _panels(_cuts(np.zeros(1), std, kinks))
    density = (np.exp(-(at**2) / 2) * sizes).ravel()
    return std * at.ravel(), density / np.sum(density)


def _largest(places: int, cuts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for the largest of K standard normal numbers, for every row of cuts."""
    at, sizes = _panels(cuts)
    density = np.exp(-(at**2) / 2) * below(at) ** (places - 1) * sizes
    return at, density / np.sum(density, axis=1, keepdims=True)


def _cuts(base: FloatArray, spread: float, kinks: Sequence[float]) -> FloatArray:
    """Ends of panels, one row for every base: even ones, and where a kink is met."""
    even = np.broadcast_to(np.linspace(-_REACH, _REACH, _PANELS + 1), (len(base), _PANELS + 1))
    if spread == 0 or not kinks:
        return even
    met = (np.asarray(kinks) - base[:, None]) / spread
    return np.sort(np.hstack([even, np.clip(met, -_REACH, _REACH)]), axis=1)


def _panels(cuts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes between the cuts, and their weights, one row for every row."""
    nodes, weights = _legendre()
    half = np.diff(cuts)[:, :, None] / 2
    at = cuts[:, :-1, None] + half * (nodes + 1)
    return at.reshape(len(cuts), -1), (half * weights).reshape(len(cuts), -1)


@cache
def _legendre() -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes and weights."""
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(_LEGENDRE)
    return nodes, weights
