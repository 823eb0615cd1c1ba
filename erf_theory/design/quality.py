"""How smooth, how Gaussian and how flat a map is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from erf_theory.erf import ERF
from erf_theory.exact import FloatArray
from erf_theory.measures import LUO_LEVEL

__all__ = ["excess_kurtosis", "flatness", "ripple"]

_ROUNDING = 1e-12


def ripple(line: FloatArray) -> float:
    """How far a profile falls between two of its peaks: 0 if it has one, 1 if it has holes.

    The profile below the lowest line that covers it and rises to one peak and falls, 1 - p/cover,
    at the worst place where the cover is above 4.55 % of the maximum. Dilations that fit each
    other badly make it, from gridding (1) to a comb that only shows in the picture.

    Examples
    --------
    >>> ripple(np.array([1.0, 2.0, 3.0, 2.0, 1.0])), ripple(np.array([1.0, 0.0, 1.0]))
    (0.0, 1.0)
    >>> ripple(np.array([1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 1.0]))
    0.5
    """
    cover = np.minimum(np.maximum.accumulate(line), np.maximum.accumulate(line[::-1])[::-1])
    core = cover > (1 - LUO_LEVEL) * line.max()
    lost = 1 - line[core] / cover[core]
    return float(lost.max()) if lost.max() > _ROUNDING else 0.0


def excess_kurtosis(erf: ERF) -> float:
    """Fourth cumulant over the squared variance, on the first axis: 0 for a Gaussian.

    Examples
    --------
    >>> from erf_theory.theory import variance_erf
    >>> excess_kurtosis(variance_erf(3, 10))
    -0.15
    """
    return float(Fraction(erf.cumulant(4)) / Fraction(erf.cumulant(2)) ** 2)


def flatness(erf: ERF) -> float:
    """Participation over the number of pixels above 4.55 % of the maximum: 1 for a box.

    A Gaussian has 0.71 on a line, 0.65 in the plane.

    Examples
    --------
    >>> from erf_theory.theory import variance_erf
    >>> flatness(variance_erf(9, 1)), round(flatness(variance_erf(3, 400, ndim=2)), 2)
    (1.0, 0.65)
    """
    return erf.participation() / erf.size() ** erf.ndim
