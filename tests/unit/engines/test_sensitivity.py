"""Moments with derivatives, and the same by samples: against the moments of cumulants."""

from fractions import Fraction
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines import cumulants, sensitivity, traced
from erf_theory.engines.field import entered
from erf_theory.engines.sensitivity import Parameters
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel

PARAMETERS = Parameters((3, 0, 2))
ENGINES = [sensitivity, traced]
KERNEL = Kernel([1, 2, 5], (-1,))


def program(field):
    """Two branches of a stride, a factor and convolutions, in nodes 2, 1, 0."""
    field = entered(field, 2).convolve(Kernel([1, 3]), 2).scale(0.5)
    one = entered(field, 1).expand(2).convolve(KERNEL, times=3)
    two = entered(field.expand(2), 0).convolve(KERNEL, 4).scale(Fraction(7, 3))
    return one + two


@pytest.mark.parametrize("engine", ENGINES)
def test_moments_are_those_of_cumulants(engine):
    found = program(engine.impulse(PARAMETERS)).derivatives()
    exact = program(cumulants.impulse(1))
    assert found.mean == pytest.approx(float(exact.mean[0]), rel=1e-13)
    assert found.variance == pytest.approx(float(exact.cumulant(2)), rel=1e-13)


def test_both_engines_have_the_same_derivatives():
    one, other = (program(engine.impulse(PARAMETERS)).derivatives() for engine in ENGINES)
    assert one.rates == pytest.approx(other.rates, rel=1e-12, abs=1e-12)
    moves = [PARAMETERS.move(node) for node in range(3)]
    assert one.rates[2, moves].sum() == pytest.approx(2 * one.variance)
    assert one.rates[1, moves].sum() == pytest.approx(one.mean)
    passing = one.rates[0, [PARAMETERS.gain(node) for node in range(3)]]
    assert passing[0] + passing[1] == pytest.approx(passing[2]) == pytest.approx(1)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any), st.integers(1, 40))
def test_masses_of_any_size(taps, times):
    huge = Kernel([tap * 10**200 for tap in taps])
    field = sensitivity.impulse(Parameters((0,))).convolve(huge, times=times)
    assert field.log_mass == pytest.approx(times * (log(sum(taps)) + 200 * log(10)))
    assert field.variance == pytest.approx(times * float(huge.cumulant(2)))


def test_parameters_have_rows_of_their_own():
    rows = [
        f(node) for f in (PARAMETERS.move, PARAMETERS.width, PARAMETERS.gain) for node in range(3)
    ]
    taps = [row for node in range(3) for row in range(*PARAMETERS.of_taps(node).indices(99))]
    assert sorted(rows + taps) == list(range(PARAMETERS.rows))


@pytest.mark.parametrize("engine", ENGINES)
def test_taps_of_0_at_the_ends_have_rows_of_their_own(engine):
    """Kernels are equal if they are one measure, whatever zeros stand at their ends."""
    found = []
    for taps in ([1, 3], [1, 3, 0], [0, 1, 3]):
        kernel = Kernel(taps, (-1 if taps[0] == 0 else 0,))
        field = entered(engine.impulse(Parameters((len(taps),))), 0).convolve(kernel)
        found.append(field.derivatives().rates[2, 3:].tolist())
    assert found[1] == pytest.approx([*found[0], 0])
    assert found[2] == pytest.approx([0, *found[0]])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_field_of_0_adds_nothing_and_has_no_mean(engine):
    field = entered(engine.impulse(PARAMETERS), 0).convolve(KERNEL)
    alone = field.derivatives()
    both = (field + field.scale(0)).derivatives()
    assert (both.mean, both.variance) == pytest.approx((alone.mean, alone.variance))
    assert both.rates == pytest.approx(alone.rates)
    with pytest.raises(EngineError, match="0 everywhere"):
        field.scale(0).derivatives()


def test_what_cancels_is_refused():
    field = sensitivity.impulse(PARAMETERS)
    assert (field + field.scale(-0.5)).log_mass == pytest.approx(log(0.5))
    assert (field.scale(-2) + field).sign == -1
    with pytest.raises(EngineError, match="mass 0"):
        field + field.scale(-1)
    with pytest.raises(EngineError, match="above 0"):
        field.convolve(Kernel([1, -1]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (lambda field: field.fold(9, "zeros"), "fold at the zeros border"),
        (lambda field: field.take(0, 1), "take channels"),
        (lambda field: field.scale(np.ones(2)), "by channel"),
        (lambda field: field.convolve(Kernel.uniform(2, 2)), "several axes"),
        (lambda field: field.convolve(Kernel(np.ones((2, 3)), (0,))), "channels"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(engine, operation, message):
    with pytest.raises(ErfTheoryError, match=message):
        operation(engine.impulse(PARAMETERS))


def test_moments_cannot_tell_what_an_upsampling_keeps():
    with pytest.raises(EngineError, match="every 2th place"):
        sensitivity.impulse(PARAMETERS).decimate(2)


def test_an_upsampling_that_keeps_nothing_leaves_0():
    field = traced.impulse(PARAMETERS).convolve(Kernel([1], (1,))).decimate(2)
    with pytest.raises(EngineError, match="0 everywhere"):
        field.derivatives()
