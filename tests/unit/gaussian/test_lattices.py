"""The lattice of a map: its span, and where it begins and ends."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import network_erf, theoretical_erf, variance_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.lattices import Lattice, lattice_of
from erf_theory.network import Chain, Conv, Upsample

TAPS = st.lists(st.sampled_from([0, 0, 1, 3]), min_size=2, max_size=7)


def of_samples(erf):
    """The definition: the gcd of the distances of all places that are not 0."""
    places = erf.offsets[0][erf.sign != 0]
    return Lattice(int(np.gcd.reduce(np.diff(places).astype(int))), places[0], places[-1])


@given(TAPS.filter(lambda taps: np.count_nonzero(taps) > 1), st.integers(1, 5), st.integers(1, 3))
def test_steps_say_what_samples_say(taps, n, dilation):
    erf = theoretical_erf(None, n, kernel=taps, dilation=dilation)
    assert lattice_of(erf) == of_samples(erf)


def test_unequal_layers_have_the_common_divisor_of_their_steps():
    net = Chain([Conv(1, 1, 3, dilation=4), Conv(1, 1, 2, dilation=6)], ndim=1)
    assert lattice_of(network_erf(net)) == Lattice(2, Fraction(-7), Fraction(7))


def test_a_map_that_is_no_sum_of_steps_is_looked_at():
    net = Chain([Conv(1, 1, 3), Upsample(2), Conv(1, 1, 3)], ndim=1)
    for erf in (network_erf(net), variance_erf(3, 4).rms()):
        assert lattice_of(erf) == of_samples(erf)


def test_every_axis_has_its_own():
    erf = theoretical_erf(3, 2, ndim=2, dilation=(1, 3))
    assert [lattice_of(erf, axis).span for axis in (0, 1)] == [1, 3]


def test_places_are_counted_from_the_first():
    lattice = lattice_of(theoretical_erf(2, 5, dilation=2))
    t = np.array([-5.0, -4.0, -3.0, 5.0])
    assert lattice.count(t).tolist() == [0.0, 0.5, 1.0, 5.0]
    assert lattice.holds(t).tolist() == [True, False, True, True]


@pytest.mark.parametrize(
    ("erf", "message"),
    [
        (theoretical_erf(1, 5), "lies on one point"),
        (theoretical_erf(3, 0), "lies on one point"),
        (theoretical_erf(None, 3, kernel=[1, -1, 3]), "has signs"),
        (network_erf(Chain([Conv(1, 1, 3, weights=np.zeros((1, 1, 3)))], ndim=1)), "mass 0"),
    ],
)
def test_what_has_no_limit_is_refused(erf, message):
    with pytest.raises(ErfTheoryError, match=message):
        lattice_of(erf)
