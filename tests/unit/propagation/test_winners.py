"""Gates before max pools: what a window's largest sample says of them, by hand and by integrals."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory import network_erf
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Concat,
    Conv,
    Crop,
    Dropout,
    Graph,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Parallel,
    Residual,
    Split,
)
from erf_theory.network.nodes import INPUT
from erf_theory.propagation.forward import signals
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.winners import WINNERS_ALONE, winners

RELU, BATCH = Activation("relu"), Norm(eps=0)
ONE = Conv(4, 4, 1, init=1 / 4)
BLOCK = [Residual(Chain([ONE, BATCH])), RELU]


def found(*layers, size=2, source=INPUT):
    """What the last layer, a pool, says of the gates before it."""
    network = Chain([ONE, *layers, MaxPool(size)], 1)
    return winners(network, signals(network, Notes()), len(network.nodes) - 1, source)


def ratio(*layers, **more):
    ((_, _, value),) = found(*layers, **more).ratios.parts
    return value


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_a_relu_is_open_unless_all_of_the_window_are_closed(size):
    assert ratio(RELU, size=size) == pytest.approx(2 * (1 - 2.0**-size))


@pytest.mark.parametrize(
    "between",
    [
        Identity(),
        Dropout(0.5, training=False),
        Dropout(0),
        Pad(1),
        Crop(1),
        MaxPool(1, stride=2),
        BATCH,
        Norm("layer"),
        Norm(scale=[1, 2, 3, 4], shift=[0, -1, 0, 2]),
    ],
)
def test_what_keeps_the_order_of_samples_keeps_the_gate_in_sight(between):
    assert ratio(RELU, between) == pytest.approx(1.5)
    assert found(RELU, between).is_known


def test_a_smooth_gate_by_its_integral():
    def slope(z):
        return np.cosh(z) ** -4

    one = quad(lambda z: norm.pdf(z) * slope(z), -9, 9)[0]
    largest = quad(lambda z: 3 * norm.pdf(z) * norm.cdf(z) ** 2 * slope(z), -9, 9)[0]
    assert ratio(Activation("tanh"), size=3) == pytest.approx(largest / one, rel=1e-9)


def test_a_gate_on_a_law_by_its_integral():
    closed = quad(lambda z: norm.pdf(z) * norm.cdf(-z), 0, 9)[0] + 0.25
    known = found(RELU, *BLOCK)
    ((_, _, value),) = known.ratios.parts
    assert value == pytest.approx((1 - closed**2) / (1 - closed), rel=1e-3)
    assert not known.is_known, "the ReLU before the sum depends on the winner, too"


def test_every_range_of_channels_has_its_own_gate():
    branches = Parallel([Chain([ONE, RELU]), Chain([ONE, Activation("abs")]), ONE], "concat")
    values = [(a, b, round(value, 9)) for a, b, value in found(branches).ratios.parts]
    assert values == [(0, 4, 1.5), (4, 8, 1.0), (8, 12, 1.0)]
    kept = found(branches, Split(2, 6)).ratios.parts
    assert [(a, b, round(value, 9)) for a, b, value in kept] == [(0, 2, 1.5), (2, 4, 1.0)]
    shuffled = found(branches, ChannelShuffle(3)).ratios
    assert [round(shuffled.at(channel)[0], 9) for channel in range(6)] == [1.5, 1, 1, 1.5, 1, 1]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([Activation("sin")], False),
        ([Activation("gelu")], False),
        ([RELU, RELU], False),
        ([RELU, AvgPool(2)], False),
        ([RELU, MaxPool(2)], False),
        ([RELU, Dropout(0.5)], False),
        ([RELU, Norm(scale=[1, 1, 1, -1])], False),
        ([Residual(RELU)], False),
        ([Residual(Chain([RELU, ONE]))], True),
        ([RELU, ONE, BATCH], True),
        ([RELU, ONE], True),
        ([Activation("tanh")], True),
    ],
)
def test_what_is_not_known_is_said(layers, expected):
    network = Chain([ONE, RELU, ONE, *layers, MaxPool(2), ONE], 1)
    last = len(network.nodes) - 2
    known = winners(network, signals(network, Notes()), last, INPUT).is_known
    reached = any(reason.startswith(WINNERS_ALONE) for reason in network_erf(network).reasons)
    assert known == expected
    assert reached != expected


def test_gates_up_to_the_source_do_not_count():
    network = Chain({"conv": ONE, "relu": RELU, "same": Identity(), "pool": MaxPool(2)}, 1)
    for source, mass in (("conv", 0.75), ("relu", 1.0), ("same", 1.0)):
        assert network_erf(network, source=source).mass == pytest.approx(mass / 4)


def test_a_relu_that_is_pooled_and_kept_has_a_factor_for_each_way():
    """A U-Net's level: 3/4 of the energy comes through the pool of two, 1/2 beside it."""
    parts = {
        "conv": (Conv(1, 1, 1, init=1), "input"),
        "relu": (RELU, "conv"),
        "pool": (MaxPool(2), "relu"),
        "kept": (MaxPool(1, stride=2), "relu"),
        "both": (Concat(), "pool", "kept"),
        "last": (Conv(2, 1, 1, init=1), "both"),
    }
    erf = network_erf(Graph(parts, ndim=1))
    assert erf.values * erf.mass == pytest.approx([0.75 / 2 + 0.5, 0.75 / 2])
    assert erf.exactness == "exact"
