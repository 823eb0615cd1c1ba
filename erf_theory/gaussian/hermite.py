"""Expansions in Hermite polynomials around the normal law, from cumulants, to any order.

Numbers may be of any kind that adds and multiplies: fractions stay exact, sympy expressions stay
formulas.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import count
from math import comb, factorial, sqrt
from typing import Any, final

import numpy as np

from erf_theory.exact import FloatArray, root_of

__all__ = ["Omitted", "Series", "Term", "expansion", "series_of"]

Term = Mapping[int, Any]
"""By degree j, the coefficient of (-d/dt)^j; in units of z that is the coefficient of He_j."""
_GRID = 4001
"""Places at which the size of a term is looked for."""


@final
@dataclass(frozen=True)
class Omitted:
    """The first term that an expansion leaves out and that is not 0: the size of its error.

    Attributes
    ----------
    power : Fraction
        The error of n equal layers falls as n to this power.
    size : float
        Largest magnitude of the term, found on a grid to five digits. The error tends to it as
        the order stays and the depth grows.
    """

    power: Fraction
    size: float


@final
@dataclass(frozen=True)
class Series:
    """A sum of terms in Hermite polynomials, times the normal density.

    Attributes
    ----------
    terms : tuple of dict
        From order 0 on: by degree j, the exact coefficient times s^j.
    order, following : int and dict
        Order and coefficients of the first term left out that is not 0.
    variance : Fraction
        s².
    shift : int
        Degrees that an integral has taken: j counts for He_(j − shift).

    Examples
    --------
    >>> kurtosis = Series(({0: Fraction(1)}, {}), 2, {4: Fraction(-1, 8)}, Fraction(1, 4), 0)
    >>> kurtosis(np.zeros(1)), kurtosis.omitted.power, round(kurtosis.omitted.size, 4)
    (array([1.]), Fraction(-1, 1), 2.3937)
    """

    terms: tuple[Term, ...]
    order: int
    following: Term
    variance: Fraction
    shift: int

    def __call__(self, z: FloatArray) -> FloatArray:
        """The sum of the terms at z, without the density."""
        return _evaluated(self._coefficients(*self.terms), z)

    @cached_property
    def omitted(self) -> Omitted:
        """The first term left out."""
        coefficients = self._coefficients(self.following)
        reach = 2 * sqrt(len(coefficients)) + 2
        z = np.linspace(-reach, reach, _GRID)
        term = np.exp(-z * z / 2) / sqrt(2 * np.pi) * _evaluated(coefficients, z)
        return Omitted(Fraction(-self.order, 2), float(np.max(np.abs(term))))

    def _coefficients(self, *terms: Term) -> FloatArray:
        """Doubles, by degree: exact numbers are added and divided by s^j, then rounded."""
        total: dict[int, Any] = {}
        for term in terms:
            for degree, value in term.items():
                total[degree] = total.get(degree, 0) + value
        result = np.zeros(max([1, *(degree - self.shift + 1 for degree in total)]))
        deviation = root_of(self.variance)
        for degree, value in total.items():
            even = float(Fraction(value) / self.variance ** (degree // 2))
            result[degree - self.shift] = even / deviation if degree % 2 else even
        return result


def series_of(cumulant: Callable[[int], Any], order: int, *, span: int | None = None) -> Series:
    """The expansion of a law through an order, and the next term that is not 0.

    Parameters
    ----------
    cumulant : callable
        The exact cumulant of any order from 2 on.
    order : int
        Terms through n^(-order/2).
    span : int, optional
        For the distribution function on a lattice: the distance of its points.

    Returns
    -------
    Series
        Of the density; or with a span, what is added to Φ, over −φ.
    """
    for last in count(order + 1):
        terms = expansion({r: cumulant(r) for r in range(2, last + 3)}, last, span=span or 0)
        if terms[last]:
            break
    kept, shift = terms[: order + 1], 0
    if span is not None:
        kept, shift = [{}, *kept[1:]], 1
    return Series(tuple(kept), last, terms[last], Fraction(cumulant(2)), shift)


def expansion(cumulants: Mapping[int, Any], order: int, *, span: int = 0) -> list[Term]:
    """Terms of orders 0 to ``order``: exp(Σ κ_r x^r / r!) with the normal part left out.

    The term of x^r / r! counts as order r − 2, which is its power of n^(-1/2) in a sum of n equal
    steps. Sums over a lattice in place of integrals take B_r h^r / r from every even cumulant,
    the r-th cumulant of a uniform law on one span h; this counts as order r.

    Parameters
    ----------
    cumulants : mapping of int to number
        Orders 3 to ``order + 2``.
    order : int
        The last.
    span : int
        h; 0 for densities.

    Returns
    -------
    list of dict
        By order: coefficients of x^j by degree j, without those that are 0.

    Notes
    -----
    ``E_ν = (1/ν) Σ_j j A_j E_{ν−j}`` for E = exp(Σ_j A_j w^j): the derivative of the exponential.

    Examples
    --------
    >>> for term in expansion({3: 6, 4: -12}, 2): print(term)
    {0: Fraction(1, 1)}
    {3: Fraction(1, 1)}
    {4: Fraction(-1, 2), 6: Fraction(1, 2)}
    """
    parts = [_exponent(cumulants, j, span) for j in range(order + 1)]
    terms: list[Term] = [{0: Fraction(1)}]
    for total in range(1, order + 1):
        found: dict[int, Any] = {}
        for j in range(1, total + 1):
            for (a, x), (b, y) in (
                (one, other) for one in parts[j].items() for other in terms[total - j].items()
            ):
                found[a + b] = found.get(a + b, 0) + x * y * j / total
        terms.append({degree: value for degree, value in sorted(found.items()) if value != 0})
    return terms


def _exponent(cumulants: Mapping[int, Any], order: int, span: int) -> dict[int, Any]:
    """What has an order in the exponent, by degree."""
    if order == 0:
        return {}
    found = {order + 2: cumulants[order + 2] * Fraction(1, factorial(order + 2))}
    if span and order % 2 == 0:
        found[order] = -_bernoulli(order) * Fraction(span**order, order * factorial(order))
    return {degree: value for degree, value in found.items() if value != 0}


def _evaluated(coefficients: FloatArray, z: FloatArray) -> FloatArray:
    """Σ c_j He_j(z), by Clenshaw's recurrence."""
    from numpy.polynomial.hermite_e import hermeval

    return np.asarray(hermeval(z, coefficients))


@cache
def _bernoulli(r: int) -> Fraction:
    """The Bernoulli number B_r.

    Examples
    --------
    >>> [str(_bernoulli(r)) for r in range(5)]
    ['1', '-1/2', '1/6', '0', '-1/30']
    """
    if r == 0:
        return Fraction(1)
    return -sum((comb(r + 1, j) * _bernoulli(j) for j in range(r)), Fraction(0)) / (r + 1)
