"""Shares of the variance against every walk, against finite differences, and in the zoo."""

import json
from dataclasses import replace
from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.architectures import network_erf
from erf_theory.design import shares as module
from erf_theory.design.shares import variance_shares
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Chain,
    Conv,
    Identity,
    Network,
    Norm,
    Parallel,
    Residual,
    Scale,
    Upsample,
)
from erf_theory.network.nodes import Flat
from erf_theory.testing.graphs import networks, stacks
from erf_theory.zoo import resnet50, unet, wavenet
from tests.unit.design import walks

CHAIN = Chain({"a": Conv(3, 8, 3), "b": Conv(8, 8, 5, stride=2), "c": Conv(8, 8, 3, dilation=2)})
BRANCHES = Chain(
    {
        "first": Conv(4, 4, 3, padding=1),
        "block": Residual(
            Chain({"half": Scale(0.5), "conv": Conv(4, 4, 5, padding=20, dilation=10)}, 1), ndim=1
        ),
        "causal": Parallel([Conv(4, 4, 3, padding=(2, 0)[:1]), Conv(4, 4, 2)], ndim=1),
        "last": Conv(4, 4, 3, padding=40, dilation=40),
    },
    1,
)


UNEVEN = Parallel([Chain([Conv(2, 2, 3, stride=2), Upsample(2)]), Conv(2, 2, 3, stride=2)])


def variance(network, axis=0):
    return network_erf(network, ndim=1, axis=axis).std ** 2


def changed(network, name, **changes):
    """The network with one layer changed."""
    nodes = [
        replace(node, layer=replace(node.layer, **changes)) if node.name == name else node
        for node in network.nodes
    ]
    return Flat(tuple(nodes), network.ndim, network.in_channels)


def test_a_chain_adds_variances_times_squares_of_jump_and_dilation():
    parts = np.array([2 / 3, 2, 4 * 4 * 2 / 3])
    found = variance_shares(CHAIN)
    assert [one.share for one in found] == pytest.approx(parts / parts.sum(), rel=1e-14)
    assert found.std == pytest.approx(parts.sum() ** 0.5, rel=1e-14)
    assert [one.passing for one in found] == [1, 1, 1]
    assert [one.gain for one in found] == [0, 0, 0]
    assert found.between == 0
    assert found["a"].taps == pytest.approx(np.array([1, -2, 1]) / 9 / 2 / parts.sum())


@given(walks.networks(walks.bodies()))
def test_shares_are_those_of_all_walks(network):
    spread, expected = walks.shares(network)
    found = variance_shares(network)
    assert found.std**2 == pytest.approx(spread, rel=1e-9)
    for one in found:
        numbers = one.share, one.between, one.passing, one.gain
        assert numbers == pytest.approx(expected[one.name], rel=1e-9, abs=1e-9), one.name
        if isinstance(network.nodes[network.place_of(one.name)].layer, Conv):
            gains = walks.tap_gains(network, one.name)
            assert one.taps == pytest.approx(gains, rel=1e-9, abs=1e-9), one.name


@given(walks.networks(walks.hourglasses()))
def test_shares_beside_upsamplings_are_those_of_all_walks(network):
    spread, expected = walks.shares(network)
    found = variance_shares(network)
    assert found.std**2 == pytest.approx(spread, rel=1e-9)
    for one in found:
        share, _, passing, gain = expected[one.name]
        numbers = one.share, one.passing, one.gain
        assert numbers == pytest.approx((share, passing, gain), rel=1e-9, abs=1e-9), one.name


@given(networks(), st.integers(0, 2))
def test_shares_add_to_one_and_to_the_standard_deviation(network, axis):
    axis %= network.ndim
    try:
        spread = _spread(network, axis)
    except ErfTheoryError:
        with pytest.raises(ErfTheoryError, match=r"0 everywhere|not depend"):
            variance_shares(network, axis=axis)
        return
    try:
        found = variance_shares(network, axis=axis)
    except ErfTheoryError as error:
        assert "profile" in str(error) or spread < 1e-9  # noqa: PT017
        return
    assert sum(one.share for one in found) == pytest.approx(1, abs=1e-9)
    assert found.std == pytest.approx(spread, rel=1e-6)
    for one in found:
        if one.taps:
            assert sum(one.taps) == pytest.approx(one.gain, abs=1e-9)


def _spread(network, axis):
    """Standard deviation of the map's profile, from its samples."""
    line = network_erf(network, ndim=1, axis=axis)
    places, values = line.offsets[0], line.values
    return float(np.sqrt(values @ (places - values @ places) ** 2))


@given(stacks())
def test_both_engines_agree(stack):
    assume(variance(stack) > 0)
    moments = variance_shares(stack).layers
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "decimates", lambda _: True)
        samples = variance_shares(stack).layers
    for one, other in zip(moments, samples, strict=True):
        for name in ("share", "between", "passing", "gain", "taps"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9), name


def test_a_share_is_the_derivative_by_the_dilation():
    """The variance is quadratic in a dilation, so that central differences are exact."""
    found = variance_shares(BRANCHES)
    for name, d, reach in (("block.body.conv", 10, 2), ("last", 40, 1)):
        low, high = (
            variance(changed(BRANCHES, name, dilation=d + e, padding=reach * (d + e)))
            for e in (-1, 1)
        )
        slope = (high - low) / 2 * d / (2 * variance(BRANCHES))
        assert found[name].share == pytest.approx(slope, rel=1e-10), name


def test_gains_are_derivatives_by_the_variances_of_weights():
    found, h = variance_shares(BRANCHES), 1e-5
    for name in ("first", "block.body.conv", "causal.0", "causal.1", "last"):
        layer = BRANCHES.nodes[BRANCHES.place_of(name)].layer
        taps = np.array(layer.variances(1).taps, dtype=float)
        slopes = []
        for tap in range(layer.size):
            ends = [taps * np.exp(e * np.eye(layer.size)[tap]) for e in (-h, h)]
            low, high = (log(variance(changed(BRANCHES, name, init=end))) for end in ends)
            slopes.append((high - low) / (2 * h) / 2)
        assert found[name].taps == pytest.approx(slopes, abs=1e-9), name
        assert found[name].gain == pytest.approx(sum(slopes), abs=1e-9), name


def test_the_gain_of_a_scale_is_that_of_its_square():
    low, high = (
        log(variance(changed(BRANCHES, "block.body.half", factor=0.5 * np.exp(e))))
        for e in (-5e-6, 5e-6)
    )
    assert variance_shares(BRANCHES)["block.body.half"].gain == pytest.approx(
        (high - low) / 2e-5 / 2, abs=1e-9
    )


def test_a_skip_takes_as_much_as_its_branch_gives():
    block = Residual(Conv(4, 4, 3, padding=1), ndim=1)
    found = variance_shares(Chain([block, block], 1))
    half = 2 / 3  # a branch has 2 of 3 parts of the energy
    assert found["0.body"].passing == pytest.approx(half)
    assert [one.share for one in found if one.share] == pytest.approx([0.5, 0.5])
    assert found["0.body"].gain == pytest.approx((1 - half) / 4)


def test_paths_with_different_means_share_in_the_variance():
    found = variance_shares(Chain([Conv(2, 2, 2), Residual(Conv(2, 2, 2, dilation=9))], 1))
    assert found["1.body"].between == pytest.approx(4.5 / (0.25 + 13.5 + 4.5))
    assert found.between == pytest.approx(found["1.body"].between)
    assert "Paths with different means" in str(found)


def test_networks_of_the_zoo():
    deep = variance_shares(resnet50())
    assert deep["stage4.1.residual.body.2.conv"].share == pytest.approx(0.288, abs=5e-4)
    assert deep.between == pytest.approx(0, abs=1e-12)
    for network in (resnet50(), unet(), wavenet()):
        found = variance_shares(network)
        assert sum(one.share for one in found) == pytest.approx(1, abs=1e-9)
        assert found.std == pytest.approx(network_erf(network, ndim=1).std, rel=1e-9)
    assert 0.4 < variance_shares(wavenet()).between < 0.5


def test_a_layer_inside_and_an_axis():
    net = Chain([Conv(2, 2, (3, 5)), Conv(2, 2, (3, 1)), Conv(2, 2, 3)])
    assert variance_shares(net, layer="1", axis=1)["1"].share == 0
    assert variance_shares(net, layer="1").std == pytest.approx((4 / 3) ** 0.5)
    assert variance_shares(net, axis=-1).std == variance_shares(net, axis=1).std


def test_trained_single_channels_are_known():
    taps = np.array([1.0, 2.0, 3.0])
    net = Chain([Conv(1, 1, 3, weights=taps.reshape(1, 1, 3)), Conv(1, 1, 2)], 1)
    law = taps**2 / 14
    first = law @ np.arange(3) ** 2 - (law @ np.arange(3)) ** 2
    assert variance_shares(net)["0"].share == pytest.approx(first / (first + 0.25))


def test_what_it_says(tmp_path):
    found = variance_shares(CHAIN)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["format"] == "erf_theory.VarianceShares/1"
    assert [one["name"] for one in record["layers"]] == ["a", "b", "c"]
    assert sum(one["share"] for one in record["layers"]) == pytest.approx(1)
    assert record["call"].startswith("variance_shares(Chain(")
    assert "<table>" in found._repr_html_()
    assert len(found) == 3
    assert "the largest is c's" in repr(found)
    found.save_figure(tmp_path / "shares.svg")
    assert "b" in (tmp_path / "shares.svg").read_text()


def test_approximate_theory_says_so():
    net = Chain([Conv(2, 2, 3), Norm("group", 2), Activation("relu"), Conv(2, 2, 3)])
    assert any("group norm" in reason for reason in variance_shares(net).reasons)
    assert "Approximate: a group norm" in str(variance_shares(net))


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (Chain([Conv(2, 2, 1)]), {}, "one place wide"),
        (CHAIN, {"axis": 2}, "no axis 2"),
        (CHAIN, {"layer": "d"}, "no node 'd'"),
        (Chain([Conv(2, 2, 3, weights=np.ones((2, 2, 3)))]), {}, "weights as given"),
        (Chain([Conv(2, 2, 3, padding="same_tf")]), {}, "image_size"),
        (Chain([Conv(2, 2, 3), Upsample(3, "linear")]), {}, "profile"),
        (Chain([Conv(2, 2, 3), UNEVEN]), {}, "same stride"),
    ],
)
def test_bad_input_is_refused(network, options, message):
    assert isinstance(network, Network)
    with pytest.raises(ErfTheoryError, match=message):
        variance_shares(network, **options)


def test_names_of_layers_are_needed():
    with pytest.raises(ErfTheoryError, match="no node 'z'"):
        variance_shares(CHAIN)["z"]
    assert variance_shares(Chain([Identity(), Conv(1, 1, 3)]))["0"].share == 0
