"""Panels and their errors: exact for polynomials, honest for kinks, jumps and noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.activations.quadrature import integrate, panel_nodes, panel_sums

PLACES = st.one_of(st.floats(-1, 1), st.sampled_from([-1 + 1e-9, 0.0, 0.5, 1 - 1e-6]))
CORNERS = {
    "jump": (lambda x, k: np.where(x > k, 1.0, 0.0), lambda k: 1 - k),
    "kink": (lambda x, k: np.maximum(x - k, 0), lambda k: (1 - k) ** 2 / 2),
    "bend": (lambda x, k: np.maximum(x - k, 0) ** 2, lambda k: (1 - k) ** 3 / 3),
    "cusp": (lambda x, k: abs(x - k) ** 0.5, lambda k: ((1 - k) ** 1.5 + (1 + k) ** 1.5) / 1.5),
}


def one_panel(function, low=-1.0, high=1.0):
    low, high = np.array([low]), np.array([high])
    values = function(panel_nodes(low, high))
    value, error, _ = panel_sums(low, high, values, np.zeros_like(values))
    return float(value[0]), float(error[0])


def certain(function):
    return lambda x: (function(x), np.zeros_like(x))


@pytest.mark.parametrize("degree", range(21))
def test_polynomials_are_exact(degree):
    value, _ = one_panel(lambda x: x**degree, 0.0, 2.0)
    assert value == pytest.approx(2 ** (degree + 1) / (degree + 1), rel=1e-14)


@pytest.mark.parametrize("corner", CORNERS)
@given(PLACES)
def test_the_error_of_one_panel_covers_corners_at_any_place(corner, place):
    function, truth = CORNERS[corner]
    value, error = one_panel(lambda x: function(x, place))
    assert abs(value - truth(place)) <= error + 4e-15


@pytest.mark.parametrize("corner", CORNERS)
@given(PLACES)
def test_corners_are_split_away(corner, place):
    function, truth = CORNERS[corner]
    edges = np.array([-1.0, 0.0123, 1.0])
    found = integrate(certain(lambda x: function(x, place)), edges, 1e-12)
    assert abs(found.value - truth(place)) <= found.error + 4e-15
    assert found.error <= 1e-12


@given(st.floats(-0.9, 0.9))
def test_a_jump_is_located(place):
    found = integrate(certain(lambda x: np.where(x > place, 1.0, 0.0)), np.array([-1, 1.0]), 1e-12)
    assert found.value == pytest.approx(1 - place, abs=1e-12)
    if not any(abs(place - edge) < 1e-9 for edge in (-0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75)):
        assert any(low <= place <= high < low + 1e-9 for low, high in found.kinks)


def test_smooth_functions_have_no_kinks():
    found = integrate(certain(np.cos), np.linspace(0, np.pi / 2, 3), 1e-13)
    assert found.kinks == ()
    assert abs(found.value - 1) <= found.error + 1e-15 < 1e-12


def test_noise_is_admitted():
    rng = np.random.default_rng(0)
    found = integrate(certain(lambda x: rng.standard_normal(x.shape)), np.array([0, 1.0]), 1e-9)
    assert abs(found.value) <= found.error
    assert found.error > 0.05


def test_doubts_of_the_values_go_into_the_error_and_end_the_splitting():
    calls = []

    def rough(x):
        calls.append(x.size)
        return 1 + 1e-6 * np.sin(1e9 * x), np.full_like(x, 1e-5)

    found = integrate(rough, np.array([0.0, 2.0]), 1e-12)
    assert 2e-5 <= found.error < 4e-5
    assert len(calls) == 1


def test_the_limit_of_panels_is_kept():
    found = integrate(certain(lambda x: np.sin(1e6 * x)), np.array([0.0, 1.0]), 1e-12, most=10)
    assert found.error > 0.01
