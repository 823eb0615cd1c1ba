"""What pulls a gradient back is the derivative of what went forwards, and its adjoint."""

import numpy as np
import pytest

from erf_theory.empirical import norms
from erf_theory.empirical.layers import At, forward, matrices
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Gate,
    Global,
    Identity,
    MaxPool,
    Norm,
    Pad,
    PReLU,
    Scale,
    Split,
    Upsample,
)
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import Region, seen

LINEAR = [
    Conv(4, 6, 3, stride=2, padding=((1, 2), (0, 1)), dilation=(1, 2), groups=2),
    Conv(4, 4, (1, 3), groups=4),
    ConvTranspose(4, 6, (3, 2), stride=(2, 3), padding=((1, 0), (0, 2)), dilation=2, groups=2),
    ConvTranspose(4, 2, 2, stride=3),
    AvgPool((2, 3), stride=(1, 2), padding=1, dilation=(2, 1)),
    Upsample((2, 3)),
    Upsample((2, 3), "linear"),
    Upsample((3, 4), "linear"),
    Pad(((1, 2), (0, 3))),
    Crop(((1, 2), (0, 3))),
    Identity(),
    Split(1, 3),
    ChannelShuffle(2),
    Dropout(0.5),
    Gate(0.5),
    Gate([1, -2, 3, 0]),
    Scale(-2, [1, 2, 3, 4]),
    Add(),
    Concat(),
]
CURVED = [
    Activation("tanh"),
    Activation("gelu"),
    PReLU([0.25, -1, 0, 2]),
    MaxPool((2, 3), stride=(1, 2), padding=((0, 1), (2, 0)), dilation=(2, 1)),
    Norm("batch", scale=[1, 2, 3, 4], shift=[0, 1, 0, 1]),
    Norm("batch", mean=[1, 2, 3, 4], variance=[1, 2, 3, 4]),
    Norm("layer"),
    Norm("place", scale=[1, 2, 3, 4], shift=[0, 1, 0, 1]),
    Norm("group", groups=2, scale=[1, 2, 3, 4], shift=[0, 1, 0, 1]),
    Norm("instance"),
]
REGION = Region((-3, 4), (5, 6))


def inputs_of(layer, rng):
    """Random inputs for two networks and three images, and where the layer acts."""
    source = seen(layer, REGION)
    numbers = {}
    if isinstance(layer, Weighted):
        weights = rng.standard_normal((2, *layer.weight_shape(2)))
        numbers = {
            "weights": matrices(layer, weights),
            "bias": rng.standard_normal((2, layer.out_channels)),
        }
    if isinstance(layer, Dropout):
        numbers = {"mask": 2.0 * (rng.random((2, 3, 4, *REGION.shape)) < 0.5)}
    xs = [
        rng.standard_normal((2, 3, 4, *source.shape))
        for _ in range(1 + isinstance(layer, Add | Concat))
    ]
    if isinstance(layer, Norm) and layer.kind == "batch" and layer.mean is None:
        numbers = {"statistics": norms.channel_statistics(xs[0] + 1, np)}
    return xs, At(source, REGION, np, **numbers)


def along(layer, xs, directions, at, step):
    """The output a step further along a direction."""
    moved = [x + step * v for x, v in zip(xs, directions, strict=True)]
    return forward(layer, moved, at)[0]


@pytest.mark.parametrize("layer", LINEAR + CURVED, ids=repr)
def test_the_pull_is_the_adjoint_of_the_derivative(layer):
    rng = np.random.default_rng(0)
    xs, at = inputs_of(layer, rng)
    y, pull = forward(layer, xs, at)
    assert y.shape[3:] == REGION.shape
    directions = [rng.standard_normal(x.shape) for x in xs]
    gradient = rng.standard_normal(y.shape)
    step = 1.0 if layer in LINEAR else 1e-5
    ahead, behind = (along(layer, xs, directions, at, s) for s in (step, -step))
    change = np.sum(gradient * (ahead - behind)) / (2 * step)
    parts = pull(gradient)
    assert [part.shape for part in parts] == [x.shape for x in xs]
    found = sum(np.sum(part * v) for part, v in zip(parts, directions, strict=True))
    size = np.linalg.norm(gradient) * np.linalg.norm(ahead - behind) / (2 * step)
    assert abs(found - change) < (1e-13 if layer in LINEAR else 1e-8) * size


def test_every_layer_is_among_them():
    concrete = {kind for base in (Layer, Weighted) for kind in leaves(base)}
    assert {type(layer) for layer in LINEAR + CURVED} == concrete - {Global}


def test_what_sees_all_places_hands_nothing_back_to_one():
    x = np.ones((2, 3, 4, 5))
    at = At(Region((0,), (5,)), Region((0,), (5,)), np)
    y, pull = forward(Global(2), [x], at)
    assert y.shape == (2, 3, 2, 5)
    assert not np.any(y)
    assert not np.any(pull(np.ones_like(y))[0])


def leaves(kind):
    """The classes below one that have none below them."""
    below = kind.__subclasses__()
    own = {kind} if kind.__module__.startswith("erf_theory") else set()
    return own if not below else set().union(*map(leaves, below))


def test_a_tie_of_the_maximum_goes_to_the_first():
    at = At(Region((0,), (4,)), Region((0,), (2,)), np)
    y, pull = forward(MaxPool(2), [np.array([5.0, 5, 1, 1]).reshape(1, 1, 1, 4)], at)
    assert y.ravel().tolist() == [5, 1]
    assert pull(np.ones_like(y))[0].ravel().tolist() == [1, 0, 1, 0]
