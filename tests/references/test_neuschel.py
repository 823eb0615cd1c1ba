"""The closed form for equal taps: Neuschel, "A note on extended binomial coefficients", 2014."""

from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermeval

from erf_theory import theoretical_erf
from erf_theory.gaussian.edgeworth import edgeworth


def counts(total, least=1):
    """All (k_1, k_2, …) with Σ m·k_m = total, as pairs (m, k_m) of those above 0."""
    if total == 0:
        yield ()
    for m in range(least, total + 1):
        for times in range(1, total // m + 1):
            for rest in counts(total - m * times, m + 1):
                yield ((m, times), *rest)


def bernoulli(r):
    value = fmpq.bernoulli(r)
    return Fraction(int(value.p), int(value.q))


def neuschel(k, n, last):
    """Coefficients of He_j of n^0 to n^-last, for s times the map."""
    result = np.zeros(6 * last + 1)
    for v in range(last + 1):
        for parts in counts(v):
            r = sum(times for _, times in parts)
            factors = (
                (
                    Fraction(12, k * k - 1) ** (m + 1)
                    * (k ** (2 * m + 2) - 1)
                    * bernoulli(2 * m + 2)
                    / ((2 * m + 2) * factorial(2 * m + 2))
                )
                ** times
                / factorial(times)
                for m, times in parts
            )
            result[2 * v + 2 * r] += prod(factors, start=Fraction(1)) / Fraction(n) ** v
    return result


@given(st.integers(2, 40), st.integers(1, 10**6), st.integers(0, 6))
def test_the_expansion_from_cumulants_is_the_closed_form(k, n, last):
    found = edgeworth(theoretical_erf(k, n), 2 * last)
    (t,) = np.linspace(-5, 5, 11)[None] * found.std
    z = t / found.std
    closed = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * hermeval(z, neuschel(k, n, last))
    size = np.abs(neuschel(k, n, last)) @ [factorial(j) ** 0.5 for j in range(6 * last + 1)]
    assert found.std * found.density(t) == pytest.approx(closed, abs=1e-14 * size)
