"""Numbers: what stays exact, what becomes a double, and what is refused."""

from decimal import Decimal
from fractions import Fraction
from math import fsum, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import (
    exact_sum,
    exponent_of,
    log_of,
    number,
    number_array,
    root_of,
    simplest,
    text_of,
    to_double,
    whole,
)

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


@given(st.one_of(st.integers(1), st.fractions(Fraction(1, 10**30)), st.floats(1e-300, 1e300)))
def test_roots_and_logarithms_are_those_of_doubles(value):
    assert root_of(value) == pytest.approx(float(value) ** 0.5, rel=1e-15)
    assert log_of(value) == pytest.approx(log(value), rel=1e-15, abs=1e-15)


def test_roots_and_logarithms_of_what_no_double_holds():
    assert root_of(Fraction(1, HUGE)) == pytest.approx(1e-200, rel=1e-15)
    assert root_of(0) == 0
    assert log_of(Fraction(1, HUGE)) == pytest.approx(-400 * log(10), rel=1e-15)
    with pytest.raises(OverflowError):
        root_of(HUGE**2)


def test_sums_that_overflow_on_the_way():
    assert exact_sum([1e308, 1e308, -1e308], exact=False) == 1e308
    with pytest.raises(ErfTheoryError, match="above the largest double"):
        exact_sum([1e308, 1e308], exact=False)


def test_what_no_double_holds_is_refused_by_its_name():
    assert to_double(Fraction(1, 4), "a quarter") == 0.25
    with pytest.raises(ErfTheoryError, match="a mass is above the largest double: ask again"):
        to_double(HUGE, "a mass", "ask again")


@pytest.mark.parametrize(("value", "least"), [(2.5, 0), ("3", 0), (None, None), (-1, 0)])
def test_what_does_not_count_is_refused(value, least):
    with pytest.raises(ErfTheoryError, match="n is"):
        whole("n", value, least)


def test_what_counts_is_an_int():
    assert type(whole("n", np.int8(3), 0)) is int
    assert whole("n", -5) == -5


def test_numbers_are_written_while_they_are_short():
    assert (text_of(12), text_of(Fraction(1, 3))) == ("12", "1/3")
    assert text_of(10**5000) == "a number of thousands of digits"


@given(st.one_of(st.integers(), st.fractions(), st.floats(allow_nan=False, allow_infinity=False)))
def test_the_exponent_brings_a_number_near_one(value):
    scaled = abs(Fraction(value)) / Fraction(2) ** exponent_of(value)
    assert scaled == 0 or Fraction(1, 4) <= scaled < 1
