from fractions import Fraction

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network.weights import LAWS, law, middle

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


@pytest.mark.parametrize("name", [name for name in LAWS if not LAWS[name].is_centred])
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


@pytest.mark.parametrize(
    ("shape", "groups"), [((8, 8, 3), 1), ((4, 12, 4, 3), 1), ((12, 2, 5), 4), ((6, 4, 1), 2)]
)
def test_delta_orthogonal_weights_keep_lengths_on_the_middle_tap(shape, groups):
    orthogonal = law("delta_orthogonal")
    outer, inner = shape[0] // groups, shape[1]
    assert orthogonal.variance(shape, groups) == Fraction(1, max(outer, inner))
    weights = orthogonal.draw(shape, np.random.default_rng(0), groups)
    matrices = weights[(..., *middle(shape[2:]))].reshape(groups, outer, inner)
    assert np.count_nonzero(weights) == matrices.size
    for matrix in matrices:
        small = matrix.T @ matrix if inner <= outer else matrix @ matrix.T
        assert small == pytest.approx(np.eye(min(inner, outer)), abs=1e-12)


def test_delta_orthogonal_matrices_have_no_direction():
    rng, draws = np.random.default_rng(0), 4000
    first = [law("delta_orthogonal").draw((3, 3, 1), rng)[:, :, 0] for _ in range(draws)]
    mean, second = np.mean(first, axis=0), np.mean(np.square(first), axis=0)
    assert np.all(np.abs(mean) < 4.5 * (1 / 3 / draws) ** 0.5), "false alarms: 1 in 15 000"
    assert np.all(np.abs(second - 1 / 3) < 4.5 * (4 / 45 / draws) ** 0.5)


def test_an_unknown_law_is_refused_by_name():
    message = "there is no initialisation 'orthogonal': choose he, xavier, lecun, pytorch, delta"
    with pytest.raises(ErfTheoryError, match=message):
        law("orthogonal")
