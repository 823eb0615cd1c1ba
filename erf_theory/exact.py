"""Numbers: integers and fractions stay exact, everything else is a finite double."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import frexp, fsum, isfinite, isqrt, log
from numbers import Rational, Real
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError

__all__ = [
    "BoolArray",
    "FloatArray",
    "Number",
    "NumberArray",
    "are_finite",
    "doubles",
    "exact_sum",
    "exponent_of",
    "log_of",
    "number",
    "number_array",
    "root_of",
    "simplest",
    "text_of",
    "to_double",
    "whole",
]

Number = int | Fraction | float
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
NumberArray = npt.NDArray[Any]
_FAR = 1000
"""Doubles hold numbers from 2**-1000 to 2**1000 with all their digits."""


def number(value: object) -> Number:
    """An int, a Fraction or a finite float, from any real number."""
    if type(value) is int:
        return value
    if isinstance(value, Rational):
        exact = Fraction(int(value.numerator), int(value.denominator))
        return exact.numerator if exact.denominator == 1 else exact
    if isinstance(value, Real) and isfinite(number := float(value)):
        return number
    raise ErfTheoryError(f"taps are finite real numbers, not {value!r}")


def whole(name: str, value: object, least: int | None = None) -> int:
    """An int, from anything that counts as one; ``least`` or more.

    Examples
    --------
    >>> whole("n", np.int8(3), 0)
    3
    """
    try:
        count = index(value)  # type: ignore[arg-type]
    except TypeError:
        raise ErfTheoryError(f"{name} is a whole number, not {value!r}") from None
    if least is not None and count < least:
        raise ErfTheoryError(f"{name} is {least} or more, not {text_of(count)}")
    return count


def number_array(taps: npt.ArrayLike) -> NumberArray:
    """A fresh array of exact numbers (dtype object) or finite doubles."""
    try:
        array = np.asarray(taps)
    except ValueError:
        raise ErfTheoryError(
            "taps do not form an array: give rows of one length, all of them numbers"
        ) from None
    if array.size == 0 or array.ndim == 0:
        raise ErfTheoryError(
            f"a kernel needs an array of at least one tap, not shape {array.shape}"
        )
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
        if not are_finite(array):
            raise ErfTheoryError("taps must be finite: the kernel holds a NaN or an infinity")
        return array
    return simplest(array)


def are_finite(array: FloatArray) -> bool:
    """Whether all doubles are finite: they are if their sum is, which is found sooner.

    Examples
    --------
    >>> are_finite(np.array([1e308, 1e308])), are_finite(np.array([1.0, np.nan]))
    (True, False)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum()
    return bool(np.isfinite(total) or np.isfinite(array).all())


def simplest(array: NumberArray) -> NumberArray:
    """The numbers of an array, exact if all of them are."""
    numbers = [number(v) for v in array.ravel().tolist()]
    result = np.empty(len(numbers), dtype=object)
    result[:] = numbers
    mixed = any(isinstance(v, float) for v in numbers)
    return (doubles(result) if mixed else result).reshape(array.shape)


def doubles(array: NumberArray) -> FloatArray:
    """The numbers of an array as doubles."""
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise ErfTheoryError(
            "taps that mix floats with integers above the largest double: give all as integers "
            "or fractions"
        ) from None


def exact_sum(numbers: Iterable[Number], *, exact: bool) -> Number:
    """Sum that loses nothing: exact, or finite doubles correctly rounded."""
    if exact:
        return sum(numbers)
    terms = list(numbers)
    try:
        return fsum(terms)
    except OverflowError:
        return to_double(sum(Fraction(term) for term in terms), "a sum of taps")


def to_double(
    value: Number,
    what: str,
    do: str = "give the taps as integers or fractions, which stay exact",
) -> float:
    """The nearest double; ``what`` it is and what to ``do`` instead are for the error.

    Raises
    ------
    ErfTheoryError
        If the number is above the largest double.
    """
    try:
        return float(value)
    except OverflowError:
        raise ErfTheoryError(f"{what} is above the largest double: {do}") from None


def log_of(number: Number) -> float:
    """Natural logarithm of a number above 0, also of one that no double holds.

    Examples
    --------
    >>> log_of(Fraction(1, 10**400)) == -log_of(10**400)
    True
    """
    if isinstance(number, Fraction) and abs(exponent_of(number)) > _FAR:
        return log(number.numerator) - log(number.denominator)
    return log(number)


def root_of(number: Number) -> float:
    """Square root of a number of 0 or more, also of one that no double holds.

    Raises
    ------
    OverflowError
        If the root is above the largest double.

    Examples
    --------
    >>> root_of(10**400), root_of(Fraction(1, 4))
    (1e+200, 0.5)
    """
    ratio = Fraction(number)
    shift = 120 - exponent_of(ratio) // 2
    return float(Fraction(isqrt(int(ratio * Fraction(4) ** shift))) / Fraction(2) ** shift)


def text_of(number: object) -> str:
    """A number as one would write it; of one with thousands of digits, its length."""
    try:
        return str(number)
    except ValueError:
        return "a number of thousands of digits"


def exponent_of(number: Number) -> int:
    """E with abs(number) in about [1/2, 1) · 2ᴱ; 0 for 0."""
    if number == 0:
        return 0
    if isinstance(number, float):
        return frexp(number)[1]
    ratio = Fraction(number)
    return ratio.numerator.bit_length() - ratio.denominator.bit_length() + 1
