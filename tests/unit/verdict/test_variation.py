import numpy as np
import pytest
from scipy.stats import binom, kstest

from erf_theory.verdict.statistics import random_signs
from erf_theory.verdict.variation import total_variation

SIGNS = random_signs(64)
SIZES = np.linspace(0.02, 1, 40)


def noise(seed, off=0.0):
    """Independent deviations, heavy-tailed, of 40 places that share a factor."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(5, (64, 1))
    return SIZES * (rng.standard_t(5, (64, 40)) + common) + off


def test_it_is_half_of_all_differences():
    found = total_variation(noise(0), 0.3, SIGNS)
    assert found.value == pytest.approx((np.abs(noise(0).mean(axis=0)).sum() + 0.3) / 2)


def test_many_places_are_summed_in_parts():
    wide = np.tile(noise(0), 300)
    whole, part = (total_variation(rows, 0, SIGNS) for rows in (wide, noise(0)))
    assert whole.value == pytest.approx(300 * part.value)
    assert whole.resampled == pytest.approx(300 * part.resampled)


def test_its_distribution_under_the_truth_is_the_one_of_new_experiments():
    trials = 400
    found = [total_variation(noise(seed), 0, SIGNS) for seed in range(trials)]
    values = np.array([one.value for one in found])
    assert np.mean([one.expected for one in found]) == pytest.approx(values.mean(), rel=0.05)
    below = sum(one.value < one.bound for one in found)
    assert binom.ppf(1e-3, trials, 0.94) <= below <= binom.isf(1e-3, trials, 0.96)
    assert kstest([one.p_value for one in found], "uniform").pvalue > 1e-3


def test_a_difference_of_every_place_is_seen():
    off = 0.5 * SIZES * np.where(np.arange(40) % 2, 1, -1)
    assert total_variation(noise(0, off), 0, SIGNS).p_value == 0.001


def test_rounding_is_no_difference():
    found = total_variation(1e-14 * noise(0), 0, SIGNS)
    assert found.p_value == 1
    assert (found.resampled_p_values == 1).all()
    assert total_variation(0 * noise(0), 0.2, SIGNS).p_value == 0.001
