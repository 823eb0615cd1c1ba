"""Expansions in Hermite polynomials beside their definitions."""

from fractions import Fraction
from math import exp, factorial, isqrt, pi, sqrt

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.gaussian.hermite import Series, expansion, series_of
from erf_theory.kernel import Kernel

NUMBERS = st.lists(st.fractions(-9, 9, max_denominator=9), min_size=9, max_size=9)
TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=5).filter(
    lambda taps: np.count_nonzero(taps) > 1
)


def partitions(total, largest):
    """Every way to write a number as a sum: how often each part occurs."""
    if total == 0:
        yield {}
    for part in range(min(total, largest), 0, -1):
        for rest in partitions(total - part, part):
            yield {**rest, part: rest.get(part, 0) + 1}


def by_partitions(cumulants, total):
    """Σ over Σ m·k_m = total of Π (κ_{m+2} x^{m+2} / (m+2)!)^{k_m} / k_m!."""
    found = {}
    for parts in partitions(total, total):
        value, degree = Fraction(1), 0
        for m, times in parts.items():
            value *= (Fraction(cumulants[m + 2]) / factorial(m + 2)) ** times / factorial(times)
            degree += (m + 2) * times
        found[degree] = found.get(degree, 0) + value
    return {degree: value for degree, value in sorted(found.items()) if value}


@given(NUMBERS)
def test_terms_are_sums_over_partitions(numbers):
    cumulants = dict(enumerate(numbers, 2))
    assert expansion(cumulants, 8) == [by_partitions(cumulants, total) for total in range(9)]


def test_sums_over_lattices_take_the_cumulants_of_a_span():
    """1/sinhc: the exponential of minus the cumulants of a uniform law, by sympy's own series."""
    x = sympy.Symbol("x")
    zero = dict.fromkeys(range(2, 13), 0)
    found = {
        degree: value for term in expansion(zero, 10, span=3) for degree, value in term.items()
    }
    series = sympy.series(3 * x / 2 / sympy.sinh(3 * x / 2), x, 0, 11).removeO()
    wanted = {degree: coefficient for (degree,), coefficient in sympy.Poly(series, x).terms()}
    assert found == wanted


@given(TAPS, st.integers(1, 4))
def test_coefficients_are_the_laws_own_averages_of_hermite_polynomials(taps, n):
    """E s^j He_j((S − μ)/s) = j! times the coefficient: of all orders that have a part in it."""
    law = Kernel(taps) ** n
    mean, variance = (Fraction(law.cumulant(r)) for r in (1, 2))
    terms = expansion({r: law.cumulant(r) for r in range(2, 9)}, 6)
    for degree in range(9):
        average = sum(
            Fraction(tap) * hermite(degree, m - mean, variance) for m, tap in enumerate(law.taps)
        )
        coefficient = sum(term.get(degree, Fraction(0)) for term in terms)
        assert average / law.mass == coefficient * factorial(degree)


def hermite(degree, t, variance):
    """s^j He_j(t/s)."""
    before, now = Fraction(0), Fraction(1)
    for j in range(degree):
        before, now = now, t * now - j * variance * before
    return now


@pytest.mark.parametrize("order", [1, 6, 24])
@pytest.mark.parametrize("span", [None, 2])
def test_doubles_are_the_exact_sum(order, span):
    law = Kernel([5, 2, 1])
    series = series_of(lambda r: 50 * law.cumulant(r), order, span=span)
    for z in (-3.0, -0.5, 0.0, 1.0, 6.0):
        wanted = exact_sum(series, z)
        assert series(np.array([z]))[0] == pytest.approx(wanted, rel=1e-9, abs=1e-13)


def exact_sum(series, z):
    """The same in exact numbers, but for the root of the variance to 40 digits."""
    root = Fraction(
        isqrt(series.variance.numerator * 10**80 // series.variance.denominator), 10**40
    )
    return float(
        sum(
            value / root**degree * hermite(degree - series.shift, Fraction(z), Fraction(1))
            for term in series.terms
            for degree, value in term.items()
        )
    )


def test_the_term_left_out_is_the_next_that_is_not_zero():
    """(1, 4, 1) has no fourth cumulant, and no odd ones."""
    law = Kernel([1, 4, 1])
    series = series_of(lambda r: 9 * law.cumulant(r), 1)
    assert series.order == 4
    assert series.omitted.power == -2
    assert series.terms == ({0: 1}, {})


def test_its_size_is_its_largest_value():
    series = Series(({0: Fraction(1)},), 2, {4: Fraction(1)}, Fraction(4), 0)
    assert series.omitted.size == pytest.approx(3 / 16 / sqrt(2 * pi), rel=1e-12)
    skew = Series(({0: Fraction(1)},), 1, {3: Fraction(1)}, Fraction(1), 0)
    z = sqrt(3 - sqrt(6))
    wanted = abs(z**3 - 3 * z) * exp(-z * z / 2) / sqrt(2 * pi)
    assert skew.omitted.size == pytest.approx(wanted, rel=1e-5)
