"""Sums of few samples: their laws against sums drawn one by one, and where they are used."""

import numpy as np
import pytest

from erf_theory.activations import nonlinearity
from erf_theory.architectures import network_erf
from erf_theory.network import Activation, AvgPool, Chain, Conv, Identity, Norm
from erf_theory.propagation.fewsums import FewSum, channel_laws
from erf_theory.propagation.forward import signals
from erf_theory.propagation.notes import Notes

BATCH = Norm(eps=0)
DRAWN = 400_000


def value(name):
    return lambda z: nonlinearity(name).value(z, np)


def squared_slope(name):
    return lambda z: nonlinearity(name).slope(z, np) ** 2


def drawn(few, seed=0):
    """Weights over their norm, and two independent sets of normal numbers behind the gate."""
    rng = np.random.default_rng(seed)
    shape = (DRAWN, few.count)
    weights = rng.uniform(-1, 1, shape) if few.distribution == "uniform" else rng.normal(size=shape)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return weights, rng.normal(size=(2, *shape)) * np.sqrt(few.variance)


def sums(few, weights, normals):
    """Sums of standardised samples."""
    gate = value(few.gate.name)
    every = gate(np.random.default_rng(9).normal(size=4_000_000) * np.sqrt(few.variance))
    return np.sum(weights * (gate(normals) - every.mean()) / every.std(), axis=-1)


def is_near(found, draws):
    """Within 4.5 standard errors: a false alarm in 1 of 100 000, or a bias of 2e-3."""
    error = np.std(draws) / np.sqrt(len(draws))
    assert error < 0.01
    return abs(found - np.mean(draws)) <= 4.5 * error + 2e-3 * abs(np.mean(draws))


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize("count", [1, 2, 3, 9, 25])
@pytest.mark.parametrize("name", ["relu", "tanh", "sin"])
def test_laws_are_those_of_sums_drawn_one_by_one(name, count, distribution):
    few = FewSum(nonlinearity(name), 1.0, count, distribution)
    laws = channel_laws(few)
    weights, normals = drawn(few)
    one, other = (value(name)(sums(few, weights, part)) for part in normals)
    assert is_near(laws.law.expect(lambda z: value(name)(z) ** 2), one**2)
    assert is_near(laws.squared_mean(value(name)), one * other)
    slopes = squared_slope(name)
    before = np.sum(weights**2 * slopes(normals[0]), axis=1)
    both = slopes(sums(few, weights, normals[0])) * before / before.mean()
    assert is_near(laws.seen.expect(slopes), both) or name == "relu"
    assert laws.law.expect(np.square) == pytest.approx(1, abs=2e-3)


def test_normal_samples_in_their_place_are_rejected():
    few = FewSum(nonlinearity("relu"), 1.0, 9, "normal")
    weights, normals = drawn(few)
    one, other = (value("relu")(sums(few, weights, part)) for part in normals)
    assert not is_near(1 / (2 * np.pi), one * other)


def test_sums_of_many_samples_are_normal():
    found = [channel_laws(FewSum(nonlinearity("relu"), 1.0, k, "normal")) for k in (8, 32, 128)]
    off = [1 / (2 * np.pi) - laws.squared_mean(value("relu")) for laws in found]
    assert off[0] > 2 * off[1] > 4 * off[2] > 0


def behind(*layers):
    return signals(Chain([Conv(8, 8, 1), *layers, Identity()], 1), Notes())[-1].parts[0][2]


DEPTHWISE = Conv(8, 8, 3, padding=1, groups=8)


def test_what_images_share_behind_a_depthwise_convolution():
    relu = [BATCH, Activation("relu")]
    laws = channel_laws(FewSum(nonlinearity("relu"), 1.0, 3, "normal"))
    found = behind(*relu, DEPTHWISE, *relu)
    assert found.shared == pytest.approx(laws.squared_mean(value("relu")), rel=1e-9)
    assert found.second == pytest.approx(0.5, rel=1e-3)
    assert found.shared < 0.94 / (2 * np.pi)


def test_normal_samples_add_up_to_normal_ones_behind_a_batch_norm():
    assert not behind(DEPTHWISE).is_normal
    assert behind(DEPTHWISE, BATCH).is_normal
    assert behind(BATCH, Activation("relu"), DEPTHWISE, BATCH, Conv(8, 8, 1)).is_normal


NORMED = [Conv(8, 8, 1), BATCH, Activation("tanh"), DEPTHWISE, BATCH, Activation("tanh")]


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        ([*NORMED, Conv(8, 8, 1), BATCH], None),
        ([*NORMED, DEPTHWISE, BATCH], "sums of few"),
        ([*NORMED, AvgPool(2), Conv(8, 8, 1), BATCH], "what neighbours"),
        ([Conv(8, 8, 1), DEPTHWISE, Activation("tanh"), Conv(8, 8, 1)], "sums of few"),
        ([Conv(8, 8, 1), DEPTHWISE, Activation("relu"), Conv(8, 8, 1)], None),
        ([*NORMED[:3], Conv(8, 8, 3, groups=8, init=[1, 2, 1]), BATCH], "sums of few"),
    ],
)
def test_what_is_not_known_is_noted(layers, reason):
    found = network_erf(Chain(layers, 1))
    assert (found.exactness == "exact") is (reason is None)
    assert reason is None or found.reasons[0].startswith(reason)
