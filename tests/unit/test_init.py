"""Initialised modules of PyTorch: their weights, and their ERFs by autograd, against the theory."""

from functools import partial

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.design.widening import corner_taps, power_taps, uniform_taps, widened, widest_taps
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.init import delta_orthogonal_, wide_
from erf_theory.network import Activation, Chain, Conv
from erf_theory.verdict.agreement import crosscheck
from erf_theory.verdict.widths import MeasuredStd

pytestmark = pytest.mark.torch
LAWS = {"widest": widest_taps, "corners": corner_taps, "power": partial(power_taps, alpha=1.5)}


def generator(seed=0):
    import torch

    return torch.Generator().manual_seed(seed)


def drawn(initialise, *parts):
    """A module whose ``reset_parameters`` initialises all of it, as `measure_erf` asks for."""
    from torch import nn

    class Drawn(nn.Sequential):
        def reset_parameters(self):
            initialise(self)

    return Drawn(*parts)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 12])
def test_variances_are_those_of_the_law(ndim, groups):
    from torch import nn

    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[ndim - 1]
    size = (5, 3, 1)[:ndim]
    conv = kind(12, 480, size, groups=groups)
    assert wide_(conv, generator=generator()) is conv
    weights = conv.weight.detach().numpy().astype(float)
    lines = [np.array(widest_taps(k), float) if k > 1 else np.ones(1) for k in size]
    expected = lines[0]
    for line in lines[1:]:
        expected = np.multiply.outer(expected, line)
    expected = 2 * expected / (12 // groups)
    found = (weights**2).mean(axis=(0, 1))
    error = expected * (2 / (weights.shape[0] * weights.shape[1])) ** 0.5
    assert np.all(abs(found - expected) < 5 * error), "false alarms: 1 in 40 000"
    assert found.sum() == pytest.approx(2 / (12 // groups), rel=0.2)
    assert not conv.bias.any()


@pytest.mark.parametrize("name", LAWS)
def test_measured_fields_are_those_of_the_theory(name):
    """Autograd through freshly drawn networks; each p-value is below 0.001 in 1 of 1000 runs."""
    from torch import nn

    parts = [nn.Conv2d(4, 24, 3), nn.ReLU(), nn.Conv2d(24, 24, 3, groups=2), nn.Conv2d(24, 6, 3)]
    module = drawn(partial(wide_, taps=LAWS[name]), *parts)
    plain = Chain([Conv(4, 24, 3), Activation("relu"), Conv(24, 24, 3, groups=2), Conv(24, 6, 3)])
    found = measure_erf(module, input_shape=(4, 7, 7), weights="law", samples=400, rng=0)
    verdict = crosscheck(network_erf(widened(plain, LAWS[name])), found)
    assert verdict.p_value > 1e-3
    assert crosscheck(network_erf(plain), found).p_value < 1e-6, "uniform taps are told apart"


def test_a_deep_stack_is_as_wide_as_predicted():
    """Within 5 standard errors of 400 networks, and not within those of uniform taps."""
    from torch import nn

    parts = [part for _ in range(8) for part in (nn.Conv1d(32, 32, 3), nn.ReLU())]
    module = drawn(partial(wide_, taps=corner_taps), *parts)
    found = measure_erf(module, input_shape=(32, 17), weights="law", samples=400, rng=0)
    plain = Chain([part for _ in range(8) for part in (Conv(32, 32, 3), Activation("relu"))], 1)
    theory = network_erf(widened(plain, corner_taps))
    width = MeasuredStd.of(found.blocks, found.counts)
    assert theory.std == pytest.approx(8**0.5)
    assert abs(width.value - theory.std) < 5 * width.error
    assert width.value - network_erf(plain).std > 5 * width.error


def test_the_mean_of_many_networks_is_as_wide_as_predicted_beside_borders():
    """The stack of the example on digits: within 5 standard errors, and not as He."""
    from torch import nn

    sizes = [(1, 16), (16, 16), (16, 16), (16, 16)]
    parts = [p for a, b in sizes for p in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())]
    layers = [p for a, b in sizes for p in (Conv(a, b, 3, padding=1), Activation("relu"))]
    module = drawn(partial(wide_, taps=corner_taps), *parts)
    options = {"input_shape": (1, 8, 8), "weights": "law", "unit": 4, "rng": 0}
    found = measure_erf(module, samples=800, progress=False, **options)
    width = MeasuredStd.of(found.blocks, found.counts)
    corners, plain = (
        network_erf(widened(Chain(layers), law), image_size=8, unit=4).std
        for law in (corner_taps, uniform_taps)
    )
    assert (corners, plain) == (pytest.approx(1.769, abs=1e-3), pytest.approx(1.580, abs=1e-3))
    assert abs(width.value - corners) < 5 * width.error
    assert width.value - plain > 5 * width.error


def test_delta_orthogonal_fields_have_no_width():
    import torch
    from torch import nn

    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 4, groups=2), nn.Conv2d(8, 4, 1)
    )
    assert delta_orthogonal_(module, generator=generator()) is module
    x = torch.randn(1, 3, 9, 9, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(x)[0, 1, 3, 2], x)
    assert torch.nonzero(gradient[0].abs().sum(0)).tolist() == [[4, 3]]
    for block in module[1].weight[:, :, 1, 1].chunk(2):
        assert torch.allclose(block @ block.T, torch.eye(4), atol=1e-5)
    wide = module[0].weight[:, :, 1, 1]
    assert torch.allclose(wide.T @ wide, torch.eye(3), atol=1e-5)
    law = Chain([Conv(3, 8, 3, padding=1, init="delta_orthogonal")])
    assert float((wide.detach() ** 2).mean()) == pytest.approx(
        float(law.nodes[0].layer.variances(2).mass)
    )


def test_a_gain_multiplies_and_a_generator_repeats():
    import torch
    from torch import nn

    for initialise in (wide_, delta_orthogonal_):
        one, other, third = (
            initialise(nn.Conv2d(4, 4, 3), gain=gain, generator=generator(seed))
            for gain, seed in ((1, 1), (3, 1), (1, 2))
        )
        assert torch.allclose(3 * one.weight, other.weight)
        assert not torch.allclose(one.weight, third.weight)


def test_other_parts_stay_as_they_are():
    import torch
    from torch import nn

    module = nn.Sequential(nn.Conv2d(2, 2, 3), nn.ConvTranspose2d(2, 2, 2), nn.Linear(2, 2))
    before = [part.clone() for part in module[1:].parameters()]
    wide_(module.double())
    assert module[0].weight.dtype is torch.float64
    assert all((a == b).all() for a, b in zip(before, module[1:].float().parameters(), strict=True))
    assert module[0].weight.requires_grad


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float64"])
def test_other_precisions_are_drawn_as_well(name):
    import torch
    from torch import nn

    conv = nn.Conv1d(64, 64, 3, groups=2, dtype=getattr(torch, name))
    wide_(conv, corner_taps, generator=generator())
    assert conv.weight.dtype is getattr(torch, name)
    found = (conv.weight.detach().double() ** 2).mean((0, 1))
    assert found.tolist() == pytest.approx([1 / 32, 0, 1 / 32], rel=0.15)  # 5 standard errors
    delta_orthogonal_(conv, generator=generator())
    for block in conv.weight[:, :, 1].double().chunk(2):
        assert torch.allclose(block.T @ block, torch.eye(32, dtype=torch.float64), atol=0.03)


def test_uniform_taps_are_he_s():
    from torch import nn

    conv = wide_(nn.Conv2d(64, 64, 3), uniform_taps, generator=generator())
    assert float(conv.weight.detach().var()) == pytest.approx(2 / (9 * 64), rel=0.05)


def bad_calls():
    from torch import nn

    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(2, 2, 3))
    return [
        (lambda: wide_(nn.Linear(2, 2)), "Linear holds no Conv1d"),
        (lambda: wide_(nn.Conv2d(2, 2, 3).weight), "not Parameter"),
        (lambda: wide_(nn.Conv2d(2, 2, 3), lambda _: (1, 2)), "a law for 3 taps"),
        (lambda: wide_(nn.Conv2d(2, 2, 3), lambda _: (-1, 3, -1)), "at least 0"),
        (lambda: wide_(nn.Conv2d(2, 2, 3), gain=0), "above 0 and finite, not 0"),
        (lambda: delta_orthogonal_(nn.Conv2d(2, 2, 3), gain=float("nan")), "not nan"),
        (lambda: delta_orthogonal_(normed), "weight norm"),
        (lambda: wide_(nn.LazyConv2d(2, 3)), "no weights yet"),
    ]


def test_bad_input_is_refused():
    for call, message in bad_calls():
        with pytest.raises(ErfTheoryError, match=message):
            call()
