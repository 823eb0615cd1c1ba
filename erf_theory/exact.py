"""Numbers and steps: integers and fractions stay exact, everything else is a finite double."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import frexp, fsum, isfinite
from numbers import Rational, Real
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError

__all__ = [
    "BoolArray",
    "FloatArray",
    "Number",
    "NumberArray",
    "doubles",
    "exact_sum",
    "exponent_of",
    "number",
    "number_array",
    "simplest",
]

Number = int | Fraction | float
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
NumberArray = npt.NDArray[Any]


def number(value: object) -> Number:
    """An int, a Fraction or a finite float, from any real number."""
    if isinstance(value, Rational):
        exact = Fraction(int(value.numerator), int(value.denominator))
        return exact.numerator if exact.denominator == 1 else exact
    if isinstance(value, Real) and isfinite(number := float(value)):
        return number
    raise ErfTheoryError(f"taps are finite real numbers, not {value!r}")


def number_array(taps: npt.ArrayLike) -> NumberArray:
    """A fresh array of exact numbers (dtype object) or finite doubles."""
    try:
        array = np.asarray(taps)
    except ValueError as error:
        raise ErfTheoryError(f"taps do not form an array: {error}") from error
    if array.size == 0 or array.ndim == 0:
        raise ErfTheoryError(
            f"a kernel needs an array of at least one tap, not shape {array.shape}"
        )
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
        if not np.all(np.isfinite(array)):
            raise ErfTheoryError("taps must be finite: the kernel holds a NaN or an infinity")
        return array
    return simplest(array)


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
    """Sum that loses nothing: exact, or doubles correctly rounded."""
    return sum(numbers) if exact else fsum(numbers)


def exponent_of(number: Number) -> int:
    """E with abs(number) in about [1/2, 1) · 2ᴱ; 0 for 0."""
    if number == 0:
        return 0
    if isinstance(number, float):
        return frexp(number)[1]
    ratio = Fraction(number)
    return ratio.numerator.bit_length() - ratio.denominator.bit_length() + 1
