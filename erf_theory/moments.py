"""From the moments of a law to its cumulants."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from erf_theory.exact import Number

__all__ = ["cumulants"]


def cumulants(moments: Sequence[Number]) -> list[Number]:
    """Cumulants 0..r of a law from its raw moments 0..r (the first is 1).

    κ_r = m_r − Σ_{0<j<r} C(r−1, j−1) κ_j m_{r−j}; entry 0 is log 1 = 0.

    Examples
    --------
    >>> from fractions import Fraction
    >>> cumulants([1, Fraction(1, 2), Fraction(1, 2), Fraction(1, 2)])[2:]
    [Fraction(1, 4), Fraction(0, 1)]
    """
    kappa: list[Number] = [0]
    for r in range(1, len(moments)):
        lower = (comb(r - 1, j - 1) * kappa[j] * moments[r - j] for j in range(1, r))
        kappa.append(moments[r] - sum(lower))
    return kappa
