"""Whole ONNX files: their shapes, names, weights and layouts; and files that cannot be read."""

import sys

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs onnx, which is not installed here")

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Conv, Norm, Scale
from tests.readers.graphs import (
    TensorProto,
    assert_same,
    chain,
    helper,
    model,
    node,
    numpy_helper,
    onnx,
    read,
    read_onnx,
    weights,
    written,
)

W = weights(4, 4, 3, 3)


def two_convolutions(**more):
    nodes = chain(("Conv", ["w"], {}), ("Relu", [], {}), ("Conv", ["w"], {}))
    return model(nodes, w=W, **more)


def test_the_height_and_width_that_the_user_gives(tmp_path):
    made = two_convolutions(shape=("batch", 4, "height", "width"))
    network = assert_same(tmp_path, made, input_shape=(1, 4, 9, 8))
    assert network.in_channels == 4


def test_an_open_number_of_images_is_one(tmp_path):
    assert_same(tmp_path, two_convolutions(shape=("batch", 4, 9, 8)))


@pytest.mark.parametrize(
    ("shape", "given", "text"),
    [
        (("n", 4, "height", "width"), None, r"\(n, 4, height, width\): give input_shape"),
        (("n", 4, None, None), None, r"\(n, 4, \?, \?\): give input_shape"),
        (None, None, "does not say: give input_shape"),
        ((1, 4, 9, 8), (1, 3, 9, 8), r"\(1, 4, 9, 8\), and input_shape is \(1, 3, 9, 8\)"),
        ((1, 4, 9, 8), (1, 4, 9), "input_shape is"),
        ((1, 4, "h", "w"), (1, 4, 0, 8), "whole numbers"),
        ((1, 4, "h", "w"), (1, 4, 9.5, 8), "whole numbers"),
        ((1, 4, "h", "w"), (1, 4, 3, 3), r"\(3, 3\) places behind the node the Conv of y"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(tmp_path, shape, given, text):
    with pytest.raises(ErfTheoryError, match=text):
        read(tmp_path, two_convolutions(shape=shape), input_shape=given)


def test_sizes_that_are_computed_from_the_shape(tmp_path):
    """What PyTorch's exporter writes for flatten and for interpolate to twice the size."""
    nodes = [
        node("Shape", "x", out="shape"),
        node("Gather", "shape", "two", out="h", axis=0),
        node("Gather", "shape", "three", out="w", axis=0),
        node("Mul", "h", "twice", out="h2"),
        node("Cast", "h2", out="h3", to=TensorProto.FLOAT),
        node("Floor", "h3", out="h4"),
        node("Cast", "h4", out="h5", to=TensorProto.INT64),
        node("Mul", "w", "twice", out="w2"),
        node("Unsqueeze", "h5", "zero", out="h6"),
        node("Unsqueeze", "w2", "zero", out="w3"),
        node("Slice", "shape", "from", "to", out="head"),
        node("Concat", "head", "h6", "w3", axis=0, out="sizes"),
        node("Resize", "x", "", "", "sizes", mode="linear", out="big"),
        node("Size", "big", out="size"),
        node("Unsqueeze", "size", "zero", out="size2"),
        node("ConstantOfShape", "one", out="ones", value=numpy_helper.from_array(np.array([1]))),
        node("Concat", "ones", "size2", axis=0, out="flat"),
        node("Reshape", "big", "flat"),
    ]
    numbers = {"two": 2, "three": 3, "twice": 2, "zero": [0], "from": [0], "to": [2], "one": [1]}
    held = {name: np.array(number) for name, number in numbers.items()}
    made = model(nodes, ("n", 4, "h", "w"), **held)
    network = assert_same(tmp_path, made, input_shape=(1, 4, 9, 8))
    assert len(network.nodes) == 1


def test_weights_that_are_computed_from_others(tmp_path):
    nodes = [
        node("Transpose", "w", perm=[1, 0, 2, 3], out="v"),
        node("Mul", "v", "half", out="u"),
        node("Conv", "x", "u"),
    ]
    network = assert_same(tmp_path, model(nodes, w=weights(4, 6, 3, 3), half=np.float32(0.5)))
    assert len(network.nodes) == 1


def test_the_branch_that_a_fixed_condition_chooses(tmp_path):
    def branch(op):
        out = helper.make_tensor_value_info(f"{op}_out", TensorProto.FLOAT, None)
        return helper.make_graph([node(op, "x", out=f"{op}_out")], op, [], [out])

    nodes = [
        node("Shape", "x", out="shape"),
        node("Size", "shape", out="rank"),
        node("Equal", "rank", "four", out="is_four"),
        node("If", "is_four", then_branch=branch("Tanh"), else_branch=branch("Relu")),
    ]
    network = assert_same(tmp_path, model(nodes, four=np.array(4)))
    assert network.nodes[0].layer.function == "tanh"


def test_local_functions_are_written_out(tmp_path):
    made = model([node("Double", "x", out="y")], w=W)
    made.graph.node[0].domain = "own"
    made.opset_import.append(helper.make_opsetid("own", 1))
    inner = [helper.make_node("Add", ["a", "a"], ["b"])]
    opsets = [helper.make_opsetid("", 17)]
    made.functions.append(helper.make_function("own", "Double", ["a"], ["b"], inner, opsets))
    assert_same(tmp_path, made)


def test_images_with_channels_last(tmp_path):
    nodes = [
        node("Transpose", "x", perm=[0, 3, 1, 2], out="a"),
        node("Conv", "a", "w", out="b"),
        node("Transpose", "b", perm=[0, 2, 3, 1]),
    ]
    network = read(tmp_path, model(nodes, (1, 9, 8, 4), w=W))
    assert [type(one.layer) for one in network.nodes] == [Conv]
    assert network.in_channels == 4


def test_weights_in_a_file_beside(tmp_path):
    made = two_convolutions()
    path = tmp_path / "made.onnx"
    beside = {"location": "made.data", "size_threshold": 0, "all_tensors_to_one_file": True}
    onnx.save_model(made, path, save_as_external_data=True, **beside)
    assert read_onnx(path).nodes[0].layer.weights.array == pytest.approx(W)
    data = tmp_path / "made.data"
    data.write_bytes(data.read_bytes()[:-8])
    with pytest.raises(ErfTheoryError, match="truncated"):
        read_onnx(path)
    data.unlink()
    with pytest.raises(ErfTheoryError, match=r"made\.data, which is missing"):
        read_onnx(path)


@pytest.mark.parametrize("location", ["../outside", "/etc/hostname", ""])
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    made = two_convolutions()
    tensor = made.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    with pytest.raises(ErfTheoryError, match="not in its folder"):
        read(tmp_path, made)


@pytest.mark.parametrize("kind", [np.float64, np.float16])
def test_weights_of_other_precision(tmp_path, kind):
    nodes = [node("Cast", "w", to=TensorProto.FLOAT, out="v"), node("Conv", "x", "v")]
    assert_same(tmp_path, model(nodes, w=W.astype(kind)))


def test_images_of_bytes(tmp_path):
    nodes = chain(("Cast", [], {"to": 1}), ("Div", ["k"], {}), ("Conv", ["w"], {}))
    made = model(nodes, kind=TensorProto.UINT8, k=np.float32(255), w=W)
    layers = [one.layer for one in read(tmp_path, made).nodes]
    assert layers[0] == Scale(1 / 255)
    assert type(layers[1]) is Conv


def test_laws_in_place_of_weights(tmp_path):
    nodes = chain(
        ("Conv", ["w", "b"], {}), ("BatchNormalization", ["b", "b", "b", "v"], {}), ("Relu", [], {})
    )
    made = model(nodes, w=W, b=weights(4), v=weights(4) ** 2)
    conv, norm, _ = (one.layer for one in read(tmp_path, made, weights="he").nodes)
    assert conv == Conv(4, 4, 3, init="he")
    assert norm == Norm("batch", eps=1e-5)
    assert read(tmp_path, made, weights="law").nodes[0].layer.init == "pytorch"


def test_weights_that_are_shared_have_no_law(tmp_path):
    with pytest.raises(ErfTheoryError, match="share their weights"):
        read(tmp_path, two_convolutions(), weights="he")


def test_an_unknown_law_is_refused(tmp_path):
    with pytest.raises(ErfTheoryError, match="not 'best'"):
        read(tmp_path, two_convolutions(), weights="best")


def named(*names):
    """Convolutions and activations whose nodes have these names."""
    steps = [("Relu", [], {}) if "act" in name else ("Conv", ["w"], {}) for name in names]
    nodes = chain(*steps)
    for one, name in zip(nodes, names, strict=True):
        one.name = name
    return nodes


def test_names_are_the_module_paths_of_pytorch(tmp_path):
    scopes = ("/layer1/layer1.0/conv1/Conv", "/layer1/layer1.0/act/Relu", "/head/head.1/Conv")
    network = read(tmp_path, model(named(*scopes), w=W))
    assert [one.name for one in network.nodes] == ["layer1.0.conv1", "layer1.0.act", "head.1"]


def test_names_are_those_of_the_nodes_elsewhere(tmp_path):
    network = read(tmp_path, model(named("block/conv", "act", "act_1", ""), w=W))
    assert [one.name for one in network.nodes] == ["block/conv", "act", "act_1", "conv"]


def attention():
    return [
        node("Relu", "x", out="a"),
        node("MatMul", "a", "b", out="c"),
        node("Softmax", "c", out="d", axis=-1),
        node("MatMul", "d", "x"),
    ]


def test_all_that_cannot_be_read_is_named_at_once(tmp_path):
    nodes = [node("Transpose", "x", perm=[0, 1, 3, 2], out="b"), *attention()]
    with pytest.raises(ErfTheoryError) as raised:
        read(tmp_path, model(nodes))
    text = str(raised.value)
    assert "the MatMul of c (MatMul" in text
    assert "the Softmax of d (Softmax" in text
    assert "the MatMul of y" in text
    assert 'overrides={"name": …}' in text


def test_overrides(tmp_path):
    nodes = chain(("Relu", [], {}), ("LRN", [], {"size": 3}), ("Tanh", [], {}))
    with pytest.raises(ErfTheoryError, match=r"the LRN of t1 \(LRN"):
        read(tmp_path, model(nodes))
    network = read(tmp_path, model(nodes), overrides={"the LRN of t1": "identity"})
    assert len(network.nodes) == 2


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([node("Softmax", "x")], "Softmax"),
        ([node("LRN", "x", size=3)], "LRN"),
        ([node("RandomNormalLike", "x", out="r"), node("Add", "x", "r")], "RandomNormalLike"),
        ([node("Relu", "x", out="w"), node("Conv", "x", "w")], "weight is computed from the image"),
        ([node("Relu", "x", out="a"), node("Max", "a", "x")], "larger or smaller"),
        ([node("Exp", "x")], "no activation that the package knows"),
        (
            [node("Relu", "x", out="a"), node("Mul", "a", "x", out="b"), node("Relu", "b")],
            "multiplies",
        ),
        ([node("Transpose", "x", perm=[0, 1, 3, 2], out="a"), node("Conv", "a", "v")], "places"),
    ],
)
def test_what_no_layer_is_is_refused_by_name(tmp_path, nodes, text):
    with pytest.raises(ErfTheoryError, match=text):
        read(tmp_path, model(nodes, v=W))


def test_operators_of_others_are_refused_by_name(tmp_path):
    strange = helper.make_node("FusedConv", ["x", "w"], ["y"], "strange", domain="com.microsoft")
    made = model([strange], w=W)
    made.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    with pytest.raises(ErfTheoryError, match=r"strange \(com\.microsoft\.FusedConv"):
        read(tmp_path, made)


def test_conditions_that_depend_on_the_image_are_refused(tmp_path):
    out = helper.make_tensor_value_info("o", TensorProto.FLOAT, None)
    branch = helper.make_graph([node("Tanh", "x", out="o")], "branch", [], [out])
    nodes = [
        node("ReduceMax", "x", keepdims=0, out="m"),
        node("Greater", "m", "zero", out="g"),
        node("If", "g", then_branch=branch, else_branch=branch),
    ]
    with pytest.raises(ErfTheoryError, match="If"):
        read(tmp_path, model(nodes, zero=np.float32(0)))


def test_other_outputs_are_kept(tmp_path):
    nodes = [
        node("Conv", "x", "w", out="y"),
        node("Relu", "y", out="z"),
        node("Tanh", "x", out="u"),
    ]
    network = read(tmp_path, model(nodes, outputs=("y", "z"), w=W))
    assert {type(one.layer).__name__ for one in network.nodes} == {"Conv", "Activation", "Identity"}


def bad_files():
    """Files that are no ONNX, by name."""
    whole = two_convolutions().SerializeToString()
    return {
        "empty": b"",
        "text": b"PK\x03\x04 this is no model at all",
        "json": b'{"format": "erf_theory.Network/1"}',
        "noise": np.random.default_rng(0).bytes(4096),
        **{f"truncated at {part}": whole[: int(part * len(whole))] for part in (0.1, 0.5, 0.9)},
    }


@pytest.mark.parametrize(
    "name", ["empty", "text", "json", "noise", *(f"truncated at {p}" for p in (0.1, 0.5, 0.9))]
)
def test_files_that_are_no_onnx(tmp_path, name):
    path = tmp_path / "bad.onnx"
    path.write_bytes(bad_files()[name])
    with pytest.raises(ErfTheoryError, match="is no ONNX file, or it is truncated"):
        read_onnx(path)


def test_every_truncation_is_one_sentence(tmp_path):
    whole = two_convolutions().SerializeToString()
    path = tmp_path / "cut.onnx"
    for end in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:end])
        with pytest.raises(ErfTheoryError):
            read_onnx(path)


def test_every_damage_is_one_sentence(tmp_path):
    rng = np.random.default_rng(0)
    path = written(tmp_path, two_convolutions())
    whole, refused = path.read_bytes(), 0
    for _ in range(200):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(len(whole) // 3, size=3)] = rng.integers(256, size=3)
        path.write_bytes(damaged.tobytes())
        try:
            read_onnx(path)
        except ErfTheoryError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_paths_that_lead_to_no_file(tmp_path, what):
    with pytest.raises(ErfTheoryError, match="cannot be read"):
        read_onnx(tmp_path if what == "folder" else tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("opset", "text"), [(9, "opset 9"), (10, "opset 10"), (999, "--upgrade onnx")]
)
def test_opsets_that_are_not_read(tmp_path, opset, text):
    made = two_convolutions()
    made.opset_import[0].version = opset
    with pytest.raises(ErfTheoryError, match=text):
        read(tmp_path, made)


@pytest.mark.parametrize("name", ["y", "x", "w"])
def test_what_is_computed_twice_is_refused(tmp_path, name):
    nodes = [node("Relu", "x"), node("Sigmoid", "x", out=name)]
    with pytest.raises(ErfTheoryError, match=f"{name} is computed by the node the Sigmoid"):
        read(tmp_path, model(nodes, w=weights(4, 4, 3, 3)))


def test_damaged_graphs(tmp_path):
    made = two_convolutions()
    made.graph.node[1].input[0] = "nothing"
    with pytest.raises(ErfTheoryError, match=r"the Relu of t1 \(Relu\) reads nothing"):
        read(tmp_path, made)
    made = two_convolutions()
    made.graph.initializer[0].raw_data = b"too short"
    with pytest.raises(ErfTheoryError, match="weights w are damaged"):
        read(tmp_path, made)
    made = model([node("Conv", "x", "w")], w=weights(4, 3, 3, 3))
    with pytest.raises(ErfTheoryError, match="is given 4 channels"):
        read(tmp_path, made)
    made = model([node("Add", "x", "w")], w=weights(3, 3))
    with pytest.raises(ErfTheoryError, match=r"the Add of y \(Add\) does not fit what it reads"):
        read(tmp_path, made)


def test_models_with_other_inputs_are_refused(tmp_path):
    made = two_convolutions()
    made.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, (1, 4)))
    with pytest.raises(ErfTheoryError, match=r"2 inputs \(x, z\)"):
        read(tmp_path, made)


def test_models_whose_output_is_fixed_are_refused(tmp_path):
    with pytest.raises(ErfTheoryError, match="no output of the model depends on its input"):
        read(tmp_path, model([node("Relu", "w")], w=W))


def test_without_onnx(tmp_path, monkeypatch):
    path = written(tmp_path, two_convolutions())
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ErfTheoryError, match=r"pip install \"erf-theory\[onnx\]\""):
        read_onnx(path)
