"""The saddle-point approximation: right relative to the map itself, out to its last pixel."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import pi
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, root_of
from erf_theory.gaussian.cgf import CumulantFunction, Tilted, cumulant_function
from erf_theory.gaussian.lattices import Lattice, lattice_of, middle_of
from erf_theory.gaussian.steps import steps_of

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Saddlepoint", "saddlepoint"]

_Correction = Literal[1, 2]
_CLOSE = 1e-4
"""Standard deviations from the mean up to which 1/u − 1/w comes from its series."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Saddlepoint:
    """Saddle-point density and tails of a map on one axis. Result of `saddlepoint`.

    Places are input pixels from the unit's centre. Everything is in natural logarithms.

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
        places = np.asarray(t, dtype=np.float64)
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
        """Logarithm of the map at any places: span times density; −inf beside the lattice."""
        places = np.asarray(t, dtype=np.float64)
        found = np.log(self.lattice.span) + self.log_density(places)
        return np.where(self.lattice.holds(places), found, -np.inf)

    def log_tail(self, t: npt.ArrayLike, correction: _Correction = 2) -> FloatArray:
        """Logarithm of the sum of the map from t on, t included.

        Parameters
        ----------
        t : array_like
            Places; between two points of the lattice the later one counts.
        correction : {1, 2}
            Daniels' continuity correction: the first has its saddle point at t, the second half a
            span before it.
        """
        near = np.ceil(self.lattice.count(np.asarray(t, dtype=np.float64)))
        return self._beyond(near, 1, correction)

    def log_cdf(self, t: npt.ArrayLike, correction: _Correction = 2) -> FloatArray:
        """Logarithm of the sum of the map up to and with t: `log_tail` of the mirrored map."""
        near = self._last - np.floor(self.lattice.count(np.asarray(t, dtype=np.float64)))
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

        NaN where that is no probability: where one tap has nearly all of the mass.
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
        return np.where(tail <= 0, tail, np.nan)

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
        return (
            f"Saddle-point approximation of {self.call}, "
            f"on {lattice.first} to {lattice.last} px in steps of {lattice.span}"
        )


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


def _first_distance(theta: FloatArray, span: int) -> FloatArray:
    return -np.expm1(-theta * span) / span


def _second_distance(theta: FloatArray, span: int) -> FloatArray:
    return 2 * np.sinh(theta * span / 2) / span


_DISTANCES = {1: _first_distance, 2: _second_distance}
"""u over the root of K'', by the continuity correction: both are λ for a span of 0."""
