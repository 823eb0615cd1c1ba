"""Expectations of functions of one normal variable, and of two correlated ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import frexp, pi, sqrt
from typing import Any, NamedTuple

import numpy as np

from erf_theory.activations.quadrature import Integral, Sampled, integrate, panel_nodes, panel_sums
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["Curve", "Normal", "expectation", "joint_expectation"]

_REACH = 38.5  # standard deviations; the normal density beyond is below the smallest double
_EPS = float(np.finfo(np.float64).eps)
_FINE = 0.487  # steps of the panels, in standard deviations: no round numbers, because a jump
_COARSE = 2.027  # where two panels meet would be seen by neither
_UNIT = 0.5073
_KINKS = 16

_Interval = tuple[float, float]


class Normal(NamedTuple):
    """The law N(mean, q)."""

    mean: float
    q: float

    @property
    def std(self) -> float:
        """Standard deviation."""
        return sqrt(self.q)

    def at(self, t: Any) -> Any:
        """The place t standard deviations above the mean."""
        return self.mean + self.std * t

    def places(self, z: FloatArray) -> FloatArray:
        """How many standard deviations places z lie above the mean."""
        return (z - self.mean) / self.std

    @property
    def grain(self) -> float:
        """Standard deviations between two places that doubles around the mean can tell apart."""
        return 2 * _EPS * (abs(self.mean) / self.std + 1)


class Curve(NamedTuple):
    """A function of one variable on NumPy arrays, and intervals around its kinks and jumps."""

    function: Callable[[FloatArray], FloatArray]
    kinks: tuple[_Interval, ...] = ()

    def __call__(self, z: FloatArray) -> FloatArray:
        """The values, which must be finite."""
        with np.errstate(all="ignore"):
            values = self.function(z)
        if not np.all(np.isfinite(values)):
            place = float(z[~np.isfinite(values)][0])
            raise ErfTheoryError(
                f"the function is not finite at z = {place:.6g}: an expectation needs finite "
                "values up to 38.5 standard deviations from the mean"
            )
        return values


def expectation(curve: Curve, law: Normal, tolerance: float = 4e-14) -> Integral:
    """E f(z) for z ~ N(mean, q), with its error; kinks are found and returned in z.

    Examples
    --------
    >>> result = expectation(Curve(np.abs), Normal(0.0, 4.0))
    >>> abs(result.value - 2 * sqrt(2 / pi)) <= result.error < 1e-12
    True
    """
    edges = _sorted(_steps(_FINE), law.places(_marks(curve, law)))
    found = _integrate(lambda t: _plain(curve(law.at(t))), edges, tolerance, law.grain)
    return found._replace(kinks=tuple((law.at(a), law.at(b)) for a, b in found.kinks))


def joint_expectation(
    curve: Curve, first: Normal, second: Normal, c: float, tolerance: float = 1e-8
) -> Integral:
    """E f(z₁)f(z₂) for two normal variables with correlation c, with its error.

    The outer integral is over z₁ and adaptive; the inner one, over z₂ given z₁, has its panels
    cut at the kinks of f, which move with z₁. Kinks that ``curve`` does not name are found first.

    Examples
    --------
    >>> result = joint_expectation(Curve(np.sin), Normal(0.0, 1.0), Normal(0.0, 1.0), 0.5)
    >>> abs(result.value - np.exp(-1) * np.sinh(0.5)) <= result.error < 1e-9
    True
    """
    curve = _with_kinks(curve, first, second)
    left, right = _marks(curve, first), _marks(curve, second)
    grain = max(first.grain, second.grain)
    if abs(c) == 1:
        edges = _sorted(_steps(_FINE), first.places(left), c * second.places(right))
        return _integrate(
            lambda t: _plain(curve(first.at(t)) * curve(second.at(c * t))), edges, tolerance, grain
        )
    width = second.std * sqrt((1 - c) * (1 + c))

    def inner(t: FloatArray) -> Sampled:
        outer = curve(first.at(t))
        value, error = _conditional(curve, right, second.at(c * t), width)
        return outer * value, np.abs(outer) * error

    edges = _sorted(_steps(_COARSE), first.places(left), _blurred(curve, second, c))
    return _integrate(inner, edges, tolerance, grain, most=400)


def _with_kinks(curve: Curve, *laws: Normal) -> Curve:
    """The curve with the kinks that are found, those nearest to the first mean."""
    found = {kink for law in laws for kink in expectation(curve, law).kinks}
    nearest = sorted(found, key=lambda kink: abs(kink[0] - laws[0].mean))
    return Curve(curve.function, (*curve.kinks, *nearest[:_KINKS]))


def _conditional(curve: Curve, marks: FloatArray, centres: FloatArray, std: float) -> Sampled:
    """E f(z) for z ~ N(centre, std²), for an array of centres, and its error."""
    steps = np.broadcast_to(_steps(_COARSE), (centres.size, _steps(_COARSE).size))
    cuts = np.clip((marks - centres.reshape(-1, 1)) / std, -_REACH, _REACH)
    edges = np.sort(np.concatenate([steps, cuts], axis=1), axis=1)
    row, column = np.nonzero(np.diff(edges, axis=1))
    low, high = edges[row, column], edges[row, column + 1]
    t = panel_nodes(low, high)
    values = curve(centres.ravel()[row, None] + std * t) * _density(t)
    value, error, doubt = panel_sums(low, high, values, _rounding(t, values))
    total = np.bincount(row, value, centres.size).astype(np.float64)
    off = np.bincount(row, error + doubt, centres.size).astype(np.float64)
    return total.reshape(centres.shape), off.reshape(centres.shape)


def _integrate(
    function: Callable[[FloatArray], Sampled],
    edges: FloatArray,
    tolerance: float,
    grain: float,
    most: int = 20_000,
) -> Integral:
    """The integral of a function of t against the standard normal density."""

    def integrand(t: FloatArray) -> Sampled:
        density = _density(t)
        values, doubts = function(t)
        values = values * density
        return values, doubts * density + _rounding(t, values)

    return integrate(integrand, edges, tolerance, grain, most)


def _plain(values: FloatArray) -> Sampled:
    return values, np.zeros_like(values)


def _density(t: FloatArray) -> FloatArray:
    return np.exp(-t * t / 2) / sqrt(2 * pi)


def _rounding(t: FloatArray, values: FloatArray) -> FloatArray:
    """What rounding does to values: more in the tails, where the density is steep."""
    return 4 * _EPS * np.abs(values) * (1 + t * t)


@cache
def _steps(step: float) -> FloatArray:
    """Edges of the first panels on the axis of a standard normal variable."""
    bulk = np.arange(-9, 9, step)
    return np.concatenate([[-_REACH], bulk, [9.1, _REACH]])


def _marks(curve: Curve, law: Normal) -> FloatArray:
    """Edges that a function needs: around its kinks, and finer and finer towards z = 0."""
    farthest = abs(law.mean) + 2 * law.std
    scales = _UNIT * 4.0 ** np.arange(max(0, (frexp(farthest / _UNIT)[1] + 1) // 2))
    kinks = np.array([(0.0, 0.0), *curve.kinks])
    slack = 4 * _EPS * (np.abs(kinks) + abs(law.mean) + law.std)
    return np.concatenate([(kinks + slack * [-1, 1]).ravel(), scales, -scales])


def _blurred(curve: Curve, law: Normal, c: float) -> FloatArray:
    """Edges around the places where the second variable, given the first, meets a kink."""
    width = sqrt((1 - c) * (1 + c))
    if width > 0.3 * abs(c):
        return np.empty(0)
    places = np.mean([(0.0, 0.0), *curve.kinks], axis=1)
    around = np.array([-9, -4.5, -2.2, -0.1, 2.2, 4.5, 9]) * width
    edges: FloatArray = (law.places(places)[:, None] + around) / c
    return edges.ravel()


def _sorted(*edges: FloatArray) -> FloatArray:
    joined = np.unique(np.concatenate(edges))
    return joined[np.abs(joined) <= _REACH]
