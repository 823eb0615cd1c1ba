"""What a unit of a model sees, by the network that was read and by the model's own gradient."""

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.network.geometry import regions
from erf_theory.readers.torch import read_torch
from tests.readers.models import timm_model, vision_model

pytestmark = pytest.mark.torch

SIZE = 224
PARTS = {
    "alexnet": "features.8",
    "densenet121": "features.denseblock1",
    "efficientnet_b0": "features.1.0.block.0",
    "googlenet": "inception3a",
    "inception_v3": "Mixed_5b",
    "mnasnet1_0": "layers.9",
    "mobilenet_v2": "features.4",
    "regnet_x_400mf": "trunk_output.block2",
    "resnet18": "layer1",
    "resnet50": "layer1",
    "shufflenet_v2_x1_0": "stage2.0",
    "squeezenet1_1": "features.6",
    "vgg16": "features.16",
}
TIMM = {
    "hrnet_w18_small": "layer1",
    "regnetx_002": "s2",
    "resnetv2_50": "stages.0",
}
"""Models, and parts of them whose units see less than the image."""


def positive(model):
    """The model with positive weights and norms that do nothing, and means for largest samples.

    Then no gradient is 0 where a unit sees something: nothing cancels, nothing is chosen.
    """
    from torch import nn

    for path, part in list(model.named_modules()):
        if isinstance(part, nn.MaxPool2d):
            mean = nn.AvgPool2d(part.kernel_size, part.stride, part.padding, part.ceil_mode)
            model.set_submodule(path, mean)
    for name, weight in model.named_parameters():
        fan_in = weight[0].numel() if weight.ndim > 1 else 1
        weight.data.uniform_(0.5, 1.5).div_(fan_in)
        if "bias" in name:
            weight.data.zero_()
    return model.double().eval()


@pytest.mark.parametrize(("name", "part"), (PARTS | TIMM).items())
def test_the_support_is_that_of_the_gradient(name, part):
    import torch

    model = positive(timm_model(name) if name in TIMM else vision_model(name))
    image = torch.ones(1, 3, SIZE, SIZE, dtype=torch.float64, requires_grad=True)
    seen = []
    model.get_submodule(part).register_forward_hook(lambda *given: seen.append(given[-1]))
    network = read_torch(model, image.detach(), weights="he").until(part)
    seen.clear()
    model(image)
    unit = tuple(n // 2 for n in seen[0].shape[2:])
    seen[0][(0, slice(None), *unit)].sum().backward()
    found = image.grad[0].sum(dim=0).numpy() > 0
    box = regions(network, unit)[0]
    inside = tuple(slice(a, a + n) for a, n in zip(box.start, box.shape, strict=True))
    assert all(a >= 0 and a + n <= SIZE for a, n in zip(box.start, box.shape, strict=True))
    assert found.sum() == found[inside].sum()
    erf = network_erf(network, unit=unit)
    assert np.array_equal(erf.values > 0, found[inside])
