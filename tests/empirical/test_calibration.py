"""The p-value of a whole map: uniform where the theory is true, small where it is not."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import binom, kstest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.network import Activation, Chain, Conv
from erf_theory.verdict.agreement import crosscheck

SAMPLES = 100
STACKS = {
    "relu": ("relu", 4, 32),
    "gelu": ("gelu", 4, 32),
    "narrow linear": ("linear", 4, 4),
    "narrow relu": ("relu", 4, 8),
}


def stack(activation, layers, width, *, stride=1, **more):
    """Convolutions with 3 taps, or as told, and activations between them."""
    conv = Conv(width, width, **{"size": 3, "padding": 1} | more)
    first = Conv(width, width, **{"size": 3, "padding": 1, "stride": stride} | more)
    between = [] if activation == "linear" else [Activation(activation)]
    return Chain([first, *[*between, conv] * (layers - 1)], 1)


FALSE = {
    "wrong kernel size": lambda *given: stack(*given, size=5, padding=2),
    "wrong stride": lambda *given: stack(*given, stride=2),
}
MORE = {"relu": 0.01, "gelu": 0.01, "narrow relu": 0.1, "narrow linear": 0.2}
"""Median p-value to stay below with 10 % more variance: narrow networks vary more."""


@cache
def found(name, trials):
    """Experiments on the same stack, with seeds 0, 1, ..."""
    network = stack(*STACKS[name])
    return [measure_erf(network, samples=SAMPLES, rng=seed) for seed in range(trials)]


def verdicts(theory, name, trials):
    erf = network_erf(theory)
    return [crosscheck(erf, one) for one in found(name, trials)]


@pytest.mark.parametrize("name", STACKS)
def test_p_is_uniform_under_the_truth(name, times):
    trials = times(40, 400)
    truth = verdicts(stack(*STACKS[name]), name, trials)
    assert kstest([one.p_value for one in truth], "uniform").pvalue > 1e-3, "alarms: 1 in 1000"
    alarms = sum(not one.agrees for one in truth)
    assert alarms <= binom.isf(1e-3, trials, 0.01), "a true rate of 1 % fails once in 1000"
    below = sum(one.variation.value < one.variation.bound for one in truth)
    assert below >= binom.ppf(1e-3, trials, 0.93), "19 in 20, and heavy tails"


@pytest.mark.parametrize("claim", FALSE)
@pytest.mark.parametrize("name", STACKS)
def test_another_shape_is_always_rejected(name, claim, times):
    false = verdicts(FALSE[claim](*STACKS[name]), name, times(20, 100))
    assert max(one.p_value for one in false) < 0.01
    assert np.median([one.p_value for one in false]) < 1e-6


@pytest.mark.parametrize("name", STACKS)
def test_10_percent_more_variance_is_seen(name, times):
    activation, layers, width = STACKS[name]
    theory = stack(activation, layers, width, init=2.2 / (3 * width))
    false = verdicts(theory, name, times(20, 100))
    assert np.median([one.p_value for one in false]) < MORE[name]


@pytest.mark.parametrize("name", STACKS)
def test_the_intervals_hold_the_truth(name, times):
    trials = times(40, 400)
    truth = verdicts(stack(*STACKS[name]), name, trials)
    for ratio in ("mass_ratio", "std_ratio"):
        held = sum(low < 1 < high for _, low, high in (getattr(one, ratio) for one in truth))
        assert held >= binom.ppf(1e-3, trials, 0.92), "nearly 19 in 20, at narrow width"
