"""What PyTorch exports to ONNX, by both of its exporters: the file and the module are alike."""

import logging
import warnings

import pytest

pytest.importorskip("onnx", reason="needs onnx, which is not installed here")

from erf_theory import network_erf, receptive_field
from erf_theory.network import Activation, Conv, ConvTranspose, Norm, Scale
from erf_theory.readers.torch import read_torch
from tests.readers.graphs import read_onnx
from tests.readers.models import (
    facenet,
    in_doubles,
    rebuilt,
    trained_mobilenet,
    vision_model,
)

pytestmark = pytest.mark.torch

MODELS = {
    "alexnet": 224,
    "convnext_tiny": 64,
    "densenet121": 64,
    "efficientnet_b0": 64,
    "fcn_resnet50": 64,
    "googlenet": 64,
    "mobilenet_v2": 64,
    "mobilenet_v3_small": 64,
    "resnet18": 64,
    "shufflenet_v2_x1_0": 64,
    "squeezenet1_1": 64,
}
"""Models of torchvision, and a size of image that all their layers take."""
EXPORTERS = {"TorchScript": False, "torch.export": True}


def exported(folder, model, image, *, dynamo):
    """The file that an exporter writes."""
    import torch

    path = folder / "model.onnx"
    more = {"external_data": False, "verbose": False} if dynamo else {}
    logging.disable(logging.CRITICAL)  # the exporters report their progress there
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(model, (image,), path, dynamo=dynamo, **more)
    finally:
        logging.disable(logging.NOTSET)
    return path


def assert_same(folder, model, shape, *, dynamo):
    """File and module are networks that compute the same and see the same."""
    import torch

    model = model.float().eval()
    image = torch.randn(shape)
    ours = read_onnx(exported(folder, model, image, dynamo=dynamo))
    theirs = read_torch(model, image)
    with torch.no_grad():
        found, wanted = (rebuilt(net)(image.double()) for net in (ours, theirs))
    scale = wanted.abs().max()
    assert scale > 0
    assert (found.reshape(wanted.shape) - wanted).abs().max() <= 1e-5 * scale
    assert heavy(ours) == heavy(theirs)
    assert names(ours) <= names(theirs)
    assert seen(ours) == {name: axes for name, axes in seen(theirs).items() if name in names(ours)}
    return ours, theirs


def heavy(network):
    """The layers that are no norms and factors, without their numbers: a file may fold those in."""
    layers = [node.layer for node in network.nodes]
    return sorted(
        (type(one).__name__, tuple(str(getattr(one, name, "")) for name in ("size", "stride")))
        for one in layers
        if not isinstance(one, Norm | Scale)
    )


def seen(network):
    """What units of the convolutions and activations see, by their names."""
    rows = {row.name: row.axes for row in receptive_field(network).rows}
    return {name: rows[name] for name in names(network)}


def names(network):
    """Names of the convolutions and activations."""
    kinds = (Activation, Conv, ConvTranspose)
    return {node.name for node in network.nodes if isinstance(node.layer, kinds)}


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", MODELS)
def test_models_of_torchvision(tmp_path, name, exporter):
    shape = (1, 3, MODELS[name], MODELS[name])
    assert_same(tmp_path, in_doubles(vision_model(name)), shape, dynamo=EXPORTERS[exporter])


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize(("name", "size"), [("PNet", 20), ("RNet", 24), ("ONet", 48)])
def test_mtcnn(tmp_path, name, size, exporter):
    assert_same(tmp_path, facenet(name), (1, 3, size, size), dynamo=EXPORTERS[exporter])


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_the_trained_mobilenet(tmp_path, exporter):
    """The map behind the first norm is that of the convolution that it was folded into.

    Behind gates it is not: a norm says what the samples before a gate were in training, and its
    numbers are lost when it is folded.
    """
    shape = (1, 3, 64, 64)
    model = trained_mobilenet()
    ours, theirs = assert_same(tmp_path, model, shape, dynamo=EXPORTERS[exporter])
    found, wanted = (
        network_erf(ours, layer="features.0.0"),
        network_erf(theirs, layer="features.0.1"),
    )
    assert found.values == pytest.approx(wanted.values, abs=1e-6)
    assert found.log_norm == pytest.approx(wanted.log_norm, abs=1e-6)
