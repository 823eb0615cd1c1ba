"""ERFs where doubles are not enough: signs, far taps, masses and widths beyond their range."""

from fractions import Fraction
from math import log

import numpy as np
import pytest

from erf_theory.erf import ERF
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf, variance_erf

HUGE = 10**400


@pytest.mark.parametrize(
    ("erf", "order", "expected"),
    [
        # the magnitudes of (1 - 2z + z²)ⁿ are those of (1 + z)²ⁿ: Binomial(2000, 1/2)
        (theoretical_erf(None, 1000, kernel=[1, -2, 1]), 6, Fraction(500)),
        (theoretical_erf(None, 1000, kernel=[1, -2, 1]), 2, Fraction(500)),
        (theoretical_erf(None, 1000, kernel=[1, -2, 1]), 1, 0),
        (theoretical_erf(None, 2, kernel=[0, -3], dilation=2), 2, 0),
        (theoretical_erf(None, 2, kernel=[0, -3], dilation=2), 1, 2),
        (theoretical_erf(None, 30, kernel=[[1, -1], [-1, 1]], ndim=2), 4, Fraction(-30, 8)),
    ],
)
def test_cumulants_of_maps_with_signs_are_those_of_exact_magnitudes(erf, order, expected):
    assert erf.cumulant(order) == expected
    assert erf.profile(0).cumulant(order) == expected


def test_far_taps_of_a_map_with_signs_count():
    erf = theoretical_erf(None, 1, kernel=[-1, 1e-20], dilation=100_000)
    back = ERF.from_dict(erf.to_dict())
    for found in (erf, back):
        assert found.std == pytest.approx(1e-5, rel=1e-12)
        assert found.covariance[0, 0] == pytest.approx(1e-10, rel=1e-12)
    assert back.mean[0] == pytest.approx(erf.mean[0], abs=1e-9)


@pytest.mark.parametrize("kernel", [[1, -2, 1], [0.1, 0.7, -0.3], [2, -5, 1, 1]])
def test_files_keep_the_measures_of_maps_with_signs(kernel):
    erf = theoretical_erf(None, 300, kernel=kernel)
    back = ERF.from_dict(erf.to_dict())
    assert back.std == pytest.approx(erf.std, rel=1e-9)
    assert back.mean == pytest.approx(erf.mean, rel=1e-9, abs=1e-9)


def test_a_narrow_map_far_from_its_first_sample_has_no_width():
    erf = theoretical_erf(None, 3, kernel=[0, 0, -3], dilation=10_000)
    assert ERF.from_dict(erf.to_dict()).std == erf.std == 0


@pytest.mark.parametrize(
    "erf",
    [
        variance_erf(3, 2, weight_variance=5, ndim=2),
        variance_erf(3, 2, weight_variance=0.5, ndim=3),
        variance_erf(3, 2, weight_variance=5, ndim=2).rms(),
        variance_erf(2, 3, weight_variance=[[1, 2], [3, 4]], ndim=2),
        theoretical_erf(None, 3, kernel=[1, 2, 5], ndim=2, stride=(1, 2)),
        ERF.from_dict(variance_erf(3, 2, weight_variance=5, ndim=2).to_dict()),
    ],
)
def test_the_mass_of_a_profile_is_that_of_the_map(erf):
    for axis in range(erf.ndim):
        line = erf.profile(axis)
        for found in (line, ERF.from_dict(line.to_dict())):
            assert (found.mass, found.log_mass) == (erf.mass, erf.log_mass)
            assert found.log_norm == pytest.approx(erf.log_norm, abs=1e-13)
    assert variance_erf(3, 2, weight_variance=5, ndim=2).profile(1).mass == 2025


@pytest.mark.parametrize("stride", [1, 2])
def test_exact_is_exact_where_factors_are_right_to_rounding_only(stride):
    """The definition on the binary fractions that float taps are."""
    taps = [[1.0, 1.0], [1.0, 1 + 8e-16]]
    whole = Kernel([[Fraction(tap) for tap in row] for row in taps])
    map_ = whole
    if stride == 2:
        map_ = whole @ whole.dilate(2)
    erf = theoretical_erf(None, stride, kernel=taps, ndim=2, stride=stride)
    assert len(erf.factors) == 2
    numerators, denominator = erf.exact()
    assert np.array_equal(numerators, map_.taps / map_.mass * denominator)
    for ask in (erf.profile(0).exact, erf.profile(-1).exact):
        with pytest.raises(EngineError, match="known by its samples"):
            ask()


@pytest.mark.parametrize("ndim", [2, 3])
def test_float_taps_of_one_axis_are_exact_on_every_axis(ndim):
    line = [Fraction(v) for v in (0.1, 0.7)]
    expected = line
    for _ in range(ndim - 1):
        expected = np.multiply.outer(expected, line)
    numerators, denominator = theoretical_erf(None, 1, kernel=[0.1, 0.7], ndim=ndim).exact()
    assert np.array_equal(numerators, expected / np.sum(expected) * denominator)


def test_pixels_on_the_threshold_are_not_above_it():
    assert theoretical_erf(None, 1, kernel=[1, 1, -1, 1, 1, 2]).size(0.5) == 1
    assert theoretical_erf(None, 4, kernel=[1, 2], stride=3, engine="balls").size(0.75) == 5
    plane = theoretical_erf(None, 2, kernel=[1, 2, 1], ndim=2)
    assert plane.size(1 - 1 / 36) == pytest.approx(21**0.5)


def test_signs_of_what_underflows_come_back():
    erf = theoretical_erf(None, 1, kernel=[HUGE, -1])
    assert not ERF.from_dict(erf.to_dict()).is_nonnegative


def test_what_no_double_holds_is_right_or_refused():
    assert theoretical_erf(None, 3, kernel=[HUGE, 1]).std == pytest.approx(3**0.5 * 1e-200)
    assert theoretical_erf(3, 1000, stride=2).std == pytest.approx(2.0**1000 * 2**0.5 / 3)
    floats = theoretical_erf(3, 1000, kernel=[1.0, 1.0, 1.0], stride=2)
    far = theoretical_erf(3, 2, kernel=[1, 2, 0], dilation=HUGE)
    deep = theoretical_erf(3, HUGE, kernel=[1.0, 1.0, 1.0])
    asked = [
        (lambda: floats.std, "as integers or fractions"),
        (lambda: floats.cumulant(2), "as integers or fractions"),
        (lambda: far.mean, r"ask for cumulant\(1\)"),
        (lambda: far.std, r"ask for cumulant\(2\)"),
        (lambda: deep.std, "as integers or fractions"),
        (lambda: deep.mass, "ask for log_mass"),
        (lambda: deep.log_mass, "choose a smaller n"),
        (lambda: theoretical_erf(3, 10**12).mass, "ask for log_mass"),
    ]
    for ask, message in asked:
        with pytest.raises(ErfTheoryError, match=message):
            ask()
    assert far.cumulant(1) == -HUGE * Fraction(2, 3)


def test_deep_maps_are_saved_without_their_mass():
    erf = theoretical_erf(1, 10**12, kernel=[3])
    assert ERF.from_dict(erf.to_dict()).log_mass == pytest.approx(10**12 * log(3))
