"""The question for networks, beside those for stacks of equal layers."""

from fractions import Fraction
from math import log

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv
from erf_theory.theory import variance_erf

CROSS = [[0, 1, 0], [1, 2, 1], [0, 1, 0]]


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize(("k", "n", "variance"), [(3, 4, Fraction(2, 9)), (2, 5, 3), (5, 2, 0.5)])
def test_equal_layers_of_one_channel_are_a_stack(k, n, variance, ndim):
    network = Chain([Conv(1, 1, k, init=variance)] * n, ndim)
    erf, stack = network_erf(network), variance_erf(k, n, weight_variance=variance, ndim=ndim)
    assert np.array_equal(erf.exact()[0], stack.exact()[0])
    assert erf.values == pytest.approx(stack.values, rel=1e-12)
    assert erf.mass == pytest.approx((variance * k**ndim) ** n, rel=1e-13)
    assert (erf.kind, erf.exactness) == ("energy", "exact")


@pytest.mark.parametrize("stride", [1, 2])
def test_equal_layers_with_strides_and_dilations_are_a_stack(stride):
    network = Chain([Conv(1, 1, 3, stride=stride, dilation=2, init=CROSS)] * 3, 2)
    stack = variance_erf(3, 3, weight_variance=CROSS, ndim=2, stride=stride, dilation=2)
    erf = network_erf(network)
    assert np.array_equal(erf.exact()[0], stack.exact()[0])
    assert erf.mass == stack.mass == 6**3


def test_channels_change_the_mass_and_not_the_shape():
    narrow = network_erf(Chain([Conv(1, 1, 3)] * 6, 1))
    wide = network_erf(Chain([Conv(16, 16, 3), Activation("relu")] * 5 + [Conv(16, 16, 3)], 1))
    assert wide.values == pytest.approx(narrow.values, rel=1e-12)
    assert wide.mass == pytest.approx(2 / 16)
    assert narrow.mass == 2**6


def test_padding_moves_the_map_and_not_its_values():
    left, right = (network_erf(Chain([Conv(1, 1, 3, padding=p)] * 2, 1)) for p in (0, 2))
    assert np.array_equal(left.values, right.values)
    assert (left.factors[0].start, right.factors[0].start) == ((0,), (-4,))


PLANES = {
    "separable": Chain([Conv(2, 2, (3, 2), stride=(1, 2), init=1)] * 2),
    "not separable": Chain([Conv(2, 2, (3, 3), init=CROSS), Conv(2, 2, (2, 1), stride=2)]),
}


@pytest.mark.parametrize("network", PLANES.values(), ids=PLANES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_profile_is_the_sum_of_the_whole_map(network, axis):
    whole, line = network_erf(network), network_erf(network, ndim=1, axis=axis)
    assert line.values == pytest.approx(whole.values.sum(axis=1 if axis == 0 else 0), rel=1e-12)
    assert line.mass == whole.mass
    assert line.std == pytest.approx(whole.profile(axis).std)


@pytest.mark.parametrize("network", PLANES.values(), ids=PLANES)
def test_rms_is_the_root_of_the_whole_map(network):
    energy, rms = network_erf(network).values, network_erf(network, kind="rms")
    assert rms.kind == "rms"
    assert rms.values == pytest.approx(np.sqrt(energy) / np.sqrt(energy).sum(), rel=1e-12)
    for axis in (0, 1):
        line = network_erf(network, kind="rms", ndim=1, axis=axis)
        assert line.values == pytest.approx(rms.values.sum(axis=1 - axis), rel=1e-12)


@pytest.mark.parametrize(("init", "gain"), [("pytorch", 1 / 3), (10**9, 24 * 10**9)])
def test_a_deep_network_keeps_its_mass_as_a_logarithm(init, gain):
    network = Chain([Conv(8, 8, 3, init=init), Activation("relu")] * 600, 1)
    assert network_erf(network).log_mass == pytest.approx(600 * log(gain / 2) - log(8), rel=1e-12)


def test_an_engine_is_chosen_by_name():
    network = Chain([Conv(1, 1, 3)] * 4, 1)
    for engine in ("convolution", "dtft", "contour", "multinomial", "balls"):
        named = network_erf(network, engine=engine)
        assert named.values == pytest.approx(network_erf(network).values, abs=1e-15)
        assert named.factors[0].shares.engine == engine


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"ndim": 3}, r"whole or as a profile \(ndim = 1\), not with 3 axes"),
        ({"axis": 2}, "a network of 2 axes has no axis 2"),
        ({"axis": -3}, "no axis -3"),
        ({"kind": "phase"}, "energy, rms or amplitude, not 'phase'"),
        ({"engine": "abacus"}, "no engine 'abacus'"),
    ],
)
def test_questions_that_make_no_sense_are_refused(named, message):
    with pytest.raises(ErfTheoryError, match=message):
        network_erf(PLANES["separable"], **named)
