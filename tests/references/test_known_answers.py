"""Answers that are known from elsewhere: triangles, formulas, limits."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest
from sympy import bernoulli

from erf_theory.engines import convolution, multinomial
from erf_theory.gaussian.scaling import sqrt_scaling
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf, variance_erf

ROWS = {
    (2, 6): [1, 6, 15, 20, 15, 6, 1],  # A007318
    (3, 4): [1, 4, 10, 16, 19, 16, 10, 4, 1],  # A027907
    (4, 3): [1, 3, 6, 10, 12, 12, 10, 6, 3, 1],  # A008287
    (5, 3): [1, 3, 6, 10, 15, 18, 19, 18, 15, 10, 6, 3, 1],  # A035343
    (6, 2): [1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1],  # A063260
    (7, 2): [1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1],  # A063265
}
STACKS = [(2, 30), (3, 17), (4, 11), (5, 9), (6, 8), (7, 7), (11, 5)]


@pytest.mark.parametrize(("k", "n"), ROWS)
def test_rows_of_the_triangles(k, n):
    assert theoretical_erf(k, n).exact()[0].tolist() == ROWS[k, n]


def coefficients(k, n):
    return [int(c) for c in theoretical_erf(k, n).exact()[0]]


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_alternating_sum(k, n):
    for t, found in enumerate(coefficients(k, n)):
        terms = ((-1) ** i * comb(n, i) * comb(n + t - 1 - k * i, n - 1) for i in range(t // k + 1))
        assert found == sum(terms)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_recurrences(k, n):
    row = coefficients(k, n)

    def at(t):
        return row[t] if 0 <= t < len(row) else 0

    for t in range(1, len(row)):
        assert t * at(t) == sum(((n + 1) * j - t) * at(t - j) for j in range(1, k))
        left = (t + n) * at(t) + (t - k + 1 - n * k) * at(t - k + 1)
        assert (t + 1) * at(t + 1) == left - (t - k - n * (k - 1)) * at(t - k)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_cumulants_are_bernoulli_numbers(k, n):
    erf = theoretical_erf(k, n)
    for r in range(2, 9):
        number = bernoulli(r)
        assert erf.cumulant(r) == n * Fraction(int(number.p), int(number.q)) * (k**r - 1) / r


@pytest.mark.parametrize("k", range(2, 12))
def test_third_absolute_moment(k):
    centre = Fraction(k - 1, 2)
    moment = sum(abs(m - centre) ** 3 for m in range(k)) / k
    formula = (k**2 - 1) ** 2 / Fraction(32 * k) if k % 2 else Fraction(k * (k**2 - 2), 32)
    assert moment == formula


@pytest.mark.parametrize(
    ("n", "uniform", "rms"),
    [
        (5, 8.31, 10.44),
        (10, 11.70, 15.52),
        (20, 16.16, 22.74),
        (40, 22.74, 31.95),
        (80, 32.26, 45.49),
    ],
)
def test_sizes_of_luo(n, uniform, rms):
    assert round(theoretical_erf(3, n, ndim=2).size(), 2) == uniform
    assert round(variance_erf(3, n, ndim=2).rms().size(), 2) == rms


def test_slopes_of_luo():
    depths = np.array([5, 10, 20, 40, 80])
    fields = 2 * depths + 1
    for map_, growth, shrink in (
        (lambda n: theoretical_erf(3, n, ndim=2), 0.487, -0.482),
        (lambda n: variance_erf(3, n, ndim=2).rms(), 0.529, -0.440),
    ):
        sizes = np.array([map_(int(n)).size() for n in depths])
        assert np.polyfit(np.log(depths), np.log(sizes), 1)[0] == pytest.approx(growth, abs=6e-4)
        ratio = np.polyfit(np.log(depths), np.log(sizes / fields), 1)[0]
        assert ratio == pytest.approx(shrink, abs=6e-4)


@pytest.mark.parametrize(
    ("kind", "sizes", "growth", "shrink"),
    [
        ("amplitude", [8.31, 11.70, 16.16, 22.74, 32.26], 0.487, -0.482),
        ("rms", [10.44, 15.52, 22.74, 31.95, 45.49], 0.529, -0.440),
    ],
)
def test_growth_of_luo(kind, sizes, growth, shrink):
    scaling = sqrt_scaling(3, [5, 10, 20, 40, 80], measure="size", ndim=2, kind=kind)
    assert scaling.values.round(2).tolist() == sizes
    assert round(scaling.growth.exponent, 3) == growth
    assert round(scaling.shrink.exponent, 3) == shrink


@pytest.mark.parametrize("k", [2, 3, 5])
def test_dilations_in_powers_of_k_give_a_flat_field(k):
    def stack(field):
        for p in range(5):
            field = field.convolve(Kernel.uniform(k), k**p)
        return field

    assert set(stack(multinomial.impulse(1)).numerators.tolist()) == {1}
    values = convolution.run(stack, 1).values
    assert np.ptp(values) == 0


def test_dilations_in_powers_of_two_give_sterns_numbers():
    field = multinomial.impulse(1)
    for p in range(6):
        field = field.convolve(Kernel.uniform(3), 2**p)
    stern = [0, 1]
    for i in range(1, 64):
        stern.append(stern[i])
        stern.append(stern[i] + stern[i + 1])
    assert field.numerators.tolist()[:64] == stern[1:65]


def test_a_common_dilation_leaves_gridding():
    erf = theoretical_erf(3, 4, dilation=3)
    assert np.all((erf.values > 0) == (np.arange(25) % 3 == 0))
    assert np.all((erf.log_values > -np.inf) == (np.arange(25) % 3 == 0))


def test_orientation():
    kernel = Kernel.from_weights([[[1, 2, 5]]], padding=1)[0, 0]
    field = convolution.impulse(1).convolve(kernel)
    assert field.start == (-1,)
    assert np.ldexp(field.values, field.exponent).tolist() == [1, 2, 5]
    erf = theoretical_erf(3, 1, kernel=[1, 2, 5])
    assert erf.exact()[0].tolist() == [1, 2, 5]
    assert erf.offsets[0].tolist() == [-1, 0, 1]


def test_large_masses_have_logarithms():
    erf = variance_erf(3, 10_000, weight_variance=10, ndim=2)
    assert erf.log_mass == pytest.approx(10_000 * log(90), rel=1e-14)
    assert erf.mass == 90**10_000
