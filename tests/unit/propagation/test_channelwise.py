"""Weights as given, against what the layers do to whole images."""

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.engines import convolution
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
from erf_theory.network.geometry import sights
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.channelwise import Setting, channelwise, kernel_of
from tests.unit.propagation.images import conv, jacobian, need_amplitudes, on_image, pairs

NORM = Norm(scale=[1, -2, 3], variance=[1, 4, 0.25], shift=[1, 1, 1], mean=[5, 0, 1])
LINES = {
    "strides and dilations": Chain(
        [conv(2, 3, (3,), 1, stride=2, padding=1), conv(3, 2, (2,), 2, dilation=3, padding=2)]
    ),
    "groups": Chain([conv(4, 6, (3,), 3, groups=2, padding=1), conv(6, 4, (2,), 4)]),
    "depthwise": Chain([conv(3, 3, (3,), 5, groups=3, padding=2), conv(3, 2, (1,), 6)]),
    "more than depthwise": Chain([conv(2, 6, (3,), 7, groups=2, padding=((0, 2),))]),
    "norm": Chain([conv(2, 3, (3,), 8), NORM, conv(3, 2, (2,), 9)]),
    "average": Chain([conv(1, 2, (3,), 10), AvgPool(3, 2, 1), Dropout(0.5, training=False)], 1),
    "nearest": Chain([conv(1, 2, (3,), 11, padding=1), Upsample(3), conv(2, 2, (2,), 12)], 1),
    "linear": Chain([conv(1, 2, (3,), 13, padding=1), Upsample(2, "linear")], 1),
    "transposed": Chain(
        [conv(3, 4, (4,), 14, ConvTranspose, stride=3, padding=2, dilation=2, output_padding=1)]
    ),
    "transposed groups": Chain([conv(4, 6, (3,), 15, ConvTranspose, stride=2, groups=2)]),
    "pads": Chain([Pad(((2, 1),)), conv(1, 2, (3,), 16), Crop(((1, 0),))], 1),
    "residual": Chain([conv(2, 3, (3,), 17), Residual(conv(3, 3, (3,), 18, padding=1))], 1),
    "channels": Chain(
        [
            Parallel([conv(2, 3, (3,), 19, padding=1), Identity(), conv(2, 1, (1,), 20)], "concat"),
            ChannelShuffle(2),
            Parallel([Split(0, 2), Chain([Split(1, 5), conv(4, 2, (3,), 21, padding=1)])]),
        ],
        1,
    ),
}
PLANES = {
    "plane": Chain([conv(2, 3, (3, 2), 22, padding=1), conv(3, 2, (1, 3), 23, stride=(1, 2))]),
    "transposed plane": Chain([conv(2, 2, (2, 2), 24, ConvTranspose, stride=2)]),
    "odd transposed plane": Chain([conv(2, 2, (3, 3), 25, ConvTranspose, stride=2, padding=1)]),
    "plane of averages": Chain([conv(1, 2, (2, 2), 26), AvgPool((2, 1)), Upsample((1, 2))]),
}
NETWORKS = {**LINES, **PLANES}
SIZE = 26


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("more", [0, 1, 2])
def test_an_amplitude_is_the_gradient_of_the_linear_network(network, more):
    shape = (SIZE,) * network.ndim if network.ndim == 1 else (12, 13)
    unit = tuple(middle(network, shape, axis) + more for axis in range(network.ndim))
    need_amplitudes(network, shape, unit, jacobian(network, shape, unit))


def middle(network, shape, axis):
    """A unit that sees the middle of the image."""
    one = sights(network, axis)[-1]
    return round((shape[axis] / 2 - float(one.centre)) / one.rate) - 1


MULTIPLIED = ("strides and dilations", "norm", "plane")
"""Networks whose layers all mix channels, one after the other: one linear layer."""


def squares(name, shape, unit):
    """Squares of gradients, and of every weight where other layers stand between."""
    if name in MULTIPLIED:
        return np.square(jacobian(NETWORKS[name], shape, unit))
    if name != "residual":
        return jacobian(NETWORKS[name], shape, unit, power=2)
    first, ((branch, *_),) = NETWORKS[name].children[0], [NETWORKS[name].children[1].children]
    apart = (
        jacobian(Chain([first], 1), shape, unit),
        jacobian(Chain([first, branch], 1), shape, unit),
    )
    return np.square(apart[0]) + np.square(apart[1])


@pytest.mark.parametrize("name", NETWORKS)
def test_an_energy_adds_squares_of_weights_and_of_products_of_linear_layers(name):
    network = NETWORKS[name]
    shape = (SIZE,) * network.ndim if network.ndim == 1 else (12, 13)
    unit = tuple(middle(network, shape, axis) for axis in range(network.ndim))
    exact = squares(name, shape, unit)
    for erf, expected in pairs(network, exact, unit=unit):
        assert on_image(erf, shape) == pytest.approx(expected, rel=1e-10, abs=1e-14)
        assert "signs of different paths are taken as independent" in erf.reasons[0]
    mean = network_erf(network, unit=unit)
    assert on_image(mean, shape) == pytest.approx(np.mean(exact, axis=(0, 1)), rel=1e-10, abs=1e-14)
    for axis in range(network.ndim):
        line = network_erf(network, unit=unit, ndim=1, axis=axis)
        others = tuple(i for i in range(network.ndim) if i != axis)
        expected = np.sum(on_image(mean, shape), axis=others)
        assert on_image(line, shape[axis : axis + 1]) == pytest.approx(expected, abs=1e-12)


def test_random_layers_beside_given_ones_count_with_their_variances():
    given = conv(3, 2, (3,), 30)
    network = Chain([Conv(2, 3, 3, init=[1, 2, 4]), given], 1)
    assert network_erf(network, channel=1, input_channel=0).mass == pytest.approx(
        7 * np.sum(given.given_weights[1] ** 2)
    )


def setting(channels, kind="energy", **more):
    return Setting("a", Axes(1), channels, kind, **more)


def test_the_matrix_of_a_layer_with_groups_is_a_block_for_each():
    layer = conv(4, 6, (3,), 31, groups=2)
    kernel = kernel_of(layer, setting(4, "amplitude"))
    for out, inner in np.ndindex(6, 4):
        block = layer.given_weights[out, inner % 2] if out // 3 == inner // 2 else np.zeros(3)
        assert kernel.taps[out, inner].tolist() == block.tolist()
    assert kernel_of(conv(3, 3, (2,), 32, groups=3), setting(3)).channels == (3,)


def test_gates_and_dropouts_scale_every_channel():
    field = convolution.impulse(1, np.array([1.0, 1.0, 1.0]))
    gates = np.array([0.5, 1.0, 0.25])
    for layer in (Activation("relu"), Norm()):
        found = channelwise(layer, field, setting(3, gates=gates))
        assert (found.values[:, 0] * 2.0**found.exponent).tolist() == gates.tolist()
    dropped = channelwise(Dropout(0.75), field, setting(3))
    assert (dropped.values[:, 0] * 2.0**dropped.exponent).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Activation("relu"), "an amplitude needs a linear network"),
        (MaxPool(2), "a max pool is not linear"),
        (Conv(2, 2, 3), "an amplitude needs weights"),
        (Norm(), "an amplitude needs a batch norm with given"),
        (Norm("layer", variance=[1, 1]), "an amplitude needs a batch norm with given"),
    ],
)
def test_what_has_no_amplitude_is_refused_by_name(layer, text):
    network = Chain({"first": conv(2, 2, (3,)), "b": layer}, 1)
    with pytest.raises(ErfTheoryError, match=f"node b: {text}"):
        network_erf(network, kind="amplitude", channel=0, input_channel=0)


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match=r"node a: no rule is known for .* type Unknown"):
        channelwise(unknown_layer, convolution.impulse(1), setting(1))
