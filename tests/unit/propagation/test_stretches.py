"""Linear layers in a row: multiplied out, with their signs, before they are squared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import layer_table, network_erf
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    Conv,
    Identity,
    MaxPool,
    Norm,
    Parallel,
    Residual,
    Scale,
)
from erf_theory.network.base import Given
from erf_theory.network.graph import Graph
from erf_theory.propagation import products, stretches
from erf_theory.propagation.products import product_of, sum_of
from erf_theory.propagation.stretches import mixed_before
from tests.unit.propagation.images import conv, jacobian, on_image

RELU = Activation("relu")
NORM = Norm(scale=[1, -2, 3], variance=[1, 4, 0.25], shift=[0, 0, 0], mean=[0, 0, 0])
NORM_4 = Norm(scale=[1, -2, 3, 1], variance=[1, 4, 0.25, 2], shift=[0, 1, 0, 2], mean=[0] * 4)


@st.composite
def windows(draw, ndim):
    """A convolution's options, of several taps or of one."""
    sizes = st.tuples(*[st.integers(1, 3)] * ndim)
    ends = st.tuples(*[st.tuples(*[st.integers(0, 2)] * 2)] * ndim)
    return {
        "size": draw(sizes),
        "stride": draw(sizes),
        "dilation": draw(sizes),
        "padding": draw(ends),
    }


@st.composite
def pairs_of_layers(draw):
    ndim = draw(st.integers(1, 2))
    one, other = (draw(windows(ndim)) for _ in range(2))
    seeds = [draw(st.integers(0, 99)) for _ in range(2)]
    first = conv(2, 3, one.pop("size"), seeds[0], **one)
    return first, conv(3, 2, other.pop("size"), seeds[1], **other), ndim


@given(pairs_of_layers())
def test_a_product_is_both_layers(drawn):
    first, last, ndim = drawn
    both = product_of(last, first, ndim)
    for out, inner in np.ndindex(2, 2):
        named = {"kind": "amplitude", "channel": out, "input_channel": inner}
        one = network_erf(Chain([both], ndim), **named)
        two = network_erf(Chain([first, last], ndim), **named)
        assert [f.start for f in one.factors] == [f.start for f in two.factors]
        assert one.values == pytest.approx(two.values, abs=1e-12)
        assert one.log_mass == pytest.approx(two.log_mass, abs=1e-9) or two.mass == 0


def energies(network, size, unit):
    """Of a network whose linear parts are given apart, from gate to gate: by definition."""
    field = np.zeros((network[-1].out_channels, size))
    field[:, unit] = 1 / len(field)
    for part in reversed(network):
        if isinstance(part, np.ndarray):
            field = part[:, None] * field
            continue
        found = np.zeros((part.in_channels, size))
        for at in np.flatnonzero(field.any(axis=0)):
            found += np.tensordot(field[:, at], np.square(jacobian(part, (size,), (at,))), 1)
        field = found
    return field.mean(axis=0)


def test_a_bottleneck_is_one_layer_from_gate_to_gate():
    wide, narrow = conv(3, 4, (1,), 1), conv(4, 3, (1,), 2)
    more, window = conv(3, 4, (1,), 3), conv(4, 4, (3,), 4, groups=4, padding=1)
    network = Chain([wide, NORM_4, RELU, narrow, NORM, more, NORM_4, RELU, window], 1)
    from scipy.special import ndtr

    shift, scale = np.array([0, 1, 0, 2]), np.array([1, 2, 3, 1])
    gates = ndtr(shift / scale)
    parts = [
        Chain([wide, NORM_4], 1),
        gates,
        Chain([narrow, NORM, more, NORM_4], 1),
        gates,
        Chain([window], 1),
    ]
    found = on_image(network_erf(network, unit=5), (11,))
    assert found == pytest.approx(energies(parts, 11, 5), rel=1e-12)


def test_signs_make_a_difference():
    """Two layers that take each other back are none at all; squared apart they mix channels."""
    turn = np.array([[3, 4], [-4, 3]]) / 5
    there, back = (Conv(2, 2, 1, weights=w[..., None]) for w in (turn, turn.T))
    line = Conv(2, 2, 1, weights=[[[1], [0]], [[0], [2]]])
    found = network_erf(Chain([line, there, back], 1), channel=0)
    assert found.mass == pytest.approx(1 / 2)


def test_branches_that_are_linear_add_up_before_they_are_squared():
    first, last = conv(2, 3, (2,), 1), conv(3, 2, (2,), 2)
    branches = Parallel([Scale(2), Chain([NORM]), Scale([1, 2, 3])])
    network = Chain([first, branches, last], 1)
    exact = np.square(jacobian(network, (12,), (5,))).mean(axis=(0, 1))
    assert on_image(network_erf(network, unit=5), (12,)) == pytest.approx(exact, rel=1e-12)


def test_one_input_read_twice_counts_twice():
    first, last = conv(2, 3, (2,), 1), conv(3, 2, (2,), 2)
    doubled = Graph(
        {"a": (first, "input"), "b": (Add(), "a", "a"), "c": (last, "b")},
        ndim=1,
    )
    one, two = network_erf(Chain([first, last], 1)), network_erf(doubled)
    assert two.values == pytest.approx(one.values)
    assert two.mass == pytest.approx(4 * one.mass)


@pytest.mark.parametrize(
    "between", [RELU, MaxPool(2), AvgPool(2), Norm("layer")], ids=["relu", "max", "mean", "norm"]
)
def test_what_is_not_linear_by_channel_ends_a_row_of_layers(between):
    layers = [conv(2, 3, (2,), 1), NORM, between, conv(3, 2, (2,), 2)]
    assert not any(mixed_before(Chain(layers, 1)))
    linear = [*layers[:2], Identity(), Activation("identity"), *layers[3:]]
    assert mixed_before(Chain(linear, 1)) == [False, False, False, False, True]


def test_too_large_products_are_squared_apart(monkeypatch):
    network = Chain([conv(2, 3, (2,), 1), conv(3, 4, (1,), 2), conv(4, 2, (2,), 3)], 1)
    whole = np.square(jacobian(network, (12,), (5,)))
    apart = jacobian(network, (12,), (5,), power=2)
    for most, expected in ((10**6, whole), (0, apart)):
        monkeypatch.setattr(products, "_MOST", most)
        found = on_image(network_erf(network, unit=5), (12,))
        assert found == pytest.approx(expected.mean(axis=(0, 1)), rel=1e-12)


@pytest.mark.parametrize("gain", [1e-150, 1e-100, 1e-50, 1e-6, 1e3])
def test_products_stay_within_doubles(gain):
    def row(factor):
        layers = [conv(2, 2, (2,), i) for i in range(40)]
        return Chain([replace(x, weights=factor * x.given_weights) for x in layers], 1)

    found, plain = network_erf(row(gain)), network_erf(row(1))
    assert found.values == pytest.approx(plain.values, rel=1e-9)
    assert found.log_mass == pytest.approx(plain.log_mass + 80 * np.log(gain))


@given(pairs_of_layers(), st.integers(0, 9))
def test_a_sum_is_both_layers(drawn, seed):
    """Padded alike before and behind, so that their outputs are at the same places."""
    first, last, ndim = drawn
    options = {"stride": first.stride, "padding": last.padding, "dilation": last.dilation}
    other = conv(2, 3, last.size, seed, **options)
    both = sum_of(first, other)
    for out, inner in np.ndindex(3, 2):
        named = {"kind": "amplitude", "channel": out, "input_channel": inner}
        whole, one, two = (network_erf(Chain([x], ndim), **named) for x in (both, first, other))
        start = whole.factors[0].start
        total = np.zeros(whole.shape)
        for part in (one, two):
            shift = [a - b for a, b in zip(part.factors[0].start, start, strict=True)]
            inside = tuple(slice(a, a + m) for a, m in zip(shift, part.shape, strict=True))
            total[inside] += part.values * np.exp(part.factors[0].shares.log_norm)
        found = whole.values * np.exp(whole.factors[0].shares.log_norm)
        assert found == pytest.approx(total, abs=1e-12)


def test_linear_residual_blocks_are_one_layer_and_take_few_products(monkeypatch):
    """With one row for every way through the blocks these would be 65 000."""
    products = []

    def counted(*layers, **options):
        products.append(product_of(*layers, **options))
        return products[-1]

    def block(seed, size):
        return Residual(Chain([conv(2, 2, (size,), seed, padding=size // 2)], 1))

    few = Chain(
        [conv(2, 2, (2,), 9), block(1, 3), block(2, 1), block(3, 5), conv(2, 3, (1,), 8)], 1
    )
    exact = np.square(jacobian(few, (24,), (11,))).mean(axis=(0, 1))
    assert on_image(network_erf(few, unit=11), (24,)) == pytest.approx(exact, rel=1e-10, abs=1e-12)
    monkeypatch.setattr(stretches, "product_of", counted)
    network_erf(Chain([conv(2, 2, (3,), 99), *[block(i, 1) for i in range(16)]], 1))
    assert len(products) < 200


@pytest.mark.parametrize("place", [0, 1, 5])
def test_near_a_border_one_of_both_has_one_tap(place):
    window, point = conv(2, 3, (3,), 1, padding=1), conv(3, 2, (1,), 2)
    near = Chain([window, point], 1)
    exact = np.square(jacobian(near, (9,), (place,))).mean(axis=(0, 1))
    found = network_erf(near, image_size=9, unit=place)
    assert on_image(found, (9,)) == pytest.approx(exact, rel=1e-12)


def test_near_a_border_two_windows_are_squared_apart():
    windows = [conv(2, 3, (3,), 1, padding=1), conv(3, 2, (3,), 2, padding=1)]
    found = network_erf(Chain(windows, 1), image_size=9, unit=4)
    apart = jacobian(Chain(windows, 1), (9,), (4,), power=2).mean(axis=(0, 1))
    assert on_image(found, (9,)) == pytest.approx(apart, rel=1e-12)


def test_a_layer_of_one_tap_with_padding_reads_nothing_beyond_the_border():
    padded = Chain([conv(2, 3, (3,), 1), conv(3, 2, (1,), 2, padding=1)], 1)
    with pytest.raises(ErfTheoryError, match="0 everywhere"):
        network_erf(padded, image_size=8, unit=0)


def test_a_row_that_ends_at_a_sum_ends_in_the_places_of_its_own_input():
    point, gated = conv(2, 3, (1,), 1), Chain([conv(2, 3, (1,), 5), Activation("abs")])
    row = [conv(3, 2, (1,), 3, stride=2), conv(2, 2, (3,), 4, padding=1)]
    network = Chain([Parallel([point, gated]), *row], 1)
    far, near = network_erf(network, unit=3), network_erf(network, unit=3, image_size=12)
    assert on_image(near, (12,)) == pytest.approx(on_image(far, (12,)), rel=1e-12)


def test_the_table_of_all_layers_has_the_same_profiles():
    def block(seed):
        parts = [conv(3, 4, (1,), seed), NORM_4, RELU]
        return Residual(Chain([*parts, conv(4, 3, (3,), seed + 1, padding=1), NORM]))

    network = Chain([conv(1, 3, (3,), 9, padding=1), block(1), block(3), conv(3, 2, (1,), 7)], 1)
    assert sum(mixed_before(network)) == 3
    for row in layer_table(network).rows:
        assert row.std == pytest.approx(network_erf(network, layer=row.name).std, abs=1e-9)


@pytest.mark.parametrize("gain", [1e-60, 1e-31, 1e-29, 1e29, 1e31, 1e60])
@pytest.mark.parametrize("skip", ["none", "before", "behind"])
def test_branches_add_up_however_small_or_large_they_are(gain, skip):
    """Their products leave out powers of 2, each its own."""
    first, *inner, last = (conv(2, 2, (1,), i) for i in range(4))
    parts = [replace(x, weights=gain * x.given_weights) for x in inner]
    parts = {"none": parts, "before": [Identity(), *parts], "behind": [*parts, Identity()]}[skip]
    network = Chain([first, Parallel(parts), last], 1)
    size = gain if skip == "none" else max(gain, 1)
    exact = np.square(jacobian(network, (1,), (0,)) / size).mean()
    found = network_erf(network).log_mass
    assert found == pytest.approx(np.log(exact) + 2 * np.log(size), abs=1e-9)


@pytest.mark.parametrize("kept", [0, 2**23])
def test_weights_are_read_alone_and_squares_kept_are_those_made_anew(monkeypatch, kept):
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=shape) for shape in ((3, 2, 1, 3), (4, 3, 1, 1), (2, 4, 3, 1))]
    first, second, last = [Conv(a.shape[1], len(a), a.shape[2:], weights=Given(a)) for a in arrays]
    net = Chain([first, RELU, second, last], 2)
    monkeypatch.setattr(stretches, "_KEPT", kept)
    before = [array.copy() for array in arrays]
    profiles = [network_erf(net, ndim=1, axis=axis).values for axis in (0, 1, 0, 1)]
    whole = network_erf(net).values
    assert len(layer_table(net)) == 4
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))
    for profile, axis in zip(profiles, (0, 1, 0, 1), strict=True):
        assert profile == pytest.approx(whole.sum(axis=1 - axis), rel=1e-12)


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("last", "tiny"), [(1e75, 1e-127), (1e98, 1e-120), (1e40, 1e-127)])
def test_a_branch_counts_whatever_its_weights_are_made_up_of(last, tiny, order):
    def net(last, tiny):
        wide = Conv(2, 2, 3, weights=np.full((2, 2, 3), tiny))
        back = Conv(2, 2, 1, groups=2, weights=np.full((2, 1, 1), 1 / tiny))
        branches = [Chain([wide, wide, back, back, RELU]), RELU][::order]
        end = Conv(2, 2, 1, weights=np.full((2, 2, 1), last))
        return Chain([Parallel(branches), end], 1)

    near, far = network_erf(net(1.0, 1.0)), network_erf(net(last, tiny))
    assert far.values == pytest.approx(near.values, rel=1e-12)
    assert far.log_mass == pytest.approx(near.log_mass + 2 * np.log(last), rel=1e-12)
    assert layer_table(net(last, tiny)).rows[-1].std == pytest.approx(near.std, rel=1e-12)


def test_weights_too_far_apart_for_doubles_are_refused():
    weights = np.array([[[1e60, 2e60, 1e60]], [[1e-120] * 3]])
    net = Chain([Conv(1, 2, 3, weights=weights), RELU, Scale([0, 1]), RELU], ndim=1)
    with pytest.raises(EngineError, match="too far apart for doubles"):
        network_erf(net)
