"""Bounds on tails: exact rates, what is strictly sub-Gaussian, and bounds that are false."""

from fractions import Fraction
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from erf_theory import chernoff, network_erf, sub_gaussian_tail, theoretical_erf, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.layers import layers_of
from erf_theory.gaussian.tails import is_strictly_sub_gaussian, variance_proxy
from erf_theory.kernel import Kernel

TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=6).filter(lambda t: sum(map(bool, t)) > 1)


def law(*taps):
    return Kernel(list(taps)) * Fraction(1, sum(taps))


def generating(taps, tilt):
    """K(λ) about the mean, for one tap at each place."""
    weights = np.array(taps, dtype=float) / sum(taps)
    places = np.arange(len(taps)) - weights @ np.arange(len(taps))
    return float(np.log(weights @ np.exp(tilt * places)))


@given(TAPS, st.integers(1, 40), st.floats(0.02, 0.98), st.sampled_from([-1, 1]))
def test_the_rate_is_the_legendre_transform(taps, n, share, side):
    map_ = theoretical_erf(None, n, kernel=taps)
    ends = map_.frame[0][0] + 0.5, map_.frame[0][1] - 0.5
    t = share * (ends[side > 0] - map_.mean[0])
    found = minimize_scalar(lambda tilt: n * generating(taps, tilt) - tilt * t, method="brent")
    assert chernoff(map_, t).log_bound == pytest.approx(min(found.fun, 0.0), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("n", [1, 10, 1000])
def test_the_rate_of_coins_is_their_relative_entropy(n):
    for share in (0.5, 0.6, 0.9, 0.999):
        found = chernoff(theoretical_erf(2, n), n * (share - 0.5))
        rate = share * log(2 * share) + (1 - share) * log(2 * (1 - share))
        assert found.log_bound == pytest.approx(-n * rate, rel=1e-9, abs=1e-12)


def test_the_ends_of_the_support():
    map_ = theoretical_erf(None, 20, kernel=[2, 1, 1])
    right, left = float(25 - 0.0), -15.0
    assert chernoff(map_, right).log_bound == pytest.approx(-20 * log(4), rel=1e-12)
    assert chernoff(map_, right).log_actual == pytest.approx(-20 * log(4), rel=1e-12)
    assert chernoff(map_, left).log_bound == pytest.approx(-20 * log(2), rel=1e-12)
    beyond = chernoff(map_, 25.5)
    assert (beyond.log_bound, beyond.log_actual, beyond.ratio) == (-inf, -inf, inf)
    assert chernoff(map_, 0).log_bound == 0


@given(TAPS, st.integers(1, 30), st.integers(0, 40))
def test_shares_by_their_definition(taps, n, distance):
    map_ = theoretical_erf(None, n, kernel=taps)
    numerators, total = map_.exact()
    mean = Fraction(map_.cumulant(1))
    places = [Fraction(x) - mean for x in map_.offsets[0]]
    for t in (distance, -distance):
        tail = sum(
            c for x, c in zip(places, numerators, strict=True) if (x >= t if t >= 0 else x <= t)
        )
        assert chernoff(map_, t).actual == pytest.approx(tail / total, rel=1e-9)
    if distance:
        both = sum(c for x, c in zip(places, numerators, strict=True) if abs(x) >= distance)
        assert sub_gaussian_tail(map_, distance).actual == pytest.approx(both / total, rel=1e-9)


@pytest.mark.parametrize("k", [2, 3, 4, 5, 8, 31])
def test_equal_taps_are_strictly_sub_gaussian(k):
    assert is_strictly_sub_gaussian(Kernel.uniform(k) * Fraction(1, k))


@given(TAPS.filter(lambda taps: taps[0] and taps[-1]))
def test_what_is_said_to_be_strictly_sub_gaussian_is(taps):
    symmetric = law(*(a + b for a, b in zip(taps, reversed(taps), strict=True)))
    weights = [float(tap) for tap in symmetric.taps]
    variance = float(symmetric.cumulant(2))
    excess = max(
        generating(weights, tilt) - tilt**2 * variance / 2 for tilt in np.geomspace(1e-2, 30, 200)
    )
    if is_strictly_sub_gaussian(symmetric):
        assert excess <= 1e-12
    elif symmetric.cumulant(4) > 0:
        assert excess > 0


@pytest.mark.parametrize("taps", [(1, 8, 1), (1, 2), (1, 3, 4), (1, 1, 0, 0, 0, 20, 0, 0, 0, 1, 1)])
def test_others_put_in_a_quarter_of_their_squared_range(taps):
    assert not is_strictly_sub_gaussian(law(*taps))
    [layer] = layers_of(theoretical_erf(None, 7, kernel=list(taps), dilation=2))
    assert variance_proxy(layer) == Fraction(7 * (2 * (len(taps) - 1)) ** 2, 4)


def test_the_closed_form_of_equal_taps():
    for k, n, t in ((3, 20, 12), (5, 7, 10)):
        variance = n * (k * k - 1) / 12
        found = sub_gaussian_tail(theoretical_erf(k, n), t)
        assert found.bound == pytest.approx(2 * exp(-(t**2) / (2 * variance)), rel=1e-12)
        assert found.actual <= found.bound
        assert found.ratio >= 1


def test_a_proxy_below_the_variance_is_false():
    """Negative control: exp(−t²/2v) with 0.8 of the variance fails 6 std out."""
    map_ = theoretical_erf(3, 1000)
    t = 6 * map_.std
    assert chernoff(map_, t).log_actual > log(2) - t**2 / (2 * 0.8 * map_.std**2)


def test_networks_and_words():
    map_ = network_erf(zoo.resnet50(), ndim=1)
    found = sub_gaussian_tail(map_, 150)
    assert found.actual < found.bound < 1
    skewed = sub_gaussian_tail(theoretical_erf(None, 20, kernel=[1, 2, 5]), 15)
    assert "Hoeffding" in str(skewed)
    assert "on both sides" in str(found)
    assert "on one side" in str(chernoff(map_, -100))
    plane = theoretical_erf(3, 9, ndim=2)
    assert chernoff(plane, 5, axis=1) == chernoff(plane, 5)


def test_a_distance_is_above_0():
    with pytest.raises(ErfTheoryError, match="above 0, not -1"):
        sub_gaussian_tail(theoretical_erf(3, 4), -1)
