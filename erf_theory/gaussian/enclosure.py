"""An interval that certainly holds a number."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter
from typing import Any, final

from erf_theory.exact import Number

__all__ = ["Enclosure", "enclosed"]

_BEYOND = 1200
"""Powers of 2 beyond it, and below its negative, are no doubles."""


@final
@dataclass(frozen=True)
class Enclosure:
    """An interval that certainly holds a number: bounds rounded outwards.

    Attributes
    ----------
    low, high : float
        The number is between them.
    text : str
        The ball of Arb that they come from: its certain digits, and how far the number can be.

    Examples
    --------
    >>> third = Enclosure(0.3333333333333333, 0.33333333333333337, "[0.333 +/- 3.4e-4]")
    >>> Fraction(1, 3) in third, 0.33 in third, third.rad < 1e-16
    (True, False, True)
    """

    low: float
    high: float
    text: str

    @property
    def mid(self) -> float:
        """The middle."""
        return self.low + (self.high - self.low) / 2

    @property
    def rad(self) -> float:
        """Half the width."""
        return nextafter((self.high - self.low) / 2, inf) if self.high > self.low else 0.0

    def __contains__(self, value: Number) -> bool:
        return Fraction(self.low) <= value <= Fraction(self.high)

    def __float__(self) -> float:
        return self.mid

    def __str__(self) -> str:
        return self.text


def enclosed(ball: Any) -> Enclosure:
    """The bounds of a ball of Arb, rounded outwards.

    Examples
    --------
    >>> from flint import arb
    >>> found = enclosed(arb(2).sqrt())
    >>> found.low < found.high, found.high - found.low < 5e-16, found.low**2 <= 2 <= found.high**2
    (True, True, True)
    """
    bounds = [_exact(bound) for bound in (ball.lower(), ball.upper())]
    low, high = (_double(bound) for bound in bounds)
    low = low if low <= bounds[0] else nextafter(low, -inf)
    high = high if high >= bounds[1] else nextafter(high, inf)
    return Enclosure(low, high, ball.str(30))


def _double(bound: Fraction) -> float:
    """The nearest double; infinite beyond the largest."""
    try:
        return float(bound)
    except OverflowError:
        return inf if bound > 0 else -inf


def _exact(bound: Any) -> Fraction:
    """The number that a ball without radius is; one like it if it is beyond all doubles."""
    mantissa, exponent = map(int, bound.man_exp())
    size = mantissa.bit_length()
    least, most = -_BEYOND - size, _BEYOND - size
    return mantissa * Fraction(2) ** min(max(exponent, least), most)
