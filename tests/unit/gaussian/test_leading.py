from math import gamma, pi, sqrt

import numpy as np
import pytest

from erf_theory.gaussian.leading import LEADING, Departure

SAMPLED, CONTINUOUS = LEADING["sampled normal"], LEADING["normal"]
FLAT = Departure(0.0, -0.01, 0.05)
SKEW = Departure(0.02, 0.01, 0.05)


def uniform(k, n):
    """Of n layers with k equal taps."""
    return Departure(0.0, -6 * (k**2 + 1) / (5 * (k**2 - 1)) / n, sqrt(12 / (n * (k**2 - 1))))


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_constants_of_uniform_taps(k):
    """Section 4 of the theory, n times or √n times the distance."""
    n = 1000
    law, g = uniform(k, n), 6 * (k**2 + 1) / (5 * (k**2 - 1))
    assert sqrt(n) * CONTINUOUS["kolmogorov"](law) == pytest.approx(
        sqrt(3 / (2 * pi * (k**2 - 1))), rel=1e-12
    )
    assert SAMPLED["kullback_leibler"](law) == pytest.approx(g**2 / 48 / n**2, rel=1e-12)
    assert SAMPLED["chi_square"](law) == pytest.approx(g**2 / 24 / n**2, rel=1e-12)
    assert SAMPLED["total_variation"](law) == pytest.approx(2.80060 * g / 48 / n, rel=1e-5)
    assert CONTINUOUS["wasserstein1"](law) == pytest.approx(law.span / 4, rel=1e-9)
    assert SAMPLED["density_error"](law) == pytest.approx(g / 8 / n / sqrt(2 * pi), rel=1e-12)


@pytest.mark.parametrize("order", [3, 4])
def test_hermite_polynomials_by_quadrature(order):
    """The definitions on a fine grid: E|He_r|, sup|He_r φ| and E He_r²φ²."""
    law = SKEW if order == 3 else FLAT
    z = np.linspace(-15, 15, 3_000_001)
    phi = np.exp(-(z**2) / 2) / sqrt(2 * pi)
    he = {2: z**2 - 1, 3: z**3 - 3 * z, 4: z**4 - 6 * z**2 + 3}
    a, top, below = abs(law.weight), he[order], he[order - 1]

    def mean(values):
        return np.trapezoid(values * phi, z)

    assert law.order == order
    assert SAMPLED["total_variation"](law) == pytest.approx(a / 2 * mean(abs(top)), rel=1e-9)
    assert SAMPLED["chi_square"](law) == pytest.approx(a**2 * mean(top**2), rel=1e-9)
    assert SAMPLED["wasserstein1"](law) == pytest.approx(a * mean(abs(below)), rel=1e-9)
    assert SAMPLED["kolmogorov"](law) == pytest.approx(a * max(abs(below) * phi), rel=1e-9)
    assert SAMPLED["density_error"](law) == pytest.approx(a * max(abs(top) * phi), rel=1e-9)
    assert SAMPLED["cramer_von_mises"](law) == pytest.approx(
        a**2 * mean(below**2 * phi**2), rel=1e-7
    )
    assert SAMPLED["hellinger"](law) == pytest.approx(sqrt(a**2 * gamma(order + 1) / 8), rel=1e-12)


def test_a_sawtooth_by_quadrature():
    """Distances of F - Φ = (hS - γ₁He₂/6)·φ, S uniform."""
    law = Departure(0.6, 0.1, 0.25)
    z = np.linspace(-12, 12, 4001)[:, None]
    s = (np.arange(2000) + 0.5) / 2000 - 0.5
    phi = np.exp(-(z**2) / 2) / sqrt(2 * pi)
    apart = law.span * s - law.skewness / 6 * (z**2 - 1)

    def mean(values):
        return np.trapezoid((values * phi).mean(axis=1), z[:, 0])

    assert CONTINUOUS["wasserstein1"](law) == pytest.approx(mean(abs(apart)), rel=1e-5)
    assert CONTINUOUS["wasserstein2"](law) == pytest.approx(sqrt(mean(apart**2)), rel=1e-5)
    assert CONTINUOUS["cramer_von_mises"](law) == pytest.approx(mean(apart**2 * phi**2), rel=1e-5)
    assert CONTINUOUS["kolmogorov"](law) == pytest.approx(np.max(abs(apart) * phi), rel=2e-3)


def test_moves_by_whole_steps():
    """Law of a shift that is a fraction of a step: one step for that fraction of the mass."""
    small = Departure(0.0, 1e-4, 0.1)
    expected = sqrt(small.span * SAMPLED["wasserstein1"](small))
    assert SAMPLED["wasserstein2"](small) == pytest.approx(expected, rel=1e-4)
    fine = Departure(0.3, 0.0, 1e-4)
    assert SAMPLED["wasserstein2"](fine) == pytest.approx(0.3 / 6 * sqrt(2), rel=1e-3)
