"""Laws of variances per tap: the widest of them by linear programming, and what they do to ERFs."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, NonlinearConstraint, minimize

from erf_theory.architectures import network_erf
from erf_theory.design.widening import (
    corner_taps,
    mixed_taps,
    power_taps,
    tap_facts,
    uniform_taps,
    widened,
    widest_taps,
)
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv
from erf_theory.theory import variance_erf

PLAIN = Chain([Conv(6, 6, 3), Activation("relu"), Conv(6, 4, (5, 3), stride=2), Conv(4, 4, 3)])
SIZES = st.integers(2, 15)


def moments(taps):
    y = (np.arange(len(taps)) - (len(taps) - 1) / 2) ** 2
    return y @ np.array(taps, dtype=float), y**2 @ np.array(taps, dtype=float)


@given(SIZES)
def test_corners_widen_by_what_is_said(k):
    facts = tap_facts(corner_taps(k))
    assert facts.width == pytest.approx((3 * (k - 1) / (k + 1)) ** 0.5, rel=1e-14)
    assert facts.width < 3**0.5
    assert facts.excess == -2
    assert facts.ripple == pytest.approx(float(k > 2))
    uniform = tap_facts(uniform_taps(k))
    assert uniform.width == pytest.approx(1)
    assert uniform.excess == pytest.approx(-6 * (k * k + 1) / (5 * (k * k - 1)))
    assert uniform.ripple == pytest.approx(1 / k if k > 2 else 0)


@given(SIZES, st.integers(0, 12) | st.floats(0, 12))
def test_powers_lie_between_uniform_and_corners(k, alpha):
    taps = power_taps(k, alpha)
    assert sum(taps) == (1 if isinstance(alpha, int) else pytest.approx(1))
    assert 1 - 1e-12 <= tap_facts(taps).width <= tap_facts(corner_taps(k)).width + 1e-12
    assert power_taps(k, 0) == uniform_taps(k)
    assert np.allclose(np.array(power_taps(k, 500), float), np.array(corner_taps(k), float))


def test_a_power_of_many_taps_has_the_width_of_its_integral():
    for alpha in (0, 1, 2, 5):
        limit = (3 * (alpha + 1) / (alpha + 3)) ** 0.5
        assert tap_facts(power_taps(2001, alpha)).width == pytest.approx(limit, rel=5e-3)


@given(SIZES, st.fractions(0, 1, max_denominator=20))
def test_with_a_floor_nothing_is_wider(k, least):
    """By linear programming: the widest of all laws, symmetric or not, about the middle."""
    from scipy.optimize import linprog

    y = (np.arange(k) - (k - 1) / 2) ** 2
    best = linprog(-y, A_eq=np.ones((1, k)), b_eq=[1], bounds=(float(least) / k, 1))
    taps = widest_taps(k, least=least)
    assert sum(taps) == 1
    assert min(taps) >= least / k
    assert moments(taps)[0] == pytest.approx(-best.fun, rel=1e-9)


@given(st.integers(3, 9), st.floats(0, 0.9), st.floats(-1.9, 0))
def test_with_a_kurtosis_nothing_is_wider(k, least, excess):
    """By a general optimiser from the uniform law and from the answer."""
    try:
        taps = np.array(widest_taps(k, least=least, excess=excess), dtype=float)
    except ErfTheoryError:
        reject()
    second, fourth = moments(taps)
    assert fourth / second**2 - 3 >= excess - 1e-9
    assert taps.min() >= least / k - 1e-12
    y = (np.arange(k) - (k - 1) / 2) ** 2

    def slack(v):
        return y**2 @ v - (3 + excess) * (y @ v) ** 2

    for start in (np.full(k, 1 / k), taps):
        best = minimize(
            lambda v: -y @ v,
            start,
            method="SLSQP",
            bounds=[(least / k, 1)] * k,
            constraints=[
                LinearConstraint(np.ones((1, k)), 1, 1),
                NonlinearConstraint(slack, 0, np.inf),
            ],
        )
        if best.success and slack(best.x) > -1e-9:
            assert -best.fun <= second + 1e-5


def test_without_a_floor_the_kurtosis_names_the_corners_part():
    for k, excess in ((3, -1.5), (5, -1.3), (7, 0), (9, 3)):
        taps = np.array(widest_taps(k, least=0, excess=excess), dtype=float)
        assert taps[0] + taps[-1] == pytest.approx(1 / (3 + excess))
        assert taps[1:-1].sum() == pytest.approx(taps[k // 2])
    assert np.allclose(np.array(widest_taps(3, least=0, excess=-1.5), float), 1 / 3)


@pytest.mark.parametrize(
    ("k", "least", "excess"), [(3, 1, -1), (4, 0, 0), (2, 0, -1), (5, 0.9, 2), (9, 1, -1.2)]
)
def test_what_no_law_has_is_refused_with_the_most_there_is(k, least, excess):
    with pytest.raises(ErfTheoryError, match="the most is") as caught:
        widest_taps(k, least=least, excess=excess)
    most = float(str(caught.value).split("the most is ")[1].split(";")[0])
    assert most < excess
    facts = tap_facts(widest_taps(k, least=least, excess=most - 1e-3))
    assert facts.excess >= most - 2e-3


def test_a_ripple_is_what_deep_stacks_keep():
    taps = mixed_taps(uniform_taps(3), corner_taps(3), Fraction(1, 2))
    ripple = tap_facts(taps).ripple
    assert ripple == pytest.approx(2 / 3)
    values = variance_erf(None, 12, weight_variance=taps).values
    alternating = abs(values[::2].sum() - values[1::2].sum())
    assert alternating == pytest.approx(ripple**12)
    holes = variance_erf(None, 12, weight_variance=corner_taps(3)).values
    assert not np.any(holes[1::2])


@pytest.mark.parametrize("law", [uniform_taps, corner_taps, widest_taps])
def test_a_widened_network_keeps_its_mass(law):
    wide = widened(PLAIN, law)
    before, after = network_erf(PLAIN), network_erf(wide)
    assert after.log_mass == pytest.approx(before.log_mass, rel=1e-12)
    for axis, sizes in enumerate([(3, 5, 3), (3, 3, 3)]):
        jumps = np.array([1, 1, 2])
        spread = sum(j**2 * moments(law(k))[0] for j, k in zip(jumps, sizes, strict=True))
        line = network_erf(wide, ndim=1, axis=axis)
        assert line.std == pytest.approx(spread**0.5, rel=1e-12)


def test_uniform_taps_change_nothing():
    same = widened(PLAIN, uniform_taps)
    assert network_erf(same).values == pytest.approx(network_erf(PLAIN).values)
    assert [node.name for node in same.nodes] == [node.name for node in PLAIN.nodes]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: corner_taps(0), "number of taps"),
        (lambda: power_taps(3, -1), "alpha"),
        (lambda: mixed_taps((1,), (1, 2), 0), "1 and 2 taps"),
        (lambda: mixed_taps((1,), (1,), 2), "share from 0 to 1"),
        (lambda: widest_taps(3, least=2), "from 0 to 1"),
        (lambda: tap_facts([1]), "two or more"),
        (lambda: tap_facts([1, 2]), "same from both ends"),
        (lambda: tap_facts([-1, 3, -1]), "at least 0"),
        (lambda: tap_facts([0, 1, 0]), "no width"),
        (lambda: widened(PLAIN, lambda _: (1,)), r"node 0: the law gives \[1, 1\] taps"),
        (
            lambda: widened(Chain([Conv(1, 1, 3, weights=np.ones((1, 1, 3)))])),
            "weights as given",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ErfTheoryError, match=message):
        call()
