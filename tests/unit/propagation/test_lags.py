"""Lags against covariance matrices: what a window makes of neighbouring samples."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.propagation.interpolation import interpolation
from erf_theory.propagation.lags import averaged, divided, divides, interpolated
from erf_theory.propagation.signal import Signal

PLACES = 40


def covariance(signal, places=PLACES):
    """E x(i) x(j) for places on a line."""
    near = {(0,): signal.second, **dict(signal.lags)}
    return np.array(
        [[near.get((j - i,), signal.shared) for j in range(places)] for i in range(places)]
    )


def windows(size, stride, dilation, places=PLACES):
    """The means of windows as a matrix."""
    rows = []
    for first in range(0, places - dilation * (size - 1), stride):
        row = np.zeros(places)
        row[first : first + dilation * size : dilation] = 1 / size
        rows.append(row)
    return np.array(rows)


@given(
    st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)
)
def test_averages_of_averages(size, stride, dilation, then, after):
    signal, matrix = Signal(2.0, 0.25, 0.5), np.eye(PLACES)
    for window in ((size, stride, dilation), (then, after, 1)):
        signal = averaged(signal, *((value,) for value in window))
        matrix = windows(*window, len(matrix)) @ matrix
    expected = matrix @ covariance(Signal(2.0, 0.25)) @ matrix.T
    found = covariance(signal, len(matrix))
    assert found == pytest.approx(expected, abs=1e-12)
    assert signal.mean == 0.5


def test_averages_on_a_plane():
    found = averaged(Signal(1.0), (2, 3), (1, 2), (1, 1))
    expected = {
        (h, w): (2 - abs(h)) / 4 * (3 - abs(2 * w)) / 9
        for h, w in product((-1, 0, 1), (-1, 0, 1))
        if (h, w) != (0, 0)
    }
    assert dict(found.lags) == pytest.approx(expected)
    assert found.second == pytest.approx(1 / 6)


@pytest.mark.parametrize("scale", range(1, 7))
def test_the_variance_that_an_interpolation_leaves(scale):
    shares, _ = interpolation(scale, "linear")
    assert interpolated(scale) == pytest.approx(float(sum(x * x for x in shares)) / scale)


def test_whole_strides():
    assert divides((4, -6), (2, 3))
    assert not divides((4, -5), (2, 3))
    assert divided((4, -6), (2, 3)) == (2, -2)
