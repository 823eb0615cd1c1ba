"""What a network is to reach: a width of its effective receptive field."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import gamma, inf, pi
from typing import Any, Literal, final

import numpy as np

from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number
from erf_theory.measures import LUO_LEVEL

__all__ = ["Measure", "Target"]

Measure = Literal["std", "size", "radius"]
_ROUNDING = 1e-12


@final
@dataclass(frozen=True)
class Target:
    """A width of the energy that is to be reached, in input pixels.

    Attributes
    ----------
    measure : {"std", "size", "radius"}
        Standard deviation per axis; size of [Luo16], the root of the pixels above 4.55 % of the
        maximum; half side of the smallest centred square that holds ``mass``.
    value : Fraction
        The width; a float counts as the decimal number that it is written as.
    mass : float
        The share that the square holds.

    Examples
    --------
    >>> from erf_theory.theory import variance_erf
    >>> target = Target.of(std=2)
    >>> [target.is_reached(variance_erf(3, n)) for n in (5, 6)]
    [False, True]
    """

    measure: Measure
    value: Fraction
    mass: float = LUO_LEVEL

    @classmethod
    def of(
        cls,
        *,
        std: Number | None = None,
        size: Number | None = None,
        radius: Number | None = None,
        mass: float = LUO_LEVEL,
    ) -> Target:
        """The target that one of three widths is.

        Raises
        ------
        ErfTheoryError
            If not exactly one width is given, or it is not above 0.
        """
        widths: dict[Measure, Number | None] = {"std": std, "size": size, "radius": radius}
        given = {name: width for name, width in widths.items() if width is not None}
        if len(given) != 1:
            named = " and ".join(given) or "none"
            raise ErfTheoryError(f"give one of std, size and radius to be reached, not {named}")
        ((measure, width),) = given.items()
        value = _exact(measure, width)
        if not 0 < mass < 1:
            raise ErfTheoryError(f"a share of the energy lies between 0 and 1, not {mass}")
        return cls(measure, value, mass)

    def width(self, erf: ERF) -> float:
        """What a map has of this measure."""
        if self.measure == "radius":
            return erf.radius(self.mass)
        return erf.std if self.measure == "std" else erf.size()

    def is_reached(self, erf: ERF) -> bool:
        """Whether a map is as wide: variances and numbers of pixels are compared exactly."""
        if self.measure == "std":
            total = sum(Fraction(erf.cumulant(2, axis)) for axis in range(erf.ndim))
            return total >= erf.ndim * self.value**2
        if self.measure == "size":
            return round(erf.size() ** erf.ndim) >= self.value**erf.ndim
        return Fraction(erf.radius(self.mass)) >= self.value

    def least_variance(self, ndim: int) -> float:
        """No map with a smaller variance per axis, the mean over the axes, reaches the target.

        A map whose N pixels lie above a share τ of its maximum has the least variance if these
        are a ball, on which it is τ, and on a smaller ball in its middle 1. A map whose square of
        half side below r lacks a share 1 - m has a variance of r²(1 - m)/ndim or more.
        """
        square = float(self.value) ** 2
        if self.measure == "size":
            return max(square / _most_size(ndim) ** 2 - 1 / 12, 0.0) * (1 - _ROUNDING)
        share = (1 - self.mass) / ndim if self.measure == "radius" else 1.0
        return square * share * (1 - _ROUNDING)

    @property
    def gaussian_std(self) -> float:
        """Standard deviation of a Gaussian that reaches it in the plane, about."""
        return float(self.value) / {"std": 1.0, "size": 4.4, "radius": 2.0}[self.measure]

    @property
    def text(self) -> str:
        """It as arguments of a call."""
        value = int(self.value) if self.value.denominator == 1 else float(self.value)
        share = f", mass={self.mass}" if self.measure == "radius" and self.mass != LUO_LEVEL else ""
        return f"{self.measure}={value}{share}"

    def to_dict(self) -> dict[str, Any]:
        """The measure and its value, as JSON knows them."""
        share = {"mass": self.mass} if self.measure == "radius" else {}
        return {"measure": self.measure, "value": float(self.value), **share}

    def __str__(self) -> str:
        width = float(self.value)
        if self.measure == "radius":
            return f"a radius of {width:g} px that holds {100 * self.mass:g} %"
        return f"a {self.measure} of {width:g} px"


@lru_cache
def _most_size(ndim: int) -> float:
    """The largest size of a density with variance 1 per axis, in ``ndim`` dimensions."""
    tau, power = 1 - LUO_LEVEL, (ndim + 2) / ndim
    inner = np.linspace(1e-4, 1, 100_001)
    moments = (tau + (1 - tau) * inner**power) / (tau + (1 - tau) * inner)
    ball = pi ** (ndim / 2) / gamma(ndim / 2 + 1)
    return float(ball ** (1 / ndim) * np.sqrt((ndim + 2) / moments.min()))


def _exact(measure: str, width: Number) -> Fraction:
    """A width above 0 as a fraction."""
    try:
        value = number(width)
    except ErfTheoryError:
        value = -inf
    if not value > 0:
        raise ErfTheoryError(f"a {measure} to be reached is a number above 0, not {width!r}")
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)
