"""RepLKNet's areas, against the steps of its protocol one by one, and theory beside them."""

import json

import numpy as np
import pytest

from erf_theory import area_ratios, zoo
from erf_theory.empirical.contributions import contributions
from erf_theory.empirical.torch_modules import torch_module
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, MaxPool
from erf_theory.replknet import SHARES, square_side

IMAGES = np.random.default_rng(0).standard_normal((3, 2, 20, 24))
SHAPES = [(8, 8), (9, 7), (20, 24), (3, 3)]


def module():
    """With a strided convolution, a norm that runs otherwise in training, and negative outputs."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    convs = [nn.Conv2d(2, 6, 5, 2, 2), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.5)]
    return nn.Sequential(*convs, nn.Conv2d(6, 4, 3, 1, 1)).double()


def side_by_hand(scores, share):
    """The first odd square about the pixel at half the size with more than a share."""
    middle = [size // 2 for size in scores.shape]
    for half in range(1, scores.shape[0] // 2):
        box = tuple(slice(max(m - half, 0), m + half + 1) for m in middle)
        if scores[box].sum() / scores.sum() > share:
            return 2 * half + 1
    return None


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("share", [0, *SHARES])
def test_a_square_is_found_as_by_hand(shape, share):
    rng = np.random.default_rng(1)
    for scores in (np.ones(shape), rng.random(shape), rng.random(shape) ** 8):
        assert square_side(scores, share) == side_by_hand(scores, share)


@pytest.mark.torch
def test_contributions_step_by_step():
    import torch

    net = module()
    total, signs = np.zeros((20, 24)), []
    for image in IMAGES:
        x = torch.tensor(image[None], requires_grad=True)
        net.eval()
        outputs = net(x)
        rows, columns = outputs.shape[2:]
        central = torch.relu(outputs[:, :, rows // 2, columns // 2])
        signs += (central > 0).flatten().tolist()
        (gradient,) = torch.autograd.grad(central.sum(), x)
        total += torch.relu(gradient).sum((0, 1)).numpy()
    assert set(signs) == {True, False}
    net.train()
    found = contributions(net, IMAGES)
    assert found == pytest.approx(total / 3, rel=1e-12)
    assert net.training
    told = []
    table = area_ratios(net, images=IMAGES, progress=told.append)
    assert told == list(range(1, len(IMAGES) + 1))
    for share in SHARES:
        for protocol, scores in (("replknet", np.log10(total / 3 + 1)), ("raw", total / 3)):
            side = side_by_hand(scores, share)
            expected = None if side is None else side**2 / (20 * 24)
            assert table.ratio(share, protocol) == expected
    assert table.peaks == {"measured": pytest.approx(total.max() / 3)}


def wide(width, gain=1.0, outputs=4):
    conv = Conv(width, width, 3, padding=1)
    first, last = Conv(2, width, 3, padding=1, init=gain / 9), Conv(width, outputs, 3, padding=1)
    return Chain([first, Activation("relu"), *[conv, Activation("relu")] * 3, last])


def drawn(network, rng):
    weights = {}
    for place, node in enumerate(network.nodes):
        if isinstance(node.layer, Conv):
            shape = (node.layer.out_channels, node.layer.in_channels, 3, 3)
            variance = float(node.layer.variances(2).taps.flat[0])
            weights[place] = np.sqrt(variance) * rng.standard_normal(shape)
    return torch_module(network, weights, {})


@pytest.mark.torch
def test_the_theory_has_the_scale_and_the_areas_of_wide_random_networks():
    network, rng = wide(48, outputs=16), np.random.default_rng(0)
    images = rng.standard_normal((60, 2, 17, 17))
    found = [contributions(drawn(network, rng), images[i : i + 1]) for i in range(60)]
    theory = area_ratios(network, image_size=17)
    masses = np.array([scores.sum() for scores in found])
    peak = np.mean([scores[8, 8] for scores in found])
    error = masses.std(ddof=1) / np.sqrt(60) / masses.mean()
    assert error < 0.05
    assert abs(peak / theory.peaks["theory"] - 1) < 0.1 + 4 * error, "false alarms: 1 in 15 000"
    mean = np.mean(found, axis=0)
    for protocol, scores in (("replknet", np.log10(1 + mean)), ("raw", mean)):
        for row in theory:
            if row.protocol == protocol:
                smaller, larger = (within(scores, side) for side in (row.side - 2, row.side))
                assert smaller - 0.03 < row.share < larger + 0.03


def within(scores, side):
    """The share within a square about the centre."""
    box = slice(8 - side // 2, 9 + side // 2)
    return scores[box, box].sum() / scores.sum()


def test_the_logarithm_makes_areas_depend_on_the_scale():
    quiet, loud = (area_ratios(wide(8, gain), image_size=33) for gain in (1e-4, 1e8))
    for share in SHARES:
        assert quiet.ratio(share, "raw") == loud.ratio(share, "raw")
        assert quiet.ratio(share) == quiet.ratio(share, "raw")
    assert loud.ratio(0.5) > loud.ratio(0.5, "raw")


@pytest.mark.parametrize(
    ("ending", "factor"),
    [
        ([], 0.5),
        ([Activation("relu")], 0.5),
        ([Activation("relu"), MaxPool(1)], 0.5),
    ],
)
def test_outputs_are_clipped_once(ending, factor):
    net = Chain([Conv(1, 4, 3, padding=1, init=1), *ending])
    found = area_ratios(net, image_size=9)
    assert found.peaks["theory"] == pytest.approx(np.sqrt(4 * factor / (2 * np.pi)))
    assert not any("in a row" in reason for reason in found.reasons)


@pytest.mark.torch
def test_theory_beside_the_measurement():
    from torch import nn

    net = wide(8)
    given = drawn(net, np.random.default_rng(0))
    found = area_ratios(given, images=np.ones((2, 2, 16, 16)), description=net)
    assert list(found.peaks) == ["measured", "theory"]
    assert found.ratio(0.5, source="theory") == area_ratios(net, image_size=16).ratio(0.5)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (record["images"], record["image_size"], len(record["rows"])) == (2, [16, 16], 16)
    assert "measured  raw" in str(found)
    assert repr(found).startswith("<measured areas, 0.2: ")
    with pytest.raises(ErfTheoryError, match=r"no line measured, raw, 0\.4"):
        found.ratio(0.4, "raw")
    with pytest.raises(ErfTheoryError, match="2 axes, the images 1"):
        area_ratios(nn.Conv1d(1, 1, 1), images=np.ones((1, 1, 5)), description=net)
    with pytest.raises(ErfTheoryError, match="contributions to the central unit are 0 everywhere"):
        area_ratios(nn.Conv2d(1, 1, 1).requires_grad_(requires_grad=False).apply(zero), images=ONE)
    with pytest.raises(ErfTheoryError, match="gradient of image 0 is not finite"):
        contributions(nn.Softplus(float("nan")), ONE)
    with pytest.raises(ErfTheoryError, match=r"of a torch.nn.Module, not int"):
        contributions(3, ONE)
    with pytest.raises(ErfTheoryError, match=r"images have the shape"):
        contributions(nn.ReLU(), [])


ONE = np.zeros((1, 1, 5, 5))


def zero(part):
    part.weight.fill_(0)


@pytest.mark.parametrize(
    "arguments", [{}, {"images": ONE}, {"image_size": 9, "description": wide(2)}]
)
def test_a_description_has_theory_alone(arguments):
    with pytest.raises(ErfTheoryError, match="a description has the areas that the theory says"):
        area_ratios(zoo.resnet18(), **arguments)


@pytest.mark.parametrize("arguments", [{}, {"images": ONE, "image_size": 9}])
def test_a_module_needs_images_and_no_size(arguments):
    with pytest.raises(ErfTheoryError, match="give images, and no size"):
        area_ratios("module", **arguments)
