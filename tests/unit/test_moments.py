"""Cumulants from moments, against the logarithm of the moment series."""

from fractions import Fraction
from math import factorial

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.moments import cumulants

LAWS = st.dictionaries(st.integers(-3, 3), st.integers(1, 5), min_size=1)


def raw_moments(law, order):
    mass = sum(law.values())
    return [Fraction(sum(w * x**r for x, w in law.items()), mass) for r in range(order + 1)]


def by_series(moments):
    """r! times the coefficients of log Σ m_r s^r/r!, by sympy."""
    s, last = sympy.Symbol("s"), len(moments) - 1
    series = sum(sympy.Rational(m) * s**r / factorial(r) for r, m in enumerate(moments))
    logarithm = sympy.series(sympy.log(series), s, 0, last + 1).removeO()
    return [logarithm.coeff(s, r) * factorial(r) for r in range(last + 1)]


@pytest.mark.parametrize("law", [{0: 1}, {0: 1, 1: 1}, {-1: 2, 0: 3, 5: 1}, {1: 1, 2: 5, 4: 2}])
def test_they_are_the_coefficients_of_the_logarithm(law):
    moments = raw_moments(law, 6)
    assert cumulants(moments) == by_series(moments)


@given(LAWS, LAWS)
def test_they_add_where_laws_are_convolved(left, right):
    both = {}
    for x, v in left.items():
        for y, w in right.items():
            both[x + y] = both.get(x + y, 0) + v * w
    parts = [cumulants(raw_moments(law, 5)) for law in (left, right, both)]
    assert [a + b for a, b in zip(parts[0], parts[1], strict=True)] == parts[2]


def test_a_normal_law_has_two():
    """Moments of N(1, 2): 1, 1, 3, 7, 25."""
    assert cumulants([1, 1, 3, 7, 25]) == [0, 1, 2, 0, 0]
    assert cumulants([1]) == [0]
