"""A model that ends at a layer: what is behind it need not be read."""

import numpy as np
import pytest

from erf_theory import erf_of, network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.readers.torch import read_torch

pytestmark = pytest.mark.torch


def two_outputs():
    """A module whose first output sorts, and whose second one is a layer's."""
    import torch
    from torch import nn

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
            self.head = nn.Conv2d(8, 4, 3, padding=1)

        def forward(self, x):
            x = self.stem(x)
            return x.sort(dim=-1).values, self.head(x)

    torch.manual_seed(0)
    return Two(), torch.zeros(1, 3, 12, 12)


def test_an_output_that_can_be_read_is_chosen_by_its_layer():
    module, example = two_outputs()
    with pytest.raises(
        ErfTheoryError, match=r'sort.*\n.*end the network before them: layer="name"'
    ):
        read_torch(module, example)
    network = read_torch(module, example, layer="head")
    assert [node.name for node in network.nodes] == ["stem.0", "stem.1", "head"]
    assert network.remarks == ()
    assert network_erf(network).theoretical_rf == (5, 5)
    assert np.array_equal(erf_of(module, example, "head").values, network_erf(network).values)


def test_a_path_is_where_the_part_ends():
    module, example = two_outputs()
    network = read_torch(module, example, layer="stem")
    assert network.nodes[-1].name == "stem.1"
    with pytest.raises(ErfTheoryError, match="there is no node 'hat': did you mean head"):
        read_torch(module, example, layer="hat")


def test_what_is_refused_before_the_layer_is_refused():
    module, example = two_outputs()
    with pytest.raises(ErfTheoryError, match="1 operations of the model cannot be read"):
        read_torch(module, example, layer="sort")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's older exporter needs no more
def test_an_onnx_file_ends_at_a_layer_too(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from erf_theory.readers.onnx import read_onnx

    module, example = two_outputs()
    path = tmp_path / "two.onnx"
    head = torch.nn.Sequential(module.stem, module.head)
    torch.onnx.export(head, (example,), path, dynamo=False)
    network = read_onnx(path, layer="0")
    wanted = read_torch(module, example, layer="stem")
    assert len(network.nodes) == len(wanted.nodes) == 2
    assert np.allclose(network_erf(network).values, network_erf(wanted).values, atol=1e-9)
