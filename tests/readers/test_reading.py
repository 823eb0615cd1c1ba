"""From a model's operations, written down, to a network: no framework is needed."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    ChannelShuffle,
    Conv,
    Crop,
    Gate,
    Global,
    MaxPool,
    Scale,
    Split,
)
from erf_theory.readers.reading import network_of
from erf_theory.readers.trace import Constant, Op, Trace


def number(value, *, learned=False):
    array = np.asarray(value, dtype=float)
    return Constant(array.shape, lambda: array, learned)


def conv(name, source, inner, outer, size=1, **attributes):
    weight = number(np.ones((outer, inner, size, size)), learned=True)
    return Op(name, "conv", (source,), attributes, {"weight": weight})


def move(name, source, function):
    return Op(name, "move", (source,), {"move": function})


def read(*ops, shape=(1, 4, 6, 6), outputs=None, weights="he"):
    return network_of(Trace("x", shape, ops, outputs or (ops[-1].name,)), weights)


def layers(*ops, **options):
    return [node.layer for node in read(*ops, **options).nodes]


def dealt(index):
    return index.reshape(1, 2, 2, 6, 6).swapaxes(1, 2).reshape(1, 4, 6, 6)


MOVES = {
    "crop": (lambda index: index[..., 1:-2, :], [Crop(((1, 2), (0, 0)))]),
    "steps": (lambda index: index[..., ::2, ::3], [Crop(((0, 1), (0, 2))), MaxPool(1, (2, 3))]),
    "split": (lambda index: index[:, 1:3], [Split(1, 3)]),
    "shuffle": (dealt, [ChannelShuffle(2)]),
    "there and back": (lambda index: index.reshape(4, 36).T.T.reshape(1, 4, 6, 6), []),
}


@pytest.mark.parametrize("name", MOVES)
def test_what_movements_mean(name):
    function, wanted = MOVES[name]
    channels = function(np.arange(144).reshape(1, 4, 6, 6)).shape[1]
    found = layers(move("move", "x", function), conv("conv", "move", channels, 2))
    assert found == [*wanted, Conv(channels, 2, 1)]


def test_every_piece_of_a_tensor_is_brought_to_its_place():
    """Space to depth: four crops with stride 2, one behind the other."""

    def pixels(index):
        blocks = index.reshape(1, 4, 3, 2, 3, 2).transpose(0, 3, 5, 1, 2, 4)
        return blocks.reshape(1, 16, 3, 3)

    found = read(move("pixels", "x", pixels), conv("conv", "pixels", 16, 2))
    crops = [node.layer for node in found.nodes if isinstance(node.layer, Crop)]
    assert [crop.ends for crop in crops] == [
        ((a, 1 - a), (b, 1 - b)) for a in (0, 1) for b in (0, 1)
    ]
    assert found.nodes[-2].name == "pixels"


def test_a_gate_keeps_its_local_path():
    bias = number([0.0, 1.0, 2.0, 3.0])
    weight = number(np.zeros((4, 4)))
    squeeze = Op("pool", "reduce", ("x",), {"function": "mean", "axes": (2, 3)}, shape=(1, 4))
    linear = Op("fc", "linear", ("pool",), {}, {"weight": weight, "bias": bias}, (1, 4))
    gate = Op("gate", "activation", ("fc",), {"function": "sigmoid"})
    back = move("back", "gate", lambda index: index.reshape(1, 4, 1, 1))
    product = Op("mul", "mul", ("x", "back"), shape=(1, 4, 6, 6))
    network = read(squeeze, linear, gate, back, product)
    (node,) = network.nodes
    assert (node.name, type(node.layer)) == ("mul", Gate)
    assert node.layer.factor.array == pytest.approx(1 / (1 + np.exp(-bias.array)))


def test_a_pool_that_is_brought_back_sees_all_places():
    pool = Op("pool", "adaptive_avg_pool", ("x",), {"size": (1, 1)}, shape=(1, 4, 1, 1))
    back = Op("up", "resize", ("pool",), {"mode": "linear"}, shape=(1, 4, 6, 6))
    both = Op("both", "concat", ("x", "up"), {"axis": 1}, shape=(1, 8, 6, 6))
    network = read(pool, back, both)
    assert [node.name for node in network.nodes] == ["up", "both"]
    assert network.nodes[0].layer == Global(4)


def test_fixed_numbers_are_factors_and_shifts():
    ops = [
        Op("a", "mul", ("x", number(2))),
        Op("b", "add", (number(np.arange(4.0).reshape(1, 4, 1, 1)), "a")),
        Op("c", "sub", (number(1), "b")),
        Op("d", "div", ("c", number(4))),
        Op("e", "mul", ("d", number(1))),
    ]
    found = layers(*ops)
    assert found[0] == Scale(2.0)
    assert found[1].shift.array.tolist() == [0, 1, 2, 3]
    assert found[2:] == [Scale(-1.0, 1.0), Scale(0.25)]


def test_a_pool_with_a_larger_output_is_padded_behind():
    """What ceil_mode does: 6 places, windows of 3, stride 2, rounded up to 3."""
    what = {"size": (3, 3), "stride": (2, 2), "padding": ((0, 0), (0, 0))}
    pool = Op("pool", "max_pool", ("x",), what, shape=(1, 4, 3, 3))
    assert layers(pool) == [MaxPool(3, 2, ((0, 1), (0, 1)))]
    mean = Op("pool", "avg_pool", ("x",), what | {"divisor": 3}, shape=(1, 4, 2, 2))
    assert layers(mean) == [AvgPool(3, 2), Scale(3.0)]


def test_what_has_no_name_becomes_one_with_what_follows():
    erf = Op("erf", "activation", ("a",), {"curve": np.tanh})  # no layer of its own here
    a = Op("a", "mul", ("x", number(1.0)))
    assert layers(a, erf) == [Activation("tanh")]
    cube = Op("cube", "activation", ("x",), {"curve": lambda x: x**3})
    with pytest.raises(ErfTheoryError, match="is no activation that the package knows"):
        layers(cube)
    with pytest.raises(ErfTheoryError, match="is no activation that the package knows: cube"):
        layers(cube, conv("conv", "cube", 4, 2))


def test_shapes_that_a_model_says_are_those_of_the_network():
    wrong = Op("relu", "activation", ("x",), {"function": "relu"}, shape=(1, 4, 5, 6))
    with pytest.raises(ErfTheoryError, match=r"read with shape \(1, 4, 6, 6\), and it has \(1, 4"):
        read(wrong)
    with pytest.raises(ErfTheoryError, match=r"the example has the shape \(2, 4, 6, 6\)"):
        read(wrong, shape=(2, 4, 6, 6))


def test_nodes_that_no_output_needs_are_left_out():
    network = read(conv("a", "x", 4, 4), conv("b", "x", 4, 2), outputs=("b",))
    assert [node.name for node in network.nodes] == ["b"]
