"""Layers in lowest terms: what is equal is one entry, whatever it was written as."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import theoretical_erf, variance_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.layers import Layer, is_same_law, layers_of, reduced, total_cumulant
from erf_theory.kernel import Kernel

TAPS = st.lists(st.integers(0, 9), min_size=2, max_size=7).filter(
    lambda taps: sum(map(bool, taps)) > 1
)


@given(TAPS, st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))
def test_the_layers_are_the_map(taps, n, dilation, stride):
    erf = theoretical_erf(None, n, kernel=taps, dilation=dilation, stride=stride)
    layers = layers_of(erf)
    assert sum(layer.times for layer in layers) == n
    for r in (2, 3, 4, 5):
        assert total_cumulant(layers, r) == erf.cumulant(r)


@given(TAPS, st.integers(1, 6), st.integers(1, 9))
def test_lowest_terms(taps, span, mass):
    written = (Kernel(taps) * mass).dilate(span)
    [layer] = layers_of(theoretical_erf(None, 3, kernel=written))
    line, own = reduced(Kernel(taps))
    assert (layer.step, layer.times) == (span * own, 3)
    assert layer.law == line * Fraction(1, line.mass)
    assert layer.law.mass == 1


@given(TAPS)
def test_third_absolute_moment_by_its_definition(taps):
    line, _ = reduced(Kernel(taps))
    layer = Layer(line * Fraction(1, line.mass), 5, 4)
    places = np.arange(line.shape[0])
    law = np.array(line.taps, dtype=float) / float(line.mass)
    third = law @ abs(places - law @ places) ** 3
    assert float(layer.absolute_third) == pytest.approx(third, rel=1e-12)
    assert float(layer.third) == pytest.approx(4 * 125 * third, rel=1e-12)
    assert layer.reach == 20 * places[-1]


def test_a_single_tap_does_not_spread():
    assert layers_of(theoretical_erf(1, 5)) == ()
    assert reduced(Kernel([0, 7, 0])) == (Kernel([7]), 0)


def test_float_laws_are_equal_but_for_rounding():
    third = Kernel.uniform(3) * Fraction(1, 3)
    assert is_same_law(third, Kernel([0.3, 0.3, 0.3]) * (1 / 0.9))
    assert not is_same_law(third, Kernel([0.3333, 0.3334, 0.3333]))
    assert not is_same_law(third, Kernel.uniform(2))
    [layer] = layers_of(variance_erf(3, 20, weight_variance=0.1))
    assert layer.times == 20


def test_signs_are_no_law():
    with pytest.raises(ErfTheoryError, match="have signs and are the law of nothing"):
        layers_of(theoretical_erf(None, 2, kernel=[1, -1, 3]))
