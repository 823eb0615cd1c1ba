"""Numbers: what stays exact, what becomes a double, and what is refused."""

from decimal import Decimal
from fractions import Fraction
from math import fsum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import exact_sum, exponent_of, number, number_array, simplest

HUGE = 10**400


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (True, 1),
        (np.int8(-3), -3),
        (np.uint64(2**63), 2**63),
        (HUGE, HUGE),
        (Fraction(4, 2), 2),
        (Fraction(1, 3), Fraction(1, 3)),
        (0.5, 0.5),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
    ],
)
def test_a_number_keeps_its_kind(value, expected):
    found = number(value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value", [np.nan, np.inf, -np.inf, 1j, "1", None, Decimal(1), np.longdouble("1e400")]
)
def test_what_is_no_finite_real_number_is_refused(value):
    with pytest.raises(ErfTheoryError, match="finite"):
        number(value)
    with pytest.raises(ErfTheoryError, match="finite"):
        number_array([1, value])
    with pytest.raises(ErfTheoryError, match="finite"):
        number_array(np.array([value]))


@pytest.mark.parametrize("taps", [[], [[]], 3, np.array(2.0), np.zeros((0, 3))])
def test_no_taps_are_refused(taps):
    with pytest.raises(ErfTheoryError, match="at least one tap"):
        number_array(taps)


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(ErfTheoryError, match="do not form an array"):
        number_array([[1, 2], [3]])


@pytest.mark.parametrize("taps", [[1, 2], [Fraction(1, 3), 2], np.array([[1, 2]], dtype=np.int16)])
def test_exact_taps_are_python_numbers(taps):
    array = number_array(taps)
    assert array.dtype == object
    assert array.tolist() == np.asarray(taps).tolist()
    assert all(type(v) in (int, Fraction) for v in array.flat)


@pytest.mark.parametrize("taps", [[1, 0.5], [Fraction(1, 4), 0.5], np.float32([0.5, 2])])
def test_one_float_makes_all_floats(taps):
    array = number_array(taps)
    assert array.dtype == np.float64
    assert array.tolist() == [float(v) for v in taps]


def test_the_array_is_a_copy():
    for source in (np.array([1.0, 2.0]), np.array([1, 2], dtype=object)):
        array = number_array(source)
        array[0] = 5
        assert source[0] == 1


def test_huge_integers_do_not_mix_with_floats():
    assert number_array([HUGE, 1]).tolist() == [HUGE, 1]
    with pytest.raises(ErfTheoryError, match="integers or fractions"):
        simplest(np.array([HUGE, 0.5], dtype=object))


@given(st.lists(st.fractions() | st.integers()))
def test_exact_sums_are_exact(numbers):
    total = Fraction(0)
    for value in numbers:
        total += value
    assert exact_sum(numbers, exact=True) == total


@given(st.lists(st.floats(-1e300, 1e300)))
def test_sums_of_doubles_are_rounded_once(numbers):
    exact = sum(map(Fraction, numbers), Fraction(0))
    found = exact_sum(numbers, exact=False)
    assert found == fsum(numbers)
    assert abs(Fraction(found) - exact) <= Fraction(float(np.spacing(abs(found)))) / 2


@given(st.one_of(st.integers(), st.fractions(), st.floats(allow_nan=False, allow_infinity=False)))
def test_the_exponent_brings_a_number_near_one(value):
    scaled = abs(Fraction(value)) / Fraction(2) ** exponent_of(value)
    assert scaled == 0 or Fraction(1, 4) <= scaled < 1
