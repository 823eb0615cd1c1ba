"""The zoo's descriptions are what the reader finds in the models that they describe."""

import pytest

from erf_theory import network_erf, zoo
from erf_theory.network import Identity, receptive_field
from erf_theory.readers.torch import read_torch
from tests.readers.models import vision_model

pytestmark = pytest.mark.torch

SAME = {
    "alexnet": "features",
    "densenet121": "relu",
    "inception_v3": "Mixed_7c",
    "mobilenet_v2": "features",
    "resnet18": "layer4",
    "resnet34": "layer4",
    "resnet50": "layer4",
    "resnet101": "layer4",
    "resnet152": "layer4",
    "vgg11": "features",
    "vgg16": "features",
    "vgg19": "features",
}
"""Models whose names are the zoo's, and the part where the zoo's ends."""
OTHERS = {
    "convnext_t": ("convnext_tiny", "features"),
    "shufflenet_v2": ("shufflenet_v2_x1_0", "conv5"),
}


def read(name):
    """A model of torchvision with He's law, up to where the zoo's ends."""
    import torch

    theirs, layer = OTHERS.get(name) or (name, SAME.get(name))
    model = vision_model(theirs)
    for part in model.modules():
        if hasattr(part, "layer_scale"):
            part.layer_scale.data.fill_(1)  # the zoo leaves it out
        if hasattr(part, "eps"):
            part.eps = 1e-5  # as all norms of the zoo have it
    size = 299 if name == "inception_v3" else 224
    return read_torch(model, torch.zeros(1, 3, size, size), weights="he").until(layer)


def rows(network):
    """What every node is and sees, in the order of what it sees; dropouts and names apart."""
    return sorted(
        (repr(row.layer), row.channels, row.size, str(row.jump), str(row.padding), row.output_size)
        for row in receptive_field(network, image_size=224)
        if not isinstance(row.layer, Identity)
    )


@pytest.mark.parametrize("name", [*SAME, *OTHERS])
def test_the_readers_network_is_the_zoos(name):
    found, described = read(name), zoo.ZOO[name]()
    assert rows(found) == rows(described)
    one, other = (network_erf(network, ndim=1) for network in (found, described))
    assert one.values == pytest.approx(other.values, rel=1e-10, abs=1e-15)
    assert one.log_mass == pytest.approx(other.log_mass, abs=1e-9)
    assert (one.exactness, len(one.reasons)) == (other.exactness, len(other.reasons))


def test_a_block_is_where_its_last_node_is():
    network = read("resnet18")
    assert network.nodes[network.place_of("layer3")].name == "layer3.1.relu_1"
    assert network.nodes[network.place_of("layer3.0")].name == "layer3.0.relu_1"
    assert network.place_of("layer3.0.relu") < network.place_of("layer3.0")
    assert network.until("layer3.0").nodes[-1].name == "layer3.0.relu_1"
