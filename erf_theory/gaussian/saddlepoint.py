"""The saddle-point approximation: right relative to the map itself, out to its last pixel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import pi
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, root_of
from erf_theory.gaussian.cgf import CumulantFunction, Tilted, cumulant_function
from erf_theory.gaussian.lattices import Lattice, lattice_of, middle_of, places_of
from erf_theory.gaussian.steps import steps_of

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Saddlepoint", "saddlepoint"]

_Correction = Literal[1, 2]
_DOUBTFUL = 0.2
"""Relative errors above it are no first terms of anything."""
_LOOKED_AT = 64
"""Places over the support, and around the mean."""
_CLOSE = 1e-4
"""Standard deviations from the mean up to which 1/u − 1/w comes from its series."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Saddlepoint:
    """Saddle-point density and tails of a map on one axis. Result of `saddlepoint`.

    Places are input pixels from the unit's centre. Everything is in natural logarithms. Where one
    tap has nearly all of the mass, formulas may give more than 1: such numbers are NaN, and
    `reasons` says which others are doubtful.

    Attributes
    ----------
    call : str
        The call that made the map.
    lattice : Lattice
        Where the map can be anything but 0.
    function : CumulantFunction
        K(λ) = log E e^{λ(S − μ)} with its derivatives, and its saddle points.
    cumulants : tuple of Fraction
        Orders 2 to 4 of the map.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> erf = theoretical_erf(3, 10)
    >>> approximation = saddlepoint(erf)
    >>> t = erf.offsets[0][10:]
    >>> np.exp(approximation.log_mass(t) - erf.log_values[10:]).round(3)
    array([1.019, 1.019, 1.02 , 1.021, 1.023, 1.026, 1.031, 1.039, 1.054, 1.099, 1.   ])
    """

    call: str
    lattice: Lattice
    function: CumulantFunction
    cumulants: tuple[Fraction, Fraction, Fraction]

    def log_density(self, t: npt.ArrayLike) -> FloatArray:
        """Logarithm of the density per pixel at any places; at the support's ends it is exact.

        ``K(λ) − λ(t − μ) − log(2πK''(λ))/2`` with K'(λ) = t − μ; −inf beyond the ends.
        """
        places = places_of(t)
        counted, last = self.lattice.count(places), self._last
        found = np.full(places.shape, -np.inf)
        inside = (counted > 0) & (counted < last)
        x = places[inside]
        lam, at = self.function.saddle(x)
        found[inside] = _exponent(lam, x - self._mean, at) - np.log(2 * pi * at.variance) / 2
        for end, value in zip((0, last), self.function.log_ends, strict=True):
            found[counted == end] = value - np.log(self.lattice.span)
        return found

    def log_mass(self, t: npt.ArrayLike) -> FloatArray:
        """Logarithm of the map at any places: span times density; −inf beside the lattice.

        NaN where that is above 1 and no share of a map: there `relative_error` is large.
        """
        places = places_of(t)
        found = np.log(self.lattice.span) + self.log_density(places)
        return np.where(self.lattice.holds(places), _at_most_one(found), -np.inf)

    def relative_error(self, t: npt.ArrayLike) -> FloatArray:
        """Estimate of the relative error of `log_density` at any places.

        The first term left out, ``|κ₄/(8κ₂²) − 5κ₃²/(24κ₂³)|`` with the cumulants of the tilted
        law, and what its transform has away from 0, as it does where the law is nearly one on a
        coarser lattice. The map is the approximation times about 1 plus or minus it; above about
        0.2 it only says that both are doubtful. 0 at both ends of the support and beyond, where
        the density is exact. At many places ask for some: each takes as long as hundreds of
        densities.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> saddlepoint(theoretical_erf(3, 10)).relative_error([0, 5, 9, 10]).round(3).tolist()
        [0.019, 0.026, 0.092, 0.0]
        """
        places = places_of(t)
        found = np.zeros(places.shape)
        counted = self.lattice.count(places)
        inside = (counted > 0) & (counted < self._last)
        lam, _ = self.function.saddle(places[inside])
        found[inside] = self.function.missed(lam, self.lattice.span)
        return found

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why numbers of the approximation may be far off; empty where none is doubtful.

        `relative_error` is held against 0.2, at some places over the support and around the mean.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> saddlepoint(theoretical_erf(3, 10)).reasons
        ()
        >>> len(saddlepoint(theoretical_erf(None, 5, kernel=[1, 1000, 1])).reasons)
        1
        """
        places = self._looked_at
        errors = self.relative_error(places)
        doubtful = places[errors > _DOUBTFUL]
        if not doubtful.size:
            return ()
        reason = (
            f"doubtful from {doubtful[0]:g} to {doubtful[-1]:g} px: relative errors there may be "
            f"{np.max(errors):.3g} (above {_DOUBTFUL:g}), because few places, or every other one, "
            "have nearly all of a tilted map; take the map itself"
        )
        return (reason,)

    @property
    def _looked_at(self) -> FloatArray:
        """Points of the lattice over the whole support, and around the mean."""
        middle = np.rint(self.lattice.count(np.array(self._mean)))
        around = middle + np.arange(-_LOOKED_AT // 2, _LOOKED_AT // 2)
        steps = np.concatenate([np.rint(np.linspace(0, self._last, _LOOKED_AT)), around])
        inside = np.unique(steps[(steps > 0) & (steps < self._last)])
        return float(self.lattice.first) + self.lattice.span * inside

    def log_tail(self, t: npt.ArrayLike, correction: _Correction = 2) -> FloatArray:
        """Logarithm of the sum of the map from t on, t included.

        Parameters
        ----------
        t : array_like
            Places; between two points of the lattice the later one counts.
        correction : {1, 2}
            Daniels' continuity correction: the first has its saddle point at t, the second half a
            span before it.

        Returns
        -------
        ndarray
            NaN where the formula gives no probability, as the first correction does beside a tap
            that has nearly all of the mass; see `reasons`.
        """
        near = np.ceil(self.lattice.count(places_of(t)))
        return self._beyond(near, 1, correction)

    def log_cdf(self, t: npt.ArrayLike, correction: _Correction = 2) -> FloatArray:
        """Logarithm of the sum of the map up to and with t: `log_tail` of the mirrored map."""
        near = self._last - np.floor(self.lattice.count(places_of(t)))
        return self._beyond(near, -1, correction)

    def _beyond(self, steps: FloatArray, sign: int, correction: _Correction) -> FloatArray:
        """Log-probability of being so many spans or more from an end: the first, or the last."""
        if correction not in {1, 2}:
            raise ErfTheoryError(f"there are continuity corrections 1 and 2, not {correction!r}")
        near, far = self.function.log_ends[::sign]
        found = np.where(steps <= 0, 0.0, -np.inf)
        found[steps == 1] = np.log1p(-np.exp(near))
        found[steps == self._last] = far
        inside = (steps > 1) & (steps < self._last)
        end = float(self.lattice.first if sign > 0 else self.lattice.last)
        places = end + sign * self.lattice.span * (steps[inside] - (correction - 1) / 2)
        found[inside] = self._lugannani_rice(places, sign, correction)
        return found

    def _lugannani_rice(self, t: FloatArray, sign: int, correction: _Correction) -> FloatArray:
        """log(1 − Φ(w) + φ(w)(1/u − 1/w)), of the mirrored map if the sign is −1.

        NaN where that is no probability.
        """
        from scipy.special import erfcx

        lam, at = self.function.saddle(t)
        exponent = np.minimum(_exponent(lam, t - self._mean, at), 0.0)
        theta, w = sign * lam, sign * np.sign(lam) * np.sqrt(-2 * exponent)
        with np.errstate(divide="ignore", invalid="ignore"):
            u = _DISTANCES[correction](theta, self.lattice.span) * np.sqrt(at.variance)
            beside = np.where(
                np.abs(w) < _CLOSE, self._centre(theta, sign, correction), 1 / u - 1 / w
            )
        mills = np.sqrt(pi / 2) * erfcx(np.abs(w) / np.sqrt(2))
        with np.errstate(invalid="ignore"):
            bracket = np.log(mills + np.where(w < 0, -1, 1) * beside)
            side = exponent - np.log(2 * pi) / 2 + bracket
            tail = np.where(w < 0, np.log1p(-np.exp(np.where(w < 0, side, -np.inf))), side)
        return _at_most_one(tail)

    def _centre(self, theta: FloatArray, sign: int, correction: _Correction) -> FloatArray:
        """1/u − 1/w to first order in λ, from the cumulants of the map."""
        variance, third, fourth = self.cumulants
        std = root_of(variance)
        skewness, kurtosis = sign * float(third / variance) / std, float(fourth / variance**2)
        x, h = theta * std, self.lattice.span / std
        smooth = -skewness / 6 + x * (5 * skewness**2 / 24 - kurtosis / 8)
        if correction == 1:
            return smooth + h / 2 + x * (h**2 / 12 - h * skewness / 4)
        return smooth - x * h**2 / 24

    @property
    def _mean(self) -> float:
        return float(self.function.mean)

    @property
    def _last(self) -> float:
        """Number of spans in the support."""
        return float((self.lattice.last - self.lattice.first) / self.lattice.span)

    def __repr__(self) -> str:
        lattice = self.lattice
        title = (
            f"Saddle-point approximation of {self.call}, "
            f"on {lattice.first} to {lattice.last} px in steps of {lattice.span}"
        )
        return "\n  ".join([title, *self.reasons])


def saddlepoint(erf: ERF, axis: int = 0) -> Saddlepoint:
    """Approximate a map and its tails by saddle points, for any stack without signs.

    Parameters
    ----------
    erf : ERF
        An amplitude or an energy that is a sum of independent steps: see `steps_of`.
    axis : int
        The axis; the map is summed over the others.

    Returns
    -------
    Saddlepoint
        Logarithms of density, map and tails.

    Raises
    ------
    ErfTheoryError
        If the map has signs, lies on one point, or is no sum of steps.

    Notes
    -----
    The relative error falls as 1/n for n equal layers, uniformly within a fixed fraction of the
    support ([Daniels54]_); at j pixels from its end it is at most Stirling's, 1/(12j) for equal
    taps. The tails are those of [LugannaniRice]_ with the corrections for lattices of
    [Daniels87]_. Both ends of the support have no saddle point: their probabilities are exact.

    Tilted laws have to spread over all places around. Few layers are far off where one tap has
    nearly all of the mass, as in [1, 1000, 1], or the taps at every other place, as in
    [100, 1, 100]: `Saddlepoint.reasons` says so, and `Saddlepoint.relative_error` estimates it.

    References
    ----------
    .. [Daniels54] H. E. Daniels, "Saddlepoint approximations in statistics", Ann. Math. Statist.
       25, 1954.
    .. [LugannaniRice] R. Lugannani, S. Rice, "Saddle point approximation for the distribution of
       the sum of independent random variables", Adv. Appl. Probab. 12, 1980.
    .. [Daniels87] H. E. Daniels, "Tail probability approximations", Int. Stat. Rev. 55, 1987.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> tails = saddlepoint(theoretical_erf(3, 1000))
    >>> tails.log_tail([0, 500, 1000]).round(6).tolist()
    [-0.677817, -200.818017, -1098.612289]
    """
    lattice = lattice_of(erf, axis)
    line = erf.profile(axis)
    second, third, fourth = (Fraction(line.cumulant(r)) for r in (2, 3, 4))
    return Saddlepoint(
        call=erf.call,
        lattice=lattice,
        function=cumulant_function(steps_of(line), middle_of(line)),
        cumulants=(second, third, fourth),
    )


def _exponent(lam: FloatArray, from_mean: FloatArray, at: Tilted) -> FloatArray:
    """K(λ) − λK'(λ): minus half of w²."""
    return at.value - lam * from_mean


def _at_most_one(logs: FloatArray) -> FloatArray:
    """Logarithms of probabilities; NaN where they are none."""
    return np.where(logs <= 0, logs, np.nan)


def _first_distance(theta: FloatArray, span: int) -> FloatArray:
    return -np.expm1(-theta * span) / span


def _second_distance(theta: FloatArray, span: int) -> FloatArray:
    return 2 * np.sinh(theta * span / 2) / span


_DISTANCES = {1: _first_distance, 2: _second_distance}
"""u over the root of K'', by the continuity correction: both are λ for a span of 0."""
