"""Moments of every activation: against mpmath, against each other, and at their limits."""

import copy
import pickle
from math import sqrt

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.activations import Moment, nonlinearity
from erf_theory.errors import ErfTheoryError
from tests.unit.activations.definitions import DEFINITIONS, derivative, gaussian, smooth_pair

NAMES = sorted(set(DEFINITIONS) - {"linear", "swish"})
ANALYTIC = ["erf", "gelu", "gelu_tanh", "mish", "sigmoid", "silu", "sin", "softplus", "tanh"]
LAWS = [(1.0, 0.0), (1e-12, 0.0), (1e6, 0.0), (0.7, -1.3)]


def squared(function):
    return lambda z: function(z) ** 2


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("q", "mean"), LAWS)
def test_one_variable_against_mpmath(name, q, mean):
    function, kinks = DEFINITIONS[name]
    activation = nonlinearity(name)
    truths = {
        "mean": gaussian(function, kinks, q, mean),
        "second_moment": gaussian(squared(function), kinks, q, mean),
    }
    if name != "sin" or q < 100:
        truths["slope_second_moment"] = gaussian(squared(derivative(name)), kinks, q, mean)
    else:
        truths = {"slope_second_moment": mp.mpf(1) / 2}
    for part, truth in truths.items():
        value, error = getattr(activation, part)(q, mean=mean)
        size = sqrt(q) + abs(mean) if part == "mean" else abs(truth)
        assert abs(value - truth) <= error + 4e-15 * size, part
        assert error <= 1e-12 * max(size, abs(truth)), part


@pytest.mark.parametrize("name", ANALYTIC)
@pytest.mark.parametrize("c", [-1.0, -0.8, 0.0, 0.4, 0.99, 0.999999])
@pytest.mark.parametrize("q", [1e-6, 0.3, 1.0])
def test_pairs_of_smooth_functions_against_sums(name, c, q):
    activation = nonlinearity(name)
    for moment, part in (
        (activation.product(q, c), activation.value),
        (activation.slope_product(q, c), activation.slope),
    ):
        truth = smooth_pair(lambda z, part=part: part(z, np), q, c)
        size = smooth_pair(lambda z, part=part: abs(part(z, np)), q, abs(c))
        assert abs(moment.value - truth) <= moment.error + 1e-13 * size
        assert moment.error <= 1e-8 * size


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("q", "mean"), [(1.0, 0.0), (2.5, 0.8), (0.04, -0.1)])
@pytest.mark.parametrize("c", [-0.9, 0.0, 0.7])
def test_prices_theorem(name, q, mean, c):
    """d/dc E σ(z₁)σ(z₂) = q E σ'(z₁)σ'(z₂)."""
    activation, h = nonlinearity(name), 1e-3
    values = [activation.product(q, c + k * h, mean=mean).value for k in (-2, -1, 1, 2)]
    slope = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    value, error = activation.slope_product(q, c, mean=mean)
    assert slope == pytest.approx(q * value, rel=1e-8, abs=q * error + 1e-11)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("q", [1e-12, 1.0, 1e6])
def test_correlation_one_and_next_to_it(name, q):
    """Price again: E σ² − E σσ(c) is q(1 − c) E σ'² as c → 1; kinks round it to √(1 − c)."""
    activation, gap = nonlinearity(name), 1e-10
    second, slopes = activation.second_moment(q), activation.slope_second_moment(q)
    assert activation.product(q, 1.0) == second
    assert activation.slope_product(q, 1.0) == slopes
    near = activation.product(q, 1 - gap)
    fall = q * gap * slopes.value
    assert abs(second.value - near.value) <= 1.01 * fall + near.error + 1e-14 * second.value
    smooth = activation.slope_product(q, 1 - gap)
    assert abs(smooth.value - slopes.value) <= smooth.error + 0.02 * slopes.value


@pytest.mark.parametrize("name", ["relu", "gelu", "tanh", "hardswish", "selu"])
def test_independent_and_opposite_variables(name):
    activation = nonlinearity(name)
    mean = activation.mean(0.5, mean=0.2).value
    product, error = activation.product(0.5, 0.0, mean=0.2)
    assert abs(product - mean * mean) <= error + 1e-14
    mirrored = nonlinearity(lambda z: activation.value(z, np) * activation.value(-z, np))
    product, error = activation.product(0.5, -1.0)
    assert abs(product - mirrored.mean(0.5).value) <= error + 1e-13


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.floats(-1, 1))
def test_two_laws_may_change_places(q, r, c):
    for name in ("relu", "erf", "sin", "identity"):
        activation = nonlinearity(name)
        there, back = (activation.product(pair, c).value for pair in ((q, r), (r, q)))
        assert there == pytest.approx(back, rel=1e-12, abs=1e-300)
    tanh = nonlinearity("tanh")
    there, back = tanh.product((q, r), c), tanh.product((r, q), c)
    assert abs(there.value - back.value) <= there.error + back.error


@pytest.mark.parametrize("name", NAMES)
def test_a_variance_of_zero_is_one_point(name):
    activation = nonlinearity(name)
    at, value = np.array([0.7]), float(activation.value(np.array([0.7]), np)[0])
    slope = float(activation.slope(at, np)[0])
    assert activation.mean(0.0, mean=0.7) == (value, 0.0)
    assert activation.second_moment(0, mean=0.7) == (value**2, 0.0)
    assert activation.slope_second_moment(0.0, mean=0.7) == (slope**2, 0.0)
    assert activation.product(0.0, 0.3, mean=0.7) == pytest.approx(
        (value**2, 0.0), rel=1e-15, abs=0
    )
    mixed, error = activation.product((0.0, 2.0), 0.5, mean=(0.7, 0.1))
    assert mixed == pytest.approx(value * activation.mean(2.0, mean=0.1).value, abs=error + 1e-14)
    assert activation.slope_product(0.0, 1.0, mean=0.7) == (slope**2, 0.0)


def test_a_dead_relu_lets_nothing_through():
    assert nonlinearity("relu").slope_second_moment(0.0) == Moment(0.0, 0.0)


def test_a_function_without_derivative_has_no_slopes():
    half = nonlinearity(np.tanh)
    assert half.mean(1.0).value == pytest.approx(0, abs=1e-15)
    for ask in (
        lambda: half.slope(np.array([1.0]), np),
        lambda: half.slope_second_moment(1.0),
        lambda: half.slope_product(1.0, 0.5),
    ):
        with pytest.raises(ErfTheoryError, match=r"'tanh' has no derivative: give it as nonlin"):
            ask()


@pytest.mark.parametrize("name", ["tanh", "hardswish", "elu", "hardtanh"])
def test_a_function_given_by_hand_agrees_with_the_one_by_name(name):
    named = nonlinearity(name)
    given_one = nonlinearity(lambda z: named.value(z, np), lambda z: named.slope(z, np))
    for part in ("mean", "second_moment", "slope_second_moment"):
        a, b = (getattr(one, part)(1.7, mean=0.3) for one in (named, given_one))
        assert abs(a.value - b.value) <= a.error + b.error + 1e-15
    for part in ("product", "slope_product"):
        a, b = (getattr(one, part)(1.7, 0.4) for one in (named, given_one))
        assert abs(a.value - b.value) <= a.error + b.error + 1e-15


def test_constants_and_truth_values_are_numbers_too():
    assert nonlinearity(lambda _: 2).mean(1.0).value == pytest.approx(2, rel=1e-14)
    assert nonlinearity(lambda z: z > 0).mean(1.0).value == pytest.approx(0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda z: max(0, z), "ambiguous"),
        (lambda z: z.sum(axis=0), "of shape"),
        (lambda z: z * 1j, "complex"),
        (lambda z: [str(x) for x in z], "it returned"),
        (float, "only"),
    ],
)
def test_functions_that_do_not_work_on_arrays_are_refused(function, reason):
    with pytest.raises(ErfTheoryError, match=f"element by element: .*{reason}"):
        nonlinearity(function).mean(1.0)


@pytest.mark.parametrize("q", [-1.0, float("nan"), float("inf")])
def test_variances_that_are_none(q):
    for ask in (nonlinearity("tanh").mean, lambda q: nonlinearity("relu").product((1.0, q), 0.1)):
        with pytest.raises(ErfTheoryError, match="finite variance of 0 or more"):
            ask(q)


@pytest.mark.parametrize("mean", [float("nan"), float("inf")])
def test_means_that_are_none(mean):
    with pytest.raises(ErfTheoryError, match="finite mean"):
        nonlinearity("relu").mean(1.0, mean=mean)


def test_correlations_beyond_one():
    relu = nonlinearity("relu")
    assert relu.product(2.0, 1 + 2e-16) == relu.second_moment(2.0)
    for c in (1.001, -2.0, float("nan")):
        with pytest.raises(ErfTheoryError, match="between -1 and 1"):
            relu.product(1.0, c)


def test_nonlinearities_are_values():
    relu = nonlinearity("relu")
    assert pickle.loads(pickle.dumps(relu)) == relu == copy.deepcopy(relu)  # noqa: S301
    assert nonlinearity(np.tanh) == nonlinearity(np.tanh) != nonlinearity("tanh")
    assert len({relu, nonlinearity("relu"), nonlinearity("leaky_relu")}) == 2
