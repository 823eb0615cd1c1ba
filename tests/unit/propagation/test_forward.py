from math import pi

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    Concat,
    Conv,
    Graph,
    Identity,
    MaxPool,
    Norm,
    Residual,
)
from erf_theory.network.nodes import Flat, Node
from erf_theory.propagation.forward import signals
from erf_theory.propagation.notes import Notes

RELU, V = Activation("relu"), 1 - 1 / pi


def conv(width=8, size=3, **more):
    return Conv(width, width, size, padding=size // 2, **more)


def last(network):
    """The signal before the last node, of all channels alike."""
    (part,) = signals(network, Notes())[-1].parts
    return part[2]


@pytest.mark.parametrize(
    ("layer", "gain"),
    [
        (Conv(8, 4, 3, init=2), 8 * 3 * 2),
        (Conv(8, 4, 3, groups=4, init=2), 2 * 3 * 2),
        (Conv(8, 4, 3, init=[1, 0, 2]), 8 * 3),
        (Conv(8, 4, 5, init="lecun"), 1),
        (Conv(8, 4, 5, bias_variance=3), 2 + 3),
    ],
)
def test_a_convolution_multiplies_by_its_fan_in_times_its_variance(layer, gain):
    found = last(Chain([layer, Identity()], 1))
    assert found.second == pytest.approx(gain)
    assert found.shared == pytest.approx(float(layer.bias_variance))


def test_a_stack_with_relu_keeps_its_second_moment_and_its_images_grow_alike():
    found = last(Chain([conv(), *[RELU, conv()] * 3, Identity()], 1))
    c = 0.0
    for _ in range(3):
        c = (np.sqrt(1 - c * c) + c * (pi - np.arccos(c))) / pi
    assert found.second == pytest.approx(2.0)
    assert found.correlation == pytest.approx(c)
    assert found.is_normal


def test_a_batch_norm_leaves_images_independent():
    found = last(Chain([conv(), RELU, conv(), Norm(eps=0), Identity()], 1))
    assert found.second == pytest.approx(1, rel=1e-15)
    assert (found.shared, found.mean) == (0.0, 0.0)


def test_pre_activation_blocks_add_what_a_relu_leaves_to_vary():
    body = Chain([Norm(eps=0), RELU, conv(), Norm(eps=0), RELU, conv()], 1)
    found = last(Chain([conv(init="lecun"), Norm(eps=0), *[Residual(body)] * 4, Identity()], 1))
    assert found.variance == pytest.approx(1 + 4 * V, rel=1e-12)


def test_post_activation_blocks_follow_the_law_of_their_samples():
    body = Chain([conv(), Norm(eps=0), RELU, conv(), Norm(eps=0)], 1)
    block = Chain([Residual(body), RELU], 1)
    found = last(Chain([conv(), Norm(eps=0), RELU, *[block] * 5, Identity()], 1))
    x = np.linspace(0, 30, 60_001)
    step, density = x[1], np.exp(-(x**2) / 2) / np.sqrt(2 * pi)
    atom = 0.5
    for _ in range(5):
        noise = np.exp(-(np.arange(-8, 8 + step / 2, step) ** 2) / 2) / np.sqrt(2 * pi)
        smooth = np.convolve(density, noise * step)[len(noise) // 2 :][: len(x)]
        density = smooth + atom * np.exp(-(x**2) / 2) / np.sqrt(2 * pi)
        atom = 1 - (density.sum() - density[0] / 2) * step
    mean = np.sum(x * density) * step
    variance = np.sum(x * x * density) * step - mean**2
    assert found.variance == pytest.approx(variance, rel=2e-3)
    assert found.mean == pytest.approx(mean, rel=2e-3)


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 3), (4, 4)])
def test_an_average_of_independent_places(size, stride):
    found = last(Chain([conv(), RELU, AvgPool(size, stride=stride), Identity()], 1))
    assert found.second == pytest.approx(1 / size + (1 - 1 / size) / pi)
    assert found.shared == pytest.approx(1 / pi)


def test_averages_of_averages_know_their_lags():
    once = last(Chain([AvgPool(4, stride=1), Identity()], 1))
    twice = last(Chain([AvgPool(2, stride=1), AvgPool(3, stride=1), Identity()], 1))
    taps = np.convolve([1 / 2] * 2, [1 / 3] * 3)
    assert once.second == pytest.approx(1 / 4)
    assert dict(once.lags) == pytest.approx({(h,): (4 - abs(h)) / 16 for h in range(-3, 4) if h})
    assert twice.second == pytest.approx(np.sum(taps**2))


@pytest.mark.parametrize("places", [2, 3])
def test_the_largest_of_several_samples(places):
    found = last(Chain([conv(init="lecun"), RELU, MaxPool(places), Identity()], 1))
    z = np.linspace(-9, 9, 200_001)
    from scipy.special import ndtr

    density = (
        places * np.exp(-(z**2) / 2) / np.sqrt(2 * pi) * ndtr(z) ** (places - 1) * (z[1] - z[0])
    )
    assert found.second == pytest.approx(np.sum(np.maximum(z, 0) ** 2 * density), rel=2e-3)
    assert found.mean == pytest.approx(np.sum(np.maximum(z, 0) * density), rel=2e-3)


def test_channels_of_a_concatenation_keep_their_signals():
    network = Graph(
        {
            "a": (Conv(4, 4, 1, init=1), "input"),
            "b": (Conv(4, 6, 1, init=2), "input"),
            "both": (Concat(), "a", "b"),
            "end": (Identity(), "both"),
        }
    )
    parts = signals(network, Notes())[-1].parts
    assert [(a, b, x.second) for a, b, x in parts] == [(0, 4, 4.0), (4, 10, 8.0)]


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    network = Flat((Node("strange", unknown_layer, (-1,)), Node("end", Identity(), (0,))), 1)
    with pytest.raises(ErfTheoryError, match=r"node strange: no signal is known .* type Unknown"):
        signals(network, Notes())
