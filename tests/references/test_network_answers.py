"""Answers that are known from elsewhere, asked of networks with channels, activations and skips."""

from fractions import Fraction
from math import comb, log

import numpy as np
import pytest

from erf_theory import network_erf, zoo
from erf_theory.network import Activation, Chain, Conv, Residual

WIDE = 16


def dilated(k, dilations, ndim):
    """A network of random weights with these dilations, its activations in between."""
    layers = []
    for place, dilation in enumerate(dilations):
        channels = WIDE if place else 3
        layers += [Conv(channels, WIDE, k, dilation=dilation), Activation("relu")]
    return Chain(layers, ndim)


@pytest.mark.parametrize("ndim", [1, 2])
@pytest.mark.parametrize(("k", "n"), [(2, 8), (3, 5), (5, 3)])
def test_dilations_in_powers_of_k_are_exactly_uniform(k, n, ndim):
    erf = network_erf(dilated(k, [k**p for p in range(n)], ndim))
    numerators, denominator = erf.exact()
    assert numerators.shape == (k**n,) * ndim
    assert set(numerators.flat) == {1}
    assert denominator == k ** (n * ndim)
    assert np.ptp(erf.values) == 0
    assert erf.exactness == "exact"


def stern(n):
    """Stern's diatomic numbers a(1) to a(n): A002487."""
    found = [0, 1]
    for i in range(1, n):
        found.append(found[i])
        found.append(found[i] + found[i + 1])
    return found[1 : n + 1]


@pytest.mark.parametrize("n", [1, 4, 7])
def test_dilations_in_powers_of_two_with_three_taps_give_sterns_numbers(n):
    network = dilated(3, [2**p for p in range(n)], 1)
    numerators, denominator = network_erf(network).exact()
    half = stern(2**n)
    assert numerators.tolist() == half + half[-2::-1]
    assert denominator == 3**n
    square = Chain(network.parts, 2)
    assert np.array_equal(network_erf(square).exact()[0], np.multiply.outer(numerators, numerators))


def test_wavenet_without_its_skips_is_uniform_but_for_its_first_convolution():
    convs = [node.layer for node in zoo.wavenet().nodes if node.name.startswith("gate")]
    ten = [layer for layer in convs if isinstance(layer, Conv)][:10]
    assert np.ptp(network_erf(Chain(ten, 1)).values) == 0


def steps(n, gain, ndim=1, *, gated=True):
    """Residual blocks whose branches move the gradient by one place: positions are path lengths.

    The energy of every branch is ``gain`` times that of its shortcut.
    """
    variance = Fraction(gain) / WIDE * (2 if gated else 1)
    taps = np.full((2,) * ndim, Fraction(0))
    taps[(1,) * ndim] = variance
    conv = Conv(WIDE, WIDE, 2, padding=((0, 1),) * ndim, init=taps)
    body = Chain([Activation("relu"), conv]) if gated else conv
    return Chain([Residual(body)] * n, ndim)


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("gain", [1, Fraction(1, 3), Fraction(5, 2)])
def test_the_lengths_of_a_residual_networks_paths_are_binomial(gain, gated):
    """Veit, Wilber and Belongie 2016; with energies, Binomial(n, r/(1 + r))."""
    n = 12
    erf = network_erf(steps(n, gain, gated=gated))
    weights = [comb(n, length) * gain**length for length in range(n + 1)]
    expected = [w / Fraction(sum(weights)) for w in weights]
    assert erf.values == pytest.approx([float(x) for x in expected], rel=1e-14)
    if not gated:
        numerators, denominator = erf.exact()
        assert [Fraction(x, denominator) for x in numerators] == expected
    share = gain / (1 + gain)
    assert erf.factors[0].cumulant(1, 0) == pytest.approx(float(n * share), rel=1e-14)
    assert erf.cumulant(2) == pytest.approx(float(n * share * (1 - share)), rel=1e-13)
    assert erf.log_mass == pytest.approx(n * log(1 + gain) - log(WIDE), rel=1e-14)


def test_nearly_all_of_54_blocks_paths_are_19_to_35_branches_long():
    """The published number: more than 95 % of the paths of ResNet-110."""
    numerators, denominator = network_erf(steps(54, 1)).exact()
    assert numerators.tolist() == [comb(54, length) for length in range(55)]
    assert sum(numerators[19:36]) / denominator > 0.95
    assert sum(numerators[20:35]) / denominator < 0.98


def test_lengths_of_paths_on_the_diagonal_of_a_plane():
    erf = network_erf(steps(6, 1, 2))
    assert erf.exact()[0].tolist() == np.diag([comb(6, length) for length in range(7)]).tolist()


def test_the_variance_of_a_residual_network_with_two_convolutions_in_its_branches():
    """n·q_b·r/(1 + r)·(k² - 1)/12, where r is the energy of a branch."""
    gain, n, k = Fraction(1, 4), 9, 5
    conv = Conv(WIDE, WIDE, k, padding=2, init=Fraction(1, 2 * WIDE * k))
    branch = Chain([conv, conv])
    assert network_erf(Chain([Residual(branch)] * n, 1)).cumulant(2) == (
        n * 2 * gain / (1 + gain) * Fraction(k**2 - 1, 12)
    )
