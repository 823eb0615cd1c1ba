"""The cumulant generating function beside mpmath, near the mean and at both ends."""

from fractions import Fraction
from math import comb, pi, sqrt

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines.summands import Summand
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.cgf import cumulant_function
from erf_theory.kernel import Kernel

KERNELS = st.lists(
    st.one_of(st.integers(0, 9), st.floats(1e-30, 1e30)), min_size=2, max_size=5
).filter(lambda taps: np.count_nonzero(taps) > 1)
STEPS = st.lists(
    st.tuples(KERNELS, st.integers(1, 9), st.integers(1, 10**6)), min_size=1, max_size=3
).map(lambda rows: [Summand(Kernel(taps, (-1,)), (d,), n) for taps, d, n in rows])
TILTS = st.one_of(st.floats(-30, 30), st.floats(-1e-3, 1e-3), st.floats(-1e-12, 1e-12))
EXTREME = [
    [Summand(Kernel([1, 1e-20, 1]), (1,), 10)],
    [Summand(Kernel([1, 1]), (1,), 1)],
    [Summand(Kernel.uniform(3), (1,), 30), Summand(Kernel.uniform(2), (100,), 1)],
    [Summand(Kernel([1, 10**300, 10**600]), (2,), 7)],
    [Summand(Kernel([1, 10**600]), (1,), 9)],
    [Summand(Kernel.uniform(3), (1,), 10**6)],
    [Summand(Kernel([1, 0, 0, 1e-250]), (1,), 40), Summand(Kernel.uniform(31), (3,), 5)],
]


def twin(steps, lam):
    """K from the mean, K' and K'' by the definition, to 60 digits beyond those lost."""
    value, mean, variance = mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(0)
    for part in steps:
        taps = [
            mpmath.mpf(Fraction(v).numerator) / Fraction(v).denominator for v in part.kernel.taps
        ]
        total = sum(taps)
        middle = sum(m * v for m, v in enumerate(taps)) / total
        places = [part.step[0] * (m - middle) for m in range(len(taps))]
        weights = [v * mpmath.exp(lam * x) for v, x in zip(taps, places, strict=True)]
        mass = sum(weights)
        first = sum(w * x for w, x in zip(weights, places, strict=True)) / mass
        value += part.times * mpmath.log(mass / total)
        mean += part.times * first
        spread = sum(w * (x - first) ** 2 for w, x in zip(weights, places, strict=True))
        variance += part.times * spread / mass
    return value, mean, variance


@given(STEPS, TILTS)
def test_values_and_derivatives_are_right_to_rounding(steps, lam):
    """Relative to themselves near 0 too, where plain sums would lose all digits."""
    found = cumulant_function(steps, Fraction(0))(np.array([lam]))
    with mpmath.workdps(120):
        value, mean, variance = (float(v) for v in twin(steps, mpmath.mpf(lam)))
    reach = sum(part.times * part.step[0] * len(part.kernel.taps) for part in steps)
    assert found.value[0] == pytest.approx(value, rel=1e-12, abs=1e-15 * abs(lam) * reach)
    assert found.mean[0] == pytest.approx(mean, rel=1e-12, abs=1e-15 * reach)
    assert found.variance[0] == pytest.approx(variance, rel=1e-9)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.floats(-1e-5, 1e-5))
def test_near_the_mean_no_digits_are_lost(taps, lam):
    steps = [Summand(Kernel(taps), (1,), 1000)]
    found = cumulant_function(steps, Fraction(0))(np.array([lam]))
    with mpmath.workdps(60):
        value, mean, _ = (float(v) for v in twin(steps, mpmath.mpf(lam)))
    assert found.value[0] == pytest.approx(value, rel=1e-9, abs=1e-50)
    assert found.mean[0] == pytest.approx(mean, rel=1e-9, abs=1e-50)


@pytest.mark.parametrize("steps", EXTREME)
def test_saddle_points_have_the_mean_that_was_asked_for(steps):
    function = cumulant_function(steps, Fraction(1, 2))
    first, last = float(function.first), float(function.last)
    t = np.concatenate([np.linspace(first, last, 1003)[1:-1], [first + 0.5, last - 0.5]])
    lam, at = function.saddle(t)
    assert np.all(np.isfinite(lam))
    assert at.below == pytest.approx(t - first, rel=1e-10)
    assert at.above == pytest.approx(last - t, rel=1e-10)
    near = np.minimum(t - first, last - t)
    assert np.all(np.abs(at.mean - (t - float(function.mean))) <= 1e-10 * near + 1e-15 * last)


def test_saddle_points_of_two_taps_are_logits():
    function = cumulant_function([Summand(Kernel([1, 3]), (2,), 10)], Fraction(0))
    t = np.array([0.1, 2.0, 15.0, 19.9])
    lam, _ = function.saddle(t)
    assert lam == pytest.approx((np.log(t / (20 - t)) - np.log(3)) / 2, rel=1e-13)


def test_many_places_are_worked_on_in_blocks():
    function = cumulant_function([Summand(Kernel.uniform(2**11), (1,), 3)], Fraction(0))
    t = np.linspace(1.0, float(function.last) - 1, 301)
    lam, at = function.saddle(t)
    assert lam.shape == at.value.shape == (301,)
    assert lam[:2] == pytest.approx(function.saddle(t[:2])[0], rel=1e-12)
    assert function.saddle(t[:0])[0].shape == (0,)


def test_both_ends_have_exact_probabilities():
    function = cumulant_function([Summand(Kernel([1, 2, 5]), (1,), 10)], Fraction(10))
    assert function.log_ends == pytest.approx((-10 * np.log(8), 10 * np.log(5 / 8)), rel=1e-14)
    assert (function.first, function.mean, function.last) == (-10, 5, 10)


@pytest.mark.parametrize("taps", [[0, 0], [1, -1, 2]])
def test_what_is_no_law_is_refused(taps):
    with pytest.raises(ErfTheoryError, match="no law of a step"):
        cumulant_function([Summand(Kernel(taps), (1,), 2)], Fraction(0))


@pytest.mark.parametrize("steps", EXTREME)
def test_what_saddle_points_miss_is_a_number_or_infinite(steps):
    function = cumulant_function(steps, Fraction(0))
    found = function.missed(np.array([-1e3, -1.0, 0.0, 1e-9, 2.0, 1e3]), 1)
    assert np.all(found >= 0)


@pytest.mark.parametrize("coarser", [2, 3, 7])
def test_a_law_on_a_coarser_lattice_has_all_of_its_transform_there_again(coarser):
    """One more time for every place between; each area is that of the central coefficient."""
    taps = [1, *[0] * (coarser - 1), 1]
    function = cumulant_function([Summand(Kernel(taps), (1,), 100)], Fraction(0))
    area = comb(100, 50) / 2**100 * 5 * sqrt(2 * pi)
    assert function.away(0.0, 5.0 * coarser, 1) == pytest.approx((coarser - 1) * area, abs=1e-6)
    assert function.away(0.0, 5.0 * coarser, coarser) < 1e-6
