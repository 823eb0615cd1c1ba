"""Expectations of functions nobody described: their errors must cover the truth."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from erf_theory.activations.expectations import Curve, Normal, expectation, joint_expectation
from erf_theory.errors import ErfTheoryError
from tests.unit.activations.definitions import gaussian

LAWS = st.tuples(st.floats(-3, 3), st.floats(1e-3, 30))


@st.composite
def pieces(draw, degree=3):
    """Places in standard deviations, at least .2 apart, and a polynomial between every two."""
    gaps = draw(st.lists(st.floats(0.2, 2), max_size=4))
    places = np.cumsum([draw(st.floats(-4, 1)), *gaps])
    sizes = {"min_size": 1, "max_size": degree + 1}
    return places, [draw(st.lists(st.floats(-3, 3), **sizes)) for _ in range(len(places) + 1)]


def curve(places, polynomials, law):
    """The piecewise polynomial of (z − mean)/std, jumping and bending at its places."""

    def function(z):
        t = law.places(z)
        which = np.searchsorted(places, t)
        values = [np.polynomial.Polynomial(p)(t) for p in polynomials]
        return np.choose(which, values)

    return Curve(function)


def piecewise_truth(places, polynomials):
    """Σ over pieces of ∫ p(t) φ(t) dt, by the recurrence of the moments of a cut normal law."""
    edges = [-np.inf, *places, np.inf]
    total = mp.mpf(0)
    for low, high, p in zip(edges[:-1], edges[1:], polynomials, strict=True):
        moments = [mp.ncdf(high) - mp.ncdf(low), mp.npdf(low) - mp.npdf(high)]
        for r in range(2, len(p)):
            ends = [x ** (r - 1) * mp.npdf(x) if np.isfinite(x) else 0 for x in (low, high)]
            moments.append((r - 1) * moments[r - 2] + ends[0] - ends[1])
        total += mp.fdot(p, moments[: len(p)])
    return float(total)


@given(pieces(), LAWS)
def test_errors_cover_the_truth_for_hidden_kinks_and_jumps(drawn, law):
    normal = Normal(*law)
    found = expectation(curve(*drawn, normal), normal)
    truth = piecewise_truth(*drawn)
    assert abs(found.value - truth) <= found.error + 1e-300
    size = sum(sum(map(abs, p)) for p in drawn[1])
    assert found.error <= 1e-11 * (1 + size)


@given(pieces(degree=0), LAWS, st.one_of(st.floats(-1, 1), st.sampled_from([1 - 1e-9, 0.999])))
@example(
    (
        np.array([-2.0, -0.7246, -0.5234, 0.4766, 1.4766]),
        [[0.0], [1.0], [0.0], [1.0], [0.0], [0.0]],
    ),
    (0.0, 1.0),
    0.999,
)
def test_errors_cover_the_truth_for_pairs_of_hidden_jumps(drawn, law, c):
    normal = Normal(*law)
    found = joint_expectation(curve(*drawn, normal), normal, normal, c)
    with mp.workdps(30):
        truth = step_pair(*drawn, c)
    size = max(abs(p[0]) for p in drawn[1]) ** 2
    assert abs(found.value - truth) <= found.error + 1e-13 * size + 1e-300
    assert found.error <= 1e-6 * size + 1e-300


def step_pair(places, polynomials, c):
    """E of a step function at two places: P(z₁ ≤ a, z₂ ≤ b) by Plackett's integral over c."""
    jumps = np.diff([p[0] for p in polynomials])
    last = polynomials[-1][0]
    total = last**2 - 2 * last * sum(j * mp.ncdf(a) for a, j in zip(places, jumps, strict=True))
    for a, i in zip(places, jumps, strict=True):
        for b, j in zip(places, jumps, strict=True):
            total += i * j * (mp.ncdf(a) * mp.ncdf(b) + plackett(a, b, c))
    return float(total)


def plackett(a, b, c):
    """∫₀^c φ₂(a, b; r) dr, with r = sin u."""
    top = mp.asin(c)
    near = [top * (1 - mp.mpf(10) ** -k) for k in (0, 0.3, 1, 2, 3, 4, 5)]

    def density(u):
        s, cosine = mp.sin(u), mp.cos(u) ** 2
        return mp.exp(-(a * a - 2 * a * b * s + b * b) / (2 * cosine)) / (2 * mp.pi)

    return mp.quad(density, [*near, top], method="gauss-legendre")


@pytest.mark.parametrize("steepness", [1.0, 30.0, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0, -2.34])
def test_steep_functions(steepness, place):
    """E tanh(a(z − b)) is near P(z > b) − P(z < b): to π²/24a²·2φ'(b) and smaller."""
    found = expectation(Curve(lambda z: np.tanh(steepness * (z - place))), Normal(0.0, 1.0))
    cuts = tuple(place + k * x / steepness for k in (-1, 1) for x in (0, 0.5, 1, 2, 4, 8, 16, 30))
    truth = float(gaussian(lambda z: mp.tanh(steepness * (z - place)), cuts, 1.0))
    assert abs(found.value - truth) <= found.error + 1e-16
    assert found.error < 1e-12


@pytest.mark.parametrize("jump", [0.0, 0.5, 1.0, 2.0, 0.4870000001, -0.892, 1e-3])
@pytest.mark.parametrize("std", [1e-6, 1.0, 1e3])
def test_jumps_at_round_places_and_at_edges(jump, std):
    found = expectation(Curve(lambda z: np.where(z >= jump * std, 1.0, 0.0)), Normal(0.0, std**2))
    truth = float(mp.erfc(jump / mp.sqrt(2)) / 2)
    assert abs(found.value - truth) <= found.error < 1e-12


@pytest.mark.parametrize("c", [-1.0, -0.7, 0.0, 1e-9, 0.5, 0.999, 1 - 1e-13, 1.0])
def test_unequal_laws(c):
    """E z₁²z₂² = (q₁ + m₁²)(q₂ + m₂²) + 4 m₁m₂ k + 2k², k the covariance."""
    first, second = Normal(0.3, 2.0), Normal(-1.2, 0.05)
    found = joint_expectation(Curve(np.square), first, second, c)
    k = c * first.std * second.std
    truth = (2 + 0.09) * (0.05 + 1.44) + 4 * 0.3 * -1.2 * k + 2 * k * k
    assert abs(found.value - truth) <= found.error + 1e-14
    assert found.error < 1e-8


def test_functions_that_outgrow_the_normal_law_are_refused():
    with pytest.raises(ErfTheoryError, match="not finite at z"):
        expectation(Curve(np.exp), Normal(0.0, 1e6))
    with pytest.raises(ErfTheoryError, match="not finite at z"):
        joint_expectation(Curve(np.log), Normal(0.0, 1.0), Normal(0.0, 1.0), 0.5)


def test_growing_functions_are_followed_far_into_the_tails():
    found = expectation(Curve(np.exp), Normal(0.0, 144.0))
    assert abs(found.value / np.exp(72.0) - 1) <= found.error / found.value + 1e-14
    assert found.error < 1e-10 * found.value
    pair = joint_expectation(Curve(np.exp), Normal(0.0, 36.0), Normal(0.0, 36.0), 0.5)
    assert abs(pair.value - np.exp(54.0)) <= pair.error < 1e-3 * pair.value
