"""The cumulant generating function of a sum of independent steps, and its saddle points.

It counts from the mean, without the differences in which digits are lost there, and knows how far
tilted laws lie from both ends of the support. `engines.saddle` has the same function for any map
that is run on it, counted from the start of its box, to the digits that contours need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import final

import numpy as np

from erf_theory.engines.summands import Summand
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, log_of

__all__ = ["CumulantFunction", "Tilted", "cumulant_function"]

_CLOSE = 0.5
"""Exponents up to which e^x − 1 − x is a sum of powers."""
_POWERS = 15
_BESIDE = 4.0
"""Standard deviations of a Gaussian's transform beyond which it has next to nothing."""
_TURNS = 2520
"""Least number of frequencies: a multiple of 2 to 10."""
_FINEST = 10
_ROUNDS = 200
_SOLVED = 1e-12
_BLOCK = 2**18
"""Places times taps that are worked on at once."""


@final
@dataclass(frozen=True)
class Tilted:
    """The law tilted by e^{λx}, at many λ. Distances are pixels.

    Attributes
    ----------
    value : ndarray
        K(λ) = log E e^{λ(S − μ)}.
    mean, variance : ndarray
        K'(λ), from μ, and K''(λ).
    below, above : ndarray
        From the first place of the support to the mean, and from there to the last.
    """

    value: FloatArray
    mean: FloatArray
    variance: FloatArray
    below: FloatArray
    above: FloatArray

    def plus(self, other: Tilted, times: int, step: int) -> Tilted:
        """With so many independent steps of another law, each this many times as long."""
        return Tilted(
            self.value + times * other.value,
            self.mean + times * step * other.mean,
            self.variance + times * step**2 * other.variance,
            self.below + times * step * other.below,
            self.above + times * step * other.above,
        )


@final
@dataclass(frozen=True, eq=False)
class _Law:
    """One step: places of the taps from its mean, and their logarithms."""

    places: FloatArray
    logs: FloatArray

    def tilted(self, theta: FloatArray) -> Tilted:
        """The step tilted by e^{θx}."""
        x = np.multiply.outer(theta, self.places)
        exponents = self.logs + x
        top = np.max(exponents, axis=-1, keepdims=True)
        weights = np.exp(exponents - top)
        total = np.sum(weights, axis=-1)
        value, mean = top[..., 0] + np.log(total), weights @ self.places / total
        shares = weights / total[..., None]
        variance = np.sum(shares * (self.places - mean[..., None]) ** 2, axis=-1)
        close = np.max(np.abs(x), axis=-1, initial=0) < _CLOSE
        value[close], mean[close] = self._near(x[close])
        below, above = (shares @ np.abs(self.places - end) for end in self.places[[0, -1]])
        return Tilted(value, mean, variance, below, above)

    def shares(self, theta: FloatArray) -> FloatArray:
        """The step tilted by e^{θx}, shape (m, taps)."""
        exponents = self.logs + np.multiply.outer(theta, self.places)
        weights = np.exp(exponents - np.max(exponents, axis=-1, keepdims=True))
        return np.asarray(weights / np.sum(weights, axis=-1, keepdims=True))

    def cumulants(self, theta: FloatArray) -> FloatArray:
        """Orders 2 to 4 of the step tilted by e^{θx}, shape (3, m)."""
        shares = self.shares(theta)
        from_mean = self.places - (shares @ self.places)[..., None]
        second, third, fourth = (np.sum(shares * from_mean**r, axis=-1) for r in (2, 3, 4))
        return np.array([second, third, fourth - 3 * second**2])

    def _near(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """K and K' near 0, to relative rounding: what has mean 0 is left out of the sums."""
        probability = np.exp(self.logs)
        powers = np.zeros_like(x)
        for r in range(_POWERS, 1, -1):
            powers = powers * x + 1 / factorial(r)
        value = np.log1p(powers * x * x @ probability)
        return value, np.expm1(x) @ (probability * self.places) / np.exp(value)


@final
@dataclass(frozen=True, eq=False)
class CumulantFunction:
    """K(λ) = log E e^{λ(S − μ)} of a sum S of independent steps. λ is per pixel.

    Made by `cumulant_function`.

    Attributes
    ----------
    parts : tuple of tuple
        Law, length and number of equal steps.
    mean, first, last : Fraction
        μ, and the ends of the support.
    log_ends : tuple of float
        Logarithms of the probabilities of both ends.
    """

    parts: tuple[tuple[_Law, int, int], ...]
    mean: Fraction
    first: Fraction
    last: Fraction
    log_ends: tuple[float, float]

    def __call__(self, lam: FloatArray) -> Tilted:
        """K and its derivatives at λ, shape (m,).

        Examples
        --------
        >>> from erf_theory.kernel import Kernel
        >>> K = cumulant_function([Summand(Kernel.uniform(3), (1,), 20)], middle=Fraction(20))
        >>> at = K(np.array([0.0, 1e-9]))
        >>> at.mean, at.variance
        (array([0.00000000e+00, 1.33333333e-08]), array([13.33333333, 13.33333333]))
        """
        found = Tilted(*np.zeros((5, *lam.shape)))
        for law, step, times in self.parts:
            found = found.plus(law.tilted(lam * step), times, step)
        return found

    def missed(self, lam: FloatArray, span: int) -> FloatArray:
        """Estimate of the relative error of the saddle-point density, shape (m,).

        The first term left out, ``|κ₄/(8κ₂²) − 5κ₃²/(24κ₂³)|`` with the cumulants of the law
        tilted by e^{λx}, and what the transform of that law has away from 0.

        Parameters
        ----------
        lam : ndarray, shape (m,)
            Saddle points.
        span : int
            That of the lattice, in pixels.

        Examples
        --------
        >>> from erf_theory.kernel import Kernel
        >>> K = cumulant_function([Summand(Kernel.uniform(2), (1,), 10)], middle=Fraction(5))
        >>> K.missed(np.array([0.0]), 1).round(4)
        array([0.025])
        """
        total = np.zeros((3, *lam.shape))
        orders = np.arange(2, 5)[:, None]
        for law, step, times in self.parts:
            total += times * float(step) ** orders * law.cumulants(lam * step)
        second, third, fourth = total
        with np.errstate(all="ignore"):
            skew, kurtosis = third / second, fourth / second
            first_term = np.abs(kurtosis / (8 * second) - 5 * skew**2 / (24 * second))
        first_term[np.isnan(first_term)] = np.inf
        pairs = zip(lam, np.sqrt(second), strict=True)
        away = [self.away(x, std, span) for x, std in pairs]
        return np.asarray(first_term + np.array(away))

    def away(self, lam: float, std: float, span: int) -> float:
        """What a tilted law's transform has away from 0, relative to a Gaussian's area.

        ``σ/√(2π) ∫ (|φ(ω)| − e^(−σ²ω²/2))⁺ dω`` from 4/σ to π/h and from −π/h to −4/σ: next to
        nothing, but where the law is nearly one on a coarser lattice. Frequencies of lattices up
        to ten times as coarse are on the grid.

        Parameters
        ----------
        lam, std : float
            λ, and the standard deviation σ of the law tilted by e^{λx}, in pixels.
        span : int
            h, that of the lattice, in pixels.
        """
        size = _TURNS * min(int(4 * np.pi * std / span / _TURNS) + 1, _FINEST)
        omega = np.arange(1, size + 1) * (np.pi / span / size)
        omega = omega[omega * std > _BESIDE]
        if not omega.size:
            return 0.0
        logs = np.zeros(omega.shape)
        for law, step, times in self.parts:
            turned = np.exp(1j * np.multiply.outer(law.places * step, omega))
            with np.errstate(divide="ignore"):
                logs += times * np.log(np.abs(law.shares(np.array([lam * step]))[0] @ turned))
        heights = np.maximum(np.exp(logs) - np.exp(-((omega * std) ** 2) / 2), 0.0)
        area = (2 * float(np.sum(heights)) - heights[-1]) * np.pi / span / size
        return float(std / np.sqrt(2 * np.pi) * area)

    def saddle(self, t: FloatArray) -> tuple[FloatArray, Tilted]:
        """The λ with K'(λ) = t − μ, and K there.

        Parameters
        ----------
        t : ndarray, shape (m,)
            Places inside the support, its ends excluded.

        Examples
        --------
        >>> from erf_theory.kernel import Kernel
        >>> K = cumulant_function([Summand(Kernel.uniform(2), (1,), 10)], middle=Fraction(5))
        >>> lam, at = K.saddle(np.array([-4.0, 0.0, 3.0]))
        >>> np.exp(lam).round(12), at.mean.round(12)
        (array([0.11111111, 1.        , 4.        ]), array([-4.,  0.,  3.]))
        """
        size = max(1, _BLOCK // max(len(law.places) for law, _, _ in self.parts))
        blocks = [self._saddle(t[i : i + size]) for i in range(0, max(len(t), 1), size)]
        lam = np.concatenate([block for block, _ in blocks])
        columns = zip(*(vars(at).values() for _, at in blocks), strict=True)
        return lam, Tilted(*(np.concatenate(column) for column in columns))

    def _saddle(self, t: FloatArray) -> tuple[FloatArray, Tilted]:
        """Newton's method for log (K' − first)/(last − K'), with bisection as its guard.

        The function is nearly straight, for steps of two taps quite. Where it is flat, λ changes
        by no more than itself and 1. Near the mean a last step for K' itself makes λ right to
        relative rounding.
        """
        below, above = t - float(self.first), float(self.last) - t
        goal, lam = np.log(below) - np.log(above), np.zeros(t.shape)
        low, high = np.full(t.shape, -np.inf), np.full(t.shape, np.inf)
        for _ in range(_ROUNDS):
            at = self(lam)
            with np.errstate(all="ignore"):
                off = np.log(at.below) - np.log(at.above) - goal
                step = off / (at.variance * (1 / at.below + 1 / at.above))
            step[np.isnan(step)] = off[np.isnan(step)]
            if np.all(np.abs(off) < _SOLVED):
                break
            newton = lam - np.clip(step, -1 - np.abs(lam), 1 + np.abs(lam))
            low, high = np.where(off < 0, lam, low), np.where(off > 0, lam, high)
            stray = np.isfinite(low) & np.isfinite(high) & ~((newton > low) & (newton < high))
            newton[stray] = (low[stray] + high[stray]) / 2
            lam = np.where(np.abs(off) < _SOLVED, lam, newton)
        from_mean = t - float(self.mean)
        middle = 2 * np.abs(from_mean) < np.minimum(below, above)
        lam[middle] += (from_mean - at.mean)[middle] / at.variance[middle]
        return lam, self(lam)


def cumulant_function(steps: Sequence[Summand], middle: Fraction) -> CumulantFunction:
    """K of a sum of steps on one axis, whose places count from ``middle``.

    Raises
    ------
    ErfTheoryError
        If a step has negative taps or mass 0.
    """
    parts, mean, first, last, log_ends = [], -middle, -middle, -middle, np.zeros(2)
    for part in steps:
        (step,), (origin,) = part.step, part.kernel.origin
        taps = {m: Fraction(v) for m, v in enumerate(part.kernel.taps, origin) if v}
        if not taps or min(taps.values()) < 0:
            raise ErfTheoryError(
                f"{part.kernel!r} is no law of a step: give taps that are not negative, and one "
                "above 0"
            )
        mass = sum(taps.values(), Fraction(0))
        average = sum((m * tap for m, tap in taps.items()), Fraction(0)) / mass
        places = [float(m - average) for m in taps]
        law = _Law(np.array(places), np.array([log_of(tap / mass) for tap in taps.values()]))
        parts.append((law, step, part.times))
        mean += part.times * step * average
        first, last = (
            a + part.times * step * b for a, b in ((first, min(taps)), (last, max(taps)))
        )
        log_ends += part.times * law.logs[[0, -1]]
    return CumulantFunction(tuple(parts), mean, first, last, (log_ends[0], log_ends[1]))
