"""Berry and Esseen: exact ingredients, what is sharp, and a constant that is false."""

from fractions import Fraction
from math import erf, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import berry_esseen, network_erf, theoretical_erf, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.bounds import esseen_asymptote, kolmogorov, lyapunov
from erf_theory.gaussian.layers import layers_of

TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=6).filter(lambda t: sum(map(bool, t)) > 1)


@pytest.mark.parametrize("k", range(2, 40))
def test_third_absolute_moments_of_equal_taps(k):
    [layer] = layers_of(theoretical_erf(k, 1))
    closed = (k * k - 1) ** 2 if k % 2 else k * k * (k * k - 2)
    assert layer.absolute_third == Fraction(closed, 32 * k)


@given(TAPS, st.integers(1, 8))
def test_kolmogorov_by_its_definition(taps, n):
    map_ = theoretical_erf(None, n, kernel=taps)
    numerators, total = map_.exact()
    mean, std = float(map_.cumulant(1)), sqrt(map_.cumulant(2))
    below, worst = 0, 0.0
    for t, count in zip(map_.offsets[0], numerators, strict=True):
        gaussian = (1 + erf((t - mean) / std / sqrt(2))) / 2
        worst = max(worst, abs(below / total - gaussian), abs((below + count) / total - gaussian))
        below += count
    assert kolmogorov(map_) == pytest.approx(worst, abs=1e-12)


@given(TAPS, st.integers(1, 8), st.integers(1, 3))
def test_the_continuity_correction_by_its_definition(taps, n, dilation):
    map_ = theoretical_erf(None, n, kernel=taps, dilation=dilation)
    numerators, total = map_.exact()
    span = int(np.gcd.reduce(np.diff(np.flatnonzero(numerators))))
    mean, std = float(map_.cumulant(1)), sqrt(map_.cumulant(2))
    below, worst = 0, 0.0
    for t, count in zip(map_.offsets[0], numerators, strict=True):
        below += count
        gaussian = (1 + erf((t + span / 2 - mean) / std / sqrt(2))) / 2
        worst = max(worst, abs(below / total - gaussian) if count else 0.0)
    assert kolmogorov(map_, corrected=span) == pytest.approx(worst, abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_the_lattice_constant_is_sharp(k):
    found = berry_esseen(theoretical_erf(k, 1000))
    constant = sqrt(3 / (2 * pi * (k * k - 1)))
    assert found.asymptote * sqrt(1000) == pytest.approx(constant, rel=1e-12)
    assert found.actual * sqrt(1000) == pytest.approx(constant, rel=0.01)
    assert found.ratio > 1


@pytest.mark.parametrize("taps", [[1, 9], [1, 5, 1, 3], [7, 0, 1, 0, 2]])
def test_skewed_taps_tend_to_esseens_asymptote(taps):
    found = berry_esseen(theoretical_erf(None, 4000, kernel=taps, dilation=3))
    assert found.actual == pytest.approx(found.asymptote, rel=0.02)


def test_no_constant_below_esseens_is_true():
    """Negative control: .4 in place of .4690 fails for the two-point law that Esseen found."""
    p = Fraction(sqrt(10) - 2).limit_denominator(1000) / 2
    found = berry_esseen(theoretical_erf(None, 4000, kernel=[p, 1 - p]))
    esseen = (sqrt(10) + 3) / (6 * sqrt(2 * pi))
    assert esseen == pytest.approx(0.40973, abs=1e-5)
    assert found.actual / found.lyapunov == pytest.approx(esseen, rel=2e-3)
    assert found.actual > 0.40 * found.lyapunov
    assert found.actual < found.bound


@given(TAPS, st.integers(1, 200))
def test_the_constants_for_equal_layers(taps, n):
    map_ = theoretical_erf(None, n, kernel=taps)
    [layer] = layers_of(map_)
    beta = float(layer.absolute_third) / float(layer.law.cumulant(2)) ** 1.5
    found = berry_esseen(map_)
    least = min(0.4690 * beta, 0.3322 * (beta + 0.429), 0.3031 * (beta + 0.646))
    assert found.bound == pytest.approx(least / sqrt(n), rel=1e-12)
    assert found.lyapunov == pytest.approx(beta / sqrt(n), rel=1e-12)
    assert (found.layers, found.is_equal) == (n, True)


def test_unequal_layers():
    found = berry_esseen(theoretical_erf(3, 5, stride=2))
    steps = 2.0 ** np.arange(5)
    number = (2 / 3) * np.sum(steps**3) / ((2 / 3) * np.sum(steps**2)) ** 1.5
    assert found.lyapunov == pytest.approx(number, rel=1e-12)
    assert found.bound == pytest.approx(0.5583 * number, rel=1e-12)
    assert not found.is_equal
    assert "unequal layers" in str(found)


def test_axes_and_networks():
    plane = theoretical_erf(2, 30, ndim=2, kernel=[[1, 2], [0, 5]])
    assert berry_esseen(plane, 1).actual > berry_esseen(plane, 0).actual
    assert kolmogorov(plane, 1) == kolmogorov(plane.profile(1))
    deep = berry_esseen(network_erf(zoo.resnet50(), ndim=1))
    assert deep.actual < deep.bound


def test_errors():
    with pytest.raises(ErfTheoryError, match="no layer spreads"):
        lyapunov(())
    with pytest.raises(ErfTheoryError, match="no layer spreads"):
        esseen_asymptote(theoretical_erf(1, 4))
    with pytest.raises(ErfTheoryError, match="no layer spreads"):
        berry_esseen(theoretical_erf(1, 4))
    with pytest.raises(ErfTheoryError, match="single pixel"):
        kolmogorov(theoretical_erf(1, 4))
    with pytest.raises(ErfTheoryError, match="with signs"):
        kolmogorov(theoretical_erf(None, 4, kernel=[1, -1, 1]))
    with pytest.raises(ErfTheoryError, match="have signs"):
        berry_esseen(theoretical_erf(None, 4, kernel=[1, -1, 1]))
