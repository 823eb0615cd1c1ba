"""Saddle-point density and tails beside exact integers, over the whole support."""

from fractions import Fraction
from itertools import accumulate

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import network_erf, theoretical_erf, variance_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import log_of
from erf_theory.gaussian.saddlepoint import saddlepoint
from erf_theory.network import Chain, Conv

TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=6).filter(
    lambda taps: np.count_nonzero(taps) > 1
)


def logs(numbers, denominator):
    return np.array([log_of(Fraction(v, denominator)) if v else -np.inf for v in numbers])


def exact(erf):
    """Logarithms of the map, of its sums from each place on, and of those up to each place."""
    numerators, denominator = erf.exact()
    whole = [int(v) for v in numerators]
    above = list(accumulate(whole[::-1]))[::-1]
    return tuple(logs(numbers, denominator) for numbers in (whole, above, list(accumulate(whole))))


def unequal():
    layers = [Conv(1, 1, k, dilation=d) for k, d in ((3, 2), (2, 4), (5, 2), (3, 6)) * 4]
    return network_erf(Chain(layers, ndim=1))


MAPS = {
    "k=2": (theoretical_erf(2, 40), 0.085, 0.001),
    "k=3": (theoretical_erf(3, 40), 0.089, 0.001),
    "k=5": (theoretical_erf(5, 40), 0.089, 0.001),
    "skew": (theoretical_erf(None, 40, kernel=[5, 2, 1]), 0.089, 0.001),
    "skew, span 2": (theoretical_erf(None, 20, kernel=[3, 0, 2, 0, 1]), 0.095, 0.001),
    "unequal, span 2": (unequal(), 0.16, 0.008),
}
"""With the largest relative error of the density: Stirling's at one step from an end, and more
where a step leads to several places; and of the tails within three standard deviations."""


@pytest.mark.parametrize("name", MAPS)
def test_the_whole_support_is_right_relative_to_itself(name):
    erf, off, _ = MAPS[name]
    (t,), found, (shares, above, below) = erf.offsets, saddlepoint(erf), exact(erf)
    on = shares > -np.inf
    assert np.array_equal(found.log_mass(t) > -np.inf, on)
    assert np.abs(np.expm1(found.log_mass(t)[on] - shares[on])).max() < off
    for correction, most in ((1, off), (2, off / 2)):
        assert np.abs(np.expm1(found.log_tail(t, correction) - above)).max() < most
        sums = below > -np.inf
        assert np.abs(np.expm1((found.log_cdf(t, correction) - below)[sums])).max() < most


@pytest.mark.parametrize("name", MAPS)
def test_the_middle_is_right_to_a_few_percent_and_its_tails_to_less(name):
    erf, _, tails = MAPS[name]
    (t,), found, (shares, above, _) = erf.offsets, saddlepoint(erf), exact(erf)
    near = (np.abs(t - erf.mean[0]) < 3 * erf.std) & (shares > -np.inf)
    assert np.abs(np.expm1(found.log_mass(t)[near] - shares[near])).max() < 0.026
    assert np.abs(np.expm1(found.log_tail(t)[near] - above[near])).max() < tails


def test_the_numbers_of_the_theory():
    """The tails P(S ≥ t) of ten layers of three taps: .999 to .975 of the exact for t = 1..9."""
    erf = theoretical_erf(3, 10)
    t = np.arange(1.0, 10.0)
    _, above, _ = exact(erf)
    ratio = np.exp(saddlepoint(erf).log_tail(t) - above[11:20])
    assert ratio[[0, 2, 8]].round(3).tolist() == [1.0, 0.999, 0.975]
    assert np.all(np.diff(ratio) < 0)


@pytest.mark.parametrize("taps", [[1, 1, 1], [5, 2, 1]])
def test_the_relative_error_is_the_tilted_laws_first_term(taps):
    """ρ₄/8 − 5ρ₃²/24 of the tilted law is missing; with it the error is of the order n^-2."""
    for n, bound in ((50, 4e-4), (200, 2.5e-5)):
        erf = theoretical_erf(None, n, kernel=taps)
        (t,), found, (shares, _, _) = erf.offsets, saddlepoint(erf), exact(erf)
        t, shares = t[n // 2 : -n // 2], shares[n // 2 : -n // 2]
        missing = [first_term(taps, n, x - t0(erf)) for x in t[:: n // 10]]
        off = np.expm1(shares - found.log_mass(t))[:: n // 10]
        assert np.abs(off - missing).max() < bound


def t0(erf):
    return erf.offsets[0][0]


def first_term(taps, n, x):
    """ρ₄/8 − 5ρ₃²/24 of the law that is tilted to mean x."""
    places = np.arange(len(taps))
    low, high = -50.0, 50.0
    for _ in range(100):
        weights = np.array(taps) * np.exp((low + high) / 2 * places)
        weights /= weights.sum()
        if n * weights @ places < x:
            low = (low + high) / 2
        else:
            high = (low + high) / 2
    d = places - weights @ places
    second, third, fourth = (weights @ d**r for r in (2, 3, 4))
    return ((fourth / second**2 - 3) / 8 - 5 * third**2 / second**3 / 24) / n


@pytest.mark.parametrize("n", [10, 10**6])
@pytest.mark.parametrize("taps", [[1, 1, 1], [5, 2, 1]])
@pytest.mark.parametrize("correction", [1, 2])
def test_tails_near_the_mean_lose_no_digits(taps, n, correction):
    """Lugannani and Rice's formula by its definition, to 90 digits."""
    erf = theoretical_erf(None, n, kernel=taps)
    middle = round(erf.mean[0])
    for t in (middle - 1, middle, middle + 1, middle + round(erf.std)):
        found = saddlepoint(erf).log_tail(t, correction)
        wanted = lugannani_rice(taps, n, Fraction(t) + n, correction)
        assert float(np.exp(found)) == pytest.approx(wanted, rel=1e-9)


def lugannani_rice(taps, n, t, correction):
    with mpmath.workdps(90):
        at = mpmath.mpf(t.numerator) - (correction - 1) / mpmath.mpf(2)

        def law(lam):
            return [v * mpmath.exp(lam * m) for m, v in enumerate(taps)]

        def mean(lam):
            return n * sum(m * w for m, w in enumerate(law(lam))) / sum(law(lam))

        lam = mpmath.findroot(lambda x: (mean(x) - at) / n, (-2, 2), solver="anderson", tol=1e-50)
        if abs(lam) < 1e-45:
            lam = mpmath.mpf(10) ** -15
            at = mean(lam)
        weights = law(lam)
        second = sum((m - mean(lam) / n) ** 2 * w for m, w in enumerate(weights)) / sum(weights)
        exponent = n * mpmath.log(sum(weights) / sum(taps)) - lam * at
        w = mpmath.sign(lam) * mpmath.sqrt(-2 * exponent)
        u = 1 - mpmath.exp(-lam) if correction == 1 else 2 * mpmath.sinh(lam / 2)
        u *= mpmath.sqrt(n * second)
        return float(mpmath.ncdf(-w) + mpmath.npdf(w) * (1 / u - 1 / w))


@given(TAPS, st.integers(1, 20), st.sampled_from([1, 2]))
def test_mirrored_taps_have_mirrored_tails(taps, n, correction):
    one, other = (saddlepoint(theoretical_erf(None, n, kernel=row)) for row in (taps, taps[::-1]))
    t = np.arange(float(one.lattice.first) - 2, float(one.lattice.last) + 3)
    assert other.log_mass(-t) == pytest.approx(one.log_mass(t), rel=1e-8, abs=1e-8)
    found, wanted = other.log_cdf(-t, correction), one.log_tail(t, correction)
    assert found == pytest.approx(wanted, rel=1e-8, abs=1e-8)


@given(TAPS, st.integers(1, 20))
def test_both_ends_and_what_is_beyond_are_exact(taps, n):
    erf = theoretical_erf(None, n, kernel=taps)
    found, (shares, _, _) = saddlepoint(erf), exact(erf)
    first, last = (float(end) for end in (found.lattice.first, found.lattice.last))
    ends = shares[shares > -np.inf][[0, -1]]
    assert found.log_mass([first, last]) == pytest.approx(ends, rel=1e-12)
    assert found.log_tail([first - 1, first, last + 0.5]).tolist() == [0, 0, -np.inf]
    assert found.log_cdf([first - 0.5, last, last + 1]).tolist() == [-np.inf, 0, 0]
    assert found.log_tail(last) == pytest.approx(ends[1], rel=1e-12)
    assert found.log_cdf(first) == pytest.approx(ends[0], rel=1e-12)
    assert found.log_tail(first + 0.5) == pytest.approx(np.log1p(-np.exp(ends[0])), rel=1e-12)


def test_far_below_the_smallest_double():
    erf = theoretical_erf(3, 10_000)
    t = np.array([0.0, 5000.0, 9990.0, 10_000.0])
    found = saddlepoint(erf).log_mass(t)
    assert found == pytest.approx(erf.log_values[t.astype(int) + 10_000], abs=0.009)
    assert found[-1] == pytest.approx(-10_000 * np.log(3), rel=1e-14)


def test_every_axis_of_a_plane_and_any_shape():
    plane = theoretical_erf(3, 9, ndim=2, dilation=(1, 2))
    t = np.array([[0.0, 2.0], [-4.0, 99.0]])
    for axis in (0, 1):
        found, line = saddlepoint(plane, axis), saddlepoint(plane.profile(axis))
        assert np.array_equal(found.log_mass(t), line.log_mass(t))
        assert found.log_tail(t).shape == found.log_cdf(t).shape == (2, 2)
        assert found.log_tail(2).shape == ()


def test_the_density_is_smooth_between_places():
    found = saddlepoint(theoretical_erf(3, 20, dilation=2))
    assert found.log_mass(1) == -np.inf
    around = found.log_density([0.0, 1.0, 2.0])
    assert around[1] == pytest.approx((around[0] + around[2]) / 2, abs=0.02)


@pytest.mark.parametrize(
    ("erf", "message"),
    [
        (theoretical_erf(1, 5), "lies on one point"),
        (theoretical_erf(None, 2, kernel=[1, -2]), "has signs"),
        (variance_erf(3, 5).rms(), "known by its samples"),
    ],
)
def test_what_has_no_saddle_is_refused(erf, message):
    with pytest.raises(ErfTheoryError, match=message):
        saddlepoint(erf)


def test_there_are_two_corrections():
    with pytest.raises(ErfTheoryError, match="continuity corrections 1 and 2, not 3"):
        saddlepoint(theoretical_erf(3, 5)).log_tail(0, 3)


@given(TAPS, st.integers(2, 20))
def test_without_a_reason_to_doubt_it_the_map_is_near(taps, n):
    erf = theoretical_erf(None, n, kernel=taps)
    found, (shares, _, _) = saddlepoint(erf), exact(erf)
    on = shares > -np.inf
    if not found.reasons:
        off = np.expm1(shares[on] - found.log_mass(erf.offsets[0][on]))
        assert np.abs(off).max() < 0.7


@pytest.mark.parametrize(
    ("taps", "n"),
    [
        ([1, 1000, 1], 5),
        ([1, 1000, 1], 20),
        ([1, 0, 0, 1000, 0, 0, 1], 3),
        ([100, 1, 100], 20),
        ([1, 1e-9, 1], 20),
        ([9, 1, 0, 0, 0, 9], 5),
    ],
)
def test_what_is_far_off_says_so(taps, n):
    """One place, or every other one, has nearly all of a tilted map, and the formula is no map."""
    erf = theoretical_erf(None, n, kernel=taps)
    found, shares = saddlepoint(erf), erf.log_values
    t, on = erf.offsets[0], shares > -np.inf
    formula = found.log_density(t) + np.log(found.lattice.span)
    off = np.abs(np.expm1(shares - formula))[on]
    assert off.max() > 0.5
    assert off.max() < 2 * found.relative_error(t[on]).max()
    (reason,) = found.reasons
    assert reason in repr(found)
    assert "take the map itself" in reason


def test_no_logarithm_of_a_probability_is_above_0():
    found = saddlepoint(theoretical_erf(None, 5, kernel=[1, 1000, 1]))
    assert found.log_density(0) > 1
    assert np.isnan(found.log_mass(0))
    assert np.isnan(found.log_tail(0, 1))
    assert found.log_mass([-5, 5]) == pytest.approx(-5 * np.log(1002), rel=1e-14)


def test_equal_taps_leave_nothing_to_doubt():
    for k in (2, 3, 5):
        assert saddlepoint(theoretical_erf(k, 5)).reasons == ()
    assert saddlepoint(theoretical_erf(3, 10**6)).reasons == ()


@pytest.mark.parametrize("t", [np.nan, [0.0, np.nan], "here", None, [[0], [1, 2]]])
def test_places_are_numbers(t):
    found = saddlepoint(theoretical_erf(3, 5))
    for ask in (found.log_density, found.log_mass, found.log_tail, found.log_cdf):
        with pytest.raises(ErfTheoryError, match="places are numbers of pixels"):
            ask(t)
    with pytest.raises(ErfTheoryError, match="places are numbers of pixels"):
        found.relative_error(t)


def test_infinitely_far_places_are_beyond_the_ends():
    found = saddlepoint(theoretical_erf(3, 5))
    assert found.log_tail([-np.inf, np.inf]).tolist() == [0, -np.inf]
    assert found.log_cdf([-np.inf, np.inf]).tolist() == [-np.inf, 0]
    assert found.log_mass([-np.inf, np.inf]).tolist() == [-np.inf, -np.inf]
    assert found.relative_error([-np.inf, np.inf]).tolist() == [0, 0]
