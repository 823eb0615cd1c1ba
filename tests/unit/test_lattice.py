"""Boxes, steps and convolution on the lattice, against loops over single places."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import box, convolve, per_axis, union

CHANNELS = [((), ()), ((3,), ()), ((), (3,)), ((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3))]
CHANNELS += [((2, 3), ()), ((), (2, 3)), ((2, 3), (3, 4))]
CORNERS = st.integers(1, 3).flatmap(
    lambda d: st.lists(st.tuples(*[st.integers(-4, 4)] * d), min_size=4, max_size=4)
)


def numbers(rng, shape):
    return rng.integers(-5, 6, size=shape).astype(object)


def as_matrix(array, lead):
    """Taps of one place as a matrix: numbers times the identity, channels on the diagonal."""
    if lead == 2:
        return array
    return np.diag(array) if lead == 1 else array


def times(left, right, lead, tail):
    """The product of the channels of two places, by the definition of a matrix product."""
    if not lead or not tail:
        return left * right
    found = as_matrix(left, lead) @ as_matrix(right, tail)
    return np.diag(found) if lead == tail == 1 else found


@pytest.mark.parametrize(("lead", "tail"), CHANNELS)
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_convolution_adds_places_and_multiplies_taps(lead, tail, ndim):
    rng = np.random.default_rng(ndim)
    sizes = rng.integers(1, 4, ndim), rng.integers(1, 4, ndim)
    left, right = numbers(rng, (*lead, *sizes[0])), numbers(rng, (*tail, *sizes[1]))
    found = convolve(left, right, ndim)
    expected = {}
    for a, b in product(np.ndindex(*sizes[0]), np.ndindex(*sizes[1])):
        at = tuple(i + j for i, j in zip(a, b, strict=True))
        term = times(left[(..., *a)], right[(..., *b)], len(lead), len(tail))
        expected[at] = expected.get(at, 0) + term
    assert found.shape[found.ndim - ndim :] == tuple(sizes[0] + sizes[1] - 1)
    for at, taps in expected.items():
        assert np.array_equal(found[(..., *at)], taps)


def test_integers_stay_integers_and_doubles_doubles():
    whole, real = np.array([1, 2], dtype=object), np.array([0.5, 1.0])
    assert convolve(whole, whole, 1).dtype == object
    assert convolve(real, real, 1).dtype == np.float64


@pytest.mark.parametrize(("lead", "tail"), [((2,), (3,)), ((2, 3), (2, 3)), ((2,), (3, 2))])
def test_channels_that_do_not_meet_are_refused(lead, tail):
    with pytest.raises(ErfTheoryError, match="do not multiply"):
        convolve(np.ones((*lead, 2)), np.ones((*tail, 2)), 1)


@pytest.mark.parametrize(
    ("value", "ndim", "expected"),
    [(2, 1, (2,)), (np.int64(2), 2, (2, 2)), ((1, 3), 2, (1, 3)), ((-1, 0, 1), 3, (-1, 0, 1))],
)
def test_one_integer_per_axis(value, ndim, expected):
    assert per_axis(value, ndim) == expected
    assert all(type(v) is int for v in per_axis(value, ndim))


@pytest.mark.parametrize("value", [[1, 2], np.array([1, 2]), (1, 2)])
def test_steps_are_any_sequence(value):
    assert per_axis(value, 2) == (1, 2)


@pytest.mark.parametrize("value", [1.5, "2", None, (1, 2.5), np.array([0.5, 1])])
def test_what_does_not_count_is_refused(value):
    with pytest.raises(ErfTheoryError, match="no whole number, nor one per axis"):
        per_axis(value, 2)


def test_a_wrong_number_of_axes_is_refused():
    with pytest.raises(ErfTheoryError, match=r"\(1, 2\) has 2 entries for 3 axes"):
        per_axis((1, 2), 3)


@given(CORNERS)
def test_a_union_is_the_smallest_box_that_holds_both(corners):
    held = np.array(corners)
    boxes = []
    for pair in (held[:2], held[2:]):
        boxes += [tuple(pair.min(axis=0)), tuple(np.ptp(pair, axis=0) + 1)]
    low, shape = union(*boxes)
    assert low == tuple(held.min(axis=0))
    assert shape == tuple(np.ptp(held, axis=0) + 1)


def test_a_box_is_the_places_that_it_names():
    plane = np.arange(70).reshape(7, 10)
    inside = plane[box((1, 2), (2, 3), (4, 3))]
    assert inside.tolist() == [[plane[1 + 4 * i, 2 + 3 * j] for j in range(3)] for i in range(2)]
    assert np.array_equal(plane[box((3,), (2,))], plane[:, 3:5])
