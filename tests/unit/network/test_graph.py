from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import network
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Add, Chain, Conv, Graph, Identity, Parallel, Residual
from erf_theory.network.nodes import Flat
from tests.unit.network.drawn import NETWORKS

LAYERS = st.sampled_from(
    [Conv(4, 4, 3), Conv(4, 4, 2, init=Fraction(1, 3)), Activation("relu"), Activation("linear")]
)

NAMES = {name: getattr(network, name) for name in network.__all__} | {"Fraction": Fraction}


@given(NETWORKS.filter(lambda net: not isinstance(net, Flat)))
def test_a_repr_is_read_back(net):
    found = eval(repr(net), NAMES)  # noqa: S307
    assert found == net
    assert hash(found) == hash(net)
    assert repr(found) == repr(net)
    assert found.nodes == net.nodes


@given(st.lists(LAYERS, min_size=1, max_size=9), st.integers(1, 3))
def test_chains_of_the_same_layers_are_equal(layers, ndim):
    assert Chain(layers, ndim) == Chain(layers, ndim)
    assert hash(Chain(layers, ndim)) == hash(Chain(layers, ndim))


def test_what_is_repeated_is_written_once():
    block = [Conv(8, 8, 3), Activation("relu")]
    text = repr(Chain([Conv(3, 8, 1), *block * 30, Conv(8, 8, 3)], ndim=1))
    assert text.count("relu") == 1
    assert "*[Conv(8, 8, 3), Activation('relu')] * 30" in text


def test_chains_that_differ_are_not_equal():
    conv = Conv(4, 4, 3)
    assert len({Chain([conv]), Chain([conv], 1), Chain([conv, conv])}) == 3


@pytest.mark.parametrize(
    ("layers", "given", "expected"),
    [
        ([Conv(1, 1, 3)], None, 2),
        ([Conv(1, 1, 3)], 3, 3),
        ([Activation("relu")], 1, 1),
        ([Conv(1, 1, 3), Conv(1, 1, 3, stride=(2,))], None, 1),
        ([Conv(1, 1, 3), Conv(1, 1, 3, padding=(1, 0, 1))], None, 3),
        ([Conv(1, 1, (3, 3))], 2, 2),
    ],
)
def test_the_axes_are_those_of_the_tuples_or_as_said_or_2(layers, given, expected):
    assert Chain(layers, given).ndim == expected


def test_channels():
    chain = Chain([Activation("relu"), Conv(3, 8, 3), Activation("relu"), Conv(8, 6, 3, groups=2)])
    assert (chain.in_channels, chain.out_channels) == (3, 6)
    alone = Chain([Activation("relu")])
    assert (alone.in_channels, alone.out_channels) == (1, 1)


@pytest.mark.parametrize(
    ("layers", "ndim", "message"),
    [
        ([], None, "a chain has at least one layer"),
        (["relu"], None, "made of layers.* not of 'relu'"),
        ([Conv(1, 4, 3), Activation("relu"), Conv(5, 4, 3)], None, "2.*in_channels=5 is given 4"),
        ([Conv(1, 1, 3), Conv(1, 1, 3, init=[1, 2])], None, "1.* variances of shape"),
        ([Conv(1, 1, (3, 3)), Conv(1, 1, (3,))], None, "1 and 2 axes: let them agree"),
        ([Conv(1, 1, (3, 3))], 1, "1 and 2 axes"),
        ([Conv(1, 1, (3, 3), stride=(1, 1, 1))], None, "2 and 3 axes"),
        ([Conv(1, 1, 3)], 4, "1, 2 or 3 spatial axes, not 4"),
        ([Conv(1, 1, 3)], 0, "ndim of a network is 1 or more, not 0"),
        ([Conv(1, 1, 3)], 1.5, "ndim of a network is a whole number, not 1.5"),
        ([Conv(1, 1, (1, 1, 1, 1))], None, "1, 2 or 3 spatial axes, not 4"),
        ([Conv(1, 1, (3, 3))], "2", "ndim of a network is a whole number, not '2'"),
    ],
)
def test_layers_that_make_no_chain_are_refused(layers, ndim, message):
    with pytest.raises(ErfTheoryError, match=message):
        Chain(layers, ndim)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Parallel([Identity()]), "parallel branches are two or more"),
        (lambda: Parallel([Identity()] * 2, "mean"), "merge by add or concat, not 'mean'"),
        (lambda: Parallel([Identity(), 3]), "made of layers.* not of 3"),
        (lambda: Residual("relu"), "made of layers.* not of 'relu'"),
        (lambda: Graph({}), "a graph has at least one node"),
        (lambda: Graph([("a", Identity(), "input")]), "a graph is a mapping .* not list"),
        (lambda: Graph({"a": (Identity(),)}), "node a: give its layer, then the names"),
        (lambda: Graph({"a": ("relu", "input")}), "node a: give its layer"),
        (lambda: Graph({"a": (Identity(), 3)}), "node a: give its layer"),
        (lambda: Graph({"a": (Identity(), "b")}), "node a reads 'b', and there is no such node"),
        (lambda: Graph({"a": (Identity(), "input")}, "c"), "the output reads 'c'"),
        (
            lambda: Graph({"a": (Add(), "input", "b"), "b": (Identity(), "a")}),
            "nodes read each other in a circle: (a → b → a|b → a → b)",
        ),
        (
            lambda: Graph({"a": (Chain([Identity()]), "input", "input")}),
            "node a: a network reads one input",
        ),
    ],
)
def test_what_makes_no_graph_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()


def test_nodes_that_the_output_does_not_need_are_left_out():
    parts = {"a": (Identity(), "input"), "b": (Conv(1, 1, 3), "a"), "c": (Identity(), "a")}
    assert [node.name for node in Graph(parts).nodes] == ["a", "c"]


def test_parts_by_name_and_by_number():
    named = {"left": Identity(), "right": Identity()}
    assert [node.name for node in Parallel(named).nodes] == ["left", "right", "add"]
    assert [node.name for node in Parallel(named.values()).nodes] == ["0", "1", "add"]
    assert [node.name for node in Chain({"x": Chain(named)}).nodes] == ["x.left", "x.right"]


def test_a_node_is_not_called_input():
    with pytest.raises(ErfTheoryError, match="give that node another name"):
        Graph({"input": (Conv(3, 8, 3), "input")})
