"""Operators that act on samples alone, or bring them elsewhere, in several opsets."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs onnx, which is not installed here")

from erf_theory.errors import ErfTheoryError
from tests.readers.graphs import assert_same, chain, model, node, read, weights

INT = np.int64

ACTIVATIONS = [
    ("Relu", {}, 11),
    ("LeakyRelu", {"alpha": 0.1}, 11),
    ("Elu", {}, 11),
    ("Elu", {"alpha": 0.5}, 11),
    ("Selu", {}, 11),
    ("Celu", {"alpha": 2.0}, 12),
    ("Sigmoid", {}, 11),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, 11),
    ("HardSwish", {}, 14),
    ("Tanh", {}, 11),
    ("Softplus", {}, 11),
    ("Softsign", {}, 11),
    ("Erf", {}, 11),
    ("Abs", {}, 11),
    ("Sin", {}, 11),
    ("Mish", {}, 18),
    ("Gelu", {}, 20),
    ("Gelu", {"approximate": "tanh"}, 20),
    ("Swish", {}, 24),
]


@pytest.mark.parametrize(("op", "attributes", "opset"), ACTIVATIONS)
def test_activations(tmp_path, op, attributes, opset):
    network = assert_same(tmp_path, model([node(op, "x", **attributes)], opset=opset))
    assert len(network.nodes) == 1


@pytest.mark.parametrize(("low", "high"), [(0, 6), (0, None), (-1, 1), (None, None)])
def test_clips(tmp_path, low, high):
    ends = {"low": low, "high": high}
    arrays = {name: np.float32(end) for name, end in ends.items() if end is not None}
    inputs = ["low" if low is not None else "", "high" if high is not None else ""]
    steps = [("Mul", ["four"], {}), ("Clip", inputs, {})]
    if (low, high) == (None, None):
        steps.append(("Relu", [], {}))
    assert_same(tmp_path, model(chain(*steps), four=np.float32(4), **arrays))


@pytest.mark.parametrize("shape", [(1,), (4, 1, 1), (1, 4, 1, 1), (1, 1, 1)])
def test_slopes(tmp_path, shape):
    assert_same(tmp_path, model([node("PRelu", "x", "s")], s=weights(*shape)))


def gelu():
    return [
        node("Div", "x", "root", out="a"),
        node("Erf", "a", out="b"),
        node("Add", "b", "one", out="c"),
        node("Mul", "x", "c", out="d"),
        node("Mul", "d", "half"),
    ]


def gelu_tanh():
    return [
        node("Pow", "x", "three", out="a"),
        node("Mul", "a", "cubic", out="b"),
        node("Add", "x", "b", out="c"),
        node("Mul", "c", "rate", out="d"),
        node("Tanh", "d", out="e"),
        node("Add", "e", "one", out="f"),
        node("Mul", "x", "f", out="g"),
        node("Mul", "g", "half"),
    ]


WRITTEN_OUT = {
    "gelu": gelu(),
    "gelu_tanh": gelu_tanh(),
    "silu": [node("Sigmoid", "x", out="a"), node("Mul", "x", "a")],
    "mish": [node("Softplus", "x", out="a"), node("Tanh", "a", out="b"), node("Mul", "b", "x")],
    "hardswish": [
        node("Add", "x", "three", out="a"),
        node("Clip", "a", "zero", "six", out="b"),
        node("Mul", "x", "b", out="c"),
        node("Div", "c", "six"),
    ],
    "hardswish by its sigmoid": [
        node("HardSigmoid", "x", alpha=1 / 6, out="a"),
        node("Mul", "x", "a"),
    ],
    "relu": [node("Max", "x", "zero")],
    "hardsigmoid": [
        node("Add", "x", "three", out="a"),
        node("Clip", "a", "zero", "six", out="b"),
        node("Div", "b", "six"),
    ],
}
NUMBERS = {
    "root": np.sqrt(2),
    "one": 1,
    "half": 0.5,
    "three": 3,
    "cubic": 0.044715,
    "rate": np.sqrt(2 / np.pi),
    "zero": 0,
    "six": 6,
}


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_activations_that_are_written_out(tmp_path, name):
    numbers = {key: np.float32(number) for key, number in NUMBERS.items()}
    network = assert_same(tmp_path, model(WRITTEN_OUT[name], **numbers))
    assert [one.layer.function for one in network.nodes] == [name.split()[0]]


@pytest.mark.parametrize("opset", [11, 14, 15])
def test_batch_norms(tmp_path, opset):
    arrays = {"s": weights(4), "b": weights(4, seed=1), "m": weights(4, seed=2)}
    made = model(
        [node("BatchNormalization", "x", "s", "b", "m", "v", epsilon=0.01)],
        opset=opset,
        v=weights(4) ** 2,
        **arrays,
    )
    assert_same(tmp_path, made, runtime=opset == 11)


def test_instance_norms(tmp_path):
    made = model([node("InstanceNormalization", "x", "s", "b")], s=weights(4), b=weights(4))
    assert_same(tmp_path, made)


@pytest.mark.parametrize(("opset", "count"), [(18, 2), (20, 2), (21, 4)])
def test_group_norms(tmp_path, opset, count):
    normed = node("GroupNormalization", "x", "s", "b", num_groups=2)
    made = model([normed], opset=opset, s=weights(count), b=weights(count))
    assert_same(tmp_path, made, runtime=opset < 21)


def test_group_norms_that_are_written_out(tmp_path):
    nodes = [
        node("Reshape", "x", "groups", out="a"),
        node("InstanceNormalization", "a", "ones", "zeros", out="b"),
        node("Shape", "x", out="shape"),
        node("Reshape", "b", "shape", out="c"),
        node("Mul", "c", "s", out="d"),
        node("Add", "d", "t"),
    ]
    arrays = {"groups": np.array([0, 2, -1]), "ones": np.ones(2, np.float32)}
    numbers = {"s": weights(4, 1, 1), "t": weights(4, 1, 1, seed=3)}
    made = model(nodes, zeros=np.zeros(2, np.float32), **arrays, **numbers)
    network = assert_same(tmp_path, made)
    assert [one.layer.kind for one in network.nodes] == ["group"]


def test_layer_norms(tmp_path):
    nodes = [
        node("Transpose", "x", perm=[0, 2, 3, 1], out="a"),
        node("LayerNormalization", "a", "s", "b", epsilon=0.001, out="c"),
        node("Transpose", "c", perm=[0, 3, 1, 2]),
    ]
    network = assert_same(tmp_path, model(nodes, s=weights(4), b=weights(4)))
    assert [one.layer.kind for one in network.nodes] == ["place"]


def layer_norm(axes, square, root, numbers):
    """A layer norm of x that is written out, with one of several ways to square and divide."""
    nodes = [node("ReduceMean", "x", axes=axes, out="m"), node("Sub", "x", "m", out="d")]
    nodes += {
        "pow": [node("Pow", "d", "two", out="q")],
        "mul": [node("Mul", "d", "d", out="q")],
        "again": [node("Sub", "x", "m", out="d2"), node("Mul", "d2", "d2", out="q")],
    }[square]
    nodes += [node("ReduceMean", "q", axes=axes, out="v"), node("Add", "v", "eps", out="e")]
    nodes += {
        "sqrt": [node("Sqrt", "e", out="r"), node("Div", "d", "r", out="n")],
        "reciprocal": [
            node("Sqrt", "e", out="f"),
            node("Reciprocal", "f", out="r"),
            node("Mul", "r", "d", out="n"),
        ],
        "pow": [node("Pow", "e", "minus_half", out="r"), node("Mul", "d", "r", out="n")],
        "one over": [
            node("Sqrt", "e", out="f"),
            node("Div", "one", "f", out="r"),
            node("Mul", "d", "r", out="n"),
        ],
    }[root]
    return [*nodes, node("Mul", "n", "s", out="p"), node("Add", "p", "t")] if numbers else nodes


@pytest.mark.parametrize("square", ["pow", "mul", "again"])
@pytest.mark.parametrize("root", ["sqrt", "reciprocal", "pow", "one over"])
@pytest.mark.parametrize(
    ("axes", "kind"), [([1], "place"), ([1, 2, 3], "layer"), ([2, 3], "instance")]
)
def test_layer_norms_that_are_written_out(tmp_path, axes, kind, square, root):
    arrays = {"two": 2, "eps": 0.01, "minus_half": -0.5, "one": 1}
    numbers = {name: np.float32(number) for name, number in arrays.items()}
    made = model(
        layer_norm(axes, square, root, numbers=True),
        s=weights(4, 1, 1),
        t=weights(4, 1, 1, seed=4),
        **numbers,
    )
    network = assert_same(tmp_path, made)
    (layer,) = (one.layer for one in network.nodes)
    assert layer.kind == kind
    assert layer.eps == pytest.approx(0.01)


def test_what_is_no_layer_norm(tmp_path):
    nodes = layer_norm([1], "pow", "sqrt", numbers=False)
    numbers = {"two": np.float32(3), "eps": np.float32(0.01), "minus_half": np.float32(-0.5)}
    made = model(nodes, outputs=("n",), one=np.float32(1), **numbers)
    with pytest.raises(ErfTheoryError, match="ReduceMean"):
        read(tmp_path, made)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (4, 1, 1), (1, 4, 1, 1)])
@pytest.mark.parametrize("first", [False, True])
def test_arithmetic_with_numbers(tmp_path, op, shape, first):
    inputs = ["k", "x"] if first else ["x", "k"]
    if op == "Div" and first:
        pytest.skip("it divides by activations")
    numbers = np.asarray(weights(*shape), np.float32)
    assert_same(tmp_path, model([node(op, *inputs)], k=numbers))


def test_numbers_that_differ_from_place_to_place_are_refused(tmp_path):
    with pytest.raises(ErfTheoryError, match="place to place"):
        read(tmp_path, model([node("Add", "x", "k")], k=weights(1, 4, 9, 8)))


@pytest.mark.parametrize("op", ["Add", "Sub", "Sum", "Mean"])
def test_arithmetic_of_activations(tmp_path, op):
    branches = [node("Relu", "x", out="a"), node("Tanh", "x", out="b")]
    inputs = ["a", "b", "x"] if op in ("Sum", "Mean") else ["a", "b"]
    assert_same(tmp_path, model([*branches, node(op, *inputs)]))


@pytest.mark.parametrize("op", ["Sum", "Mean", "Concat"])
def test_arithmetic_of_one(tmp_path, op):
    attributes = {"axis": 1} if op == "Concat" else {}
    assert_same(tmp_path, model(chain(("Tanh", [], {}), (op, [], attributes))))


@pytest.mark.parametrize("turned", [0, 1])
@pytest.mark.parametrize("bias", [(5,), (1, 5), (1,), None])
def test_linear_layers(tmp_path, turned, bias):
    w = weights(5, 288) if turned else weights(288, 5)
    arrays = {"w": w} if bias is None else {"w": w, "c": weights(*bias)}
    inputs = ["w"] if bias is None else ["w", "c"]
    gemm = ("Gemm", inputs, {"transB": turned, "alpha": 0.5, "beta": 2.0})
    assert_same(tmp_path, model(chain(("Flatten", [], {}), gemm), **arrays))


def test_linear_layers_on_every_place(tmp_path):
    nodes = [
        node("Transpose", "x", perm=[0, 2, 3, 1], out="a"),
        node("MatMul", "a", "w", out="b"),
        node("Add", "c", "b", out="d"),
        node("Transpose", "d", perm=[0, 3, 1, 2]),
    ]
    network = assert_same(tmp_path, model(nodes, w=weights(4, 6), c=weights(6)))
    assert len(network.nodes) == 1


def test_weights_that_come_first(tmp_path):
    nodes = [
        node("Reshape", "x", "rows", out="a"),
        node("MatMul", "w", "a", out="b"),
        node("Reshape", "b", "map"),
    ]
    shapes = {"rows": np.array([1, 4, -1]), "map": np.array([1, 6, 9, 8])}
    assert_same(tmp_path, model(nodes, w=weights(6, 4), **shapes))


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_splits_and_concatenations(tmp_path, opset):
    parts = ["a", "b"]
    if opset == 11:
        split = node("Split", "x", out=parts, axis=1, split=[1, 3])
        arrays = {}
    elif opset == 13:
        split, arrays = node("Split", "x", "s", out=parts, axis=-3), {"s": np.array([1, 3])}
    else:
        split, arrays = node("Split", "x", out=parts, axis=1, num_outputs=2), {}
    nodes = [split, node("Tanh", "a", out="c"), node("Concat", "b", "c", axis=1)]
    assert_same(tmp_path, model(nodes, opset=opset, **arrays))


@pytest.mark.parametrize(
    ("start", "end", "axes", "steps"),
    [
        ([1], [3], [1], None),
        ([1, 0], [-1, 2**62], [2, 3], None),
        ([0, 1], [9, 8], [-2, -1], [2, 3]),
        ([0], [2], None, None),
    ],
)
def test_slices(tmp_path, start, end, axes, steps):
    arrays = {"a": start, "b": end, "c": axes, "d": steps}
    held = {name: np.array(array, INT) for name, array in arrays.items() if array is not None}
    inputs = [name if name in held else "" for name in arrays]
    assert_same(tmp_path, model(chain(("Tanh", [], {}), ("Slice", inputs, {})), **held))


def test_channels_backwards(tmp_path):
    ends = {"a": [-1], "b": [-(2**62)], "c": [1], "d": [-1]}
    held = {name: np.array(array, INT) for name, array in ends.items()}
    assert_same(tmp_path, model([node("Slice", "x", *held)], **held))


def test_choices_of_channels(tmp_path):
    assert_same(tmp_path, model([node("Gather", "x", "i", axis=1)], i=np.array([3, 0, -2])))


@pytest.mark.parametrize("opset", [11, 13])
def test_shuffles(tmp_path, opset):
    axes = {"axes": [0]} if opset == 11 else {}
    more = [] if opset == 11 else ["axis"]
    nodes = [
        node("Reshape", "x", "five", out="a"),
        node("Transpose", "a", perm=[0, 2, 1, 3, 4], out="b"),
        node("Reshape", "b", "four", out="c"),
        node("Squeeze", "c", *more, **axes, out="d"),
        node("Unsqueeze", "d", *more or [], **axes),
    ]
    shapes = {"five": np.array([1, 2, 2, 9, 8]), "four": np.array([0, -1, 9, 8])}
    shapes = {"five": shapes["five"], "four": np.array([1, -1, 9, 8])}
    held = {"axis": np.array([0])} if opset == 13 else {}
    assert_same(tmp_path, model(nodes, opset=opset, **shapes, **held))


def test_rounding_to_whole_numbers_is_refused(tmp_path):
    with pytest.raises(ErfTheoryError, match="whole numbers"):
        read(tmp_path, model([node("Cast", "x", to=7, out="a"), node("Cast", "a", to=1)]))


@pytest.mark.parametrize("opset", [11, 12, 13])
def test_what_does_nothing(tmp_path, opset):
    nodes = chain(
        ("Dropout", [], {}), ("Identity", [], {}), ("Cast", [], {"to": 1}), ("Relu", [], {})
    )
    network = assert_same(tmp_path, model(nodes, opset=opset))
    assert len(network.nodes) == 1
