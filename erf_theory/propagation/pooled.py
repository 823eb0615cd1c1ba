"""The largest of several normal samples: moments of what a max pool lets through."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import NamedTuple

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray

__all__ = ["Pooled", "pooled"]

_HERMITE, _LEGENDRE, _REACH = 64, 400, 9.0


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
    from numpy.polynomial.hermite_e import hermegauss
    from numpy.polynomial.legendre import leggauss

    common, weights = hermegauss(_HERMITE)
    weights = weights / np.sum(weights)
    own, density = _largest(*leggauss(_LEGENDRE), places)
    base = sqrt(max(shared, 0.0)) * common
    samples = base[:, None] + sqrt(max(second - shared, 0.0)) * own
    if shared <= 0:
        samples, weights = samples[:1], np.ones(1)
    value, slope = gate.value(samples, np), gate.slope(samples, np)
    means = value @ density
    return Pooled(
        second=float(weights @ (value**2 @ density)),
        shared=float(weights @ means**2),
        mean=float(weights @ means),
        slope=float(weights @ (slope**2 @ density)),
    )


def _largest(nodes: FloatArray, weights: FloatArray, places: int) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights for the largest of K standard normal numbers, split at 0."""
    from scipy.special import ndtr

    half = _REACH * (nodes + 1) / 2
    at = np.concatenate([-half[::-1], half])
    sizes = np.concatenate([weights[::-1], weights]) * _REACH / 2
    density = places * np.exp(-(at**2) / 2) / sqrt(2 * np.pi) * ndtr(at) ** (places - 1) * sizes
    return at, density / np.sum(density)
