"""Every closed form against quadrature of the same function, and where digits could be lost."""

from math import exp, pi, sqrt

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.activations import nonlinearity
from erf_theory.activations.expectations import Curve, Normal, expectation, joint_expectation

CLOSED = [
    "abs",
    "celu(0.5)",
    "elu(2.0)",
    "erf",
    "gelu",
    "hardsigmoid",
    "hardtanh",
    "identity",
    "leaky_relu(0.2)",
    "relu",
    "relu6",
    "selu",
    "sin",
]
LAWS = [(1.0, 0.0), (1e-12, 0.0), (1e6, 0.0), (0.3, -1.7), (50.0, 4.0), (1e-4, 2.0)]
SINGLE = ["mean", "second_moment", "slope_second_moment"]
PAIRED = ["erf", "sin", "identity", "relu", "abs", "leaky_relu(0.2)"]


def sampled(activation, part):
    return {
        "mean": lambda z: activation.value(z, np),
        "second_moment": lambda z: activation.value(z, np) ** 2,
        "slope_second_moment": lambda z: activation.slope(z, np) ** 2,
        "product": lambda z: activation.value(z, np),
        "slope_product": lambda z: activation.slope(z, np),
    }[part]


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize(("q", "mean"), LAWS)
def test_one_variable(name, q, mean):
    activation = nonlinearity(name)
    kinks = tuple((k, k) for k in activation.kinks)
    closed = 0
    for part in SINGLE:
        value, error = getattr(activation, part)(q, mean=mean)
        twin = expectation(Curve(sampled(activation, part), kinks), Normal(mean, q))
        closed += error == 0
        scale = max(abs(twin.value), sqrt(q) + abs(mean) if part == "mean" else 0)
        assert abs(value - twin.value) <= twin.error + error + 1e-14 * scale
    assert closed


@pytest.mark.parametrize("name", PAIRED)
@pytest.mark.parametrize("part", ["product", "slope_product"])
@pytest.mark.parametrize("c", [-1.0, -0.999999, -0.6, 0.0, 0.3, 0.99, 1 - 1e-12])
@pytest.mark.parametrize("q", [(1.0, 1.0), (1e-12, 1e-12), (40.0, 3.0), (0.1, 2.0)])
def test_two_variables(name, part, c, q):
    activation = nonlinearity(name)
    value, error = getattr(activation, part)(q, c)
    kinks = tuple((k, k) for k in activation.kinks)
    laws = [Normal(0.0, variance) for variance in q]
    twin = joint_expectation(Curve(sampled(activation, part), kinks), *laws, c)
    assert error == 0
    assert abs(value - twin.value) <= twin.error + 1e-14 * sqrt(q[0] * q[1])


@given(st.floats(-1, 1), st.floats(1e-6, 1e6))
def test_the_relu_pair_is_the_arc_cosine_kernel(c, q):
    with mp.workdps(40):
        exact = mp.sqrt(1 - mp.mpf(c) ** 2) + c * (mp.pi - mp.acos(c))
        product = float(q / (2 * mp.pi) * exact)
        slopes = float((mp.pi - mp.acos(c)) / (2 * mp.pi))
    relu = nonlinearity("relu")
    assert relu.product(q, c).value == pytest.approx(product, rel=1e-12, abs=0)
    assert relu.slope_product(q, c).value == pytest.approx(slopes, rel=1e-12, abs=0)


@pytest.mark.parametrize("gap", [1e-3, 1e-6, 1e-9, 1e-12, 2.0**-52])
def test_near_opposite_relus_keep_their_digits(gap):
    c = -1 + gap
    with mp.workdps(60):
        exact = mp.sqrt(1 - mp.mpf(c) ** 2) + c * (mp.pi - mp.acos(c))
        truth = float(exact / (2 * mp.pi))
    assert nonlinearity("relu").product(1.0, c).value == pytest.approx(truth, rel=1e-12, abs=0)


def test_luo_et_al_are_recalled_to_have_a_quarter_for_relu_but_it_is_a_half():
    half = nonlinearity("relu").slope_second_moment(3.0)
    found = nonlinearity(lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0))
    value, error = found.slope_second_moment(3.0)
    assert half == (0.5, 0.0)
    assert abs(value - 0.5) <= error < 1e-12
    assert abs(value - 0.25) > error


@pytest.mark.parametrize("q", [1e-12, 1e-3, 1.0, 1e3, 1e6])
def test_the_formulas_of_the_documentation(q):
    with mp.workdps(30):
        angle = mp.asin(mp.mpf(q) / (1 + q)) / (2 * mp.pi)
        wide = 1 + 2 * mp.mpf(q)
        truth = {
            "identity": 1,
            "relu": 0.5,
            "leaky_relu(0.5)": 0.625,
            "abs": 1,
            "erf": 4 / mp.pi / mp.sqrt(1 + 4 * mp.mpf(q)),
            "sin": (1 + mp.exp(-2 * mp.mpf(q))) / 2,
            "hardtanh": mp.erf(1 / mp.sqrt(2 * mp.mpf(q))),
            "elu": mp.mpf(1) / 2 + mp.exp(2 * mp.mpf(q)) * mp.erfc(mp.sqrt(2 * mp.mpf(q))) / 2,
            "gelu": mp.mpf(1) / 4
            + angle
            + q / (mp.pi * (1 + q) * mp.sqrt(wide))
            + q / (2 * mp.pi * wide**1.5),
        }
        square = q / mp.mpf(4) + q * angle + q * q / (mp.pi * (1 + q) * mp.sqrt(wide))
    for name, value in truth.items():
        found = nonlinearity(name).slope_second_moment(q)
        assert found == (pytest.approx(float(value), rel=1e-13, abs=0), 0.0), name
    assert nonlinearity("gelu").second_moment(q).value == pytest.approx(
        float(square), rel=1e-13, abs=0
    )


@pytest.mark.parametrize("mean", [-300.0, -30.0, 0.0, 30.0])
@pytest.mark.parametrize("q", [1e-2, 1.0, 1e4])
def test_elu_neither_overflows_nor_underflows(mean, q):
    value = nonlinearity("elu").slope_second_moment(q, mean=mean).value
    std = sqrt(q)
    with mp.workdps(40):
        t, r = mp.mpf(mean) / std, 2 * mp.mpf(std)
        exact = mp.ncdf(t) + mp.exp(r * t + r * r / 2) * mp.erfc((t + r) / mp.sqrt(2)) / 2
    assert value == pytest.approx(float(exact), rel=1e-11, abs=0)


def test_a_sine_far_out_is_uniform_in_phase():
    sine = nonlinearity("sin")
    assert sine.second_moment(1e6).value == 0.5
    assert sine.product(1e6, 1 - 1e-6).value == pytest.approx(exp(-1) / 2, rel=1e-9, abs=0)
    missing = 1 - nonlinearity("erf").second_moment(1e12).value
    assert missing == pytest.approx(2 / pi * 1e-6, rel=1e-8, abs=0)
