"""Distances as rigorous enclosures: exact integers in, balls of Arb throughout."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING

from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.enclosure import Enclosure, enclosed
from erf_theory.gaussian.exactlaw import (
    Ball,
    ExactLaw,
    Sampled,
    density,
    exact_law,
    normal,
    sampled,
)
from erf_theory.gaussian.metrics import METRICS, Reference, undefined

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["enclosures"]

_PRECISIONS = (192, 384, 768)
"""Working precisions in bits, tried in turn."""
_ACCURATE = 64
"""Bits to which every distance is to be known."""


def enclosures(
    erf: ERF, reference: Reference, metric: str | None = None, axis: int | None = None
) -> Mapping[str, Enclosure]:
    """Enclosures of the distances between a map on one axis and a normal law.

    Parameters
    ----------
    erf : ERF
        A map whose integers are known, without signs.
    reference : {"normal", "sampled normal"}
        The law to compare with.
    metric : str, optional
        One of `METRICS`; default: all that are defined.
    axis : int, optional
        Compare the profile along an axis; needed on several axes.

    Raises
    ------
    ErfTheoryError
        If the map is no law, is a single point, has several axes, or is known by samples only; or
        if the distance is not defined.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = enclosures(theoretical_erf(2, 1), "sampled normal", "total_variation")
    >>> print(found["total_variation"])
    [0.0179921351405883170577519988288 +/- 1.84e-32]
    """
    law = exact_law(_numerators(erf, axis))
    table: Collection[str] = _CONTINUOUS if reference == "normal" else _SAMPLED
    names = [name for name in METRICS if name in table] if metric is None else [metric]
    for name in names:
        if name not in table:
            raise undefined(name, 1)
    found: dict[str, Ball] = {}
    for precision in _PRECISIONS:
        doubtful = [n for n in names if n not in found or not _is_accurate(found[n])]
        found |= _at(precision, law, reference, doubtful)
    return MappingProxyType({name: enclosed(found[name]) for name in names})


def _numerators(erf: ERF, axis: int | None) -> list[int]:
    """Integers on one axis."""
    if axis is None and erf.ndim > 1:
        raise ErfTheoryError(
            f"certified distances are on one axis, and the map has {erf.ndim}: ask for one of "
            "them with axis=0"
        )
    line = erf if axis is None else erf.profile(axis)
    if len(erf.factors) == erf.ndim:
        return [int(n) for n in line.exact()[0]]
    others = tuple(i for i in range(erf.ndim) if i != range(erf.ndim)[axis or 0])
    return [int(n) for n in erf.exact()[0].sum(axis=others)]


def _at(
    precision: int, law: ExactLaw, reference: Reference, names: Sequence[str]
) -> Mapping[str, Ball]:
    """The distances at a working precision, from a copy of the law that makes its own balls."""
    from flint import ctx

    with ctx.workprec(precision):
        fresh = replace(law)
        if reference == "normal":
            return {name: _CONTINUOUS[name](fresh) for name in names}
        beside = sampled(fresh)
        return {name: _SAMPLED[name](beside) for name in names}


def _is_accurate(distance: Ball) -> bool:
    return bool(distance.rel_accuracy_bits() >= _ACCURATE)


def _largest(balls: Iterable[Ball]) -> Ball:
    """The largest of some numbers."""
    return reduce(lambda a, b: a.max(b), balls)


def _kolmogorov(law: ExactLaw) -> Ball:
    """F jumps at the places only, so that the supremum is beside one of them."""
    above = (f - g for f, g in zip(law.below, law.normal_below, strict=True))
    under = (g - f for f, g in zip([0, *law.below[:-1]], law.normal_below, strict=True))
    return _largest(chain(above, under))


def _wasserstein1(law: ExactLaw) -> Ball:
    """∫ |F − Φ|: between two places F is constant, and Φ crosses it once or not at all."""
    areas = [_area(z) for z in law.z]
    found = areas[0] + _area(-law.z[-1])
    for j, share in enumerate(law.below[:-1]):
        left, right = law.z[j], law.z[j + 1]
        if law.normal_below[j] >= share:
            found += areas[j + 1] - areas[j] - share * (right - left)
        elif law.normal_below[j + 1] <= share:
            found += areas[j] - areas[j + 1] + share * (right - left)
        else:
            crossing = law.quantile[j].max(left).min(right)
            ends = areas[j] + areas[j + 1] - 2 * _area(crossing)
            found += share * (2 * crossing - left - right) + ends
    return found


def _area(z: Ball) -> Ball:
    """∫ Φ up to z."""
    return z * normal(z) + density(z)


def _wasserstein2(law: ExactLaw) -> Ball:
    """W₂² = 2 − 2·(h/s)·Σ φ(Φ⁻¹(F))."""
    peaks = sum(density(quantile) for quantile in law.quantile)
    return (2 - 2 * peaks / law.std).nonnegative_part().sqrt()


def _cramer_von_mises(law: ExactLaw) -> Ball:
    """∫ (F − Φ)² dΦ: cubes between two places."""
    found = _cube(law.normal_below[0]) + _cube(1 - law.normal_below[-1])
    for j, share in enumerate(law.below[:-1]):
        found += _cube(law.normal_below[j + 1] - share) - _cube(law.normal_below[j] - share)
    return found / 3


def _cube(x: Ball) -> Ball:
    return x * x * x


def _density_error(law: ExactLaw) -> Ball:
    """Sup |s·p/h − φ|; beyond the place outside of the support φ only falls."""
    inside = (abs(law.std * p - density(z)) for p, z in zip(law.p, law.z, strict=True))
    beside = (density(law.at(j)) for j in (-1, len(law.z)))
    return _largest(chain(inside, beside))


def _gaps(law: Sampled) -> list[Ball]:
    """|F − G| at every place."""
    return [abs(f - g) for f, g in zip(law.below, law.normal_below, strict=True)]


def _sampled_kolmogorov(law: Sampled) -> Ball:
    return _largest([*_gaps(law), law.outside])


def _total_variation(law: Sampled) -> Ball:
    return (sum(abs(p - q) for p, q in zip(law.p, law.q, strict=True)) + law.outside) / 2


def _hellinger(law: Sampled) -> Ball:
    affinity = sum((p * q).sqrt() for p, q in zip(law.p, law.q, strict=True))
    return (1 - affinity).nonnegative_part().sqrt()


def _kullback_leibler(law: Sampled) -> Ball:
    pairs = zip(law.p, law.q, strict=True)
    return sum(p * (p / q).log() for p, q in pairs if not p.is_zero())


def _chi_square(law: Sampled) -> Ball:
    return sum(p * p / q for p, q in zip(law.p, law.q, strict=True)) - 1


def _sampled_wasserstein1(law: Sampled) -> Ball:
    return law.step * (sum(_gaps(law)) + law.farther)


def _sampled_wasserstein2(law: Sampled) -> Ball:
    """Σ over m ≥ 1 of 2m − 1 times the share that moves by m places or more.

    The share that G moves up by m or more, summed over places, is Σ (G(x) − F(x + m − 1))⁺.
    Such sums fall with m, so that the last one bounds those left out.
    """
    from flint import arb, ctx

    size, small = len(law.below), arb(2) ** (-ctx.prec // 2)
    found = sum(_gaps(law)) + law.farther
    for m in range(2, size):
        moved = _ahead(law.normal_below, law.below, m) + _ahead(law.below, law.normal_below, m)
        found += 2 * moved
        if moved <= small:
            found += arb(0).union(2 * size * moved)
            break
    return law.step * found.sqrt()


def _ahead(lower: Sequence[Ball], upper: Sequence[Ball], m: int) -> Ball:
    """Σ (lower(x) − upper(x + m − 1))⁺."""
    pairs = zip(lower, upper[m - 1 :], strict=False)
    return sum((a - b).nonnegative_part() for a, b in pairs)


def _sampled_cramer_von_mises(law: Sampled) -> Ball:
    """Σ (F − G)²·(q + q')/2, q' at the next place."""
    pairs = zip(_gaps(law), law.q, law.q[1:], strict=False)
    return sum(gap * gap * (a + b) / 2 for gap, a, b in pairs) + law.outside


def _sampled_density_error(law: Sampled) -> Ball:
    inside = [abs(p - q) for p, q in zip(law.p, law.q, strict=True)]
    return _largest([*inside, law.outside]) / law.step


_CONTINUOUS: Mapping[str, Callable[[ExactLaw], Ball]] = {
    "kolmogorov": _kolmogorov,
    "wasserstein1": _wasserstein1,
    "wasserstein2": _wasserstein2,
    "cramer_von_mises": _cramer_von_mises,
    "density_error": _density_error,
}
_SAMPLED: Mapping[str, Callable[[Sampled], Ball]] = {
    "kolmogorov": _sampled_kolmogorov,
    "total_variation": _total_variation,
    "hellinger": _hellinger,
    "kullback_leibler": _kullback_leibler,
    "chi_square": _chi_square,
    "wasserstein1": _sampled_wasserstein1,
    "wasserstein2": _sampled_wasserstein2,
    "cramer_von_mises": _sampled_cramer_von_mises,
    "density_error": _sampled_density_error,
}
