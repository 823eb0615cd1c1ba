"""Laws on a grid against scipy's distributions and integrals."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory.propagation.tabled import tabled_normal


def relu(x):
    return np.maximum(x, 0)


def moments(law):
    return law.expect(lambda x: x), law.expect(np.square)


@pytest.mark.parametrize("variance", [1e-6, 1.0, 300.0])
def test_a_normal_law_has_its_moments(variance):
    law = tabled_normal(variance)
    assert np.sum(law.shares) == pytest.approx(1, abs=1e-14)
    assert law.expect(lambda x: x) == pytest.approx(0, abs=1e-12 * variance**0.5)
    sheppard = variance + law.step**2 / 12
    assert law.expect(np.square) == pytest.approx(sheppard, rel=1e-9)
    below = np.sum(law.shares[law.places <= 0.5 * variance**0.5])
    edge = law.places[law.places <= 0.5 * variance**0.5][-1] + law.step / 2
    assert below == pytest.approx(norm.cdf(edge / variance**0.5), abs=1e-12)


@pytest.mark.parametrize("variance", [0.3, 1.0, 5.0])
def test_a_function_of_a_normal_number(variance):
    mean, second = moments(tabled_normal(variance).mapped(relu))
    assert mean == pytest.approx((variance / (2 * np.pi)) ** 0.5, rel=2e-4)
    assert second == pytest.approx(variance / 2, rel=2e-4)


def test_a_sum_with_an_independent_normal_number_is_the_convolution():
    law = tabled_normal(1.0).mapped(relu).plus(tabled_normal(0.5))
    mean, second = moments(law)
    assert mean == pytest.approx(1 / (2 * np.pi) ** 0.5, rel=2e-4)
    assert second == pytest.approx(0.5 + 0.5, rel=2e-4)
    again, _ = moments(law.mapped(relu))

    def density(x):
        """Of relu(z) + w: a normal one with weight 1/2, and a convolution for z > 0."""
        inner = quad(lambda z: norm.pdf(z) * norm.pdf(x - z, scale=0.5**0.5), 0, 12)[0]
        return norm.pdf(x, scale=0.5**0.5) / 2 + inner

    assert again == pytest.approx(quad(lambda x: x * density(x), 0, 12)[0], rel=2e-4)


def test_scaled_and_shifted():
    law = tabled_normal(1.0).mapped(relu)
    mean, second = moments(law)
    found = moments(law.scaled(2.0, 0.25))
    assert found[0] == pytest.approx(2 * (mean - 0.25))
    assert found[1] == pytest.approx(4 * (second - 0.5 * mean + 0.0625))


@pytest.mark.parametrize("places", [1, 2, 9])
def test_the_largest_of_several(places):
    law = tabled_normal(1.0).largest(places)

    def expected(power):
        return quad(lambda x: x**power * places * norm.pdf(x) * norm.cdf(x) ** (places - 1), -9, 9)[
            0
        ]

    mean, second = moments(law)
    assert np.sum(law.shares) == pytest.approx(1)
    assert mean == pytest.approx(expected(1), abs=0.6 * law.step)
    assert second == pytest.approx(expected(2), abs=1.2 * law.step * max(1, expected(1)))


def test_trimming_leaves_what_counts():
    law = tabled_normal(1.0).mapped(relu)
    low, high = law.places[0], law.places[-1]
    assert law.trimmed().low >= low
    assert law.trimmed().places[-1] <= high
    assert np.sum(law.trimmed().shares) == pytest.approx(1, abs=1e-15)
