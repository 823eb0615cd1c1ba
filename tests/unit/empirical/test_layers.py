"""Forward and backward passes against their definitions: a loop over taps, finite differences."""

from itertools import product

import array_api_strict as xp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.empirical.layers import draw, forward
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv
from erf_theory.network.geometry import Region, regions

CONVS = {
    "plain": (Conv(2, 3, 3), (4,)),
    "strided": (Conv(2, 2, 3, stride=2, padding=1), (3,)),
    "dilated": (Conv(1, 2, 3, dilation=3, padding=2), (5,)),
    "strided over its taps": (Conv(1, 1, 2, stride=3), (4,)),
    "groups": (Conv(4, 6, 2, groups=2, padding=1), (3,)),
    "depthwise": (Conv(3, 6, 3, groups=3, stride=2), (2,)),
    "plane": (Conv(2, 3, (3, 2), stride=(1, 2), padding=(2, 0), dilation=(2, 1)), (3, 2)),
    "line in a plane": (Conv(2, 2, (1, 4), groups=2), (3, 3)),
    "volume": (Conv(2, 2, (2, 1, 3), stride=(1, 2, 1), dilation=(3, 1, 1), groups=2), (2, 2, 2)),
}
SIZES = st.integers(1, 3)


def triple(value, ndim):
    return value if isinstance(value, tuple) else (value,) * ndim


def every_tap(conv, x, weights, shape):
    """y[i] = Σ_a w[a]·x[stride·i + dilation·a], group by group: section 2's definition."""
    ndim, inner = len(shape), conv.in_channels // conv.groups
    stride, dilation = triple(conv.stride, ndim), triple(conv.dilation, ndim)
    y = np.zeros((x.shape[0], conv.out_channels, *shape))
    for sample, out, a in product(range(len(x)), range(conv.out_channels), range(inner)):
        channel = out // (conv.out_channels // conv.groups) * inner + a
        for place, tap in product(np.ndindex(shape), np.ndindex(weights.shape[3:])):
            source = (
                s * i + d * t for s, i, d, t in zip(stride, place, dilation, tap, strict=True)
            )
            y[(sample, out, *place)] += (
                weights[(sample, out, a, *tap)] * x[(sample, channel, *source)]
            )
    return y


def given_pass(conv, shape, samples=2):
    """Random samples, weights and a gradient for a convolution with an output of that shape."""
    rng = np.random.default_rng(0)
    region = Region((0,) * len(shape), shape)
    x = rng.standard_normal((samples, conv.in_channels, *seen(conv, region)))
    weights = np.stack([draw(conv, len(shape), rng) for _ in range(samples)])
    gradient = rng.standard_normal((samples, conv.out_channels, *shape))
    return x, weights, region, gradient


def seen(conv, region):
    """Shape of what a region of the output sees."""
    ndim = len(region.shape)
    steps = (triple(v, ndim) for v in (conv.size, conv.stride, conv.dilation))
    return [s * (m - 1) + d * (k - 1) + 1 for m, k, s, d in zip(region.shape, *steps, strict=True)]


@pytest.mark.parametrize(("conv", "shape"), CONVS.values(), ids=CONVS)
def test_a_convolution_is_the_sum_over_its_taps(conv, shape):
    x, weights, region, _ = given_pass(conv, shape)
    y, _ = forward(conv, x, weights, region, np)
    assert y == pytest.approx(every_tap(conv, x, weights, shape), abs=1e-13)


def need_adjoint(conv, shape):
    """<gradient, forward(x)> = <pull(gradient), x>, the definition of the adjoint."""
    x, weights, region, gradient = given_pass(conv, shape)
    y, pull = forward(conv, x, weights, region, np)
    back = pull(gradient)
    assert back.shape == x.shape
    assert np.vdot(gradient, y) == pytest.approx(np.vdot(back, x), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(("conv", "shape"), CONVS.values(), ids=CONVS)
def test_the_pull_is_the_adjoint(conv, shape):
    need_adjoint(conv, shape)


@given(st.data(), st.integers(1, 3), st.sampled_from([(1, 1, 1), (2, 3, 1), (4, 2, 2), (3, 3, 3)]))
def test_the_pull_of_any_convolution_is_its_adjoint(data, ndim, channels):
    steps = st.tuples(*[SIZES] * ndim)
    inner, outer, groups = channels
    size, stride, dilation, shape = (data.draw(steps) for _ in range(4))
    conv = Conv(inner, outer, size, stride=stride, dilation=dilation, groups=groups)
    need_adjoint(conv, shape)


def scalar(network, boxes, weights, x):
    """The output unit, and the gradient of it by the input."""
    pulls = []
    for layer, w, region in zip(network.layers, weights, boxes[1:], strict=True):
        x, pull = forward(layer, x, w, region, np)
        pulls.append(pull)
    gradient = np.zeros_like(x)
    gradient[:, 0] = 1.0
    for pull in reversed(pulls):
        gradient = pull(gradient)
    return x[:, 0].ravel(), gradient


@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "gelu", "leaky_relu"])
@pytest.mark.parametrize("ndim", [1, 2])
def test_gradients_are_finite_differences(activation, ndim):
    layers = [Conv(2, 4, 3, stride=2), Activation(activation), Conv(4, 4, 2, groups=2, dilation=2)]
    network = Chain([*layers, Activation(activation), Conv(4, 2, 3)], ndim)
    boxes, rng = regions(network), np.random.default_rng(3)
    x = rng.standard_normal((1, 2, *boxes[0].shape))
    drawn = [draw(layer, ndim, rng) for layer in network.layers]
    weights = [None if w is None else w[None] for w in drawn]
    _, gradient = scalar(network, boxes, weights, x)
    step = 1e-5
    for at in np.ndindex(x.shape):
        shifted = np.zeros_like(x)
        shifted[at] = step
        above, below = (scalar(network, boxes, weights, x + e)[0] for e in (shifted, -shifted))
        assert (above - below)[0] / (2 * step) == pytest.approx(gradient[at], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", CONVS)
def test_any_namespace_of_the_array_standard(name):
    conv, shape = CONVS[name]
    x, weights, region, gradient = given_pass(conv, shape)
    y, pull = forward(conv, x, weights, region, np)
    strict, strict_pull = forward(conv, xp.asarray(x), xp.asarray(weights), region, xp)
    assert np.asarray(strict) == pytest.approx(y, abs=1e-13)
    assert np.asarray(strict_pull(xp.asarray(gradient))) == pytest.approx(pull(gradient), abs=1e-13)


@pytest.mark.parametrize("activation", ["relu", "linear", "tanh", "gelu", "leaky_relu"])
def test_activations_in_any_namespace_of_the_array_standard(activation):
    layer, x = Activation(activation), np.random.default_rng(0).standard_normal((2, 3, 5))
    region = Region((0,), (5,))
    (y, pull), (strict, strict_pull) = (
        forward(layer, namespace.asarray(x), None, region, namespace) for namespace in (np, xp)
    )
    assert np.asarray(strict) == pytest.approx(y, abs=1e-13)
    assert np.asarray(strict_pull(xp.asarray(x))) == pytest.approx(pull(x), abs=1e-13)


@pytest.mark.torch
@pytest.mark.parametrize(("conv", "shape"), CONVS.values(), ids=CONVS)
def test_a_convolution_is_pytorch_s(conv, shape):
    import torch

    x, weights, region, gradient = given_pass(conv, shape)
    y, pull = forward(conv, x, weights, region, np)
    layer = getattr(torch.nn.functional, f"conv{len(shape)}d")
    named = {"stride": conv.stride, "dilation": conv.dilation, "groups": conv.groups}
    back = pull(gradient)
    for sample in range(len(x)):
        image = torch.tensor(x[sample : sample + 1], requires_grad=True)
        out = layer(image, torch.tensor(weights[sample]), **named)
        out.backward(torch.tensor(gradient[sample : sample + 1]))
        assert y[sample] == pytest.approx(out.detach().numpy()[0], abs=1e-12)
        assert back[sample] == pytest.approx(image.grad.numpy()[0], abs=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "leaky_relu"])
def test_an_activation_is_pytorch_s(activation):
    import torch

    x = np.random.default_rng(0).standard_normal((2, 3, 40))
    y, pull = forward(Activation(activation), x, None, Region((0,), (40,)), np)
    image = torch.tensor(x, requires_grad=True)
    out = getattr(torch.nn.functional, activation)(image)
    out.sum().backward()
    assert y == pytest.approx(out.detach().numpy(), abs=1e-12)
    assert pull(np.ones_like(x)) == pytest.approx(image.grad.numpy(), abs=1e-12)


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="no samples go through a layer of type Unknown"):
        forward(unknown_layer, np.zeros((1, 1, 1)), None, Region((0,), (1,)), np)


def test_weights_are_drawn_for_layers_that_have_them():
    rng = np.random.default_rng(0)
    assert draw(Activation("relu"), 2, rng) is None
    assert draw(Conv(4, 6, 3, groups=2), 2, rng).shape == (6, 2, 3, 3)
