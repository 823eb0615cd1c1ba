"""Formulas of theory.md for stacks of equal layers: widths, tails and the way to the Gaussian."""

from fractions import Fraction
from math import erfc, exp, log, pi, sqrt

import mpmath
import numpy as np
import pytest

from erf_theory.engines import contour
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf, variance_erf

STACKS = [(2, 30), (3, 17), (4, 11), (5, 9), (7, 7)]


def standardised(k, n):
    """z, the density s·p on it and the standard deviation s of n uniform layers."""
    erf = theoretical_erf(k, n)
    s = sqrt(n * (k**2 - 1) / 12)
    return erf.offsets[0] / s, erf.values * s, s


def normal(z):
    return np.exp(-(z**2) / 2) / sqrt(2 * pi)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_widths_of_equal_layers(k, n):
    erf = theoretical_erf(k, n)
    assert erf.theoretical_rf == (n * (k - 1) + 1,)
    assert erf.std == pytest.approx(sqrt(n * (k**2 - 1) / 12), rel=1e-14)
    assert erf.mean == (0.0,)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_participation_is_the_middle_of_the_triangle_of_twice_the_depth(k, n):
    """(Σp)²/Σp² = k^2n / T(2n, k, n(k−1))."""
    middle = int(theoretical_erf(k, 2 * n).exact()[0][n * (k - 1)])
    assert theoretical_erf(k, n).participation() == pytest.approx(k ** (2 * n) / middle, rel=1e-13)


def test_participation_of_a_gaussian():
    erf = theoretical_erf(3, 2000)
    assert erf.participation() == pytest.approx(2 * sqrt(pi) * erf.std, rel=1e-3)


def test_the_size_of_a_gaussian():
    """An ellipse of area 2π ln(1/0.0455)·s²: the size is 4.4063·s."""
    assert erfc(sqrt(2)) == pytest.approx(1 - 0.9545, abs=1e-6)
    erf = theoretical_erf(3, 900, ndim=2)
    assert erf.size() / erf.std == pytest.approx(sqrt(2 * pi * log(1 / 0.0455)), rel=2e-3)
    assert sqrt(2 * pi * log(1 / 0.0455)) == pytest.approx(4.4063, abs=2e-4)


@pytest.mark.parametrize("k", [3, 5, 7, 11])
def test_weight_on_the_corners_widens_by_a_known_factor(k):
    """theory.md, section 5: a variance factor 3(k−1)/(k+1), at most √3 in width."""
    corners = np.zeros(k, dtype=int)
    corners[[0, -1]] = 1
    wide = variance_erf(k, 12, weight_variance=corners, ndim=2)
    flat = variance_erf(k, 12, ndim=2)
    assert (wide.std / flat.std) ** 2 == pytest.approx(3 * (k - 1) / (k + 1), rel=1e-13)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_tails_are_below_those_of_the_gaussian(k, n):
    """Uniform sums are strictly sub-Gaussian: P(|S − μ| ≥ t) ≤ 2 exp(−t²/2s²)."""
    numerators, denominator = theoretical_erf(k, n).exact()
    twice = 2 * np.arange(len(numerators)) - n * (k - 1)
    variance = Fraction(n * (k**2 - 1), 12)
    for t in range(1, n * (k - 1) + 1):
        tail = sum(int(v) for v in numerators[np.abs(twice) >= t])
        assert tail / denominator <= 2 * exp(-float(Fraction(t * t, 8) / variance)) * (1 + 1e-12)


@pytest.mark.parametrize(("k", "limit"), [(2, 0.3989), (3, 0.2443), (5, 0.1410)])
def test_distance_to_the_gaussian_falls_as_the_root_of_the_depth(k, limit):
    """√n·sup|F − Φ| → √(3/(2π(k² − 1))), with F on both sides of its jumps."""
    n = 4000
    z, density, s = standardised(k, n)
    cumulative = np.cumsum(density / s)
    phi = np.array([0.5 * erfc(-x / sqrt(2)) for x in z])
    gap = max(np.max(np.abs(cumulative - phi)), np.max(np.abs(cumulative - density / s - phi)))
    assert sqrt(3 / (2 * pi * (k**2 - 1))) == pytest.approx(limit, abs=5e-5)
    assert sqrt(n) * gap == pytest.approx(limit, rel=2e-2)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_densities_approach_the_gaussian_as_the_depth(k):
    """sup|s·p − φ| ~ |g₄|φ(0)/(8n), g₄ = −6(k² + 1)/(5(k² − 1))."""
    n, g4 = 3000, -6 * (k**2 + 1) / (5 * (k**2 - 1))
    z, density, _ = standardised(k, n)
    assert theoretical_erf(k, 1).cumulant(4) / theoretical_erf(k, 1).cumulant(2) ** 2 == (
        pytest.approx(g4)
    )
    worst = np.max(np.abs(density - normal(z)))
    assert n * worst == pytest.approx(abs(g4) / sqrt(2 * pi) / 8, rel=1e-2)


@pytest.mark.parametrize("k", [3, 5])
def test_divergences_from_the_sampled_gaussian(k):
    """KL ~ g₄²/(48n²), χ² ~ g₄²/(24n²), total variation ~ 2.80060|g₄|/(48n)."""
    n, g4 = 1000, -6 * (k**2 + 1) / (5 * (k**2 - 1))
    z, density, s = standardised(k, n)
    p, q = density / s, normal(z) / np.sum(normal(z))
    near = p > 1e-30
    divergence = np.sum(p[near] * np.log(p[near] / q[near]) - p[near] + q[near])
    square = np.sum((p[near] - q[near]) ** 2 / q[near])
    assert n**2 * divergence == pytest.approx(g4**2 / 48, rel=2e-2)
    assert n**2 * square == pytest.approx(g4**2 / 24, rel=2e-2)
    assert n * np.sum(np.abs(p - q)) / 2 == pytest.approx(2.80060 * abs(g4) / 48, rel=1e-2)


@pytest.mark.parametrize(("taps", "n"), [((1, 2, 5), 120), ((1, 0, 2, 7), 90), ((3, 1), 400)])
def test_the_inverse_transform_at_many_digits_reaches_the_far_tails(taps, n):
    """(1/2π) ∫ V(ω)ⁿ e^{jωt} dω on n(k−1) + 1 points, exact there, with digits for the tails."""
    points = n * (len(taps) - 1) + 1
    logs = contour.run(lambda f: f.convolve(Kernel(taps), 1, n)) if 0 not in taps else None
    erf = theoretical_erf(len(taps), n, kernel=taps)
    digits = int(n * np.log10(sum(taps)))
    with mpmath.workdps(50 + digits):
        roots = mpmath.unitroots(points)
        powers = [(mpmath.polyval(taps[::-1], z) / sum(taps)) ** n for z in roots]
        for t in (0, 1, 2, 5, points // 7, points // 2, points - 4, points - 1):
            pairs = zip(powers, roots, strict=True)
            share = mpmath.re(mpmath.fsum(v * mpmath.conj(z) ** t for v, z in pairs)) / points
            if abs(share) < mpmath.mpf(10) ** -(20 + digits):
                assert erf.values[t] == 0
                assert erf.log_values[t] == -np.inf
                continue
            assert abs(erf.values[t] / share - 1) < 1e-10
            assert abs(erf.log_values[t] - mpmath.log(share)) < 1e-9
            if logs is not None:
                assert abs(logs.values[t] - logs.total - mpmath.log(share)) < 1e-9
