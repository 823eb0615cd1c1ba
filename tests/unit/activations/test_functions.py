"""σ and σ' against their definitions in mpmath, in every array namespace."""

import mpmath as mp
import numpy as np
import pytest

from erf_theory.activations import ACTIVATIONS, nonlinearity
from tests.unit.activations.definitions import DEFINITIONS, derivative

POINTS = np.concatenate([np.linspace(-8.03, 8.07, 60), [-37.5, -20.2, -1e-7, 1e-9, 15.1, 80.3]])
NAMES = sorted(DEFINITIONS)
AT_KINKS = {
    "abs": [(0.0, 0.0)],
    "elu(2.0)": [(0.0, 2.0)],
    "hardsigmoid": [(-3.0, 0.0), (3.0, 0.0)],
    "hardswish": [(-3.0, 0.0), (3.0, 1.0)],
    "hardtanh": [(-1.0, 0.0), (1.0, 0.0)],
    "leaky_relu": [(0.0, 0.01)],
    "prelu": [(0.0, 0.25)],
    "relu": [(0.0, 0.0)],
    "relu6": [(0.0, 0.0), (6.0, 0.0)],
    "selu": [(0.0, 1.0507009873554805 * 1.6732632423543772)],
}
IN_TORCH = {
    "abs": "abs",
    "celu(0.5)": lambda torch, z: torch.nn.functional.celu(z, 0.5),
    "elu(2.0)": lambda torch, z: torch.nn.functional.elu(z, 2.0),
    "erf": "erf",
    "gelu_tanh": lambda torch, z: torch.nn.functional.gelu(z, approximate="tanh"),
    "identity": "clone",
    "leaky_relu(0.2)": lambda torch, z: torch.nn.functional.leaky_relu(z, 0.2),
    "linear": "clone",
    "prelu": lambda torch, z: torch.nn.functional.leaky_relu(z, 0.25),
    "sin": "sin",
    "swish": lambda torch, z: torch.nn.functional.silu(z),
}


def test_every_name_has_a_definition_here():
    assert set(ACTIVATIONS) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_the_definition(name):
    with mp.workdps(40):
        truth = np.array([float(DEFINITIONS[name][0](mp.mpf(z))) for z in POINTS])
    error = np.abs(nonlinearity(name).value(POINTS, np) - truth)
    assert np.all(error <= 1e-15 * (4 + POINTS**2) * np.abs(truth))


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_the_derivative_off_the_kinks(name):
    with mp.workdps(50):
        truth = [float(derivative(name)(mp.mpf(z))) for z in POINTS]
    assert np.allclose(nonlinearity(name).slope(POINTS, np), truth, rtol=1e-10, atol=1e-22)


@pytest.mark.parametrize("name", sorted(AT_KINKS))
def test_slopes_at_kinks(name):
    for place, slope in AT_KINKS[name]:
        assert nonlinearity(name).slope(np.array([place]), np).tolist() == [slope]


@pytest.mark.parametrize("name", NAMES)
def test_far_out_nothing_overflows(name):
    far = np.array([-1e4, -800.0, 800.0, 1e4])
    activation = nonlinearity(name)
    assert np.all(np.isfinite(activation.value(far, np)))
    assert np.all(np.isfinite(activation.slope(far, np)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_array_standard_is_enough(name, dtype):
    import array_api_strict as strict

    activation = nonlinearity(name)
    z = POINTS.reshape(6, 11).astype(dtype)
    for part in (activation.value, activation.slope):
        result = part(strict.asarray(z), strict)
        assert str(result.dtype).endswith(dtype)
        assert np.allclose(np.from_dlpack(result), part(z, np), rtol=1e-6, atol=1e-30)


@pytest.mark.torch
@pytest.mark.parametrize("name", NAMES)
def test_torch_has_the_same(name):
    import torch
    from array_api_compat import torch as xp

    kinks = [place for place, _ in AT_KINKS.get(name, [])]
    z = torch.tensor([*POINTS, *kinks], dtype=torch.float64, requires_grad=True)
    made = IN_TORCH.get(name, lambda torch, z: getattr(torch.nn.functional, name)(z))
    there = getattr(torch, made)(z) if isinstance(made, str) else made(torch, z)
    there.sum().backward()
    activation = nonlinearity(name)
    inside = z.detach()
    assert torch.allclose(activation.value(inside, xp), there.detach(), rtol=1e-11, atol=1e-14)
    single = name == "hardsigmoid"  # its 1/6 is a float32 in PyTorch's derivative
    rtol = 1e-7 if single else 1e-11
    assert torch.allclose(activation.slope(inside, xp), z.grad, rtol=rtol, atol=1e-14)
