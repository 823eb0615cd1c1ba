"""Full images around boxes, and PyTorch's modules on them."""

import numpy as np
import pytest

from erf_theory.empirical import torch_import
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.torch_backend import image
from erf_theory.empirical.torch_modules import name_of, torch_module
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Parallel,
    Residual,
    Split,
    Upsample,
)
from erf_theory.network.geometry import regions

RELU = Activation("relu")
UNET = Chain(
    [
        Conv(2, 4, 3, padding="same", bias_variance=0.1),
        Norm("batch", scale=[1, 2, 1, 2]),
        RELU,
        Parallel(
            [
                Chain([MaxPool(2), Conv(4, 4, 3, padding="causal"), Norm("group", 2), Upsample(2)]),
                Chain([AvgPool(2), Dropout(0.3), ConvTranspose(4, 6, 2, stride=2)]),
                Identity(),
            ],
            "concat",
        ),
        ChannelShuffle(2),
        Split(1, 9),
        Residual(Chain([Pad(1), Conv(8, 8, 3, groups=4), Norm("layer"), Activation("gelu_tanh")])),
        Upsample((2,), "linear"),
        Crop(((1, 0),)),
        MaxPool(3, stride=1, padding=((0, 2),)),
        AvgPool(2, stride=1, dilation=2),
        ConvTranspose(8, 2, 3, padding=((2, 0),)),
        Norm("instance"),
        Activation("sin"),
    ]
)


@pytest.mark.parametrize("unit", [0, 1, -3])
def test_no_border_reaches_the_boxes(unit):
    boxes = regions(UNET, unit)
    where = image(UNET, boxes)
    for before, after, shift, size in zip(
        boxes, where.boxes, where.shifts, where.sizes, strict=True
    ):
        assert after.shape == before.shape
        assert after.start[0] - before.start[0] == shift[0] >= 0
        assert 0 <= after.start[0] <= after.start[0] + after.shape[0] <= size[0]
    assert regions(UNET, unit + where.shifts[-1][0]) == where.boxes


def test_branches_that_fit_at_no_size_are_refused():
    network = Chain([Parallel([Conv(1, 1, 3), Identity()])], 1)
    with pytest.raises(ErfTheoryError, match=r"node 0\.add: its inputs differ in size"):
        image(network, regions(network))


def test_without_pytorch_it_says_what_to_do(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(torch_import, "import_module", missing)
    with pytest.raises(ErfTheoryError, match=r"pip install torch.*numpy"):
        measure_erf(UNET, backend="torch", samples=2)


@pytest.mark.torch
def test_both_backends_measure_the_same():
    found, other = (
        measure_erf(UNET, backend=b, samples=5, rng=3, unit=2) for b in ("torch", "numpy")
    )
    assert (found.start, found.call) == (other.start, other.call)
    assert found.blocks == pytest.approx(other.blocks, rel=1e-9, abs=1e-12 * other.blocks.max())


@pytest.mark.torch
def test_a_module_is_made_of_pytorch_s_own():
    import torch

    rng = np.random.default_rng(0)
    weights = {0: rng.standard_normal((6, 2, 3, 3)), 2: rng.standard_normal((6, 3, 1, 1))}
    conv = Conv(4, 6, 3, stride=2, padding=1, groups=2)
    network = Chain([conv, RELU, Conv(6, 6, 1, groups=2), Upsample(2, "linear"), Norm("layer")])
    module = torch_module(network, weights, {2: np.ones(6)})
    x = torch.asarray(rng.standard_normal((1, 4, 8, 8)))
    y = torch.nn.functional.conv2d(x, torch.asarray(weights[0]), None, 2, 1, 1, 2).relu()
    y = torch.nn.functional.conv2d(y, torch.asarray(weights[2]), torch.ones(6).double(), groups=2)
    y = torch.nn.functional.interpolate(y, scale_factor=2, mode="bilinear")
    assert torch.allclose(module(x), torch.nn.functional.group_norm(y, 1), atol=1e-12)
    assert isinstance(getattr(module, name_of(0, "conv")), torch.nn.Conv2d)
    assert not any(part.requires_grad for part in module.parameters())


@pytest.mark.torch
def test_an_unknown_layer_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="PyTorch has no module for a layer of type Unknown"):
        torch_module(Chain([unknown_layer], 1), {}, {})


@pytest.mark.torch
def test_a_pool_of_padding_alone_is_refused():
    with pytest.raises(ErfTheoryError, match=r"window of MaxPool.* in its padding alone"):
        torch_module(Chain([MaxPool(2, padding=2)], 1), {}, {})


@pytest.mark.torch
def test_what_is_not_needed_brings_no_numbers():
    blind = Chain([Conv(1, 1, 1), ConvTranspose(1, 1, 1, stride=2, output_padding=1)])
    network = Chain([Parallel([blind, Upsample(2)])], 1)
    found = measure_erf(network, backend="torch", samples=2, unit=1, rng=0)
    assert np.array_equal(found.mean, measure_erf(network, samples=2, unit=1, rng=0).mean)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sample_has_the_same_bits_whatever_lies_beside_it(dtype):
    few, more = (
        measure_erf(UNET, backend="torch", dtype=dtype, samples=n, rng=3).blocks for n in (2, 5)
    )
    assert np.array_equal(few, more[:2])
