"""Edgeworth's expansion on the lattice: what the Gaussian misses, in powers of n^(-1/2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import nan, pi, sqrt
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, root_of, whole
from erf_theory.gaussian.cgf import CumulantFunction, cumulant_function
from erf_theory.gaussian.hermite import Omitted, Series, series_of
from erf_theory.gaussian.lattices import Lattice, lattice_of, middle_of, places_of
from erf_theory.gaussian.steps import need_map, steps_of

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Edgeworth", "best_order", "edgeworth"]

_FAR = 39.0
"""Standard deviations beyond which the normal density is below every double."""
_ROUNDING = 1e-15
"""Errors of std·density that doubles do not tell from 0."""
_DEEPEST = 24


@final
@dataclass(frozen=True, eq=False, repr=False)
class Edgeworth:
    """An Edgeworth expansion of a map on one axis. Result of `edgeworth`; not made by hand.

    Places are input pixels from the unit's centre.

    Attributes
    ----------
    call : str
        The call that made the map.
    order : int
        The expansion holds all terms through n^(-order/2).
    mean, variance : Fraction
        Those of the map, which the expansion has too; exact for exact taps.
    lattice : Lattice
        Where the map can be anything but 0.
    density_series, cdf_series : Series
        The terms: exact coefficients of Hermite polynomials.
    function : CumulantFunction or None
        That of the steps whose sum is the map; None where it is no such sum.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> erf = theoretical_erf(3, 20)
    >>> expansion = edgeworth(erf, 2)
    >>> erf.values[20].round(6), expansion.mass(0).round(6)
    (np.float64(0.108231), np.float64(0.108231))
    """

    call: str
    order: int
    mean: Fraction
    variance: Fraction
    lattice: Lattice
    density_series: Series
    cdf_series: Series
    function: CumulantFunction | None

    @cached_property
    def std(self) -> float:
        """Standard deviation of the map, in pixels."""
        return root_of(self.variance)

    @property
    def density_error(self) -> Omitted:
        """First term left out of std times `density`: its power of n, and its largest value."""
        return self.density_series.omitted

    @property
    def cdf_error(self) -> Omitted:
        """First term left out of `cdf`: its power of n, and its largest value."""
        return self.cdf_series.omitted

    @cached_property
    def beyond_powers(self) -> float:
        """What std times `density` may be off by beside all powers of n; NaN where not known.

        The integral over the map's transfer function away from 0. It falls exponentially with n,
        but is as large as the density for many layers whose taps are nearly on a coarser lattice.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> found = edgeworth(theoretical_erf(None, 20, kernel=[100, 1, 100]), 6)
        >>> round(found.beyond_powers, 2), found.density_error.size < 1e-4
        (0.32, True)
        """
        if self.function is None:
            return nan
        return self.function.away(0.0, self.std, self.lattice.span) / sqrt(2 * pi)

    def density(self, t: npt.ArrayLike) -> FloatArray:
        """The smooth density at any places, per pixel; in the tails it may be negative."""
        z = self._standardised(places_of(t))
        return _near(z, lambda near: _normal(near) / self.std * self.density_series(near))

    def mass(self, t: npt.ArrayLike) -> FloatArray:
        """The map at any places: the span times `density` on the lattice, 0 beside it."""
        places = places_of(t)
        found = self.lattice.span * self.density(places)
        return np.where(self.lattice.holds(places), found, 0.0)

    def cdf(self, t: npt.ArrayLike) -> FloatArray:
        """The sum of the map up to and with t, also between the points of the lattice.

        Evaluated half a span beyond the last point, with the terms that a sum has over an
        integral (Esseen's, from Euler and Maclaurin) to the same order.
        """
        lattice = self.lattice
        steps = np.floor(lattice.count(places_of(t)))
        z = self._standardised(float(lattice.first) + lattice.span * (steps + 0.5))
        less = _near(z, lambda near: _normal(near) * self.cdf_series(near))
        return np.asarray(_ndtr(z) - less)

    def _standardised(self, t: FloatArray) -> FloatArray:
        return (t - float(self.mean)) / self.std

    def __repr__(self) -> str:
        density, cdf = self.density_error, self.cdf_error
        lines = [
            f"Edgeworth expansion of {self.call} through n^{Fraction(-self.order, 2)}",
            f"left out of std·density: {density.size:.3g}, of order n^{density.power}",
            f"left out of the distribution function: {cdf.size:.3g}, of order n^{cdf.power}",
        ]
        if self.beyond_powers > density.size:
            lines.append(f"beside all powers of n std·density may miss {self.beyond_powers:.3g}")
        return "\n  ".join(lines)


def edgeworth(erf: ERF, order: int = 2, axis: int = 0) -> Edgeworth:
    """Expand a map around its Gaussian, for any layers, symmetric or not.

    Parameters
    ----------
    erf : ERF
        A map without signs that has a width.
    order : int
        All terms through n^(-order/2) are kept, for n equal layers; of unequal ones the same
        terms by their cumulants. 0 is the Gaussian, 1 has its skewness, 2 its kurtosis. For
        symmetric kernels odd orders add nothing, and ν terms of 1/n are order 2ν.
    axis : int
        The axis; the map is summed over the others.

    Returns
    -------
    Edgeworth
        Density, map and distribution function, and the order of their errors.

    Raises
    ------
    ErfTheoryError
        If the map has signs or lies on one point, or the order is below 0.

    Notes
    -----
    With κ_r the cumulants, s² = κ_2 and z = (t − μ)/s, the density is
    ``φ(z)/s · Σ_ν Σ He_j(z) Π_m (κ_{m+2}/((m+2)! s^{m+2}))^{k_m} / k_m!``: for every ν up to the
    order the inner sum is over Σ m·k_m = ν, and j = Σ (m+2)·k_m ([Petrov]_, chapter VI; [Esseen]_
    for lattices); [Neuschel]_ has it in closed form for equal taps. Coefficients are exact for
    exact taps. The error is of the next order uniformly in t, not relative to the map: in the tails
    ask `saddlepoint`. Beside that there is a part that falls exponentially with n, slowly where
    taps are nearly on a coarser lattice, as [100, 1, 100] are: see `Edgeworth.beyond_powers`.

    References
    ----------
    .. [Petrov] V. V. Petrov, "Sums of Independent Random Variables", Springer 1975.
    .. [Esseen] C.-G. Esseen, "Fourier analysis of distribution functions", Acta Math. 77, 1945.
    .. [Neuschel] T. Neuschel, "A note on extended binomial coefficients", J. Integer Seq. 17, 2014.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> edgeworth(theoretical_erf(3, 20), 6)
    Edgeworth expansion of theoretical_erf(3, 20) through n^-3
      left out of std·density: 2.38e-07, of order n^-4
      left out of the distribution function: 8.93e-08, of order n^-4
    """
    whole("the order of an expansion", order, 0)
    lattice = lattice_of(erf, axis)
    cumulant = _cumulants(erf, axis)
    return Edgeworth(
        call=erf.call,
        order=order,
        mean=cumulant(1),
        variance=cumulant(2),
        lattice=lattice,
        density_series=series_of(cumulant, order),
        cdf_series=series_of(cumulant, order, span=lattice.span),
        function=_function(erf, axis),
    )


def best_order(erf: ERF, axis: int = 0, most: int = _DEEPEST) -> int:
    """The order whose density is closest to the map, by the largest difference anywhere.

    The expansion is an asymptotic series: at a given depth its error falls, then stays where an
    exponentially small part is missed that no power of n tells of, or grows again.

    Parameters
    ----------
    erf : ERF
        A map without signs that has a width.
    axis : int
        The axis; the map is summed over the others.
    most : int
        The highest order looked at.

    Returns
    -------
    int
        The lowest order whose error is within a tenth of the smallest; rounding, also of the
        map's own values, counts as error.

    Raises
    ------
    ErfTheoryError
        If the map has signs or lies on one point, or ``most`` is below 0.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> [best_order(theoretical_erf(3, n)) for n in (1, 5, 20, 1000)]
    [2, 4, 16, 8]
    """
    whole("the highest order", most, 0)
    need_map(erf)
    line = erf.profile(axis)
    t, values = line.offsets[0], np.asarray(line.values)
    errors: dict[int, float] = {}
    order = 0
    while order <= most and min(errors.values(), default=1.0) > _ROUNDING:
        expansion = edgeworth(line, order)
        off = float(np.max(np.abs(expansion.mass(t) - values)))
        errors[order] = off * expansion.std / expansion.lattice.span
        order = expansion.density_series.order
    enough = max(1.1 * min(errors.values()), _ROUNDING)
    return next(order for order, error in errors.items() if error <= enough)


def _cumulants(erf: ERF, axis: int) -> Callable[[int], Fraction]:
    """Cumulants of a map on an axis, each computed once."""
    return cache(lambda r: Fraction(erf.cumulant(r, axis)))


def _function(erf: ERF, axis: int) -> CumulantFunction | None:
    """The cumulant generating function of a sum of steps."""
    try:
        return cumulant_function(steps_of(erf, axis), middle_of(erf.profile(axis)))
    except ErfTheoryError:
        return None


def _near(z: FloatArray, terms: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """The terms where the normal density is no zero of doubles, 0 elsewhere."""
    near = np.abs(z) < _FAR
    if np.all(near):
        return terms(z)
    found = np.zeros_like(z)
    found[near] = terms(z[near])
    return found


def _normal(z: FloatArray) -> FloatArray:
    return np.exp(-z * z / 2) / sqrt(2 * pi)


def _ndtr(z: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))
