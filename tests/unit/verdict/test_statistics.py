"""The two tests of a mean against scipy's, and against simulated experiments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from erf_theory.verdict.statistics import (
    Hotelling,
    StudentHall,
    needed,
    p_of_least,
    random_signs,
    ranks,
)

TRIALS = 2000


def shape_p(rows):
    return Hotelling(rows).p_value(np.mean(rows, axis=0))


def normal_rows(rng, mean, blocks=40):
    """Correlated normal rows of very different sizes."""
    mix = np.array([[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [30.0, 0.0, 40.0]])
    return rng.standard_normal((blocks, 3)) @ mix.T + mean


@given(st.integers(0, 10_000), st.integers(3, 50))
def test_one_quantity_is_student_s_test(seed, blocks):
    rows = np.random.default_rng(seed).standard_normal((blocks, 1)) + 0.3
    expected = stats.ttest_1samp(rows[:, 0], 0).pvalue
    assert shape_p(rows) == pytest.approx(expected, rel=1e-9)


def test_several_quantities_are_hotelling_s_test():
    rows = normal_rows(np.random.default_rng(1), 0.1)
    mean, blocks, size = rows.mean(axis=0), *rows.shape
    squared = blocks * mean @ np.linalg.inv(np.cov(rows.T)) @ mean
    expected = stats.f.sf(squared * (blocks - size) / (size * (blocks - 1)), size, blocks - size)
    assert shape_p(rows) == pytest.approx(expected, rel=1e-9)


def test_normal_rows_have_uniform_p_values():
    rng = np.random.default_rng(0)
    every = [normal_rows(rng, 0.0) for _ in range(TRIALS)]
    found = np.array([[shape_p(rows), StudentHall(rows[:, 0]).p_value] for rows in every])
    for column in found.T:
        assert stats.kstest(column, "uniform").pvalue > 1e-3, "false alarms: 1 in 1000"
    shifted = [shape_p(rows + 0.1) for rows in every]
    assert stats.kstest(shifted, "uniform").pvalue < 1e-9


def test_skew_rows_have_uniform_p_values_after_hall_s_correction():
    rng = np.random.default_rng(0)
    rows = rng.exponential(size=(TRIALS, 64)) - 1
    below = np.mean([StudentHall(row).p_value < 0.01 for row in rows])
    plain = np.mean(stats.ttest_1samp(rows, 0, axis=1).pvalue < 0.01)
    limit = stats.binom.isf(1e-3, TRIALS, 0.012) / TRIALS
    assert below <= limit < plain, "false alarms: 1 in 1000; Student alone rejects twice as often"


@pytest.mark.parametrize("mean", [0.0, 0.2, 0.5, 0.8])
def test_power_is_the_rate_of_rejections(mean):
    rng, level = np.random.default_rng(3), 0.05
    shift = np.array([mean, 0.9 * mean, 0.0])
    every = [normal_rows(rng, shift) for _ in range(TRIALS)]
    for rejected, stated in (
        (
            [shape_p(rows) < level for rows in every],
            [Hotelling(rows).power(shift, level) for rows in every],
        ),
        (
            [StudentHall(rows[:, 0]).p_value < level for rows in every],
            [StudentHall(rows[:, 0]).power(mean, level) for rows in every],
        ),
    ):
        rate, power = np.mean(rejected), np.mean(stated)
        noise = (max(power * (1 - power), 0.01) / TRIALS) ** 0.5
        assert abs(rate - power) < 4 * noise + 0.015, "the spread is estimated from 40 rows"


def test_power_depends_on_the_size_of_a_deviation_alone():
    rows = np.random.default_rng(0).standard_normal(30)
    test = StudentHall(rows)
    assert test.power(-0.3, 0.01) == pytest.approx(test.power(0.3, 0.01), rel=1e-9)
    assert test.power(0.0, 0.01) == pytest.approx(0.01)
    assert test.power(1e9, 0.01) == 1
    assert Hotelling(rows[:, None]).power(np.array([1e9]), 0.01) == 1


def test_the_interval_is_student_s():
    rows = np.random.default_rng(0).standard_normal(30)
    expected = stats.ttest_1samp(rows, 0).confidence_interval(0.95)
    assert StudentHall(rows).interval(0.95) == pytest.approx(tuple(expected))


def test_collinear_quantities_count_once():
    rows = np.random.default_rng(0).standard_normal((40, 1)) + 0.2
    assert shape_p(np.hstack([rows, -2 * rows, 1e9 * rows])) == pytest.approx(shape_p(rows))
    assert shape_p(np.hstack([rows, 0 * rows])) == pytest.approx(shape_p(rows))


def test_a_constant_is_certain():
    noise = np.random.default_rng(0).standard_normal((40, 1))
    off = np.hstack([noise, np.full((40, 1), 1e-3)])
    assert shape_p(off) == 0
    assert Hotelling(noise * [1, 0]).power(np.array([0.0, 1e-3]), 0.01) == 1
    for constant, p_value in ((0.0, 1), (0.2, 0)):
        rows = np.full(40, constant)
        assert StudentHall(rows).p_value == p_value
        assert shape_p(rows[:, None]) == p_value
        assert StudentHall(rows).power(constant, 0.01) == 1 - p_value
        assert StudentHall(rows).interval(0.95) == pytest.approx((constant, constant))


def test_no_quantities_decide_nothing():
    nothing = Hotelling(np.zeros((40, 0)))
    assert nothing.p_value(np.zeros(0)) == 1
    assert nothing.power(np.zeros(0), 0.01) == 0


@pytest.mark.parametrize("mean", [0.0, 0.3])
def test_other_signs_are_other_rows(mean):
    rows = normal_rows(np.random.default_rng(2), mean)
    signs = random_signs(len(rows))[:20]
    changed = [sign[:, None] * rows for sign in signs]
    expected = [Hotelling(one).p_value(np.mean(one, axis=0)) for one in changed]
    assert Hotelling(rows).resampled(signs) == pytest.approx(expected, rel=1e-6)
    expected = [StudentHall(one[:, 0]).p_value for one in changed]
    assert StudentHall(rows[:, 0]).resampled(signs) == pytest.approx(expected, rel=1e-9)


def test_nothing_says_nothing_whatever_its_signs():
    signs = random_signs(40)
    assert (Hotelling(np.full((40, 2), 1e-15)).resampled(signs) == 1).all()
    assert (Hotelling(np.zeros((40, 0))).resampled(signs) == 1).all()
    assert (StudentHall(np.zeros(40)).resampled(signs) == 1).all()


def test_the_least_of_dependent_p_values_is_uniform():
    rng, signs, found = np.random.default_rng(4), random_signs(40), []
    for _ in range(600):
        shared = rng.standard_t(4, (40, 1))
        rows = shared + 0.5 * rng.standard_normal((40, 2))
        first, second = Hotelling(rows), StudentHall(rows[:, 0])
        least = min(first.p_value(rows.mean(axis=0)), second.p_value)
        found.append(p_of_least(least, np.minimum(first.resampled(signs), second.resampled(signs))))
    assert stats.kstest(found, "uniform").pvalue > 1e-3, "false alarms: 1 in 1000"


def test_the_least_goes_to_0_in_proportion():
    resampled = np.random.default_rng(0).uniform(0, 0.5, 999)
    tenth = np.sort(resampled)[9]
    assert p_of_least(tenth, resampled) == 0.011
    assert p_of_least(tenth * 1e-9, resampled) == pytest.approx(1e-11)
    assert p_of_least(0.0, resampled) == 0
    assert p_of_least(1.0, np.ones(999)) == 1


def test_signs_are_always_the_same_and_fair():
    signs = random_signs(64)
    assert (signs == random_signs(64)).all()
    assert set(signs.ravel()) == {-1, 1}
    assert abs(signs.mean()) < 4 / np.sqrt(signs.size)


def test_ranks_count_what_is_as_large():
    values = np.array([0.3, 0.1, 0.3, 0.2])
    assert ranks(values).tolist() == [np.mean(values >= value) for value in values]


@pytest.mark.parametrize("dof", [1, 4])
def test_the_power_is_there_where_it_is_needed(dof):
    shift = needed(dof, 0.01, 0.9)
    rng = np.random.default_rng(5)
    drawn = ((rng.standard_normal((20_000, dof)) + np.sqrt(shift / dof)) ** 2).sum(axis=1)
    assert np.mean(drawn > stats.chi2.isf(0.01, dof)) == pytest.approx(0.9, abs=0.01)
