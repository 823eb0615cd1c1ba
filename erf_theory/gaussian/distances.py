"""How far a map is from a normal law: with its density, or sampled on the map's lattice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, overload

import numpy as np

from erf_theory.gaussian import divergences, products, transports
from erf_theory.gaussian.central import refined
from erf_theory.gaussian.laws import Estimate
from erf_theory.gaussian.line import line_of
from erf_theory.gaussian.metrics import METRICS, Distances, Reference, undefined
from erf_theory.gaussian.plane import plane_of
from erf_theory.gaussian.steps import need_map

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.gaussian.enclosure import Enclosure

__all__ = ["distance_to_normal", "distance_to_sampled_normal"]


class _Distance(Protocol):
    """What comes of what is asked, for type checkers: all distances or one, or enclosures."""

    @overload
    def __call__(
        self,
        erf: ERF,
        metric: None = None,
        *,
        axis: int | None = None,
        certified: Literal[False] = False,
    ) -> Distances: ...
    @overload
    def __call__(
        self, erf: ERF, metric: str, *, axis: int | None = None, certified: Literal[False] = False
    ) -> float: ...
    @overload
    def __call__(
        self, erf: ERF, metric: None = None, *, axis: int | None = None, certified: Literal[True]
    ) -> Mapping[str, Enclosure]: ...
    @overload
    def __call__(
        self, erf: ERF, metric: str, *, axis: int | None = None, certified: Literal[True]
    ) -> Enclosure: ...


def _with_types(function: Callable[..., Any]) -> _Distance:
    return function


@_with_types
def distance_to_normal(
    erf: ERF, metric: str | None = None, *, axis: int | None = None, certified: bool = False
) -> Distances | float | Mapping[str, Enclosure] | Enclosure:
    """Distance between a map and the normal law with a density that has its mean and variance.

    The map is a law on the places of its lattice, p; F is its distribution function, Φ that of the
    normal law, z = (x − mean)/s, and h the span of the lattice. As long as the lattice is what
    keeps them apart, distances fall as h/s, whatever the shape: `distance_to_sampled_normal`
    compares shapes.

    Parameters
    ----------
    erf : ERF
        A map without signs.
    metric : str, optional
        A name below. Default: all that are defined.
    axis : int, optional
        Compare the profile along an axis. Default: the whole map.
    certified : bool
        Give rigorous enclosures by ball arithmetic, from the map's exact integers; 1-D, and slow
        beyond some thousand places.

    Returns
    -------
    Distances, float, mapping or Enclosure
        All distances with the digits that hold, or one of them; certified, an `Enclosure` of each.

    Raises
    ------
    ErfTheoryError
        If it is no map, or one with signs, mass 0 or standard deviation 0; or if there is no such
        distance between these laws.

    Notes
    -----
    On one axis:

    * kolmogorov: ``sup |F − Φ|``; also beside the places, where F jumps. About h·φ(0)/(2s) for
      symmetric layers: for n equal ones of k equal taps √n times it tends to √(3/(2π(k² − 1))).
    * wasserstein1: ``∫ |F − Φ| dz ~ h/(4s)``, in standard deviations; times `Distances.std` in
      pixels.
    * wasserstein2: ``√∫ (F⁻¹(u) − Φ⁻¹(u))² du ~ h/(√12 s)``, in standard deviations.
    * cramer_von_mises: ``∫ (F − Φ)² dΦ ~ h²/(24√3 π s²)``, Smirnov's without the factor n.
    * density_error: ``sup |s·p/h − φ(z)|`` over all places of the lattice.

    On several axes density_error only, with the whole covariance and the density in d-D.
    A law on a lattice and a law with a density are singular to each other: total variation and
    Hellinger distance are 1, Kullback–Leibler and χ² infinite, for every map; they are refused.
    [Gibbs02]_ compares all of them.

    References
    ----------
    .. [Gibbs02] A. L. Gibbs, F. E. Su, "On choosing and bounding probability metrics",
       International Statistical Review 70, 2002.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> erf = theoretical_erf(3, 100)
    >>> distance_to_normal(erf)
    amplitude of theoretical_erf(3, 100): distances to its normal
      kolmogorov 0.0243843: sup |F − Φ|
      wasserstein1 0.0306412: ∫ |F − Φ| dz, in standard deviations
      wasserstein2 0.0353945: √∫ (F⁻¹(u) − Φ⁻¹(u))² du, in standard deviations
      cramer_von_mises 0.000114772: ∫ (F − Φ)² dΦ
      density_error 0.000747932: sup |s·p/h − φ| over the lattice, of z = (x − mean)/s
    >>> round(distance_to_normal(erf, "kolmogorov"), 6)
    0.024384
    """
    return _distance(erf, "normal", metric, axis, certified=certified)


@_with_types
def distance_to_sampled_normal(
    erf: ERF, metric: str | None = None, *, axis: int | None = None, certified: bool = False
) -> Distances | float | Mapping[str, Enclosure] | Enclosure:
    """Distance between a map and the normal density sampled on its lattice, normalised there.

    The sampled normal law is q(x) ∝ exp(−(x − mean)²/2s²) on all places of the lattice that the
    map's support generates, inside and outside of the support, with the mean and the variance of
    the map put into the density; its own moments are those up to about exp(−2π²s²/h²). G is its
    distribution function.

    Parameters
    ----------
    erf : ERF
        A map without signs.
    metric : str, optional
        A name below. Default: all that are defined.
    axis : int, optional
        Compare the profile along an axis. Default: the whole map.
    certified : bool
        Give rigorous enclosures by ball arithmetic, from the map's exact integers; 1-D, and slow
        beyond some thousand places.

    Returns
    -------
    Distances, float, mapping or Enclosure
        All distances with the digits that hold, or one of them; certified, an `Enclosure` of each.

    Raises
    ------
    ErfTheoryError
        If it is no map, or one with signs, mass 0 or standard deviation 0; or if there is no such
        distance between these laws.

    Notes
    -----
    Leading terms are those of n equal symmetric layers, whose excess kurtosis is g/n: for k equal
    taps g = −6(k² + 1)/(5(k² − 1)). They follow from ``p − q = g/(24n)·He₄·q + O(n⁻²)``.

    * total_variation: ``½ Σ |p − q| ~ 2.80060·|g|/(48n)``, where ``2.80060 = E|He₄(Z)|``.
    * hellinger: ``√(½ Σ (√p − √q)²) ~ |g|/(8√3 n)``.
    * kullback_leibler: ``Σ p log(p/q) ~ g²/(48n²)``, in nats.
    * chi_square: ``Σ (p − q)²/q ~ g²/(24n²)``.
    * density_error: ``s/h·sup |p − q| ~ |g|φ(0)/(8n)``.
    * kolmogorov: ``sup |F − G| ~ 0.55059·|g|/(24n)``, where ``0.55059 = sup |He₃φ|``.
    * wasserstein1: ``h/s·Σ |F − G| ~ 1.51001·|g|/(24n)``, in standard deviations, where
      ``1.51001 = E|He₃(Z)|``.
    * wasserstein2: ``√∫ (F⁻¹ − G⁻¹)² du``, in standard deviations; where quantiles differ by one
      step at most it is √(h/s·W₁), so that it falls as n^(−3/4).
    * cramer_von_mises: ``Σ (F − G)²·(q + q')/2 ~ 7g²/(5184√3 π n²)``, where q' is q at the next
      place, so that mirrored laws are as far from each other [Lockhart07]_.

    The first five are defined on several axes too, with the whole covariance.

    Differences come from logarithms of the map, which are known to about n·10⁻¹⁵, while what they
    tell falls as 1/n. Where that leaves fewer than about five digits, and the map is a sum of
    independent steps, its exact cumulants give the differences in the middle by Edgeworth's series.
    `Distances.digits` says how many digits hold.

    References
    ----------
    .. [Lockhart07] R. A. Lockhart, J. J. Spinelli, M. A. Stephens, "Cramér–von Mises statistics for
       discrete distributions with unknown parameters", Canadian Journal of Statistics 35, 2007
       (recalled).

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = distance_to_sampled_normal(theoretical_erf(3, 10_000))
    >>> f"{found.kullback_leibler:.3e}", found.digits["kullback_leibler"] >= 5
    ('4.688e-10', True)
    >>> plane = theoretical_erf(3, 10_000, ndim=2)
    >>> f"{distance_to_sampled_normal(plane, 'kullback_leibler'):.3e}"
    '9.376e-10'
    """
    return _distance(erf, "sampled normal", metric, axis, certified=certified)


def _distance(
    erf: ERF, reference: Reference, metric: str | None, axis: int | None, *, certified: bool
) -> Distances | float | Mapping[str, Enclosure] | Enclosure:
    need_map(erf)
    metric = None if metric is None else str(metric)
    if certified:
        from erf_theory.gaussian.certified import enclosures

        found = enclosures(erf, reference, metric, axis)
        return found if metric is None else found[metric]
    erf = erf if axis is None else erf.profile(axis)
    asked = _compared(erf, reference)
    if metric is not None:
        if metric not in asked.metrics:
            raise undefined(metric, erf.ndim)
        return asked.metrics[metric]().value
    estimates = {name: asked.metrics[name]() for name in METRICS if name in asked.metrics}
    return Distances(
        reference=reference,
        kind=erf.kind,
        call=erf.call,
        std=asked.std,
        span=asked.span,
        values=MappingProxyType({name: value for name, (value, _) in estimates.items()}),
        errors=MappingProxyType({name: error for name, (_, error) in estimates.items()}),
    )


class _Compared(NamedTuple):
    """Two laws: standard deviations, pixels per place, and the distances, each to be asked for."""

    std: tuple[float, ...]
    span: int
    metrics: Mapping[str, Callable[[], Estimate]]


def _compared(erf: ERF, reference: Reference) -> _Compared:
    """A line, an outer product of lines, or a map on several axes."""
    continuous = reference == "normal"
    pointwise = divergences.CONTINUOUS if continuous else divergences.SAMPLED
    if erf.ndim == 1:
        line = refined(line_of(erf), erf)
        along = transports.CONTINUOUS if continuous else transports.SAMPLED
        asks = {name: partial(ask, line) for name, ask in along.items()}
        asks |= {name: partial(ask, line) for name, ask in pointwise.items()}
        return _Compared((line.std,), line.span, asks)
    if len(erf.factors) == erf.ndim:
        profiles = map(erf.profile, range(erf.ndim))
        lines = [refined(line_of(profile), profile) for profile in profiles]
        table = products.CONTINUOUS if continuous else products.SAMPLED
        asks = {name: partial(ask, lines) for name, ask in table.items()}
        stds = tuple(line.std for line in lines)
        return _Compared(stds, prod(line.span for line in lines), asks)
    plane = plane_of(erf)
    stds = tuple(np.sqrt(np.diag(erf.covariance)).tolist())
    asks = {name: partial(ask, plane) for name, ask in pointwise.items()}
    return _Compared(stds, plane.span, asks)
