"""Distances of outer products of laws on a line: those that need no map of all places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import expm1, inf, log1p, prod, sqrt

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.gaussian.divergences import SAMPLED as POINTWISE
from erf_theory.gaussian.laws import Estimate
from erf_theory.gaussian.line import Line

__all__ = ["CONTINUOUS", "SAMPLED", "corners"]

_Tails = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""What of p, and of p − q, lies where log(p/q) is above some limits."""


def _kullback_leibler(laws: Sequence[Line]) -> Estimate:
    """Divergences add."""
    parts = [POINTWISE["kullback_leibler"](law) for law in laws]
    return Estimate(sum(value for value, _ in parts), sum(error for _, error in parts))


def _chi_square(laws: Sequence[Line]) -> Estimate:
    """χ² + 1 multiplies."""
    parts = [POINTWISE["chi_square"](law) for law in laws]
    if any(value == inf for value, _ in parts):
        return Estimate(inf, inf)
    value = expm1(sum(log1p(chi) for chi, _ in parts))
    return Estimate(value, (1 + value) * sum(error / (1 + chi) for chi, error in parts))


def _hellinger(laws: Sequence[Line]) -> Estimate:
    """The affinity 1 − H² multiplies."""
    parts = [POINTWISE["hellinger"](law) for law in laws]
    square = -expm1(sum(log1p(-value * value) for value, _ in parts))
    root = sqrt(square)
    return Estimate(root, sum(value * error for value, error in parts) / root if root else inf)


def _total_variation(laws: Sequence[Line]) -> Estimate:
    """What p − q is where p > q, by sorting log(p/q) on every axis."""
    tails = _tails(laws[0])
    for law in laws[1:]:
        tails = _joined(tails, law)
    value = float(tails(np.zeros(1))[1][0])
    rounding = sum(law.rounding for law in laws)
    return Estimate(value, sum(law.unsure for law in laws) / 2 + rounding * value)


def _tails(law: Line) -> _Tails:
    order = np.argsort(law.ratio)
    ratio = law.ratio[order]
    shares, differences = (
        np.append(np.cumsum(part[order][::-1])[::-1], 0.0) for part in (law.p, law.difference)
    )

    def above(limits: FloatArray) -> tuple[FloatArray, FloatArray]:
        places = np.searchsorted(ratio, limits, side="right")
        return shares[places], differences[places]

    return above


def _joined(tails: _Tails, law: Line) -> _Tails:
    """The tails of a product with one more law: p₁p₂ − q₁q₂ = (p₁ − q₁)·q₂ + p₁·(p₂ − q₂)."""

    def above(limits: FloatArray) -> tuple[FloatArray, FloatArray]:
        shares, differences = tails(np.subtract.outer(limits, law.ratio))
        return shares @ law.p, differences @ law.q + shares @ law.difference

    return above


def _density_error(laws: Sequence[Line]) -> Estimate:
    return _gap(laws, [law.density_difference for law in laws])


def _sampled_density_error(laws: Sequence[Line]) -> Estimate:
    return _gap(laws, [law.difference for law in laws])


def _gap(laws: Sequence[Line], differences: Sequence[FloatArray]) -> Estimate:
    """Sup |Π p − Π q|·Π s/h: linear in every axis, so that the supremum is at corners of hulls.

    The hull of an axis is that of its points (p, p − q).
    """
    shares, gaps = np.ones(1), np.zeros(1)
    for law, difference in zip(laws, differences, strict=True):
        some = corners(law.p, difference)
        p, d = law.p[some], difference[some]
        gaps = np.add(np.multiply.outer(gaps, p - d), np.multiply.outer(shares, d))
        shares = np.multiply.outer(shares, p)
    steps = prod(law.step for law in laws)
    top = prod(float(np.max(law.p)) for law in laws)
    error = top * sum(float(np.max(law.lost)) / float(np.max(law.p)) for law in laws)
    found = float(np.max(np.abs(gaps))) / steps
    return Estimate(found, error / steps + laws[0].rounding * found)


def corners(x: FloatArray, y: FloatArray) -> list[int]:
    """Indices of the corners of the convex hull of some points.

    Examples
    --------
    >>> corners(np.array([0.0, 1.0, 2.0, 1.0]), np.array([0.0, 1.0, 0.0, 0.5]))
    [0, 2, 1]
    """
    order = np.lexsort((y, x)).tolist()
    return _chain(order, x, y)[:-1] + _chain(order[::-1], x, y)[:-1] or order[:1]


def _chain(order: Sequence[int], x: FloatArray, y: FloatArray) -> list[int]:
    """One side of the hull, turning left only (Andrew 1979)."""
    kept: list[int] = []
    for i in order:
        while len(kept) > 1 and _turn(x, y, kept[-2], kept[-1], i) <= 0:
            kept.pop()
        kept.append(i)
    return kept


def _turn(x: FloatArray, y: FloatArray, a: int, b: int, c: int) -> float:
    return float((x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]))


CONTINUOUS: Mapping[str, Callable[[Sequence[Line]], Estimate]] = {"density_error": _density_error}
"""Distances of products to the normal law with its density."""
SAMPLED: Mapping[str, Callable[[Sequence[Line]], Estimate]] = {
    "total_variation": _total_variation,
    "hellinger": _hellinger,
    "kullback_leibler": _kullback_leibler,
    "chi_square": _chi_square,
    "density_error": _sampled_density_error,
}
"""Distances of products to the sampled normal law."""
