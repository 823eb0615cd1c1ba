from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines import saddle
from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel
from tests.laws.programs import POSITIVE, programs
from tests.laws.twin import Paths

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))


def tilted(values, start, theta):
    """log Σ g e^{θ(x - start)}, and the mean and the variance of the tilted map, to 50 digits."""
    with mpmath.workdps(50):
        weights = {
            x - start: mpmath.mpf(v.numerator) / v.denominator * mpmath.exp(theta * (x - start))
            for x, v in values.items()
        }
        total = mpmath.fsum(weights.values())
        mean = mpmath.fsum(w * x for x, w in weights.items()) / total
        variance = mpmath.fsum(w * (x - mean) ** 2 for x, w in weights.items()) / total
        return mpmath.log(total), mean, variance


def values_of(program):
    return {x: Fraction(v) for (_, (x,)), v in program(Paths.impulse(1)).values.items() if v}


def assert_tilted(program, thetas):
    found = saddle.run(program, np.array(thetas), int(extent_of(program, 1).rate[0]))
    values = values_of(program)
    reach = max(abs(x - found.start) for x in values)
    assert found.theta == pytest.approx(thetas, rel=1e-15)
    for i, theta in enumerate(thetas):
        value, mean, variance = tilted(values, found.start, theta)
        slack = 1e-13 * (1 + abs(theta) * reach)
        assert found.value[i] == pytest.approx(float(value), rel=1e-13, abs=slack)
        assert found.mean[i] == pytest.approx(float(mean), rel=1e-12, abs=slack * reach)
        assert found.variance[i] == pytest.approx(float(variance), rel=1e-11, abs=slack * reach**2)


@given(programs(POSITIVE, 1, decimate=False), st.floats(-3, 3))
def test_programs_are_tilted_as_their_maps_are(program, theta):
    if values_of(program):
        try:
            assert_tilted(program, [theta, 0.0])
        except EngineError as refusal:
            assert "0 everywhere" in str(refusal)  # noqa: PT017


@pytest.mark.parametrize("theta", [-700.0, -20.0, 20.0, 700.0])
def test_far_circles_stay_finite(theta):
    def program(field):
        field = field.convolve(SKEW, 2, 20).expand(3)
        return field + field.convolve(BOX, 1, 10)

    assert_tilted(program, [theta])


@pytest.mark.parametrize("exponent", [-5000, -900, 900, 5000])
def test_branches_of_any_two_sizes_add(exponent):
    def program(field):
        return field.convolve(SKEW) + field.convolve(BOX, 4, 2).scale(Fraction(2) ** exponent)

    assert_tilted(program, [-1.0, 0.0, 0.5])


def test_circles_in_any_shape():
    theta = np.linspace(-1, 1, 6)
    flat = saddle.run(lambda f: f.convolve(SKEW, 1, 9), theta)
    square = saddle.run(lambda f: f.convolve(SKEW, 1, 9), theta.reshape(2, 3))
    for name in ("value", "mean", "variance"):
        assert np.array_equal(getattr(square, name).ravel(), getattr(flat, name))


def test_derivatives_are_those_of_the_value():
    def program(field):
        return (field.convolve(SKEW, 2, 7) + field.convolve(BOX, 5)).expand(2).convolve(SKEW)

    theta, h = np.linspace(-0.5, 0.5, 5), 1e-4
    low, at, high = (saddle.run(program, theta + shift, 2) for shift in (-h, 0, h))
    assert (high.value - low.value) / (2 * h) == pytest.approx(at.mean, rel=1e-5)
    assert (high.mean - low.mean) / (2 * h) == pytest.approx(at.variance, rel=1e-5)


def network(field):
    branch = field.convolve(SKEW, 2, 3).scale(Fraction(1, 7))
    field = (field + branch).expand(3).convolve(Kernel([4, 0, 1]), 1, 2)
    return field + field.convolve(BOX, 5)


@pytest.mark.parametrize("theta", [-7.0, -0.3, 0.0, 0.02, 4.0])
def test_saddles_are_derivatives_of_the_logarithm(theta):
    found = saddle.run(network, np.array([theta]), 3)
    values = {x[0]: value for (_, x), value in network(Paths.impulse(1)).values.items()}

    def log_sum(s):
        terms = (
            mpmath.mpf(v.numerator) / v.denominator * mpmath.exp(s * (x - found.start))
            for x, v in values.items()
        )
        return mpmath.log(mpmath.fsum(terms))

    with mpmath.workdps(40):
        for order, name in enumerate(("value", "mean", "variance")):
            exact = mpmath.diff(log_sum, mpmath.mpf(theta), order)
            assert getattr(found, name)[0] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
