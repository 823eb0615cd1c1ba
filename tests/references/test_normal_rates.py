"""How fast a stack becomes normal: leading terms, and digits that hold up to a million layers."""

from math import exp, pi, sqrt

import numpy as np
import pytest
from flint import arb, ctx

from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.theory import theoretical_erf

PHI0 = 1 / sqrt(2 * pi)
TAPS = [2, 3, 5, 7]
Z = np.linspace(-12, 12, 240_001)
NORMAL = np.exp(-Z * Z / 2) * PHI0
HE3, HE4 = Z**3 - 3 * Z, Z**4 - 6 * Z**2 + 3


def mean(values):
    return float(np.trapezoid(values * NORMAL, Z))


def kurtosis(k):
    return 6 * (k * k + 1) / (5 * (k * k - 1))


RATES = {
    ("normal", "kolmogorov"): lambda k, n: sqrt(3 / (2 * pi * (k * k - 1) * n)),
    ("normal", "wasserstein1"): lambda k, n: 1 / (4 * std(k, n)),
    ("normal", "wasserstein2"): lambda k, n: 1 / (sqrt(12) * std(k, n)),
    ("normal", "cramer_von_mises"): lambda k, n: 1 / (24 * sqrt(3) * pi * std(k, n) ** 2),
    ("normal", "density_error"): lambda k, n: kurtosis(k) * PHI0 / (8 * n),
    ("sampled normal", "kolmogorov"): lambda k, n: kurtosis(k) * SUP / (24 * n),
    ("sampled normal", "total_variation"): lambda k, n: 2.80060 * kurtosis(k) / (48 * n),
    ("sampled normal", "hellinger"): lambda k, n: kurtosis(k) / (8 * sqrt(3) * n),
    ("sampled normal", "kullback_leibler"): lambda k, n: kurtosis(k) ** 2 / (48 * n * n),
    ("sampled normal", "chi_square"): lambda k, n: kurtosis(k) ** 2 / (24 * n * n),
    ("sampled normal", "wasserstein1"): lambda k, n: 1.51001 * kurtosis(k) / (24 * n),
    ("sampled normal", "wasserstein2"): lambda k, n: sqrt(
        1.51001 * kurtosis(k) / (24 * n) / std(k, n)
    ),
    ("sampled normal", "cramer_von_mises"): lambda k, n: (
        7 * kurtosis(k) ** 2 / (5184 * sqrt(3) * pi * n * n)
    ),
    ("sampled normal", "density_error"): lambda k, n: kurtosis(k) * PHI0 / (8 * n),
}
SUP = 0.55059
COMPARE = {"normal": distance_to_normal, "sampled normal": distance_to_sampled_normal}


def std(k, n):
    return sqrt(n * (k * k - 1) / 12)


def test_constants_are_moments_of_hermite_polynomials():
    assert mean(np.abs(HE4)) == pytest.approx(2.80060, abs=1e-5)
    assert mean(np.abs(HE3)) == pytest.approx(1.51001, abs=1e-5)
    assert np.max(np.abs(HE3 * NORMAL)) == pytest.approx(SUP, abs=1e-5)
    assert mean(HE3**2 * NORMAL**2) == pytest.approx(7 / (9 * sqrt(3) * pi), rel=1e-9)
    assert mean(NORMAL**2) == pytest.approx(1 / (2 * sqrt(3) * pi), rel=1e-9)


@pytest.mark.parametrize("k", TAPS)
@pytest.mark.parametrize(("reference", "metric"), RATES)
def test_leading_terms_are_reached_within_a_percent_at_1000_layers(reference, metric, k):
    found = COMPARE[reference](theoretical_erf(k, 1000), metric)
    assert found == pytest.approx(RATES[reference, metric](k, 1000), rel=0.01)


@pytest.mark.parametrize(("reference", "metric"), RATES)
def test_constants_fitted_to_depths_around_1000_are_within_a_percent(reference, metric):
    depths = [500, 1000, 2000]
    found = [COMPARE[reference](theoretical_erf(3, n), metric) for n in depths]
    rates = [RATES[reference, metric](3, n) for n in depths]
    assert exp(np.mean(np.log(found) - np.log(rates))) == pytest.approx(1, rel=0.01)
    slope = np.polyfit(np.log(depths), np.log(found), 1)[0]
    assert slope == pytest.approx(np.polyfit(np.log(depths), np.log(rates), 1)[0], abs=0.01)


def test_a_rate_that_is_wrong_by_two_percent_is_found_out():
    found = distance_to_sampled_normal(theoretical_erf(3, 1000), "total_variation")
    wrong = 1.02 * RATES["sampled normal", "total_variation"](3, 1000)
    assert found != pytest.approx(wrong, rel=0.01)


def trinomials(n, reach):
    """Shares of three equal taps within some distance of the middle: a recurrence in balls."""
    before, last = arb(0), arb(1) / arb(3) ** n
    found = [last] if n <= reach else []
    for t in range(1, n + 1):
        before, last = last, (last * (n - t + 1) + before * (2 * n - t + 2)) / t
        if t >= n - reach:
            found.append(last)
    return found + found[-2::-1]


def deep_truth(n):
    """Literal sums in balls, within twelve standard deviations."""
    with ctx.workprec(256):
        std = (arb(2 * n) / 3).sqrt()
        reach = min(n, int(12 * float(std)))
        p = trinomials(n, reach)
        weights = [(-arb(x * x) * 3 / (4 * n)).exp() for x in range(-reach, reach + 1)]
        total = sum(weights)
        pairs = [(a, w / total) for a, w in zip(p, weights, strict=True)]
        apart, gaps = arb(0), arb(0)
        for a, b in pairs:
            apart += a - b
            gaps += abs(apart)
        return {
            "kullback_leibler": sum(a * (a / b).log() for a, b in pairs),
            "total_variation": sum(abs(a - b) for a, b in pairs) / 2,
            "chi_square": sum(a * a / b for a, b in pairs) - 1,
            "hellinger": (1 - sum((a * b).sqrt() for a, b in pairs)).sqrt(),
            "wasserstein1": gaps / std,
            "wasserstein2": gaps.sqrt() / std,
            "density_error": max((abs(a - b) for a, b in pairs), key=float) * std,
        }


@pytest.mark.parametrize(("n", "digits"), [(1000, 7), (10_000, 5), (30_000, 7), (100_000, 6)])
def test_digits_that_are_claimed_hold(n, digits):
    check_deep(n, digits)


def test_digits_that_are_claimed_hold_at_a_million_layers(times):
    check_deep(times(300_000, 1_000_000), 5)


def check_deep(n, digits):
    found = distance_to_sampled_normal(theoretical_erf(3, n))
    for metric, true in deep_truth(n).items():
        assert abs(found[metric] - float(true)) <= found.errors[metric], metric
        assert found.digits[metric] >= digits, metric


def test_the_divergence_of_ten_thousand_layers_is_right_to_three_digits():
    found = distance_to_sampled_normal(theoretical_erf(3, 10_000), "kullback_leibler")
    assert found == pytest.approx(float(deep_truth(10_000)["kullback_leibler"]), rel=1e-6)
    assert f"{found:.2e}" == "4.69e-10"
