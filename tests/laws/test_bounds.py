"""Bounds that are theorems hold on random stacks: 500 of them, 10 000 with --thorough."""

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erf_theory import berry_esseen, chernoff, sub_gaussian_tail
from erf_theory.erf import ERF
from erf_theory.gaussian.bounds import lyapunov
from erf_theory.gaussian.layers import layers_of
from erf_theory.kernel import Kernel
from erf_theory.maps import ProgramMap

MANY = 10 * settings().max_examples
TAPS = st.lists(st.integers(0, 20), min_size=2, max_size=6).filter(lambda t: sum(map(bool, t)) > 1)
LAYERS = st.lists(st.tuples(TAPS, st.integers(1, 4), st.integers(1, 12)), min_size=1, max_size=4)
ROUNDING = 1e-9


def stack(layers):
    """The map of layers (taps, dilation, times) in a row."""

    def backward(field):
        for taps, dilation, times in layers:
            field = field.convolve(Kernel(taps), dilation, times)
        return field

    return ERF((ProgramMap(backward, 1),), "amplitude", "a random stack")


@settings(max_examples=MANY)
@given(LAYERS)
def test_berry_and_esseen(layers):
    found = berry_esseen(stack(layers))
    assert found.actual <= found.bound
    assert found.lyapunov >= found.layers**-0.5 * (1 - ROUNDING)


@settings(max_examples=MANY)
@given(LAYERS, st.floats(0.05, 1.1))
def test_tails(layers, share):
    erf = stack(layers)
    right = erf.frame[0][1] - 0.5 - erf.mean[0]
    both = sub_gaussian_tail(erf, share * right)
    assert both.log_actual <= both.log_bound + ROUNDING
    for t in (share * right, -share * right):
        one = chernoff(erf, t)
        slack = ROUNDING * max(1, abs(one.log_bound)) if one.bound else 0
        assert one.log_actual <= one.log_bound + slack
        assert both.log_bound == 0 or one.log_bound <= both.log_bound - log(2) + ROUNDING


def test_the_laws_can_fail():
    """Negative control: half of Berry and Esseen's bound is false for coins."""
    coins = [berry_esseen(stack([([1, 1], 1, n)])) for n in (50, 100, 150)]
    assert all(found.actual > 0.5 * found.bound for found in coins)
    assert lyapunov(layers_of(stack([([1, 1], 1, 100)]))) == pytest.approx(np.sqrt(1 / 100))
