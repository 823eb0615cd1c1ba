"""Fluctuations at finite width, beside random networks."""

import numpy as np
import pytest

from erf_theory.empirical.draws import draw
from erf_theory.empirical.plan import plan
from erf_theory.empirical.tape import gradients
from erf_theory.errors import ErfTheoryError
from erf_theory.finitewidth import fluctuation, samples_for
from erf_theory.network import Activation, Chain, Conv, Pad, Residual

OMEGA = np.array([0.0, 0.3, 0.9, 1.7, np.pi])


def relative_moments(network, samples, omega):
    """E S²/(E S)² of drawn networks, with its standard error by 50 blocks."""
    what = plan(network, 0)
    batch = [draw(what, np.random.default_rng([7, i])) for i in range(samples)]
    maps = gradients(what, batch)
    places = [np.arange(n) for n in maps.shape[2:]]
    for w, at in zip(omega, places, strict=True):
        maps = np.tensordot(maps, np.exp(-1j * np.outer(at, w)), (2, 0))
    diagonal = maps if len(omega) == 1 else np.einsum("scii->sci", maps)
    energy = np.mean(np.abs(diagonal) ** 2, axis=1)
    blocks = energy.reshape(50, -1, energy.shape[-1])
    moments = np.mean(blocks**2, axis=1) / np.mean(energy, axis=0) ** 2
    return np.mean(moments, axis=0), np.std(moments, axis=0) / 7


@pytest.mark.parametrize(
    "layers",
    [
        [Conv(16, 16, 3)] * 4,
        [Conv(1, 8, 3, stride=2), Pad(1), Conv(8, 8, 3, dilation=3), Conv(8, 4, 5)],
        [Conv(3, 8, 3, init=(1, 2, 4)), Conv(8, 8, 2, stride=3)],
    ],
)
def test_random_stacks_fluctuate_as_told(layers):
    network = Chain(layers, ndim=1)
    found, error = relative_moments(network, 4000, [OMEGA])
    told = fluctuation(network, OMEGA, direction="random")
    assert np.all(np.abs(found - told) < 4.5 * error)


def test_the_experiment_sees_the_direction():
    network = Chain([Conv(16, 16, 3)] * 4, ndim=1)
    found, error = relative_moments(network, 4000, [OMEGA])
    assert np.any(np.abs(found - fluctuation(network, OMEGA)) > 4.5 * error)


def test_two_axes():
    network = Chain([Conv(6, 6, (3, 2), stride=(1, 2)), Conv(6, 6, 3)])
    found, error = relative_moments(network, 4000, [OMEGA, OMEGA / 2])
    told = fluctuation(network, OMEGA, OMEGA / 2, direction="random")
    assert np.all(np.abs(found - told) < 4.5 * error)


@pytest.mark.parametrize("width", [1, 4, 100])
def test_at_frequency_0_it_is_a_power(width):
    stack = Chain([Conv(7, 7, 3)] * 6, ndim=1)
    assert fluctuation(stack, channels=width) == pytest.approx((1 + 2 / width) ** 6)


def test_the_recursion_of_uniform_taps():
    a = b = 1.0
    rho = abs(np.sin(5 * 0.4) / (5 * np.sin(0.4))) ** 2
    for _ in range(3):
        a, b = (1 + 1 / 9) * a + rho / 9 * b, rho * b + 2 / 9 * a
    stack = Chain([Conv(9, 9, 5)] * 3, ndim=1)
    assert fluctuation(stack, 0.4) == pytest.approx(a, rel=1e-13)


def test_so_many_samples_are_enough():
    network = Chain([Conv(4, 4, 3)] * 3, ndim=1)
    samples = samples_for(network, 0.2)
    what = plan(network, 0)
    batch = [draw(what, np.random.default_rng([3, i])) for i in range(20 * samples)]
    energy = np.mean(gradients(what, batch) ** 2, axis=1)
    spread = np.std(energy, axis=0) / np.mean(energy, axis=0) / np.sqrt(samples)
    assert np.all(spread < 0.2 * 1.1)
    assert np.max(spread) > 0.1


@pytest.mark.parametrize(
    "network",
    [
        Chain([Conv(4, 4, 3), Activation("relu")]),
        Residual(Conv(4, 4, 3, padding=1)),
        Chain([Conv(4, 4, 3, groups=2)]),
        Chain([Conv(4, 4, 3, init="pytorch")]),
        Chain([Conv(1, 1, 3, weights=np.ones((1, 1, 3, 3)))]),
    ],
)
def test_other_networks_are_refused(network):
    with pytest.raises(ErfTheoryError, match="node"):
        fluctuation(network)


def test_bad_arguments_are_refused():
    stack = Chain([Conv(4, 4, 3)])
    with pytest.raises(ErfTheoryError, match="2 frequencies"):
        fluctuation(stack, 0.1)
    with pytest.raises(ErfTheoryError, match="random, not"):
        fluctuation(stack, direction="all")
    with pytest.raises(ErfTheoryError, match="above 0"):
        samples_for(stack, 0)
