"""The largest of several normal samples: moments of what a max pool lets through."""

from __future__ import annotations

from functools import cache, lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray

__all__ = ["Pooled", "pooled"]

_HERMITE, _LEGENDRE, _PANELS, _REACH = 64, 24, 4, 9.0


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
    own, density = _largest(places)
    common, weights = _common() if shared > 0 else (np.zeros(1), np.ones(1))
    base = sqrt(max(shared, 0.0)) * common
    samples = base[:, None] + sqrt(max(second - shared, 0.0)) * own
    value, slope = gate.value(samples, np), gate.slope(samples, np)
    means = value @ density
    return Pooled(
        second=float(weights @ (value**2 @ density)),
        shared=float(weights @ means**2),
        mean=float(weights @ means),
        slope=float(weights @ (slope**2 @ density)),
    )


@cache
def _common() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for a standard normal number."""
    from numpy.polynomial.hermite_e import hermegauss

    nodes, weights = hermegauss(_HERMITE)
    return nodes, weights / np.sum(weights)


@cache
def _largest(places: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for the largest of K standard normal numbers, in panels that meet at 0."""
    from numpy.polynomial.legendre import leggauss
    from scipy.special import ndtr

    nodes, weights = leggauss(_LEGENDRE)
    width = _REACH / _PANELS
    starts = width * np.arange(-_PANELS, _PANELS)
    at = (starts[:, None] + width * (nodes + 1) / 2).ravel()
    sizes = np.tile(weights * width / 2, 2 * _PANELS)
    density = places * np.exp(-(at**2) / 2) / sqrt(2 * np.pi) * ndtr(at) ** (places - 1) * sizes
    return at, density / np.sum(density)
