"""The question for networks, beside those for stacks of equal layers."""

from fractions import Fraction
from math import log

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    Conv,
    MaxPool,
    Norm,
    Pad,
    Residual,
    Split,
    Upsample,
)
from erf_theory.network.geometry import image_sizes
from erf_theory.propagation.walking import Question
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


@pytest.mark.parametrize(
    "parts",
    [
        [Conv(8, 8, 3, groups=2), Split(0, 6)],
        [Conv(4, 8, 3), Conv(8, 8, 3, groups=2), Split(1, 7), Conv(6, 4, 3)],
        [Conv(8, 8, 3, groups=4), Norm(scale=range(1, 9)), Conv(8, 4, 3, groups=4)],
    ],
)
def test_channels_that_differ_have_the_mass_of_the_profile(parts):
    network = Chain(parts, 2)
    whole, line = network_erf(network), network_erf(network, ndim=1)
    assert whole.mass == pytest.approx(line.mass, rel=1e-13)
    assert whole.values.sum(axis=1) == pytest.approx(line.values)


def test_units_of_inner_layers_keep_the_channels_of_the_input():
    network = Chain([Norm("layer", eps=0), Conv(8, 8, 3)], 1)
    assert network_erf(network, layer="0").mass == pytest.approx(1 / 8)
    assert network.until("0").in_channels == 8


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
        ({"layer": "x"}, "there is no node 'x'"),
        ({"source": "x"}, "there is no node 'x'"),
        ({"image_size": 2}, "nothing is left of an image"),
        ({"image_size": 8, "unit": 9}, "lies outside the output"),
        ({"image_size": 8, "unit": -1}, "lies outside the output"),
        ({"unit": (1, 2, 3)}, "3 entries"),
    ],
)
def test_questions_that_make_no_sense_are_refused(named, message):
    with pytest.raises(ErfTheoryError, match=message):
        network_erf(PLANES["separable"], **named)


def free(n):
    """Shares of n layers of three equal taps, from -n to n."""
    shares = np.array([1.0])
    for _ in range(n):
        shares = np.convolve(shares, np.full(3, 1 / 3))
    return dict(zip(range(-n, n + 1), shares, strict=True))


SIZE, UNIT, DEEP = 7, 2, 12
THIRDS = [1 / 3] * 3
CONV, BARE = Conv(1, 1, 3, padding=1, init=THIRDS), Conv(1, 1, 3, init=THIRDS)
IMAGES = {
    "zeros": (
        [CONV],
        lambda x, m: [(1, UNIT - x + 2 * m * 8), (-1, UNIT + x + 2 + 2 * m * 8)],
    ),
    "circular": ([Pad(1, "circular"), BARE], lambda x, m: [(1, UNIT - x + m * 7)]),
    "replicate": (
        [Pad(1, "replicate"), BARE],
        lambda x, m: [(1, UNIT - x + 2 * m * 7), (1, UNIT + x + 1 + 2 * m * 7)],
    ),
}


@pytest.mark.parametrize(("layers", "images"), IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("ndim", [1, 2])
def test_borders_are_the_sums_over_images(layers, images, ndim):
    """theory.md's formulas: images of the walk beyond the borders, with their signs."""
    erf = network_erf(Chain([*layers, Activation("abs")] * DEEP, ndim), image_size=7, unit=UNIT)
    shares = free(DEEP)
    line = [
        sum(sign * shares.get(t, 0) for m in range(-3, 4) for sign, t in images(x, m))
        for x in range(SIZE)
    ]
    expected = line if ndim == 1 else np.multiply.outer(line, line)
    assert erf.values * erf.mass == pytest.approx(np.array(expected), rel=1e-12, abs=1e-16)
    assert erf.exactness == "exact"


def test_far_from_all_borders_an_image_changes_nothing():
    network = Chain([Conv(2, 2, 3, padding=1), Activation("relu"), MaxPool(2, 2)] * 2, 1)
    inside, free_map = network_erf(network, image_size=64, unit=7), network_erf(network, unit=7)
    start = free_map.factors[0].start[0]
    whole = inside.values[start : start + len(free_map.values)]
    assert whole == pytest.approx(free_map.values)
    assert inside.mass == pytest.approx(free_map.mass)


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([MaxPool(3, 1, 1)], "a max pool is taken to choose the zeros around an image"),
        ([Upsample(2, "linear")], "what a border repeats is taken as independent"),
        ([Pad(1, "reflect"), AvgPool(3, 1)], "what a border repeats is taken as independent"),
        ([CONV, Norm(), CONV], "near a border the signal is taken as that far from it"),
        ([CONV, MaxPool(2)], "near a border the signal is taken as that far from it"),
        ([CONV, Norm(), Activation("tanh"), CONV], "near a border the signal is taken as that"),
    ],
)
def test_what_is_not_known_of_borders_is_said(layers, text):
    found = network_erf(Chain([CONV, *layers], 1), image_size=9)
    assert any(text in reason for reason in found.reasons)
    assert not any(text in reason for reason in network_erf(Chain([CONV, *layers], 1)).reasons)


def test_from_layer_to_layer_the_masses_multiply():
    network = Chain({"a": Conv(2, 8, 3), "b": Activation("relu"), "c": Conv(8, 4, 5)}, 1)
    whole, first = network_erf(network), network_erf(network, layer="a")
    rest = network_erf(network, source="a")
    assert whole.log_mass == pytest.approx(first.log_mass + rest.log_mass + log(8))
    assert len(rest.values) == 5
    assert rest.mass == pytest.approx(1 / 8)


@pytest.mark.parametrize("kind", ["energy", "rms"])
def test_a_call_says_what_was_asked(kind):
    named = {"ndim": 1, "axis": 1, "layer": "0", "unit": (0, 3), "image_size": 8, "kind": kind}
    erf = network_erf(PLANES["not separable"], **named)
    assert "layer='0'" in erf.call
    assert "unit=(0, 3)" in erf.call
    assert ("kind" in erf.call) == (kind != "energy")
    names = {"Chain": Chain, "Conv": Conv, "network_erf": network_erf}
    assert eval(erf.call, names).values == pytest.approx(erf.values)  # noqa: S307


def test_reasons_travel_with_all_kinds():
    network = Chain([CONV, MaxPool(3), CONV], 2)
    for named in ({}, {"kind": "rms"}, {"ndim": 1}, {"kind": "rms", "ndim": 1}):
        erf = network_erf(network, **named)
        assert erf.exactness == "approximate"
        assert "a max pool's winner" in erf.reasons[0]


SHORTCUT = Residual(Chain([Conv(4, 4, 3, padding=1), MaxPool(1), Conv(4, 4, 3, padding=1)]))
BORDERED = {
    "shortcuts": Chain([Conv(1, 4, 3, stride=2, padding=1), *[SHORTCUT] * 2]),
    "upsampling": Chain([Conv(1, 4, 3, stride=2, padding=1), SHORTCUT, Upsample(2)]),
    "linear": Chain([Conv(1, 4, 3, padding=1), SHORTCUT, Upsample(2, "linear")]),
    "reflected": Chain([Conv(1, 4, 3, padding=1), Pad(2, "reflect"), SHORTCUT]),
    "steep gates": Chain([Conv(1, 4, 3, padding=1), Activation("tanh"), SHORTCUT]),
}


@pytest.mark.parametrize("network", BORDERED.values(), ids=BORDERED)
@pytest.mark.parametrize("middle", [0, 1, 5])
def test_borders_on_one_axis_leave_a_profile_of_the_whole_map(network, middle):
    size = (16, 48)
    units = image_sizes(network, size)[-1]
    unit = (1, middle * units[1] // 10)
    whole = network_erf(network, image_size=size, unit=unit)
    for axis in (0, 1):
        line = network_erf(network, image_size=size, unit=unit, ndim=1, axis=axis)
        assert line.values == pytest.approx(whole.values.sum(axis=1 - axis), abs=1e-13)
        assert line.log_mass == pytest.approx(whole.log_mass, abs=1e-12)


@pytest.mark.parametrize(
    ("unit", "met"),
    [
        ((0, 4), ((True, False), (False, False))),
        ((15, 0), ((False, True), (True, False))),
        ((2, 29), ((False, False), (False, False))),
        ((2, 30), ((False, False), (False, True))),
    ],
)
def test_which_borders_a_unit_meets(unit, met):
    network = Chain([Conv(1, 1, 3, padding=1), Conv(1, 1, 3, padding=1)])
    assert Question(network, unit, image=(16, 32)).met == met
    assert not any(map(any, Question(network, unit).met))
