"""Every operator that is read, in several opsets: the network computes what the file says."""

import numpy as np
import pytest

from tests.readers.graphs import assert_same, chain, model, node, read, weights

W = weights(6, 4, 3, 3)
INT = np.int64


@pytest.mark.parametrize("opset", [11, 13, 17, 20, 22])
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"pads": [1, 0, 2, 1]},
        {"strides": [2, 1], "pads": [1, 1, 1, 1]},
        {"dilations": [2, 1], "pads": [2, 1, 2, 1], "kernel_shape": [3, 3]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [3, 1], "dilations": [1, 2]},
        {"auto_pad": "VALID", "strides": [2, 2]},
    ],
)
def test_convolutions(tmp_path, attributes, opset):
    made = model([node("Conv", "x", "w", "b", **attributes)], opset=opset, w=W, b=weights(6))
    assert_same(tmp_path, made)


@pytest.mark.parametrize("groups", [2, 4])
def test_convolutions_in_groups(tmp_path, groups):
    made = model([node("Conv", "x", "w", group=groups)], w=weights(8, 4 // groups, 3, 3))
    assert_same(tmp_path, made)


@pytest.mark.parametrize(("shape", "size"), [((1, 4, 9), (3,)), ((1, 4, 5, 6, 7), (3, 2, 1))])
def test_convolutions_of_other_dimensions(tmp_path, shape, size):
    made = model([node("Conv", "x", "w", auto_pad="SAME_UPPER")], shape, w=weights(6, 4, *size))
    assert_same(tmp_path, made, shape)


def test_weights_of_constant_nodes(tmp_path):
    from onnx import numpy_helper

    held = node("Constant", out="w", value=numpy_helper.from_array(W))
    network = assert_same(tmp_path, model([held, node("Conv", "x", "w")]))
    assert network.nodes[0].layer.weights.array == pytest.approx(W)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 3], "pads": [1, 0, 1, 2]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"strides": [2, 2], "output_shape": [18, 17]},
        {"strides": [2, 2], "output_shape": [18, 16], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [2, 2], "auto_pad": "VALID"},
        {"dilations": [2, 1], "strides": [1, 2]},
    ],
)
def test_transposed_convolutions(tmp_path, attributes):
    w = weights(4, 6, 3, 3)
    made = model([node("ConvTranspose", "x", "w", "b", **attributes)], w=w, b=weights(6))
    assert_same(tmp_path, made, runtime="output_shape" in attributes)


def test_transposed_convolutions_in_groups(tmp_path):
    made = model([node("ConvTranspose", "x", "w", group=2)], w=weights(4, 3, 2, 2))
    assert_same(tmp_path, made, runtime=True)


POOLS = [
    {"kernel_shape": [2, 2], "strides": [2, 2]},
    {"kernel_shape": [3, 2], "strides": [2, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
    {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 1, 1, 0], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"},
    {"kernel_shape": [2, 2], "auto_pad": "VALID"},
]


@pytest.mark.parametrize("opset", [11, 12, 22])
@pytest.mark.parametrize("attributes", POOLS)
def test_maxima(tmp_path, attributes, opset):
    lower = attributes.get("auto_pad") == "SAME_LOWER"
    assert_same(tmp_path, model([node("MaxPool", "x", **attributes)], opset=opset), runtime=lower)


def test_dilated_maxima(tmp_path):
    dilated = node("MaxPool", "x", kernel_shape=[2, 3], dilations=[2, 1], strides=[1, 2])
    assert_same(tmp_path, model([dilated]))


@pytest.mark.parametrize("opset", [11, 19, 22])
@pytest.mark.parametrize("attributes", POOLS)
def test_means_that_leave_the_border_out(tmp_path, attributes, opset):
    network = assert_same(
        tmp_path, model([node("AveragePool", "x", **attributes)], opset=opset), inside=1
    )
    reaches = any(map(any, network.nodes[0].layer.pads(2)))
    assert bool(network.remarks) == reaches


@pytest.mark.parametrize("pads", [[1, 1, 1, 1], [0, 1, 1, 0]])
def test_means_that_count_the_border(tmp_path, pads):
    counting = node("AveragePool", "x", kernel_shape=[3, 3], pads=pads, count_include_pad=1)
    assert not assert_same(tmp_path, model([counting])).remarks


def test_dilated_means(tmp_path):
    dilated = node("AveragePool", "x", kernel_shape=[3, 2], dilations=[1, 3])
    assert_same(tmp_path, model([dilated], opset=19))


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_means_and_maxima_of_all_places(tmp_path, op):
    assert_same(tmp_path, model(chain((op, [], {}), ("Flatten", [], {}))))


@pytest.mark.parametrize("keep", [0, 1])
@pytest.mark.parametrize(
    ("op", "input_from"), [("ReduceMean", 18), ("ReduceSum", 13), ("ReduceMax", 18)]
)
@pytest.mark.parametrize("opset", [11, 13, 18, 20])
def test_reductions(tmp_path, op, input_from, opset, keep):
    if opset >= input_from:
        reduced = node(op, "x", "axes", keepdims=keep)
        made = model([reduced], opset=opset, axes=np.array([-1, 2]))
    else:
        made = model([node(op, "x", axes=[-1, 2], keepdims=keep)], opset=opset)
    assert_same(tmp_path, made)


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
    from erf_theory.errors import ErfTheoryError

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
    from erf_theory.errors import ErfTheoryError

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


def resize(opset, scale=2.0, size=None, **attributes):
    inputs = ["x", "", "", "sizes"] if size else ["x", "", "scales"]
    arrays = (
        {"sizes": np.array([1, 4, *size])}
        if size
        else {"scales": np.array([1, 1, scale, scale], np.float32)}
    )
    return model([node("Resize", *inputs, **attributes)], opset=opset, **arrays)


@pytest.mark.parametrize("opset", [13, 18, 19])
@pytest.mark.parametrize(
    ("scale", "attributes"),
    [
        (2.0, {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
        (3.0, {"coordinate_transformation_mode": "half_pixel"}),
        (
            2.0,
            {"coordinate_transformation_mode": "half_pixel", "nearest_mode": "round_prefer_ceil"},
        ),
        (2.0, {"mode": "linear"}),
        (3.0, {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}),
        (2.0, {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}),
        (1.0, {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
        (1.0, {"mode": "cubic"}),
    ],
)
def test_resizings(tmp_path, scale, attributes, opset):
    made = resize(opset, scale, **attributes)
    if attributes == {"mode": "cubic"}:
        made.graph.node.insert(0, node("Relu", "x", out="r"))
        made.graph.node[1].input[0] = "r"
    assert_same(tmp_path, made)


def test_resizings_by_sizes(tmp_path):
    assert_same(tmp_path, resize(13, size=(18, 24), mode="nearest"))


@pytest.mark.parametrize("nearest_mode", ["floor", "ceil"])
def test_resizings_to_a_part(tmp_path, nearest_mode):
    made = resize(13, 0.5, coordinate_transformation_mode="asymmetric", nearest_mode=nearest_mode)
    assert_same(tmp_path, made)


def test_resizings_of_some_axes(tmp_path):
    made = model([node("Resize", "x", "", "s", axes=[3])], opset=18, s=np.float32([2]))
    assert_same(tmp_path, made)


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ({"mode": "linear", "coordinate_transformation_mode": "align_corners"}, "align_corners"),
        ({"mode": "linear", "coordinate_transformation_mode": "asymmetric"}, "asymmetric"),
        ({"mode": "cubic"}, "cubic"),
        ({"coordinate_transformation_mode": "asymmetric", "nearest_mode": "ceil"}, "place"),
    ],
)
def test_resizings_that_are_no_upsampling_are_refused(tmp_path, attributes, text):
    from erf_theory.errors import ErfTheoryError

    with pytest.raises(ErfTheoryError, match=text):
        read(tmp_path, resize(13, **attributes))


@pytest.mark.parametrize("opset", [11, 13, 18])
@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("pads", [[0, 0, 1, 2, 0, 0, 3, 0], [0, 0, -1, 1, 0, 0, 0, -2]])
def test_pads(tmp_path, mode, pads, opset):
    if mode != "constant" and min(pads) < 0:
        pytest.skip("the runtime crops only where it pads with zeros")
    made = model([node("Pad", "x", "pads", mode=mode)], opset=opset, pads=np.array(pads))
    assert_same(tmp_path, made, runtime=min(pads) < 0)


def test_pads_of_some_axes(tmp_path):
    arrays = {"pads": np.array([1, 2]), "zero": np.float32(0), "axes": np.array([-1])}
    assert_same(tmp_path, model([node("Pad", "x", "pads", "zero", "axes")], opset=18, **arrays))


def test_pads_around(tmp_path):
    made = model(
        [node("Pad", "x", "p", mode="wrap")], opset=19, p=np.array([0, 0, 1, 2, 0, 0, 3, 0])
    )
    assert_same(tmp_path, made)


def test_pads_with_other_numbers_are_refused(tmp_path):
    from erf_theory.errors import ErfTheoryError

    arrays = {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "v": np.float32(2)}
    with pytest.raises(ErfTheoryError, match=r"2\.0"):
        read(tmp_path, model([node("Pad", "x", "p", "v")], **arrays))


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
    from erf_theory.errors import ErfTheoryError

    with pytest.raises(ErfTheoryError, match="whole numbers"):
        read(tmp_path, model([node("Cast", "x", to=7, out="a"), node("Cast", "a", to=1)]))


@pytest.mark.parametrize("opset", [11, 12, 13])
def test_what_does_nothing(tmp_path, opset):
    nodes = chain(
        ("Dropout", [], {}), ("Identity", [], {}), ("Cast", [], {"to": 1}), ("Relu", [], {})
    )
    network = assert_same(tmp_path, model(nodes, opset=opset))
    assert len(network.nodes) == 1
