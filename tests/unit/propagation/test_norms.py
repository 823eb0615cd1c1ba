"""Norms: their own numbers, and statistics as given, beside random weights."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Norm, Residual
from erf_theory.propagation.laws import mixed
from erf_theory.propagation.norms import norm_factors, normalised
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import Signal, normal

ONE = Conv(2, 2, 1, init=1 / 2)


def of(layer, signal, channels=2):
    """Ranges of channels with the signal behind a norm, and with its factor."""
    before = Pieces.uniform(channels, signal)
    after = {(a, b): s for a, b, s in normalised(layer, before, channels).parts}
    return after, {(a, b): f for a, b, f in norm_factors(layer, before, channels).parts}


def test_scales_and_shifts_of_a_batch_norm():
    layer = Norm(eps=0, scale=[2, 2, -3, 0], shift=[0, 0, 1, 0])
    after, factors = of(layer, normal(5.0, 1.0), 4)
    assert factors == {(0, 2): 1.0, (2, 3): 9 / 4, (3, 4): 0.0}
    one, other, none = after[0, 2], after[2, 3], after[3, 4]
    assert (one.second, one.shared, one.mean, one.is_normal) == (4, 0, 0, True)
    assert (other.second, other.shared, other.mean) == pytest.approx((10, 1, 1))
    assert not other.is_normal
    assert other.law.expect(lambda x: (x - 1) ** 2) == pytest.approx(9, rel=1e-3)
    assert none.second < 1e-300


def test_a_shifted_relu_is_open_as_its_shift_says():
    shift = [0.7, -0.4]
    chain = [ONE, Norm(eps=0, scale=[2, 1], shift=shift), Activation("relu"), ONE]
    erf = network_erf(Chain(chain, 1))
    expected = (4 * norm.cdf(0.7 / 2) + norm.cdf(-0.4)) / 2 / 2
    assert erf.mass == pytest.approx(expected, rel=1e-4)
    assert erf.exactness == "exact"


def test_a_negative_scale_turns_a_law_around():
    relu = Activation("relu")
    after = Norm(eps=0, scale=[-1, -1], shift=[0.5, 0.5])
    erf = network_erf(Chain([ONE, Norm(eps=0), relu, after, relu, ONE], 1))
    centre, std = 1 / np.sqrt(2 * np.pi), np.sqrt(1 / 2 - 1 / (2 * np.pi))
    closed = quad(norm.pdf, 0, centre + 0.5 * std)[0]
    assert erf.mass == pytest.approx((0.5 + closed) / 2 / std**2 / 2, rel=1e-2)


def test_statistics_as_given_are_what_is_taken_away_and_divided_by():
    layer = Norm(eps=0, mean=[1, 1], variance=[4, 4])
    after, factors = of(layer, normal(9.0))
    assert factors == {(0, 2): 1 / 4}
    assert (after[0, 2].second, after[0, 2].mean) == pytest.approx(((9 + 1) / 4, -0.5))


@pytest.mark.parametrize("kind", ["layer", "group", "instance"])
def test_scales_of_other_norms_multiply_their_factors(kind):
    bare, scaled = (of(Norm(kind, 2, scale=s), normal(5.0, 1.0), 4)[1] for s in (None, [3] * 4))
    assert scaled[0, 4] == pytest.approx(9 * bare[0, 4] if (0, 4) in bare else 9 * bare[0, 2])


def test_a_branch_that_starts_at_zero_leaves_the_shortcut_alone():
    zero = Norm(scale=[0, 0])
    block = Residual(Chain([Conv(2, 2, 3, padding=1), zero]))
    erf = network_erf(Chain([ONE, block, ONE], 1))
    assert erf.std == 0
    assert erf.mass == pytest.approx(0.5)
    with pytest.raises(ErfTheoryError, match="the energy is 0 everywhere"):
        network_erf(Chain([ONE, zero, ONE], 1))


def test_lags_of_a_norm_with_numbers():
    signal = Signal(5.0, 1.0, 0.5, lags=(((1,), 3.0),))
    after, _ = of(Norm(eps=0, scale=[2, 2], shift=[1, 1]), signal)
    assert after[0, 2].lags == (((1,), pytest.approx(4 * (3 - 1) / (5 - 1) + 1)),)


def test_the_mean_over_channels():
    found = mixed([(1, normal(4.0, 1.0)), (3, Signal(8.0, 2.0, 1.0))])
    assert (found.second, found.shared, found.mean) == (7, 1.75, 0.75)
