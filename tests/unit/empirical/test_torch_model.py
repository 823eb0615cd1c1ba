"""Modules of PyTorch as they are, against descriptions of them and against their own numbers."""

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Norm

pytestmark = pytest.mark.torch
SHAPE = {"input_shape": (2, 11, 9)}
IMAGES = np.random.default_rng(0).standard_normal((3, 2, 11, 9))


def module(**named):
    from torch import nn

    return nn.Sequential(nn.Conv2d(2, 4, 3, **named), nn.ReLU(), nn.Conv2d(4, 3, 3, **named))


def assert_same(one, other):
    for name in ("blocks", "magnitudes", "amplitudes", "counts"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.call == other.call


def test_a_direction_and_one_image_leave_no_chance():
    import torch

    net = module(padding=1).double()
    found = measure_erf(net, images=IMAGES[:1], direction=[1, -2, 0], samples=3, rng=0)
    assert all(part.grad is None for part in net.parameters())
    x = torch.tensor(IMAGES[:1], requires_grad=True)
    y = net(x)[0, :, 5, 4]
    (y[0] - 2 * y[1]).backward()
    exact = x.grad[0].numpy()
    assert found.start == (0, 0)
    assert found.mean == pytest.approx((exact**2).mean(axis=0), rel=1e-12)
    assert found.amplitude.mean == pytest.approx(exact.mean(axis=0), rel=1e-12)


def test_weights_by_law_are_those_of_a_description():
    from torch import nn

    net = nn.Sequential(nn.Conv2d(2, 3, 3, bias=False), nn.Conv2d(3, 2, 3, bias=False))
    before = [part.clone() for part in net.parameters()]
    found = measure_erf(net, input_shape=(2, 5, 5), weights="law", samples=600, rng=0)
    conv = {"init": "pytorch"}
    theory = Chain([Conv(2, 3, 3, **conv), Conv(3, 2, 3, **conv)])
    other = measure_erf(theory, samples=600, rng=1)
    off = (found.mean - other.mean) / np.hypot(found.standard_error, other.standard_error)
    assert np.all(np.abs(off) < 5), "false alarms: 1 in 70 000"
    assert all((a == b).all() for a, b in zip(before, net.parameters(), strict=True))
    kept = measure_erf(net, input_shape=(2, 5, 5), samples=600, rng=0)
    assert np.max(np.abs(kept.mean - found.mean) / found.standard_error) > 5


@pytest.mark.parametrize("named", [{"images": IMAGES}, SHAPE], ids=list)
@pytest.mark.parametrize("weights", ["given", "law"])
def test_the_same_bits_for_any_worker_and_from_a_checkpoint(named, weights, tmp_path):
    import torch

    net, path = module(), tmp_path / "run.npz"
    state = torch.random.get_rng_state()
    usual = measure_erf(net, **named, weights=weights, samples=100, rng=0)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert_same(measure_erf(net, **named, weights=weights, samples=100, rng=0, n_jobs=2), usual)
    measure_erf(net, **named, weights=weights, samples=40, rng=0, checkpoint=path)
    again = measure_erf(net, **named, weights=weights, samples=100, rng=0, checkpoint=path)
    assert_same(again, usual)
    with torch.no_grad():
        net[0].weight[0, 0, 0, 0] += 1e-3
    with pytest.raises(ErfTheoryError, match="differs in network: name another file"):
        measure_erf(net, **named, weights=weights, samples=100, rng=0, checkpoint=path)


def test_a_dropout_in_train_mode_draws_by_the_seed():
    from torch import nn

    net = nn.Sequential(nn.Dropout(0.5), nn.Conv1d(1, 1, 1, bias=False))
    found = [measure_erf(net, input_shape=(1, 1), samples=100, rng=s) for s in (0, 0, 1)]
    assert_same(found[0], found[1])
    assert not np.array_equal(found[0].blocks, found[2].blocks)
    dead = measure_erf(net, input_shape=(1, 1), samples=64, rng=0).blocks == 0
    assert 10 < np.sum(dead) < 54, "false alarms: 1 in 10 million"


def test_a_unit_of_a_classifier_has_no_place():
    from torch import nn

    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    assert measure_erf(net, input_shape=(2, 6, 6), samples=4, rng=0).mean.shape == (6, 6)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, r"an input shape is \(channels, place, …\), or that of images, not \(\): a module"),
        ({"input_shape": (2, 0, 9)}, r"not \(2, 0, 9\)"),
        ({"unit": (0, 5)} | SHAPE, r"the unit \(0, 5\) is not within .*\(7, 5\)"),
        ({"weights": "all"} | SHAPE, "'given' or drawn by their 'law', not 'all'"),
        ({"direction": [1]} | SHAPE, "for each of 3 output channels"),
    ],
    ids=str,
)
def test_what_does_not_go_with_a_module_is_refused(named, message):
    with pytest.raises(ErfTheoryError, match=message):
        measure_erf(module(), **named)


def test_what_is_no_network_at_all_is_refused():
    with pytest.raises(ErfTheoryError, match=r"a Network or a torch\.nn\.Module, not str"):
        measure_erf("resnet18")


def test_the_output_of_a_submodule_is_that_of_the_module_up_to_it():
    import torch

    torch.manual_seed(0)
    parts = [torch.nn.Conv2d(2, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 3), torch.nn.ReLU()]
    whole = torch.nn.Sequential(torch.nn.Sequential(*parts[:2]), *parts[2:])
    options = {"input_shape": (2, 9, 9), "samples": 4, "rng": 0, "progress": False}
    for name, until in (("0", 2), ("0.0", 1), ("1", 3)):
        found = measure_erf(whole, layer=name, **options)
        alone = measure_erf(torch.nn.Sequential(*parts[:until]), **options)
        assert np.array_equal(found.mean, alone.mean)
        assert f"layer={name!r}" in found.call


def test_what_comes_after_a_layer_does_not_run():
    import torch

    class Stops(torch.nn.Module):
        def forward(self, x):
            raise AssertionError(x)

    module = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), Stops())
    found = measure_erf(module, layer="0", input_shape=(1, 5, 5), samples=2, progress=False)
    assert found.mean.shape == (5, 5)


def test_layers_that_are_not_there_or_do_not_run_are_refused():
    import torch

    class Idle(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = torch.nn.Conv2d(1, 1, 3), torch.nn.Conv2d(1, 1, 3)

        def forward(self, x):
            return self.used(x)

    options = {"input_shape": (1, 5, 5), "samples": 2, "progress": False}
    with pytest.raises(ErfTheoryError, match="no submodule 'usedd': did you mean used, unused"):
        measure_erf(Idle(), layer="usedd", **options)
    with pytest.raises(ErfTheoryError, match="does not run its submodule unused"):
        measure_erf(Idle(), layer="unused", **options)


def test_batch_norms_of_drawn_weights_are_calibrated():
    """In eval mode, as the norms of a description: without, they would be the identity."""
    import torch

    parts = [torch.nn.Conv2d(2, 8, 3, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU()]
    net = torch.nn.Sequential(*parts, torch.nn.Conv2d(8, 8, 3, bias=False)).eval()
    before = {name: numbers.clone() for name, numbers in net.state_dict().items()}
    options = {"input_shape": (2, 24, 24), "samples": 400, "weights": "law", "progress": False}
    found = measure_erf(net, rng=0, **options)
    described = [Conv(2, 8, 3, init="pytorch"), Norm(), Activation("relu")]
    theory = network_erf(Chain([*described, Conv(8, 8, 3, init="pytorch")]))
    assert found.mass == pytest.approx(theory.mass, rel=0.1)
    assert not any(part.training for part in net.modules())
    assert all(torch.equal(before[name], now) for name, now in net.state_dict().items())
