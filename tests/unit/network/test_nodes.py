import copy
import pickle

import numpy as np
import pytest

from erf_theory import layer_table
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Graph,
    Identity,
    Layer,
    Norm,
    Parallel,
    Residual,
    Split,
    Upsample,
)
from erf_theory.network.nodes import INPUT, Flat

BLOCK = Chain({"conv": Conv(4, 4, 3, padding=1), "relu": Activation("relu")})
NET = Chain(
    {
        "stem": Conv(3, 4, 3),
        "block": Residual(BLOCK),
        "wide": Parallel({"a": Conv(4, 2, 1), "b": BLOCK}, "concat"),
    }
)


def test_nodes_have_the_paths_of_their_parts_and_what_they_read():
    expected = [
        ("stem", (INPUT,)),
        ("block.body.conv", (0,)),
        ("block.body.relu", (1,)),
        ("block.add", (2, 0)),
        ("wide.a", (3,)),
        ("wide.b.conv", (3,)),
        ("wide.b.relu", (5,)),
        ("wide.concat", (4, 6)),
    ]
    assert [(node.name, node.inputs) for node in NET.nodes] == expected
    assert NET.channels == (4, 4, 4, 4, 2, 4, 4, 6)
    assert (NET.in_channels, NET.out_channels) == (3, 6)


def test_an_output_in_the_middle_gets_a_node_of_its_own():
    parts = {"a": (Conv(1, 2, 3), "input"), "b": (Conv(2, 2, 3), "a")}
    assert [node.name for node in Graph(parts, output="a").nodes] == ["a"]
    assert [node.name for node in Chain([Chain([Identity()])]).nodes] == ["0.0"]
    whole = Graph({**parts, "c": (Add(), "a", "a")}, output="c")
    assert [node.inputs for node in whole.nodes] == [(INPUT,), (0, 0)]
    assert [node.name for node in Graph({"a": (Identity(), "input")}, "input").nodes] == ["output"]


def test_until_and_place_of():
    until = NET.until("block.add")
    assert until.nodes == NET.nodes[:4]
    assert (until.ndim, until.out_channels) == (2, 4)
    with pytest.raises(ErfTheoryError, match=r"no node 'block.ad': did you mean block.add"):
        NET.place_of("block.ad")


def test_flat_networks_are_parts_too():
    flat = Flat(NET.nodes, 2)
    whole = Chain({"first": Conv(3, 3, 1), "then": flat})
    assert [node.name for node in whole.nodes][1:3] == ["then.stem", "then.block.body.conv"]
    assert [node.inputs for node in whole.nodes][1:5] == [(0,), (1,), (2,), (3, 1)]
    assert whole.channels[1:] == NET.channels


def test_the_input_has_the_channels_of_its_first_convolution():
    beside = Parallel([Identity(), Chain([Activation("relu"), Conv(5, 5, 3, padding=1)])])
    assert beside.in_channels == 5
    assert Chain([Activation("relu")]).in_channels == 1
    assert Chain([ChannelShuffle(2), Conv(4, 4, 1)]).in_channels == 4
    halves = Parallel([Split(0, 3), Chain([Split(3, 6), Conv(3, 2, 1)])], "concat")
    assert (halves.in_channels, halves.channels) == (6, (3, 3, 2, 5))


def test_a_network_may_say_its_channels():
    flat = Flat(Chain([Norm("group", 3)]).nodes, 1, 6)
    assert (flat.in_channels, flat.channels) == (6, (6,))
    with pytest.raises(ErfTheoryError, match="4 groups do not divide 6 channels"):
        Flat(Chain([Norm("group", 4)]).nodes, 1, 6).check()
    with pytest.raises(ErfTheoryError, match="input channels of a network is 1 or more, not 0"):
        Flat(NET.nodes, 2, 0).check()


@pytest.mark.parametrize("layer", [Split(0, 3), ChannelShuffle(3), Norm("group", 3)])
def test_parts_that_do_not_know_their_channels_are_checked_within_the_whole(layer):
    part = Chain([layer])
    assert Chain([Conv(1, 6, 1), part]).in_channels == 1
    with pytest.raises(ErfTheoryError, match=r"node 1\.0: "):
        Chain([Conv(1, 2, 1), part])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Residual(Conv(2, 3, 3)), "node add: inputs with 3, 2 channels do not add"),
        (lambda: Chain([Conv(1, 2, 3), Split(1, 4)]), "node 1: there are no channels 1 to 4 of 2"),
        (
            lambda: Chain({"a.b": Conv(1, 1, 1), "a": Chain({"b": Conv(1, 1, 1)})}),
            "2 nodes have the name 'a.b'",
        ),
        (lambda: Parallel({"add": Conv(1, 1, 1), "b": Conv(1, 1, 1)}), "the name 'add'"),
        (
            lambda: Graph({"a": (Conv(1, 1, 1), "input"), "b": (Activation("relu"), "a", "a")}),
            "node b: a layer of this type reads one input, not 2",
        ),
        (lambda: Chain([Conv(1, 1, 1), AvgPool(10**6)]), "node 1: a window or step of 10"),
        (lambda: Chain([Conv(1, 1, 1), Upsample((10**9, 10**9))]), "node 1: a window or step"),
        (lambda: Chain([ConvTranspose(1, 1, 1, stride=10**7)]), "node 0: a window or step"),
        (lambda: Chain([Conv(1, 1, (3,)), Conv(1, 1, (3, 3))]), "1 and 2 axes: let them agree"),
        (lambda: Chain([Chain([Conv(1, 1, 3)], 1), Chain([Conv(1, 1, 3)], 2)]), "1 and 2 axes"),
        (
            lambda: Graph({"a": (Concat(), "input", "input"), "b": (Conv(3, 1, 1), "a")}),
            "node b: a convolution with in_channels=3 is given 2 channels",
        ),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()


def test_long_networks_have_a_short_label():
    assert Chain([Conv(3, 4, 3)], 1).label == "Chain([Conv(3, 4, 3)], ndim=1)"
    assert NET.label == "<Chain of 8 nodes, 3 to 6 channels>"


def test_a_layer_that_does_not_say_its_channels_is_refused():
    class Silent(Layer):
        pass

    with pytest.raises(ErfTheoryError, match="type Silent does not say how many channels"):
        _ = Chain([Silent()]).channels


def test_a_name_that_others_go_on_behind_is_that_of_the_last_of_them():
    block = Chain({"conv": Conv(4, 4, 1), "act": Activation("relu")})
    network = Chain({"a": block, "ab": block, "b": Conv(4, 2, 1)})
    assert [network.place_of(name) for name in ("a", "a.conv", "ab", "b")] == [1, 0, 3, 4]
    assert network.until("a").nodes[-1].name == "a.act"
    for name in ("", "ab.co", "c"):
        with pytest.raises(ErfTheoryError, match="there is no node"):
            network.place_of(name)


def test_a_copy_takes_nothing_along_that_was_only_remembered():
    weights = np.random.default_rng(1).normal(size=(8, 8, 3))
    network = Chain([Conv(8, 8, 3, weights=weights), Activation("relu")], 1)
    assert network.channels == (8, 8)
    size, table = len(pickle.dumps(network)), layer_table(network)
    assert len(pickle.dumps(network)) < 1.5 * size
    for other in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):  # noqa: S301
        assert other.label == network.label
        assert layer_table(other).rows == table.rows
