"""The weights of an upsampling, as its input sees them."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from erf_theory.exact import Number

__all__ = ["interpolation"]


@cache
def interpolation(scale: int, mode: str) -> tuple[tuple[Number, ...], int]:
    """Shares that input x has in the outputs from s·x + m on, and the last of these m.

    Examples
    --------
    >>> interpolation(2, "nearest"), [str(share) for share in interpolation(2, "linear")[0]]
    (((1, 1), 1), ['1/4', '3/4', '3/4', '1/4'])
    """
    if mode == "nearest":
        return (1,) * scale, scale - 1
    last = (3 * scale - 2) // 2
    places = range(scale - 1 - last, last + 1)
    return tuple(1 - Fraction(abs(2 * m + 1 - scale), 2 * scale) for m in places), last
