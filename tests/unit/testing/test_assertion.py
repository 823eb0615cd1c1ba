"""The assertion for users' tests."""

import pytest

from erf_theory import ErfTheoryError, measure_erf, network_erf
from erf_theory.network import Activation, Chain, Conv
from erf_theory.testing import assert_agrees

NETWORK = Chain([Conv(16, 16, 3), Activation("relu"), Conv(16, 16, 3)], ndim=1)
WIDER = Chain([Conv(16, 16, 3), Activation("relu"), Conv(16, 16, 3, init=(1, 0, 1))], ndim=1)


def test_it_passes_where_they_agree():
    assert_agrees(network_erf(NETWORK), measure_erf(NETWORK, samples=400, rng=0))


def test_it_fails_with_the_numbers_where_they_do_not():
    found = measure_erf(NETWORK, samples=400, rng=0)
    with pytest.raises(AssertionError, match=r"samples DISAGREE\n.*p of the shape"):
        assert_agrees(network_erf(WIDER), found)


def test_what_cannot_be_compared_is_an_error():
    found = measure_erf(NETWORK, samples=10, rng=0)
    with pytest.raises(ErfTheoryError, match="too few"):
        assert_agrees(network_erf(NETWORK), found)
