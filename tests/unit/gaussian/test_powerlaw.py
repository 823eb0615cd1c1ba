import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.powerlaw import PowerLaw, fit_power_law

POSITIVE = st.floats(1e-6, 1e6)
POINTS = st.lists(st.tuples(POSITIVE, POSITIVE), min_size=3, max_size=9)


@given(POINTS)
def test_it_is_the_line_of_least_squares(points):
    x, y = map(np.array, zip(*points, strict=True))
    assume(np.ptp(np.log(x)) > 0.01)
    (slope, intercept), covariance = np.polyfit(np.log(x), np.log(y), 1, cov=True)
    found, scale = fit_power_law(x, y), max(abs(slope), 1)
    assert found.exponent == pytest.approx(slope, abs=1e-9 * scale)
    assert np.log(found(x)) == pytest.approx(slope * np.log(x) + intercept, abs=1e-7 * scale)
    reach = stats.t.ppf(0.975, len(x) - 2) * covariance[0, 0] ** 0.5
    low, high = found.interval
    assert (high - low) / 2 == pytest.approx(reach, rel=1e-6, abs=1e-9 * scale)
    assert (high + low) / 2 == pytest.approx(slope, abs=1e-9 * scale)


def test_scipy_fits_the_same_line():
    x, y = np.array([5, 10, 20, 40, 80]), np.array([10.44, 15.52, 22.74, 31.95, 45.49])
    line, found = stats.linregress(np.log(x), np.log(y)), fit_power_law(x, y)
    reach = stats.t.ppf(0.975, 3) * line.stderr
    assert found.exponent == pytest.approx(line.slope, rel=1e-12)
    assert found.interval == pytest.approx((line.slope - reach, line.slope + reach), rel=1e-9)


@given(st.floats(-3, 3), st.floats(0.1, 10))
def test_a_power_law_is_found_again(exponent, factor):
    law = PowerLaw(exponent, (1.0, factor), None)
    x = np.array([1.0, 2, 5, 70])
    found = fit_power_law(x, law(x))
    assert found.exponent == pytest.approx(exponent, abs=1e-13)
    assert found(x) == pytest.approx(law(x), rel=1e-13)
    assert np.ptp(found.interval) < 1e-13


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Binomial(2000, 0.95): the bounds are 4 standard deviations, a false alarm in 16 000."""
    rng = np.random.default_rng(3)
    x = np.array([1.0, 2, 4, 8, 16])
    fits = [fit_power_law(x, x**0.5 * np.exp(rng.normal(0, 0.1, 5))) for _ in range(2000)]
    held = sum(fit.interval[0] <= 0.5 <= fit.interval[1] for fit in fits)
    assert abs(held - 1900) < 4 * (2000 * 0.95 * 0.05) ** 0.5


def test_two_points_have_no_interval():
    law = fit_power_law([1, 4], [3, 6])
    assert law.interval is None
    assert law.exponent == pytest.approx(0.5)
    assert str(law) == "0.500 (two points: no interval)"


def test_the_text_says_power_and_interval():
    assert str(PowerLaw(-0.44, (1, 3), (-0.4917, -0.3888))) == "-0.440 (95 %: -0.492 to -0.389)"


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([2, 2, 2], [1, 2, 3], "two different x"),
        ([1], [1], "two different x"),
        ([1, 2, 3], [1, 2], "one y for every x"),
        ([0, 1], [1, 2], "x is"),
        ([1, 2], [1, -2], "y is"),
        ([1, 2], [1, np.nan], "y is"),
        ([1, 2], [1, np.inf], "y is"),
        ([], [], "x is"),
        ([[1, 2]], [[1, 2]], "x is"),
    ],
)
def test_what_fixes_no_line_is_refused(x, y, text):
    with pytest.raises(ErfTheoryError, match=text):
        fit_power_law(x, y)
