"""Ladders of stretched layers, and their limits, against the maps themselves."""

from fractions import Fraction
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import network_erf, theoretical_erf, zoo
from erf_theory.gaussian.geometric import geometric
from erf_theory.gaussian.layers import Layer, layers_of
from erf_theory.kernel import Kernel
from erf_theory.network import Chain, Conv, Identity, Residual

TAPS = st.lists(st.integers(0, 5), min_size=2, max_size=6).filter(lambda t: t[0] and t[-1])


def ladder(kernel, ratio, levels=3):
    taps = kernel if isinstance(kernel, list) else [1] * kernel
    found = geometric(layers_of(theoretical_erf(None, levels, kernel=taps, stride=ratio)))
    assert (found.ratio, found.levels) == (ratio, levels)
    return found


def dilated(k, dilations):
    return network_erf(Chain([Conv(4, 4, k, dilation=d) for d in dilations], ndim=1))


def stern(n):
    """Stern's diatomic sequence."""
    half = n // 2
    return n if n < 2 else stern(half) + (stern(half + 1) if n % 2 else 0)


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("levels", [3, 4, 6])
def test_dilations_that_are_powers_of_k_are_exactly_uniform(k, levels):
    assert ladder(k, k, levels).name == "uniform"
    numerators, _ = theoretical_erf(k, levels, stride=k).exact()
    assert numerators.tolist() == [1] * k**levels


def test_three_taps_and_doubled_dilations_are_sterns_numbers():
    found = ladder(3, 2, 7)
    assert found.name == "the law of Stern's diatomic numbers"
    assert (found.has_density, found.has_gaps, found.width) == (False, False, 4.0)
    numerators, _ = theoretical_erf(3, 7, stride=2).exact()
    assert numerators.tolist()[: 2**7] == [stern(t + 1) for t in range(2**7)]


@given(TAPS, st.integers(2, 5))
def test_cumulants_are_those_of_many_levels(taps, ratio):
    found, levels = ladder(taps, ratio), 12
    erf = theoretical_erf(None, levels, kernel=taps, stride=ratio)
    unit = found.step * ratio ** (levels - 1)
    for r in (2, 3, 4):
        far = Fraction(erf.cumulant(r)) / unit**r
        assert far == found.cumulant(r) * (1 - Fraction(1, ratio ** (r * levels)))


@given(TAPS, st.integers(2, 5))
def test_a_density_where_the_characteristic_function_vanishes_at_all_periods(taps, ratio):
    found = ladder(taps, ratio)
    j = np.arange(1, 200)
    values = np.prod(
        [found.kernel.transfer(2 * np.pi * j / ratio**i) for i in range(1, 30)], axis=0
    )
    assert found.has_density == (np.max(abs(values)) < 1e-9)


@given(TAPS, st.integers(2, 7))
def test_gaps_stay_open_in_the_support(taps, ratio):
    found, levels = ladder(taps, ratio), 5
    places = np.zeros(1)
    for i in range(levels):
        held = np.flatnonzero(found.kernel.taps) / ratio**i
        places = np.unique(np.round(np.add.outer(places, held).ravel(), 9))
    rest = found.width / ratio**levels
    assert found.has_gaps == bool(np.max(np.diff(places)) > rest + 1e-6)
    assert places[-1] + rest == pytest.approx(found.width)


def test_cantors_set():
    found = ladder(2, 3)
    assert found.has_gaps
    assert found.dimension == pytest.approx(log(2) / log(3))
    assert "Cantor set of dimension 0.631" in str(found)
    assert ladder(3, 2).dimension is None


def test_repeated_ladders_are_sums_of_uniforms():
    found = geometric(layers_of(dilated(2, [2**i for i in range(10)] * 3)))
    assert (found.name, found.copies, found.uniforms) == ("Irwin-Hall 3", 3, 3)
    assert found.excess_kurtosis == Fraction(-6, 5) / 3
    assert ladder([1, 2, 1], 2).name == "Irwin-Hall 2"
    assert ladder([1, 3, 3, 1], 2).name == "Irwin-Hall 3"


def test_the_order_of_the_layers_does_not_matter():
    one, other = ([16, 1, 8, 2, 4], [1, 2, 4, 8, 16])
    assert geometric(layers_of(dilated(3, one))) == geometric(layers_of(dilated(3, other)))


def test_ratios_may_be_fractions():
    found = geometric(layers_of(dilated(3, [4, 6, 9])))
    assert (found.ratio, found.step, found.has_density) == (Fraction(3, 2), 4, None)
    assert str(found) == "a self-similar law"


def test_dilated_residual_blocks_are_a_ladder():
    blocks = [Residual(Conv(4, 4, 3, dilation=2**i), Identity()) for i in range(6)]
    found = geometric(layers_of(network_erf(Chain(blocks, ndim=1))))
    assert (found.ratio, found.levels, found.uniforms) == (2, 6, None)


@pytest.mark.parametrize(
    "dilations", [[1] * 5, [1, 2], [1, 2, 3, 4], [1, 2, 4, 4, 8], [1, 2, 4, 16]]
)
def test_what_is_no_ladder(dilations):
    assert geometric(layers_of(dilated(3, dilations))) is None


def test_a_pyramid_of_different_layers_is_no_ladder():
    assert geometric(layers_of(network_erf(zoo.vgg16(), ndim=1))) is None


def test_levels_too_long_are_not_multiplied_out():
    third = Kernel.uniform(3) * Fraction(1, 3)
    found = geometric([Layer(third, 2**i, 5000) for i in range(4)])
    assert (found.kernel, found.has_density, found.has_gaps, found.dimension) == (None,) * 4
    assert found.cumulant(2) == 5000 * Fraction(2, 3) / Fraction(3, 4)
