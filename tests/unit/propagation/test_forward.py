"""The forward signal against what follows by hand, and against independent calculations."""

from math import acos, pi, sqrt

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory.activations import nonlinearity
from erf_theory.architectures import network_erf
from erf_theory.empirical.layers import At, forward, matrices
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
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import regions
from erf_theory.propagation.forward import behind, signals
from erf_theory.propagation.notes import Notes

RELU, BATCH = Activation("relu"), Norm(eps=0)
LATER = Conv(4, 4, 1)


def before(network, place=-1):
    """The signal of the first channel before a node."""
    return signals(network, Notes())[place].parts[0][2]


def reasons(network):
    """What is noted of the signal, without the nodes."""
    notes = Notes()
    signals(network, notes)
    return list(notes.signal)


def after(*layers, ndim=1, channels=4):
    """The signal behind layers on white noise of four channels."""
    return before(Chain([Conv(channels, channels, 1, init="lecun"), *layers, Identity()], ndim))


def of_relu(q, c):
    """E of the product of two ReLUs (theory.md, section 3)."""
    return q / (2 * pi) * (sqrt(1 - c * c) + c * (pi - acos(c)))


def test_he_convolutions_and_relus_keep_the_second_moment_and_raise_the_correlation():
    network = Chain([Conv(8, 8, 3), RELU] * 5, 1)
    second, shared = 1.0, 0.0
    for place, signal in enumerate(part.parts[0][2] for part in signals(network, Notes())):
        assert signal.second == pytest.approx(second, rel=1e-12)
        assert signal.shared == pytest.approx(shared, rel=1e-9, abs=1e-12)
        if place % 2 == 0:
            second, shared = 2 * second, 2 * shared
        else:
            second, shared = second / 2, of_relu(second, shared / second)
    assert shared / second > 0.7


@pytest.mark.parametrize(
    ("conv", "gain"),
    [
        (Conv(8, 4, 3, init=2), 8 * 3 * 2),
        (Conv(8, 4, 3, groups=4, init=2), 2 * 3 * 2),
        (Conv(8, 4, 3, init=[1, 0, 2]), 8 * 3),
        (Conv(8, 4, 5, init="lecun"), 1),
        (Conv(8, 4, 5, init="delta_orthogonal"), 1),
        (Conv(4, 8, 5, init="delta_orthogonal"), 1 / 2),
        (ConvTranspose(8, 4, 4, stride=2, init=2), 8 * 4 * 2 / 2),
    ],
)
def test_a_convolution_multiplies_by_its_fan_in_times_its_variance(conv, gain):
    found = before(Chain([conv, Identity()], 1))
    assert found.second == pytest.approx(gain)
    assert found.is_normal is (conv.groups == 1), "a group of 6 adds too few"


@pytest.mark.parametrize(
    ("layer", "is_alike"),
    [
        (ConvTranspose(4, 4, 4, stride=2), True),
        (ConvTranspose(4, 4, 3, stride=2), False),
        (ConvTranspose(4, 4, 2, stride=2, dilation=2), False),
        (ConvTranspose(4, 4, 2, stride=2, dilation=3), True),
        (ConvTranspose(4, 4, 2, stride=2, init=[1, 2]), False),
        (ConvTranspose(4, 4, 2, stride=2, init="delta_orthogonal"), False),
    ],
)
def test_phases_of_a_transposed_convolution_that_differ_are_said(layer, is_alike):
    found = reasons(Chain([layer, Activation("tanh")], 1))
    assert not found if is_alike else "depends on the phase: its mean" in found[0]


def test_what_places_share_is_lost_between_phases():
    layers = [Conv(4, 4, 1, init=1), RELU, ConvTranspose(4, 4, 2, stride=2, init=1), Identity()]
    for ndim in (1, 2):
        network = Chain(layers, ndim)
        signal = before(network)
        assert signal.shared / signal.second == pytest.approx(1 / np.pi / 2**ndim)
        assert "depends on their phases" in reasons(network)[0]


def test_biases_are_what_all_images_share():
    network = Chain([Conv(4, 4, 3, init="lecun", bias_variance=0.5), RELU, Conv(4, 4, 1, init=1)])
    assert (before(network, 1).second, before(network, 1).shared) == (1.5, 0.5)
    assert before(network, 2).shared == pytest.approx(of_relu(1.5, 1 / 3))


@pytest.mark.parametrize("kind", ["batch", "instance"])
def test_a_batch_norm_leaves_variance_1_and_nothing_shared(kind):
    found = after(RELU, LATER, Norm(kind, eps=0))
    assert (found.second, found.shared) == (pytest.approx(1), 0)


def test_a_layer_norm_leaves_second_moment_1():
    found = after(RELU, Conv(4096, 4096, 1), Norm("layer", eps=0), channels=4096)
    assert found.second == pytest.approx(1, rel=1e-3)
    assert found.shared == pytest.approx(1 / pi, rel=1e-3)


V = 1 - 1 / pi


def test_pre_activation_blocks_add_the_same_variance_each():
    half = [BATCH, RELU, Conv(8, 8, 3, padding=1)]
    network = Chain([Conv(8, 8, 1, init=V / 8), *[Residual(Chain(half * 2))] * 6], 1)
    found = signals(network, Notes())
    for block in range(6):
        signal = found[network.place_of(f"{block + 1}.body.0")].parts[0][2]
        assert signal.variance == pytest.approx(V * (1 + block), rel=1e-9)


def post_activation_variances(blocks, step=0.005, high=15.0):
    """Var x_l of x_{l+1} = relu(x_l + N(0, 1)), x_0 = relu(N(0, 1)), on a fine grid."""
    x = np.arange(step / 2, high, step)
    closed, density = 0.5, norm.pdf(x)
    noise = norm.pdf(x[:, None] - x)
    for _ in range(blocks):
        mean, second = (np.sum(x**power * density) * step for power in (1, 2))
        yield second - mean**2
        still = closed / 2 + np.sum(density * norm.cdf(-x)) * step
        closed, density = still, closed * norm.pdf(x) + noise @ density * step


def test_post_activation_blocks_have_the_law_of_a_reflected_walk():
    body = Chain([Conv(8, 8, 3, padding=1), BATCH, RELU, Conv(8, 8, 3, padding=1), BATCH])
    block = Chain([Residual(body), RELU])
    network = Chain([Conv(8, 8, 1), BATCH, RELU, *[block] * 8], 1)
    found = signals(network, Notes())
    for block, variance in enumerate(post_activation_variances(8)):
        signal = found[network.place_of(f"{block + 3}.0.body.0")].parts[0][2]
        assert signal.variance == pytest.approx(variance, rel=2e-3)


def test_a_dropout_adds_to_the_second_moment_alone():
    plain, dropped = after(RELU, LATER), after(RELU, Dropout(0.2), LATER)
    assert dropped.second == pytest.approx(plain.second / 0.8)
    assert dropped.shared == pytest.approx(plain.shared)
    assert after(RELU, Dropout(0.2, training=False)) == after(RELU)


def test_an_average_of_k_places():
    found = after(RELU, AvgPool(4))
    mean, second = (1 / (2 * pi)) ** 0.5, 1 / 2
    assert found.second == pytest.approx(second / 4 + mean**2 * 3 / 4)
    assert found.shared == pytest.approx(mean**2)


def test_lags_behind_averages_that_overlap():
    lags = dict(after(AvgPool(3, stride=1)).lags)
    assert lags == pytest.approx({(m,): (3 - abs(m)) / 9 for m in (-2, -1, 1, 2)})
    behind_two = after(AvgPool(3, stride=1), LATER, AvgPool(2))
    assert behind_two.second == pytest.approx(2 * 3 * (3 + 2) / 9 / 2 / 3)


def test_a_pool_behind_a_relu_acts_with_it():
    found = after(RELU, MaxPool(2))
    second = quad(lambda x: x**2 * 2 * norm.pdf(x) * norm.cdf(x), 0, 12)[0]
    mean = quad(lambda x: x * 2 * norm.pdf(x) * norm.cdf(x), 0, 12)[0]
    assert (found.second, found.mean) == pytest.approx((second, mean), rel=1e-3)
    assert found.shared == pytest.approx(mean**2, rel=1e-3)


def test_channels_that_differ_are_kept_apart():
    branches = [Chain([Conv(4, 2, 1, init=1 / 2), RELU]), Conv(4, 4, 1, init=1)]
    whole = Parallel(branches, "concat")
    network = Chain([whole, ChannelShuffle(3), Split(1, 6), Identity()], 1)
    mixed = [x.second for a, b, x in signals(network, Notes())[-2].parts for _ in range(a, b)]
    shuffled = [x.second for a, b, x in signals(network, Notes())[-1].parts for _ in range(a, b)]
    one_by_one = [1, 1, 4, 4, 4, 4]
    dealt = [one_by_one[g * 2 + i] for i in range(2) for g in range(3)]
    assert sorted(mixed) == sorted(dealt)
    assert sorted(shuffled) == sorted(dealt[1:])


def test_groups_mix_their_own_channels_alone():
    branches = [Conv(4, 2, 1, init=1), Conv(4, 4, 1, init=1 / 4)]
    network = Chain([Parallel(branches, "concat"), Conv(6, 6, 1, groups=2, init=1), Identity()])
    found = {(a, b): x.second for a, b, x in signals(network, Notes())[-1].parts}
    assert found == {(0, 3): 4 + 4 + 1, (3, 6): 1 + 1 + 1}


AVERAGED = [Residual(Chain([AvgPool(3, 1, 1), LATER, BATCH])), RELU]


def test_independent_branches_add():
    added = Parallel([Conv(4, 4, 1, init=1), Chain([Conv(4, 4, 1, init=1), RELU, LATER])])
    found = before(Chain([added, Identity()], 1))
    assert found.second == pytest.approx(4 + 4)
    assert found.shared == pytest.approx(2 * of_relu(4, 0))
    assert found.is_normal


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([MaxPool(3, 1), LATER], "the lags behind an overlapping max pool are dropped"),
        ([MaxPool(2, 2, dilation=3), LATER], "the lags behind an overlapping max pool"),
        ([BATCH, RELU, *AVERAGED, LATER, BATCH], "what two images share"),
        ([BATCH, RELU, *AVERAGED, LATER, RELU, LATER, BATCH], "what two images share"),
        ([AvgPool(3, 1), MaxPool(2)], "lags before a max pool are dropped"),
        ([Upsample(2), LATER], "the lags behind an upsampling depend on the phase"),
        ([ConvTranspose(4, 4, 3, stride=2)], "the signal behind a transposed convolution"),
        ([Residual(Conv(4, 4, 1)), RELU, Residual(RELU), RELU], "branches that are added"),
        ([RELU, RELU], "samples before an activation are taken as normal"),
        ([RELU, AvgPool(2), MaxPool(2)], "samples before a max pool are taken as normal"),
    ],
)
def test_what_is_approximate_is_noted(layers, reason):
    found = reasons(Chain([Conv(4, 4, 1), *layers], 1))
    assert any(reason in text for text in found)


def test_what_two_images_share_behind_post_activation_sums_is_guessed():
    rng, common = np.random.default_rng(0), of_relu(2, 1 / 2)
    own, all_have = rng.standard_normal((2, 2, 1_000_000)), rng.standard_normal((2, 1, 1_000_000))
    x = np.maximum(own[0] + all_have[0], 0)
    y = np.maximum(x + (1 - common) ** 0.5 * own[1] + common**0.5 * all_have[1], 0)
    stem, body = Conv(4, 4, 1, init=1 / 4, bias_variance=1), Conv(4, 4, 1, init=1 / 4)
    network = Chain([stem, RELU, Residual(body), RELU, LATER, BATCH, RELU], 1)
    found = before(network, network.place_of("4"))
    assert found.second == pytest.approx(np.mean(y**2), rel=5e-3)
    assert found.variance == pytest.approx(np.mean(y**2) - np.mean(y[0] * y[1]), rel=0.06)
    assert any("what two images share" in text for text in reasons(network))


def test_what_is_exact_is_not():
    layers = [Pad(2), RELU, Crop(1), MaxPool(2), LATER, BATCH, RELU, AvgPool(2, 1), LATER, RELU]
    assert reasons(Chain([Conv(4, 4, 3), *layers, Dropout(0.1), LATER], 2)) == []


def samples(network, images=2, seed=0):
    """What goes into every node of a chain: two images through the same random weights."""
    rng, boxes = np.random.default_rng(seed), regions(network, margin=3)
    x = rng.standard_normal((1, images, network.in_channels, *boxes[0].shape))
    for node, source, region in zip(network.nodes, boxes, boxes[1:], strict=False):
        yield x
        weights = None
        if isinstance(node.layer, Weighted):
            weights = matrices(node.layer, node.layer.draw(network.ndim, rng)[None])
        x, _ = forward(node.layer, [x], At(source, region, np, weights=weights))


def shared(x):
    """Mean product of two images at equal places and at the next ones: all phases of stride 2."""
    one, other = x[:, 0], x[:, 1]
    return (np.mean(one * other) + np.mean(one[..., 1:] * other[..., :-1])) / 2


WIDE = Conv(48, 48, 3, init="he")
CHAINS = {
    "relu": [WIDE, RELU, WIDE, RELU],
    "tanh": [Conv(48, 48, 3, init="xavier"), Activation("tanh")] * 3,
    "gelu": [WIDE, Activation("gelu")] * 2,
    "average": [WIDE, RELU, AvgPool(3, 1), WIDE, RELU, AvgPool(2), WIDE],
    "max": [WIDE, RELU, MaxPool(2), WIDE, RELU],
    "nearest": [WIDE, RELU, Upsample(2), WIDE, RELU],
    "linear": [WIDE, RELU, Upsample(2, "linear"), WIDE],
    "transposed": [WIDE, RELU, ConvTranspose(48, 48, 4, stride=2, padding=1), RELU],
}


@pytest.mark.parametrize("layers", CHAINS.values(), ids=CHAINS)
def test_a_wide_network_has_these_moments(layers):
    network = Chain([*layers, Conv(48, 48, 3)], 1)
    rows = []
    for seed in range(60):
        every = list(samples(network, seed=seed))
        rows.append([[np.mean(x**2), shared(x)] for x in every])
    expected = [
        [signal.parts[0][2].second, signal.parts[0][2].shared]
        for signal in signals(network, Notes())
    ]
    error = np.std(rows, axis=0, ddof=1) / len(rows) ** 0.5
    off = np.abs(np.mean(rows, axis=0) - expected)
    assert np.all(off <= 4.5 * error), "false alarms: 1 in 5000 per chain"
    second = np.array(expected)[:, :1]
    assert np.all(error <= 0.05 * second), "power: 25 % of the second moment off is seen"


def test_behind_is_the_signal_before_the_next_node():
    network = Chain([WIDE, RELU, AvgPool(2), WIDE], 1)
    found = signals(network, Notes())
    assert [behind(network, found, place) for place in range(3)] == list(found[1:])


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    message = "node 1: no signal is known behind a layer of type Unknown"
    with pytest.raises(ErfTheoryError, match=message):
        signals(Chain([RELU, unknown_layer]), Notes())


def test_a_function_of_one_s_own():
    cube = nonlinearity(lambda z: z**3, lambda z: 3 * z**2)
    found = after(Activation(cube))
    assert found.second == pytest.approx(15, rel=1e-9)
    assert (found.mean, found.shared) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(("groups", "is_exact"), [(1, True), (4, True), (16, False)])
def test_sums_of_few_samples_are_noted_where_they_count(groups, is_exact):
    grouped = Conv(16, 16, 3, padding=1, groups=groups, init=0.1)
    plain = network_erf(Chain([grouped, Activation("relu"), grouped], ndim=2))
    normed = network_erf(Chain([grouped, Activation("relu"), Norm("batch"), grouped], ndim=2))
    assert plain.exactness == "exact"
    assert (normed.exactness == "exact") is is_exact
    assert is_exact or normed.reasons[0].startswith("sums of few samples")


@pytest.mark.parametrize("activation", ["relu", "leaky_relu(0.1)", "gelu"])
def test_signals_near_the_largest_double_leave_gates_what_they_are(activation):
    block = Residual(Chain([Conv(8, 8, 3, padding=1), Activation(activation)]))
    stds = [network_erf(Chain([block] * n, ndim=1)).std / sqrt(n) for n in (300, 900, 1010)]
    assert stds == pytest.approx([stds[0]] * 3, rel=1e-4)


@pytest.mark.parametrize("activation", ["gelu", "silu", "leaky_relu(0.1)"])
def test_signals_beyond_all_doubles_are_refused_with_their_node(activation):
    block = Residual(Chain([Conv(8, 8, 3, padding=1), Activation(activation)]))
    network = Chain([*[block] * 1500, Norm(), Conv(8, 8, 3), Activation(activation)], ndim=1)
    with pytest.raises(ErfTheoryError, match=r"node \d+"):
        network_erf(network)
