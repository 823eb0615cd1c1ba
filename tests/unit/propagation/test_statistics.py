"""Mean and variance of every channel of given networks, by hand and by integrals."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Conv,
    ConvTranspose,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Parallel,
    Residual,
    Split,
)
from erf_theory.propagation.statistics import (
    Channels,
    gate_factors,
    mean_slopes,
    statistics,
)
from tests.unit.propagation.images import conv

BETA, GAMMA = np.array([0.5, -1.0, 0.0, 3.0]), np.array([1.0, 0.5, -2.0, 1.5])
BATCH = Norm(scale=GAMMA, shift=BETA, mean=[1, 2, 3, 4], variance=[4, 1, 0.25, 9], eps=0)
BIASES = np.array([0.5, -0.5, 1.0, 0.0])


def behind(*layers, channels=4, ndim=1):
    """Mean and variance behind layers on white noise."""
    start = conv(channels, channels, (1,) * ndim)
    return statistics(Chain([start, *layers, Identity()], ndim))[-1]


def moments(function, mean, std):
    """E of a function of a normal number."""
    kinks = [mean + 9 * std * z for z in (-1, 1)]
    points = [x for x in (-1.0, 0.0, 1.0, 6.0) if kinks[0] < x < kinks[1]]
    return quad(
        lambda x: function(x) * norm.pdf(x, mean, std), *kinks, points=points or None, limit=200
    )[0]


def test_a_convolution_mixes_means_by_weights_and_variances_by_their_squares():
    layers = [BATCH, conv(4, 6, (3,), 1, groups=2, bias=np.arange(6.0))]
    found, w = behind(*layers), layers[1].given_weights
    for out in range(6):
        inside = slice(0, 2) if out < 3 else slice(2, 4)
        assert found.mean[out] == pytest.approx(np.sum(w[out] * BETA[inside, None]) + out)
        assert found.variance[out] == pytest.approx(np.sum(w[out] ** 2 * GAMMA[inside, None] ** 2))


def test_a_transposed_convolution_is_averaged_over_its_phases():
    layer = conv(4, 2, (3,), 2, ConvTranspose, stride=2)
    found, w = behind(BATCH, layer), layer.given_weights
    assert found.mean == pytest.approx(np.einsum("iok,i->o", w, BETA) / 2)
    assert found.variance == pytest.approx(np.einsum("iok,i->o", w**2, GAMMA**2) / 2)


def test_a_random_convolution_hides_the_means():
    found = behind(BATCH, Conv(4, 3, 3, init=0.5, bias_variance=0.25))
    assert found.mean.tolist() == [0, 0, 0]
    assert found.variance == pytest.approx([1.5 * np.sum(GAMMA**2 + BETA**2) + 0.25] * 3)


@pytest.mark.parametrize("name", ["relu", "relu6", "hardtanh", "abs", "tanh"])
@pytest.mark.parametrize("mean", [2.0, -3.0, 1e5, -1e6, 1e20])
def test_a_channel_that_never_changes_is_what_the_function_makes_of_it(name, mean):
    dead = Conv(4, 1, 1, weights=np.zeros((1, 4, 1)), bias=[mean])
    layer = Activation(name)
    at, function = np.array([mean]), layer.nonlinearity
    value, slope = function.value(at, np), function.slope(at, np)
    found = behind(dead, layer)
    assert found.mean == pytest.approx(value, rel=1e-12)
    assert found.variance == pytest.approx([0], abs=1e-12 * float(value[0]) ** 2)
    gates = gate_factors(layer, Channels(at, np.zeros(1)))
    assert gates == pytest.approx(slope**2, abs=1e-12)


@pytest.mark.parametrize("name", ["relu", "relu6", "tanh", "gelu", "hardtanh", "abs"])
def test_activations_by_integrals(name):
    layer = Activation(name)
    found, gates = behind(BATCH, layer), gate_factors(layer, Channels(BETA, GAMMA**2))
    function = layer.nonlinearity
    for channel, (mean, std) in enumerate(zip(BETA, np.abs(GAMMA), strict=True)):
        first = moments(lambda x: function.value(np.asarray(x), np), mean, std)
        second = moments(lambda x: function.value(np.asarray(x), np) ** 2, mean, std)
        slope = moments(lambda x: function.slope(np.asarray(x), np) ** 2, mean, std)
        assert found.mean[channel] == pytest.approx(first, rel=1e-7, abs=1e-9)
        assert found.variance[channel] == pytest.approx(second - first**2, rel=1e-7)
        assert gates[channel] == pytest.approx(slope, rel=1e-7)
        mean_slope = moments(lambda x: function.slope(np.asarray(x), np), mean, std)
        found_slope = mean_slopes(layer, Channels(BETA, GAMMA**2))[channel]
        assert found_slope == pytest.approx(mean_slope, rel=1e-7, abs=1e-9)


def test_gates_behind_a_batch_norm_have_closed_forms():
    before = Channels(BETA, GAMMA**2)
    ratio = BETA / np.abs(GAMMA)
    six = (6 - BETA) / np.abs(GAMMA)
    assert gate_factors(Activation("relu"), before) == pytest.approx(norm.cdf(ratio), rel=1e-9)
    assert gate_factors(Activation("relu6"), before) == pytest.approx(
        norm.cdf(six) - norm.cdf(-ratio), rel=1e-9
    )
    assert gate_factors(Identity(), before) is None


def test_the_energy_of_a_trained_block():
    first, last = conv(2, 4, (3,), 3), conv(4, 3, (2,), 4)
    network = Chain([first, BATCH, Activation("relu"), last], 1)
    scale = GAMMA**2 / np.array([4, 1, 0.25, 9])
    inner = scale * norm.cdf(BETA / np.abs(GAMMA))
    for out, channel in np.ndindex(3, 2):
        erf = network_erf(network, channel=out, input_channel=channel)
        squares = last.given_weights[out] ** 2, first.given_weights[:, channel] ** 2
        lines = [g * np.convolve(v, w) for g, v, w in zip(inner, *squares, strict=True)]
        assert erf.mass * erf.values == pytest.approx(np.sum(lines, axis=0), rel=1e-9)


def test_norms_by_their_own_statistics():
    before = behind(BATCH, conv(4, 4, (1,), 5, bias=BIASES))
    assert gate_factors(Norm(eps=0.5), before) == pytest.approx(1 / (before.variance + 0.5))
    assert gate_factors(Norm("instance", eps=0), before) == pytest.approx(1 / before.variance)
    whole = np.mean(before.variance) + np.var(before.mean)
    assert gate_factors(Norm("layer", eps=0), before) == pytest.approx([1 / whole] * 4)
    halves = [np.mean(before.variance[a : a + 2]) + np.var(before.mean[a : a + 2]) for a in (0, 2)]
    grouped = gate_factors(Norm("group", 2, eps=0), before)
    assert grouped == pytest.approx([1 / halves[0]] * 2 + [1 / halves[1]] * 2)
    assert gate_factors(BATCH, before) == pytest.approx(GAMMA**2 / [4, 1, 0.25, 9])


def test_behind_norms():
    start = [BATCH, conv(4, 4, (1,), 5, bias=BIASES)]
    before = behind(*start)
    batch = behind(*start, BATCH)
    assert (batch.mean.tolist(), batch.variance.tolist()) == (BETA.tolist(), (GAMMA**2).tolist())
    layer = behind(*start, Norm("layer", eps=0, scale=GAMMA, shift=BETA))
    whole = np.mean(before.variance) + np.var(before.mean)
    centred = before.mean - np.mean(before.mean)
    assert layer.mean == pytest.approx(GAMMA * centred / whole**0.5 + BETA)
    assert layer.variance == pytest.approx(GAMMA**2 * before.variance / whole)
    grouped = behind(*start, Norm("group", 2, eps=0))
    means = np.repeat(before.mean.reshape(2, 2).mean(axis=1), 2)
    halves = 1 / gate_factors(Norm("group", 2, eps=0), before)
    assert grouped.mean == pytest.approx((before.mean - means) / halves**0.5)
    alone = behind(*start, Norm("instance", eps=0))
    assert alone.mean == pytest.approx(np.zeros(4), abs=1e-12)
    assert alone.variance == pytest.approx(np.ones(4))


def test_pools_dropouts_and_channels():
    average = behind(BATCH, AvgPool(2), ndim=2)
    assert average.mean.tolist() == BETA.tolist()
    assert average.variance == pytest.approx(GAMMA**2 / 4)
    largest = behind(BATCH, MaxPool(2))
    assert largest.mean == pytest.approx(BETA + np.abs(GAMMA) / np.pi**0.5)
    assert largest.variance == pytest.approx(GAMMA**2 * (1 - 1 / np.pi))
    dropped = behind(BATCH, Dropout(0.5))
    assert dropped.mean.tolist() == BETA.tolist()
    assert dropped.variance == pytest.approx(2 * (GAMMA**2 + BETA**2) - BETA**2)
    assert behind(BATCH, Dropout(0.5, training=False)).variance == pytest.approx(GAMMA**2)
    assert behind(BATCH, ChannelShuffle(2)).mean.tolist() == BETA[[0, 2, 1, 3]].tolist()
    assert behind(BATCH, Split(1, 3)).mean.tolist() == BETA[1:3].tolist()
    both = behind(BATCH, Parallel([Identity(), Split(0, 1)], "concat"))
    assert both.mean.tolist() == [*BETA, BETA[0]]
    added = behind(BATCH, Residual(conv(4, 4, (1,), 6)))
    alone = behind(BATCH, conv(4, 4, (1,), 6))
    assert added.mean == pytest.approx(BETA + alone.mean)
    assert added.variance == pytest.approx(GAMMA**2 + alone.variance)


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    network = Chain([conv(1, 1, (1,)), unknown_layer], 1)
    with pytest.raises(ErfTheoryError, match=r"node 1: no statistics are known .* type Unknown"):
        statistics(network)
