"""Edgeworth's expansion: how fast its error falls, where it may be asked, and what is refused."""

from fractions import Fraction
from itertools import accumulate
from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from erf_theory import network_erf, theoretical_erf, variance_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.edgeworth import best_order, edgeworth
from erf_theory.gaussian.powerlaw import fit_power_law
from erf_theory.network import Chain, Conv

TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=6).filter(
    lambda taps: np.count_nonzero(taps) > 1
)
SYMMETRIC = ([1, 1], [1, 1, 1], [1] * 5)
SKEW = [3, 2, 1]
CASES = [
    *((taps, order, (80, 160, 320)) for taps in SYMMETRIC for order in (0, 2, 4, 6)),
    *((SKEW, order, (160, 320, 640)) for order in range(5)),
]


def exact(erf):
    """The map and its distribution function, correctly rounded."""
    numerators, denominator = erf.exact()
    whole = [int(v) for v in numerators]
    shares = [v / denominator for v in whole]
    return np.array(shares), np.array([v / denominator for v in accumulate(whole)])


def errors(erf, order):
    """The largest errors, of std times the density and of the distribution function."""
    (t,), (shares, below), found = erf.offsets, exact(erf), edgeworth(erf, order)
    density = found.std / found.lattice.span * np.max(np.abs(found.mass(t) - shares))
    return density, np.max(np.abs(found.cdf(t) - below))


@pytest.mark.parametrize(("taps", "order", "depths"), CASES)
def test_errors_fall_as_their_power_of_n(taps, order, depths):
    erfs = [theoretical_erf(None, n, kernel=taps) for n in depths]
    found = edgeworth(erfs[-1], order)
    first = zip(*(errors(erf, order) for erf in erfs), strict=True)
    for off, omitted in zip(first, (found.density_error, found.cdf_error), strict=True):
        power = fit_power_law(depths, off).exponent
        assert power == pytest.approx(float(omitted.power), abs=0.05)
        assert off[-1] == pytest.approx(omitted.size, rel=0.1)


def test_an_order_too_low_by_one_has_another_power():
    """The control: without its last term the error does not fall as the expansion says."""
    depths = (40, 80, 160)
    off = [errors(theoretical_erf(3, n), 2)[0] for n in depths]
    claimed = edgeworth(theoretical_erf(3, 40), 4).density_error.power
    assert abs(fit_power_law(depths, off).exponent - claimed) > 0.9


@pytest.mark.parametrize(("taps", "dilation"), [([1, 1, 1], 2), ([1, 0, 0, 1, 0, 0, 2], 1)])
def test_on_lattices_with_a_span(taps, dilation):
    erf = theoretical_erf(None, 200, kernel=taps, dilation=dilation)
    found, (t,), (shares, below) = edgeworth(erf, 4), erf.offsets, exact(erf)
    assert found.lattice.span > 1
    assert found.std * np.max(np.abs(found.mass(t) - shares)) < 2e-6
    assert np.all(found.mass(t)[shares == 0] == 0)
    assert np.max(np.abs(found.cdf(t) - below)) < 1e-6
    assert found.cdf(found.lattice.first + 0.5) == found.cdf(found.lattice.first)


@given(TAPS, st.integers(1, 30))
def test_order_zero_is_the_gaussian(taps, n):
    erf = theoretical_erf(None, n, kernel=taps)
    found, (t,) = edgeworth(erf, 0), erf.offsets
    z = (t - erf.mean[0]) / erf.std
    assert found.density(t) == pytest.approx(np.exp(-z * z / 2) / erf.std / sqrt(2 * pi), abs=1e-14)
    middle = found.cdf(found.lattice.first + found.lattice.span * np.arange(3))
    edge = float(found.lattice.first) + found.lattice.span * (np.arange(3) + 0.5)
    assert middle == pytest.approx(ndtr((edge - erf.mean[0]) / erf.std), abs=1e-14)


@given(TAPS, st.integers(1, 10), st.integers(0, 6))
def test_mirrored_taps_give_the_mirrored_expansion(taps, n, order):
    erf, mirrored = (theoretical_erf(None, n, kernel=row) for row in (taps, taps[::-1]))
    one, other = edgeworth(erf, order), edgeworth(mirrored, order)
    (t,) = erf.offsets
    assert other.mass(-t) == pytest.approx(one.mass(t), abs=1e-10)
    below, above = one.cdf(t), other.cdf(-t - one.lattice.span)
    on = one.lattice.holds(t)
    assert below[on] + above[on] == pytest.approx(np.ones(on.sum()), abs=1e-10)


def test_unequal_layers():
    net = Chain(
        [Conv(1, 1, k, dilation=d) for k, d in ((3, 1), (2, 2), (5, 1), (3, 2)) * 8], ndim=1
    )
    erf = network_erf(net)
    off = [errors(erf, order)[0] for order in (0, 2, 4, 6)]
    assert edgeworth(erf, 2).variance == 8 * (Fraction(2, 3) + 1 + 2 + Fraction(8, 3))
    assert np.all(np.array(off[1:]) < np.array(off[:-1]) / 10)


def test_every_axis_of_a_plane():
    plane = theoretical_erf(3, 9, ndim=2, dilation=(1, 2))
    for axis in (0, 1):
        line = plane.profile(axis)
        found = edgeworth(plane, 2, axis)
        (t,) = line.offsets
        assert found.mass(t) == pytest.approx(edgeworth(line, 2).mass(t), abs=0)
        assert found.mass(t) == pytest.approx(line.values, abs=2e-4)


def test_maps_that_are_known_by_their_samples():
    """The root of an energy; cumulants are sums over its samples."""
    erf = variance_erf(3, 40).rms()
    (t,) = erf.offsets
    off = [np.max(np.abs(edgeworth(erf, order).mass(t) - erf.values)) for order in (0, 2, 4)]
    assert off[1] < off[0] / 50
    assert off[2] < off[1] / 15


def test_places_may_have_any_shape():
    found = edgeworth(theoretical_erf(3, 20), 4)
    t = np.array([[-3.0, 0.0], [5.0, 1e9]])
    for of in (found.density, found.mass, found.cdf):
        assert of(t).shape == (2, 2)
        assert of(t)[1, 0] == of(5) == of(5.0)
    assert (found.mass(t)[1, 1], found.cdf(t)[1, 1], found.cdf(-1e9)) == (0, 1, 0)


@pytest.mark.parametrize("taps", [[1, 1], [1, 1, 1], [5, 2, 1], [1, 0, 1, 0, 7]])
@pytest.mark.parametrize("n", [1, 3, 10, 40])
def test_no_order_is_much_better_than_the_best(taps, n):
    erf = theoretical_erf(None, n, kernel=taps)
    best = best_order(erf, most=12)
    (t,), (shares, _) = erf.offsets, exact(erf)
    off = [np.max(np.abs(edgeworth(erf, order).mass(t) - shares)) for order in range(13)]
    assert off[best] <= 1.11 * min(off) + 1e-15
    assert all(off[order] > off[best] for order in range(best))


@pytest.mark.parametrize("order", [-1, 0.5])
def test_orders_count_terms(order):
    with pytest.raises(ErfTheoryError, match="the order of an expansion is"):
        edgeworth(theoretical_erf(3, 5), order)


@pytest.mark.parametrize("erf", [theoretical_erf(1, 5), theoretical_erf(None, 2, kernel=[1, -2])])
def test_what_has_no_gaussian_is_refused(erf):
    for ask in (edgeworth, best_order):
        with pytest.raises(ErfTheoryError, match=r"lies on one point|has signs"):
            ask(erf)


@pytest.mark.parametrize("t", [np.nan, [0.0, np.nan], "here", None])
def test_places_are_numbers(t):
    found = edgeworth(theoretical_erf(3, 5))
    for ask in (found.density, found.mass, found.cdf):
        with pytest.raises(ErfTheoryError, match="places are numbers of pixels"):
            ask(t)
    assert found.cdf([-np.inf, np.inf]).tolist() == [0, 1]


@pytest.mark.parametrize("ask", [edgeworth, best_order])
@pytest.mark.parametrize("wrong", [None, [1, 2, 1], [theoretical_erf(3, 5)]])
def test_only_a_map_has_an_expansion(ask, wrong):
    with pytest.raises(ErfTheoryError, match="asked of one ERF, not of"):
        ask(wrong)


@pytest.mark.parametrize(
    ("taps", "n"),
    [([1, 1, 1], 5), ([100, 1, 100], 5), ([100, 1, 100], 100), ([9, 1, 0, 0, 0, 9], 100)],
)
def test_where_powers_of_n_end_the_rest_is_known(taps, n):
    """The transfer function away from 0 is the whole error, where terms left out are below it."""
    erf = theoretical_erf(None, n, kernel=taps)
    found = edgeworth(erf, 6)
    off = np.max(np.abs(found.mass(erf.offsets[0]) - exact(erf)[0])) * found.std
    assert found.density_error.size < off / 10
    assert off == pytest.approx(found.beyond_powers, rel=0.05)
    assert f"beside all powers of n std·density may miss {found.beyond_powers:.3g}" in repr(found)


def test_a_map_that_is_no_sum_of_steps_does_not_know_the_rest():
    found = edgeworth(variance_erf(3, 5).rms())
    assert np.isnan(found.beyond_powers)
    assert "beside" not in repr(found)
