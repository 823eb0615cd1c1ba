"""Maxima of transfer functions: against a fine grid, and known expansions."""

from fractions import Fraction
from math import pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.layers import reduced
from erf_theory.gaussian.peaks import peaks_of, rational_taps, squared_modulus
from erf_theory.kernel import Kernel

TAPS = st.lists(st.integers(-6, 6), min_size=2, max_size=6).filter(lambda t: sum(map(bool, t)) > 1)
NAMED = [
    ([1, 1], 0.0, 2, -1 / 8, "Gaussian"),
    ([-1, 2, -1], pi, 2, -1 / 4, "Gaussian"),
    ([3, 6, -1], 0.0, 3, -1j / 16, "Airy"),
    ([-1, 6, 3], 0.0, 3, 1j / 16, "Airy"),
    ([-1, 4, 10, 4, -1], 0.0, 4, -1 / 16, "exp(-xi^4)"),
]


@given(TAPS, st.integers(-3, 3))
def test_they_are_the_largest_values_on_a_grid(taps, origin):
    kernel = Kernel(taps, origin=(origin,))
    grid = np.linspace(0, pi, 20_001)
    largest = np.max(np.abs(kernel.transfer(grid)))
    for peak in peaks_of(kernel):
        value = kernel.transfer(peak.frequency)
        assert peak.modulus == pytest.approx(abs(value), rel=1e-12)
        assert peak.modulus == pytest.approx(largest, rel=1e-6)
        assert peak.modulus >= largest * (1 - 1e-12)
        assert peak.modulus * np.exp(1j * peak.phase) == pytest.approx(complex(value), rel=1e-9)


@given(TAPS, st.integers(-3, 3))
def test_the_expansion_is_that_of_the_logarithm(taps, origin):
    kernel = Kernel(taps, origin=(origin,))
    for peak in peaks_of(kernel):
        theta = np.array([-2e-3, 2e-3])
        found = np.log(kernel.transfer(peak.frequency + theta) / kernel.transfer(peak.frequency))
        terms = [c * theta ** (peak.order + i) for i, c in enumerate(peak.coefficients)]
        expected = -1j * peak.drift * theta + sum(terms)
        scale = max(abs(peak.coefficient), 1) * 1e-6 ** (peak.order / 2)
        assert found == pytest.approx(expected, abs=max(0.1 * scale, 1e-8))


@given(st.lists(st.integers(0, 9), min_size=2, max_size=7).filter(lambda t: sum(map(bool, t)) > 1))
def test_without_signs_the_maximum_is_at_0_and_quadratic(taps):
    line, _ = reduced(Kernel(taps))
    [peak] = peaks_of(line)
    assert (peak.frequency, peak.order, peak.shape) == (0.0, 2, "Gaussian")
    assert peak.drift == pytest.approx(float(line.cumulant(1)), rel=1e-14)
    assert peak.coefficient == pytest.approx(-float(line.cumulant(2)) / 2, rel=1e-14)


@pytest.mark.parametrize(("taps", "frequency", "order", "coefficient", "shape"), NAMED)
def test_known_expansions(taps, frequency, order, coefficient, shape):
    [peak] = peaks_of(Kernel(taps))
    assert (peak.frequency, peak.order, peak.shape) == (frequency, order, shape)
    assert peak.coefficient == pytest.approx(coefficient, rel=1e-14)


def test_lax_and_wendroff():
    """Taps ((ν²+ν)/2, 1−ν², (ν²−ν)/2) move by ν: c = −iν(1−ν²)/6, damped by ν²(1−ν²)/8."""
    for nu in (Fraction(1, 2), Fraction(1, 3), Fraction(4, 5)):
        taps = [(nu**2 + nu) / 2, 1 - nu**2, (nu**2 - nu) / 2]
        [peak] = peaks_of(Kernel(taps, origin=(-1,)))
        assert (peak.order, peak.dissipation, peak.drift) == (3, 4, pytest.approx(-float(nu)))
        first, last = peak.coefficients
        assert first == pytest.approx(-1j * float(nu * (1 - nu**2)) / 6, rel=1e-14)
        assert last == pytest.approx(-float(nu**2 * (1 - nu**2)) / 8, rel=1e-14)


def test_several_maxima():
    both = peaks_of(Kernel([2, 4, -3, 4, 2]))
    assert [peak.frequency for peak in both] == pytest.approx([0, 2 * pi / 3])
    assert [peak.modulus for peak in both] == pytest.approx([9, 9])
    assert [peak.is_inner for peak in both] == [False, True]
    [near] = peaks_of(Kernel([2000, 4000, -3001, 4000, 2000]))
    assert near.is_inner


def test_floats_stand_for_the_fractions_that_they_round():
    assert rational_taps(Kernel([0.1, 1 / 3, -2.5])) == [
        Fraction(1, 10),
        Fraction(1, 3),
        Fraction(-5, 2),
    ]
    assert rational_taps(Kernel([np.pi]))[0] == Fraction(np.pi)
    [peak] = peaks_of(Kernel([1 / 3, 2 / 3, -1 / 9]))
    assert peak.shape == "Airy"


@given(TAPS, st.floats(0, pi))
def test_the_squared_modulus_is_a_polynomial_in_the_cosine(taps, omega):
    found = np.polynomial.Polynomial([float(c) for c in squared_modulus(taps)])(np.cos(omega))
    expected = abs(Kernel(taps).transfer(omega)) ** 2
    assert found == pytest.approx(float(expected), abs=1e-9 * sum(map(abs, taps)) ** 2)


def test_errors():
    with pytest.raises(ErfTheoryError, match="a single tap"):
        peaks_of(Kernel([0, 3, 0]))
    with pytest.raises(ErfTheoryError, match="129 taps is too long"):
        peaks_of(Kernel.uniform(129))
