"""Taps and their moments at the ends of the range of doubles; `test_kernel.py` has the laws."""

from fractions import Fraction

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.kernel import Kernel
from erf_theory.taps import Taps


def test_moments_are_those_of_the_kernel_that_they_make():
    taps = Taps([[1, 2], [3, 5]], (-1, 2))
    kernel = Kernel([[1, 2], [3, 5]], (-1, 2))
    assert (taps.mass, taps.mean, taps.covariance) == (11, kernel.mean, kernel.covariance)
    assert taps.moment((2, 1)) == sum(
        v * (a - 1) ** 2 * (b + 2) for (a, b), v in np.ndenumerate(taps.taps)
    )


def test_what_is_taken_as_it_is_cannot_be_changed():
    taps = Taps.of(np.array([1.0, 2.0]), (0,))
    with pytest.raises(ValueError, match="read-only"):
        taps.taps[0] = 5


def test_sums_that_leave_the_doubles_on_the_way_are_right():
    assert Kernel([1e308, 1e308, -1e308]).mass == 1e308
    assert Kernel([1e308, -1e308]).moment((1,)) == -1e308
    assert Kernel([1.0, 1.0], (10**400,)).moment((0,)) == 2


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: Kernel([1e308, 1e308]).mass, "above the largest double"),
        (lambda: Kernel([1e308, 1e308]).mean, "above the largest double"),
        (lambda: Kernel([1e308], (100,)).moment((1,)), "above the largest double"),
        (lambda: Kernel([1.0], (10**400,)).moment((1,)), "above the largest double"),
        (lambda: Kernel([1, 2], origin=0), "one whole number per spatial axis, as (0,), not 0"),
        (lambda: Kernel([1, 2], origin=(0.5,)), "one whole number per spatial axis"),
        (lambda: Kernel([1, 2]).moment(2), "one whole number per spatial axis"),
        (lambda: Kernel([1, 2]).moment((1, 1)), "an order of 0 or more for each of 1 axes"),
        (lambda: Kernel([1, 2]).moment((-1,)), "an order of 0 or more"),
        (lambda: Kernel([1, 2]).cumulant(2.5), "a whole number, not 2.5"),
        (lambda: Kernel([1, 2]).cumulant(2, "x"), "a whole number, not 'x'"),
    ],
)
def test_nonsense_is_refused(ask, message):
    with pytest.raises(ErfTheoryError) as refused:
        ask()
    assert message in str(refused.value)


def test_float_moments_are_rounded_once():
    kernel = Kernel([0.1, 0.2, 0.3], (10**6,))
    exact = sum(Fraction(v) * (10**6 + m) ** 3 for m, v in enumerate((0.1, 0.2, 0.3)))
    assert kernel.moment((3,)) == float(exact)
