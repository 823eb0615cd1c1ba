"""Moments of the largest of several normal samples against scipy's integrals."""

import numpy as np
import pytest
from scipy.integrate import quad, trapezoid
from scipy.stats import norm

from erf_theory.activations import nonlinearity
from erf_theory.propagation.pooled import pooled

RELU, TANH, LINEAR = (nonlinearity(name) for name in ("relu", "tanh", "identity"))


def largest(function, second, shared, places):
    """E of a function of a largest sample, and its product for two images that share a part."""
    base, own = shared**0.5, (second - shared) ** 0.5

    def given(common):
        return quad(
            lambda u: (
                function(base * common + own * u)
                * places
                * norm.pdf(u)
                * norm.cdf(u) ** (places - 1)
            ),
            -9,
            9,
            points=[np.clip(-base * common / own, -9, 9)],
            limit=200,
        )[0]

    if shared == 0:
        return given(0.0), given(0.0) ** 2
    common = np.linspace(-8, 8, 49)
    means = np.array([given(z) for z in common])
    return tuple(trapezoid(norm.pdf(common) * means**power, common) for power in (1, 2))


@pytest.mark.parametrize("gate", [RELU, TANH, LINEAR], ids=lambda gate: gate.name)
@pytest.mark.parametrize("places", [2, 9])
@pytest.mark.parametrize(("second", "shared"), [(1.0, 0.0), (2.5, 0.0), (2.0, 0.7)])
def test_moments_are_integrals(gate, places, second, shared):
    found = pooled(gate, second, shared, places)

    def value(x):
        return gate.value(np.asarray(x), np)

    mean, product = largest(value, second, shared, places)
    assert found.mean == pytest.approx(mean, rel=1e-8, abs=1e-9)
    assert found.shared == pytest.approx(product, rel=1e-8, abs=1e-9)
    squares, _ = largest(lambda x: value(x) ** 2, second, shared, places)
    slopes, _ = largest(lambda x: gate.slope(np.asarray(x), np) ** 2, second, shared, places)
    assert found.second == pytest.approx(squares, rel=1e-8)
    assert found.slope == pytest.approx(slopes, rel=1e-8)


@pytest.mark.parametrize("places", [1, 2, 4, 9, 16])
def test_the_gate_of_a_relu_before_a_pool_is_open_unless_all_are_closed(places):
    assert pooled(RELU, 3.0, 0.0, places).slope == pytest.approx(1 - 2.0**-places, abs=1e-12)


@pytest.mark.parametrize("correlation", [0, 0.25, 0.9, 1])
def test_one_place_is_the_activation_alone(correlation):
    found = pooled(RELU, 2.0, 2.0 * correlation, 1)
    assert found.second == pytest.approx(RELU.second_moment(2.0).value, rel=1e-12)
    assert found.mean == pytest.approx(RELU.mean(2.0).value, rel=1e-12)
    assert found.shared == pytest.approx(RELU.product(2.0, correlation).value, rel=1e-12)
    assert found.slope == pytest.approx(0.5, rel=1e-12)


def test_four_places_with_half_their_signal_in_common_are_all_closed_in_a_fifth_of_cases():
    assert pooled(RELU, 3.0, 1.5, 4).slope == pytest.approx(0.8, rel=1e-12)


def test_known_means_of_the_largest():
    assert pooled(LINEAR, 1.0, 0.0, 2).mean == pytest.approx(np.pi**-0.5, rel=1e-12)
    assert pooled(LINEAR, 1.0, 0.0, 3).mean == pytest.approx(1.5 * np.pi**-0.5, rel=1e-12)
    assert pooled(LINEAR, 1.0, 1.0, 3).mean == pytest.approx(0, abs=1e-12)
