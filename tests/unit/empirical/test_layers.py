"""What layers do to samples, against their definitions: loops over taps, and NumPy's means."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.empirical.layers import At, forward, matrices
from erf_theory.empirical.norms import channel_statistics
from erf_theory.errors import ErfTheoryError
from erf_theory.network import AvgPool, Conv, ConvTranspose, Dropout, MaxPool, Norm, Upsample
from erf_theory.network.geometry import Region, seen

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
    "transposed": (ConvTranspose(2, 3, 3, stride=2, padding=1), (5,)),
    "transposed, with gaps": (ConvTranspose(2, 2, 2, stride=3, groups=2), (7,)),
    "transposed, dilated": (ConvTranspose(1, 2, 3, stride=2, dilation=3, padding=2), (5,)),
    "transposed plane": (ConvTranspose(4, 2, (2, 3), stride=(1, 2), groups=2), (2, 4)),
}
POOLS = [(2, 2, 0, 1), (3, 2, 1, 1), (2, 1, ((1, 0),), 3)]
SIZES = st.integers(1, 3)


def triple(value, ndim):
    return value if isinstance(value, tuple) else (value,) * ndim


def links(conv, shape):
    """Places of output and input with the tap between them, by section 2's definition."""
    ndim = len(shape)
    steps = [triple(v, ndim) for v in (conv.size, conv.stride, conv.dilation, conv.padding)]
    size, stride, dilation, padding = (np.array(step) for step in steps)
    region = Region((3,) * ndim, shape)
    source = seen(conv, region)
    for i, tap in product(np.ndindex(shape), np.ndindex(tuple(size))):
        at, offset = np.add(i, region.start), dilation * tap - padding
        if isinstance(conv, ConvTranspose):
            if np.any((at - offset) % stride):
                continue
            place = (at - offset) // stride
        else:
            place = stride * at + offset
        yield i, tap, tuple(place - source.start)


def every_link(conv, x, weights, shape):
    """The output's samples, link by link and group by group."""
    inner, outer = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    y = np.zeros((x.shape[0], 1, conv.out_channels, *shape))
    for i, tap, place in links(conv, shape):
        for group, a, b in product(range(conv.groups), range(inner), range(outer)):
            lead = (
                (group * inner + a, b)
                if isinstance(conv, ConvTranspose)
                else (group * outer + b, a)
            )
            y[(slice(None), 0, group * outer + b, *i)] += (
                weights[(slice(None), *lead, *tap)] * x[(slice(None), 0, group * inner + a, *place)]
            )
    return y


def given_pass(conv, shape):
    """Random samples and weights of two networks, and where the layer acts."""
    rng, region = np.random.default_rng(0), Region((3,) * len(shape), shape)
    source = seen(conv, region)
    x = rng.standard_normal((2, 1, conv.in_channels, *source.shape))
    weights = np.stack([conv.draw(len(shape), rng) for _ in range(2)])
    return x, weights, At(source, region, np, matrices(conv, weights))


@pytest.mark.parametrize(("conv", "shape"), CONVS.values(), ids=CONVS)
def test_a_convolution_is_the_sum_over_its_taps(conv, shape):
    x, weights, at = given_pass(conv, shape)
    y, _ = forward(conv, [x], at)
    assert y == pytest.approx(every_link(conv, x, weights, shape), abs=1e-13)


@given(st.data(), st.integers(1, 3), st.sampled_from([(1, 1, 1), (2, 3, 1), (4, 2, 2), (3, 3, 3)]))
def test_the_pull_of_any_convolution_is_its_adjoint(data, ndim, channels):
    steps = st.tuples(*[SIZES] * ndim)
    inner, outer, groups = channels
    size, stride, dilation, shape = (data.draw(steps) for _ in range(4))
    conv = Conv(inner, outer, size, stride=stride, dilation=dilation, groups=groups)
    x, _, at = given_pass(conv, shape)
    y, pull = forward(conv, [x], at)
    gradient = np.random.default_rng(1).standard_normal(y.shape)
    (back,) = pull(gradient)
    assert back.shape == x.shape
    assert np.vdot(gradient, y) == pytest.approx(np.vdot(back, x), rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(("kind", "reduce"), [(AvgPool, np.mean), (MaxPool, np.max)])
@pytest.mark.parametrize("window", POOLS)
def test_a_pool_reduces_its_windows(kind, reduce, window):
    size, stride, _, dilation = window
    layer, region = kind(*window), Region((2,), (4,))
    source = seen(layer, region)
    x = np.random.default_rng(0).standard_normal((1, 1, 2, *source.shape))
    windows = [
        x[..., stride * i : stride * i + dilation * (size - 1) + 1 : dilation] for i in range(4)
    ]
    y, _ = forward(layer, [x], At(source, region, np))
    assert y == pytest.approx(reduce(windows, axis=-1).transpose(1, 2, 3, 0))


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 5])
def test_linear_upsampling_interpolates_between_centres(scale):
    layer, region = Upsample(scale, "linear"), Region((5,), (11,))
    source = seen(layer, region)
    x = np.random.default_rng(0).standard_normal((1, 1, 1, *source.shape))
    centres = (np.arange(5, 16) + 0.5) / scale - 0.5
    expected = np.interp(centres, source.start[0] + np.arange(source.shape[0]), x[0, 0, 0])
    y, _ = forward(layer, [x], At(source, region, np))
    assert y[0, 0, 0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("layer", "axes", "parts"),
    [
        (Norm("layer"), (2, 3, 4), 1),
        (Norm("group", groups=2), (2, 3, 4), 2),
        (Norm("instance"), (3, 4), 4),
        (Norm("batch"), (1, 3, 4), 4),
    ],
)
def test_a_norm_leaves_mean_0_and_variance_1(layer, axes, parts):
    region = Region((0, 0), (5, 6))
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5, 6)) * 7 + 3
    statistics = channel_statistics(x, np)
    y, _ = forward(layer, [x], At(region, region, np, statistics=statistics))
    for part in np.split(y, parts, axis=2):
        assert np.mean(part, axis=axes) == pytest.approx(0, abs=1e-12)
        assert np.var(part, axis=axes) == pytest.approx(1, abs=1e-4)


def test_numbers_of_a_trained_batch_norm_come_before_statistics():
    region, x = Region((0,), (2,)), np.array([1.0, 5.0]).reshape(1, 1, 1, 2)
    trained = Norm(eps=0, scale=[3], shift=[10], mean=[1], variance=[4])
    y, pull = forward(trained, [x], At(region, region, np, statistics=channel_statistics(x, np)))
    assert y.ravel().tolist() == [10, 16]
    assert pull(np.ones_like(x))[0].ravel().tolist() == [1.5, 1.5]


def test_a_dropout_in_eval_mode_does_nothing():
    region, x = Region((0,), (2,)), np.ones((1, 1, 1, 2))
    y, pull = forward(Dropout(0.5, training=False), [x], At(region, region, np))
    assert np.array_equal(y, x)
    assert np.array_equal(pull(x)[0], x)


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    region = Region((0,), (1,))
    with pytest.raises(ErfTheoryError, match="no samples go through a layer of type Unknown"):
        forward(unknown_layer, [np.zeros((1, 1, 1, 1))], At(region, region, np))
