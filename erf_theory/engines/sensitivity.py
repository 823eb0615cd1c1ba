"""The sensitivity engine: mean and variance of a map, and their derivatives by what nodes do.

A field is its mass, mean and variance on one axis, and the derivatives of log mass, mean and
variance by parameters of the nodes on the way. Where fields meet, each one's share p of the mass
mixes them, and dp = p (d log m − Σ p d log m): nothing is subtracted that is large.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from math import exp, log
from typing import NamedTuple, final

import numpy as np

from erf_theory.engines.field import Border, entered, refusal
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Derivatives", "Parameters", "Sensitive", "impulse"]


@final
@dataclass(frozen=True)
class Parameters:
    """What derivatives are taken by, in rows.

    Every node has three rows: ``move``, the logarithm of a factor on all that it moves a field by;
    ``width``, the same for the spread of its taps about their mean alone; ``gain``, the logarithm
    of a factor on its mass. Then every tap of some nodes has one, the logarithm of its weight.

    Attributes
    ----------
    taps : tuple of int
        For every node, how many taps have rows.
    """

    taps: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Number of parameters."""
        return 3 * len(self.taps) + sum(self.taps)

    def move(self, node: int) -> int:
        """The row of a node's move."""
        return node

    def width(self, node: int) -> int:
        """The row of a node's width."""
        return len(self.taps) + node

    def gain(self, node: int) -> int:
        """The row of a node's gain."""
        return 2 * len(self.taps) + node

    def of_taps(self, node: int) -> slice:
        """The rows of a node's taps."""
        first = 3 * len(self.taps) + [0, *accumulate(self.taps)][node]
        return slice(first, first + self.taps[node])


@final
@dataclass(frozen=True)
class Derivatives:
    """Mean and variance of a map on one axis, and their derivatives.

    Attributes
    ----------
    parameters : Parameters
        What the derivatives are taken by.
    mean, variance : float
        Of the map divided by its mass.
    rates : ndarray, shape (3, rows)
        Derivatives of log mass, mean and variance.
    """

    parameters: Parameters
    mean: float
    variance: float
    rates: FloatArray


@final
@dataclass(frozen=True)
class Sensitive:
    """Mass, mean and variance of a field on one axis, and their derivatives.

    Attributes
    ----------
    parameters : Parameters
        What the derivatives are taken by.
    mean, variance : float
        Of the map divided by its mass, in places of the field's lattice.
    rates : ndarray, shape (3, rows)
        Derivatives of log mass, mean and variance.
    log_mass : float
        Natural logarithm of the mass's magnitude.
    sign : int
        The mass's sign; 0 for a field that is 0.
    node : int, optional
        The node whose rule is at work.

    Examples
    --------
    >>> field = entered(impulse(Parameters((3,))), 0).convolve(Kernel([1, 2, 1]), 5)
    >>> field.mean, field.variance
    (5.0, 12.5)
    >>> field.rates[2].tolist()
    [25.0, 25.0, 0.0, 3.125, -6.25, 3.125]
    """

    parameters: Parameters
    mean: float
    variance: float
    rates: FloatArray
    log_mass: float = 0.0
    sign: int = 1
    node: int | None = None

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Sensitive:
        """Add the kernel's mean and variance, and note what they depend on."""
        if kernel.channels or kernel.ndim > 1:
            raise refusal(
                "sensitivity", "convolve several axes or channels", "the convolution engine can"
            )
        law, (d,) = _law_of(kernel), per_axis(step, 1)
        mean, variance = float(times * d) * law.mean, float(times * d * d) * law.variance
        return replace(
            self,
            mean=self.mean + mean,
            variance=self.variance + variance,
            rates=self._moved(law, d, times),
            log_mass=self.log_mass + times * law.log_mass,
        )

    def _moved(self, law: _Law, step: int, times: int) -> FloatArray:
        """The derivatives behind a convolution."""
        if self.node is None or (law.variance == 0 == law.mean and len(law.shares) == 1):
            return self.rates
        rates, rows = self.rates.copy(), self.parameters
        mean, variance = step * times * law.mean, step**2 * times * law.variance
        rates[1:, rows.move(self.node)] += mean, 2 * variance
        rates[2, rows.width(self.node)] += 2 * variance
        taps = rows.of_taps(self.node)
        if taps.stop - taps.start == len(law.shares) > 1:
            off = step * (np.arange(len(law.shares)) + law.origin - law.mean)
            rates[0, taps] += times * law.shares
            rates[1, taps] += times * law.shares * off
            rates[2, taps] += times * law.shares * (off**2 - step**2 * law.variance)
        return rates

    def scale(self, factor: Number | FloatArray) -> Sensitive:
        """Multiply the mass by a number."""
        if isinstance(factor, np.ndarray):
            raise refusal(
                "sensitivity", "scale by channel or by position", "the convolution engine can"
            )
        if factor == 0:
            return replace(self, sign=0)
        sign = self.sign if factor > 0 else -self.sign
        size = factor if factor > 0 else -factor
        return replace(self, log_mass=self.log_mass + _log(size), sign=sign)

    def __add__(self, other: Sensitive) -> Sensitive:
        """Mix: average by mass; the variance is the mean of variances and that of the means."""
        if not self.sign or not other.sign:
            return self if self.sign else other
        parts = (self, other)
        top = max(part.log_mass for part in parts)
        masses = [part.sign * exp(part.log_mass - top) for part in parts]
        if (total := sum(masses)) == 0:
            raise EngineError("a sum of fields has mass 0, so it has no mean and no variance")
        p = np.array(masses) / total
        mean = float(p @ [part.mean for part in parts])
        off = np.array([part.mean - mean for part in parts])
        spread = np.array([part.variance for part in parts]) + off**2
        variance = float(p @ spread)
        log_rates, mean_rates, rates = (p @ [part.rates[i] for part in parts] for i in range(3))
        for share, o, s, part in zip(p, off, spread, parts, strict=True):
            mean_rates += share * o * part.rates[0]
            rates += share * ((s - variance) * part.rates[0] + 2 * o * part.rates[1])
        return replace(
            self,
            mean=mean,
            variance=variance,
            rates=np.array([log_rates, mean_rates, rates]),
            log_mass=top + log(abs(total)),
            sign=1 if total > 0 else -1,
        )

    def expand(self, s: Steps) -> Sensitive:
        """Move what is at x to s·x."""
        (d,) = map(float, per_axis(s, 1))
        powers = np.array([[1.0], [d], [d * d]])
        return replace(
            self, mean=d * self.mean, variance=d * d * self.variance, rates=powers * self.rates
        )

    def derivatives(self) -> Derivatives:
        """Variance of the map, and the derivatives of log mass, mean and variance."""
        if self.sign == 0:
            raise EngineError("the map is 0 everywhere, so it has no mean and no variance")
        return Derivatives(self.parameters, self.mean, self.variance, self.rates)

    def decimate(self, s: Steps) -> Sensitive:
        """Refused: which places are kept is not in the moments."""
        raise refusal("sensitivity", f"keep every {s}th place", "the convolution engine can")

    def fold(self, size: Steps, border: Border) -> Sensitive:
        """Refused: what lies outside an image is not in the moments."""
        raise refusal(
            "sensitivity", f"fold at the {border} border of {size}", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Sensitive:
        """Refused: no channels here."""
        raise refusal("sensitivity", f"take channels {a} to {b}", "the convolution engine can")


def impulse(parameters: Parameters) -> Sensitive:
    """The unit impulse at 0, which depends on nothing yet.

    Examples
    --------
    >>> impulse(Parameters((3, 0))).rates.shape
    (3, 9)
    """
    return Sensitive(parameters, 0.0, 0.0, np.zeros((3, parameters.rows)))


@entered.register
def _(field: Sensitive, place: int) -> Sensitive:
    rates = field.rates.copy()
    rates[0, field.parameters.gain(place)] += 1
    return replace(field, node=place, rates=rates)


class _Law(NamedTuple):
    """A kernel as a law on places: shares of its taps from ``origin`` on, mean and variance."""

    shares: FloatArray
    origin: int
    mean: float
    variance: float
    log_mass: float


def _law_of(kernel: Kernel) -> _Law:
    return _law(tuple(kernel.taps.tolist()), kernel.origin[0])


@lru_cache(maxsize=4096)
def _law(weights: tuple[Number, ...], origin: int) -> _Law:
    """The law of taps: kernels that differ in zeros at their ends are equal, and have others."""
    taps = [Fraction(tap) for tap in weights]
    if (mass := sum(taps)) <= 0:
        raise EngineError("a kernel of an energy has a mass above 0")
    shares = [tap / mass for tap in taps]
    mean = sum(share * place for place, share in enumerate(shares))
    variance = sum(share * (place - mean) ** 2 for place, share in enumerate(shares))
    return _Law(
        shares=np.array(shares, dtype=np.float64),
        origin=origin,
        mean=float(origin + mean),
        variance=float(variance),
        log_mass=_log(mass),
    )


def _log(number: Number) -> float:
    """Natural logarithm of a number above 0, of any size."""
    if isinstance(number, float):
        return log(number)
    return log(number.numerator) - log(number.denominator)
