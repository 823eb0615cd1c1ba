"""Operators that see several places, in several opsets: the network computes what they do."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs onnx, which is not installed here")

from erf_theory.errors import ErfTheoryError
from tests.readers.graphs import assert_same, chain, model, node, read, weights

W = weights(6, 4, 3, 3)


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
    arrays = {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "v": np.float32(2)}
    with pytest.raises(ErfTheoryError, match=r"2\.0"):
        read(tmp_path, model([node("Pad", "x", "p", "v")], **arrays))
