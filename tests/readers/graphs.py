"""ONNX files made by hand, and what ONNX's reference implementation computes with them."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs onnx, which is not installed here")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from erf_theory.readers.onnx import read_onnx  # noqa: E402
from tests.readers.forwards import output  # noqa: E402


def node(op, *inputs, out="y", **attributes):
    """A node that reads tensors by name; its output has another name than all others."""
    outs = out if isinstance(out, list) else [out]
    return helper.make_node(op, list(inputs), outs, name=f"the {op} of {outs[0]}", **attributes)


def chain(*steps):
    """Nodes one behind the other: the first reads x, the last gives y."""
    found, before = [], "x"
    for place, (op, inputs, attributes) in enumerate(steps):
        out = "y" if place == len(steps) - 1 else f"t{place}"
        found.append(node(op, before, *inputs, out=out, **attributes))
        before = out
    return found


def model(nodes, shape=(1, 4, 9, 8), opset=17, kind=TensorProto.FLOAT, outputs=("y",), **arrays):
    """A model with one input x, and arrays as initialisers."""
    held = [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]
    source = helper.make_tensor_value_info("x", kind, shape)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(list(nodes), "made by hand", [source], ends, held)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", opset)])


def written(folder, made):
    """A file with a model in it."""
    path = folder / "made.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def weights(*shape, seed=0):
    """Random numbers in single precision."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def read(folder, made, **options):
    """What the reader makes of a model."""
    return read_onnx(written(folder, made), **options)


def computed(made, image, *, runtime=False):
    """What ONNX's reference implementation makes of an image, or ONNX Runtime."""
    if runtime:
        why = "needs onnxruntime: the reference implementation has a fault there"
        runtimes = pytest.importorskip("onnxruntime", reason=why)
        return runtimes.InferenceSession(made.SerializeToString()).run(None, {"x": image})[0]
    return ReferenceEvaluator(made).run(None, {"x": image})[0]


def assert_same(folder, made, shape=(1, 4, 9, 8), inside=0, *, runtime=False, **options):
    """The network gives what the reference gives, for an image; ``inside`` leaves out a border."""
    network = read(folder, made, **options)
    image = weights(*shape, seed=7)
    found, wanted = output(network, image[0]), computed(made, image, runtime=runtime)
    assert found.size == wanted.size
    found = found.reshape(wanted.shape)
    if inside:
        cut = (..., *(slice(inside, -inside),) * (wanted.ndim - 2))
        found, wanted = found[cut], wanted[cut]
    assert np.max(np.abs(wanted)) > 0
    assert found == pytest.approx(wanted, rel=1e-4, abs=2e-5 * float(np.max(np.abs(wanted))))
    return network
