"""Lengths of maps, and those of the Gaussian that deep stacks tend to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gamma, log, pi, sqrt
from statistics import NormalDist
from typing import final

from erf_theory.erf import ERF
from erf_theory.measures import LUO_LEVEL

__all__ = ["LENGTHS", "Length"]


@final
@dataclass(frozen=True)
class Length:
    """A length of a map, which doubles where the map is twice as wide.

    Attributes
    ----------
    definition : str
        What it is, in words.
    of : callable
        The length of an `ERF`, in pixels.
    of_gaussian : callable
        The length of a Gaussian density with standard deviation 1 on each of so many axes.

    Examples
    --------
    >>> round(LENGTHS["size"].of_gaussian(2), 4)
    4.4063
    """

    definition: str
    of: Callable[[ERF], float]
    of_gaussian: Callable[[int], float]


def _gaussian_size(ndim: int) -> float:
    """Volume of the ball of points above the threshold, to the power 1/ndim."""
    unit_ball = pi ** (ndim / 2) / gamma(ndim / 2 + 1)
    return sqrt(-2 * log(1 - LUO_LEVEL)) * float(unit_ball ** (1 / ndim))


def _gaussian_radius(ndim: int) -> float:
    """Half side of the cube that holds the share: one axis holds its root."""
    return NormalDist().inv_cdf((1 + LUO_LEVEL ** (1 / ndim)) / 2)


LENGTHS = {
    "std": Length(
        "standard deviation per axis",
        lambda erf: erf.std,
        lambda ndim: 1.0,  # noqa: ARG005
    ),
    "size": Length(
        f"number of pixels above {100 * (1 - LUO_LEVEL):.4g} % of the maximum, to the power "
        "1/ndim; Luo et al. 2016",
        lambda erf: erf.size(),
        _gaussian_size,
    ),
    "radius": Length(
        "radius of the smallest interval, square or cube about the mean with "
        f"{100 * LUO_LEVEL:.4g} % of the map",
        lambda erf: erf.radius(LUO_LEVEL, centre="mean"),
        _gaussian_radius,
    ),
    "participation": Length(
        "(Σp)²/Σp², to the power 1/ndim",
        lambda erf: float(erf.participation() ** (1 / erf.ndim)),
        lambda ndim: 2 * sqrt(pi),  # noqa: ARG005
    ),
    "half_width": Length(
        "half width at half maximum of a profile",
        lambda erf: erf.half_width(),
        lambda ndim: sqrt(2 * log(2)),  # noqa: ARG005
    ),
}
"""By name: what the √n law is told of."""
