import numpy as np
import pytest

from erf_theory.empirical.layers import draw, forward
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv
from erf_theory.network.geometry import regions
from erf_theory.propagation.signal import Signal, after, signals

CHAINS = {
    "relu": ("relu", "he"),
    "linear": ("linear", "lecun"),
    "tanh": ("tanh", "xavier"),
    "gelu": ("gelu", "he"),
}


def test_a_convolution_multiplies_by_its_fan_in_times_its_variance():
    assert after(Conv(8, 4, 3, init=2), Signal(3.0), 1) == Signal(8 * 3 * 2 * 3.0)
    assert after(Conv(8, 4, 3, groups=4, init=2), Signal(3.0), 2) == Signal(2 * 9 * 2 * 3.0)
    assert after(Conv(8, 4, 3, init=[1, 0, 2]), Signal(1.0), 1) == Signal(24.0)
    assert after(Conv(6, 4, 5, init="lecun"), Signal(7.0), 3).second_moment == pytest.approx(7)


def test_the_signals_stand_before_their_layers():
    chain = Chain([Conv(4, 4, 3), Activation("relu"), Conv(4, 4, 3, init=1)], 1)
    assert [signal.second_moment for signal in signals(chain)] == [1.0, 2.0, 1.0]
    assert signals(Chain([Activation("relu")])) == (Signal(1.0),)


@pytest.mark.parametrize(("activation", "init"), CHAINS.values(), ids=CHAINS)
def test_a_wide_network_has_these_second_moments(activation, init):
    layers = [Conv(64, 64, 3, init=init), Activation(activation)] * 2
    network = Chain([*layers, Conv(64, 64, 3)], 1)
    boxes, squares = regions(network), []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, row = rng.standard_normal((1, 64, *boxes[0].shape)), []
        for layer, region in zip(network.layers, boxes[1:], strict=True):
            row.append(np.mean(x**2))
            w = draw(layer, 1, rng)
            x, _ = forward(layer, x, None if w is None else w[None], region, np)
        squares.append(row)
    expected = [signal.second_moment for signal in signals(network)]
    error = np.std(squares, axis=0, ddof=1) / len(squares) ** 0.5
    off = np.abs(np.mean(squares, axis=0) - expected)
    assert np.all(off <= 4.5 * error), "false alarms: 1 in 10 000 per chain"
    assert np.all(error <= 0.035 * np.array(expected)), "power: 25 % off is seen, 99 in 100"


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="no signal is known behind a layer of type Unknown"):
        after(unknown_layer, Signal(1.0), 1)
