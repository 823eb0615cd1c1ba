from fractions import Fraction

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network.weights import LAWS, law

SHAPES = {
    (64, 32): (32, 64),
    (64, 32, 3): (96, 192),
    (64, 32, 3, 5): (480, 960),
    (6, 1, 2, 2, 2): (8, 48),
}


@pytest.mark.parametrize(("shape", "fans"), SHAPES.items())
def test_variances_come_from_the_fans(shape, fans):
    fan_in, fan_out = fans
    assert law("he").variance(shape) == Fraction(2, fan_in)
    assert law("xavier").variance(shape) == Fraction(2, fan_in + fan_out)
    assert law("lecun").variance(shape) == Fraction(1, fan_in)
    assert law("pytorch").variance(shape) == Fraction(1, 3 * fan_in)


@pytest.mark.parametrize("name", LAWS)
def test_drawn_weights_have_the_law_s_distribution(name):
    from scipy.stats import kstest, norm, uniform

    shape = (40, 20, 5)
    std = float(LAWS[name].variance(shape)) ** 0.5
    half = 3**0.5 * std
    laws = {"normal": norm(0, std), "uniform": uniform(-half, 2 * half)}
    weights = law(name).draw(shape, np.random.default_rng(0))
    assert weights.shape == shape
    own, other = laws.pop(LAWS[name].distribution), *laws.values()
    assert kstest(weights.ravel(), own.cdf).pvalue > 0.001, "false alarms: 1 in 1000 per law"
    assert kstest(weights.ravel(), other.cdf).pvalue < 1e-6


def test_an_unknown_law_is_refused_by_name():
    message = "there is no initialisation 'orthogonal': choose he, xavier, lecun, pytorch"
    with pytest.raises(ErfTheoryError, match=message):
        law("orthogonal")
