"""The cumulants engine: the size and shape of a map without the map.

A field is its mass and its joint cumulants κ_a up to a total order, where κ_a/Π aᵢ! are the
Taylor coefficients of log G(e^s), G the generating function of the normalised map. Under a
convolution cumulants add, so nothing is squared and nothing cancels, for any number of layers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from fractions import Fraction
from itertools import product
from math import comb, inf, isfinite, isinf, nan, prod
from typing import Any, final

import numpy as np

from erf_theory.engines.field import Border, refusal
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray, Number, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Cumulants", "Mass", "Series", "impulse", "product_of"]

_Index = tuple[int, ...]
"""One order per axis."""

Series = Mapping[_Index, Any]
"""Joint moments or joint cumulants by their orders."""

Mass = int | Fraction | Decimal
"""A sum over all places: exact, or to 60 digits."""

_WIDE = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)
_MOST_BITS = 2**22
"""Bits of the longest exact mass that is multiplied out: a million digits, a moment's work."""
_MOST_DIGITS = 10**17
"""A mass that is a Decimal has an exponent of no more digits than this."""


@final
@dataclass(frozen=True)
class Cumulants:
    """Mass and joint cumulants of a field.

    Attributes
    ----------
    parts : tuple of pairs
        The mass in parts, not multiplied out: numbers, and how often each is a factor.
    series : mapping of tuple of int to number
        Joint cumulants of the map divided by its mass, for every order from 1 to ``order``:
        ``series[1, 0]`` is the mean on axis 0, ``series[1, 1]`` the covariance. In powers of
        lattice steps. Exact while all taps are.
    order : int
        Largest total order; 0 for the mass alone, which may then be 0 in all its parts.
    ndim : int
        Number of axes.

    Examples
    --------
    >>> field = impulse(1, order=4).convolve(Kernel.uniform(3), times=20)
    >>> field.mean, field.cumulant(2), field.cumulant(4)
    ((Fraction(20, 1),), Fraction(40, 3), Fraction(-40, 3))
    """

    parts: tuple[tuple[Mass, int], ...]
    series: Series
    order: int
    ndim: int

    @property
    def mass(self) -> Mass:
        """Sum over all places, also negative: int, Fraction or Decimal.

        Exact while all taps and factors are; else 60 digits.

        Raises
        ------
        EngineError
            If it has more than about a million digits.
        """
        if self._is_zero:
            return 0
        exact = all(not isinstance(base, Decimal) for base, _ in self.parts)
        length = sum(times * _length(base) for base, times in self.parts)
        if length > (_MOST_BITS if exact else _MOST_DIGITS):
            raise EngineError("the mass has more than a million digits: ask for log_mass")
        total: Mass = 1
        for base, times in self.parts:
            power = base**times if exact else _WIDE.power(_decimal(base), times)
            total = product_of(total, power)
        return total

    @property
    def log_mass(self) -> float:
        """Natural logarithm of the mass's magnitude; -inf for a field that is 0.

        Raises
        ------
        EngineError
            If it is above the largest double itself.
        """
        if self._is_zero:
            return -inf
        total = Decimal(0)
        for base, times in self.parts:
            total = _WIDE.fma(_WIDE.ln(_decimal(base).copy_abs()), times, total)
        if isinf(log := float(total)):
            raise EngineError(f"no double holds a log_mass of {total:.3e}: choose a smaller n")
        return log

    @property
    def _is_zero(self) -> bool:
        return any(base == 0 for base, _ in self.parts)

    @property
    def mean(self) -> tuple[Number, ...]:
        """First moment per axis of the normalised map."""
        return tuple(self.cumulant(1, axis) for axis in range(self.ndim))

    @property
    def covariance(self) -> tuple[tuple[Number, ...], ...]:
        """Covariance matrix of the normalised map."""
        axes, unit = range(self.ndim), np.eye(self.ndim, dtype=int)
        return tuple(tuple(self._joint(unit[i] + unit[j]) for j in axes) for i in axes)

    def cumulant(self, r: int, axis: int = 0) -> Number:
        """Cumulant of order ``r`` along one axis, in lattice steps to the power r.

        Raises
        ------
        EngineError
            If the field carries no order ``r``, or has no mass.
        """
        return self._joint(r * np.eye(self.ndim, dtype=int)[axis])

    def _joint(self, orders: Sequence[int]) -> Number:
        at = tuple(int(a) for a in orders)
        if not 1 <= sum(at) <= self.order:
            raise EngineError(
                f"the field carries cumulants of orders 1 to {self.order}, not {sum(at)}: start "
                "from impulse(ndim, order=...) with a larger order"
            )
        if self._is_zero:
            raise _no_mass("the field")
        value: Number = self.series[at]
        if isinstance(value, float) and not isfinite(value):
            raise EngineError(
                f"no double holds the cumulant of orders {at}: give the taps as integers or "
                "fractions, which stay exact"
            )
        return value

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Cumulants:
        """Add ``times`` times the kernel's cumulants, each times Π stepᵢ^aᵢ."""
        if kernel.channels:
            raise refusal("cumulants", "convolve channels", "the convolution engine can")
        if kernel.ndim != self.ndim:
            raise ErfTheoryError(f"a {kernel.ndim}-D kernel does not fit a {self.ndim}-D field")
        if times == 0:
            return self
        mass, added = _of_kernel(kernel, self.order)
        stretched = _stretched(added, per_axis(step, self.ndim))
        series = {a: _sum(value, times, stretched[a]) for a, value in self.series.items()}
        base = mass if kernel.is_exact else _decimal(mass)
        return replace(self, parts=(*self.parts, (base, times)), series=series)

    def scale(self, factor: Number | FloatArray) -> Cumulants:
        """Multiply the mass by a number."""
        if isinstance(factor, np.ndarray):
            raise refusal(
                "cumulants", "scale by channel or by position", "the convolution engine can"
            )
        scalar = number(factor)
        exact = _decimal(Fraction(scalar)) if isinstance(scalar, float) else scalar
        return replace(self, parts=(*self.parts, (exact, 1)))

    def __add__(self, other: Cumulants) -> Cumulants:
        """Mix: average the moments about the common mean by mass, and take the logarithm back."""
        if self._is_zero or other._is_zero:
            return self if other._is_zero else other
        if (order := min(self.order, other.order)) == 0:
            return replace(self, parts=((_total(self.mass, other.mass), 1),), series={}, order=0)
        total, weights = _shares(self.mass, other.mass)
        axes = np.eye(self.ndim, dtype=int).tolist()
        parts = list(zip(weights, (self.series, other.series), strict=True))
        mean = {tuple(e): sum(w * series[tuple(e)] for w, series in parts) for e in axes}
        central = [
            (w, _moment_series({a: v - mean.get(a, 0) for a, v in series.items()}, order))
            for w, series in parts
        ]
        moments = {a: sum(w * about[a] for w, about in central) for a in central[0][1]}
        series = {**_cumulant_series(moments, order), **mean}
        return Cumulants(((total, 1),), series, order, self.ndim)

    def expand(self, s: Steps) -> Cumulants:
        """Move what is at x to s·x: κ_a times Π sᵢ^aᵢ."""
        return replace(self, series=_stretched(self.series, per_axis(s, self.ndim)))

    def decimate(self, s: Steps) -> Cumulants:
        """Refused: which places are kept is not in the moments."""
        raise refusal("cumulants", f"keep every {s}th place", "the convolution engine can")

    def fold(self, size: Steps, border: Border) -> Cumulants:
        """Refused: what lies outside an image is not in the moments."""
        raise refusal(
            "cumulants", f"fold at the {border} border of {size}", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Cumulants:
        """Refused: no channels here."""
        raise refusal("cumulants", f"take channels {a} to {b}", "the convolution engine can")


def impulse(ndim: int, order: int = 2) -> Cumulants:
    """The unit impulse at 0, to carry its mass and cumulants up to a total order.

    Examples
    --------
    >>> impulse(1).series
    {(1,): 0, (2,): 0}
    """
    if order < 0:
        raise ErfTheoryError(f"an order is 0 (the mass alone) or more, not {order}")
    return Cumulants((), dict.fromkeys(_indices(ndim, order), 0), order, ndim)


def _moment_series(cumulants: Series, order: int) -> dict[_Index, Any]:
    """Joint moments, total orders 0 to ``order``, from joint cumulants: the exponential.

    ``m_a = Σ_b C(a−e, b−e) κ_b m_{a−b}`` over 0 < b ≤ a with bᵢ ≥ 1, where i is the first axis
    with aᵢ ≥ 1, e its unit vector and C the product of binomial coefficients (the derivative
    of exp K along axis i).

    Examples
    --------
    >>> _moment_series({(1,): 2, (2,): 3}, 2)
    {(0,): 1, (1,): 2, (2,): 7}
    """
    ndim = len(next(iter(cumulants)))
    moments: dict[_Index, Any] = {(0,) * ndim: 1}
    for a in _indices(ndim, order):
        moments[a] = cumulants[a] + _lower_terms(a, cumulants, moments)
    return moments


def _cumulant_series(moments: Series, order: int) -> dict[_Index, Any]:
    """Joint cumulants, total orders 1 to ``order``, from joint moments: the logarithm.

    Examples
    --------
    >>> _cumulant_series({(0,): 1, (1,): 2, (2,): 7}, 2)
    {(1,): 2, (2,): 3}
    """
    ndim = len(next(iter(moments)))
    cumulants: dict[_Index, Any] = {}
    for a in _indices(ndim, order):
        cumulants[a] = moments[a] - _lower_terms(a, cumulants, moments)
    return cumulants


def _lower_terms(a: _Index, cumulants: Series, moments: Series) -> Any:
    """Σ C(a−e, b−e) κ_b m_{a−b} over 0 < b < a with bᵢ ≥ 1."""
    axis = next(i for i, order in enumerate(a) if order)
    total: Any = 0
    for b in product(*(range(int(i == axis), order + 1) for i, order in enumerate(a))):
        if b != a:
            orders = enumerate(zip(a, b, strict=True))
            ways = prod(comb(m - (i == axis), k - (i == axis)) for i, (m, k) in orders)
            rest = tuple(m - k for m, k in zip(a, b, strict=True))
            total += ways * cumulants[b] * moments[rest]
    return total


def _indices(ndim: int, order: int) -> list[_Index]:
    """Every tuple of orders with a total from 1 to ``order``, by total."""
    orders = product(range(order + 1), repeat=ndim)
    return sorted((a for a in orders if 1 <= sum(a) <= order), key=lambda a: (sum(a), a))


def _of_kernel(kernel: Kernel, order: int) -> tuple[int | Fraction, Series]:
    """Mass and joint cumulants; those of float taps are computed exactly, then rounded."""
    exact = kernel
    if not kernel.is_exact:
        taps = np.array([Fraction(tap) for tap in kernel.taps.flat], dtype=object)
        exact = Kernel(taps.reshape(kernel.shape), kernel.origin)
    mass = Fraction(exact.mass)
    if order and mass == 0:
        raise _no_mass("a kernel")
    indices = _indices(kernel.ndim, order)
    moments = {a: exact.moment(a) / mass for a in indices} | {(0,) * kernel.ndim: 1}
    series = _cumulant_series(moments, order)
    if not kernel.is_exact:
        series = {a: _rounded(value) for a, value in series.items()}
    return (mass.numerator if mass.denominator == 1 else mass), series


def _rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise EngineError(
            "a cumulant of the kernel is above the largest double: its taps nearly add up to 0; "
            "give them as fractions, which stay exact"
        ) from error


def _stretched(series: Series, steps: Sequence[int]) -> Series:
    """The cumulants of a law whose axes are stretched."""
    return {
        a: _sum(0, prod(s**r for s, r in zip(steps, a, strict=True)), value)
        for a, value in series.items()
    }


def _sum(value: Number, times: int, added: Number) -> Number:
    """``value + times * added``; NaN for what is beyond doubles."""
    try:
        return value + times * added if added else value
    except OverflowError:
        return nan


def _length(base: Mass) -> int:
    """How much longer a power grows with every factor: in bits, of a Decimal in digits."""
    if isinstance(base, Decimal):
        return abs(base.adjusted()) + 1
    return max(abs(base.numerator), base.denominator).bit_length() - 1


def product_of(left: Mass, right: Mass) -> Mass:
    """Product of two masses; to 60 digits if one of them is a Decimal."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _WIDE.multiply(_decimal(left), _decimal(right))
    return left * right


def _shares(left: Mass, right: Mass) -> tuple[Mass, tuple[Number, Number]]:
    """Sum of two masses, and the share of each in it."""
    if (total := _total(left, right)) == 0:
        raise _no_mass("the sum of two fields")
    if isinstance(left, Decimal) or isinstance(right, Decimal) or isinstance(total, Decimal):
        one, two = (float(_WIDE.divide(_decimal(mass), _decimal(total))) for mass in (left, right))
        return total, (one, two)
    return total, (Fraction(left, total), Fraction(right, total))


def _total(left: Mass, right: Mass) -> Mass:
    """Sum of two masses."""
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _WIDE.add(_decimal(left), _decimal(right))
    return left + right


def _decimal(value: Mass) -> Decimal:
    """The number to 60 digits; of integers only the first 256 bits are read."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, Fraction):
        return _WIDE.divide(_decimal(value.numerator), _decimal(value.denominator))
    shift = max(abs(value).bit_length() - 256, 0)
    return _WIDE.multiply(_WIDE.create_decimal(value >> shift), _WIDE.power(Decimal(2), shift))


def _no_mass(what: str) -> EngineError:
    return EngineError(
        f"{what} has mass 0, so there is no normalised map and no mean or cumulant: ask the "
        "convolution or the multinomial engine for the map itself"
    )
