import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from erf_theory import measures

SIZES = st.integers(1, 6)
LINE = SIZES.flatmap(lambda n: arrays(float, n, elements=st.floats(0.01, 1)))
LINES = st.lists(LINE, min_size=1, max_size=3)
FULL = st.lists(SIZES, min_size=1, max_size=3).flatmap(
    lambda shape: arrays(float, shape, elements=st.floats(0.01, 1) | st.floats(-1, -0.01))
)


def centred(lines):
    return [np.arange(len(line)) - (len(line) - 1) / 2 for line in lines]


def pixels(lines, axes):
    """The definition: every pixel with its coordinates and its value."""
    full = measures.outer(lines)
    return [
        (np.array([x[i] for x, i in zip(axes, at, strict=True)]), v)
        for at, v in np.ndenumerate(full)
    ]


@given(LINES, st.floats(0.05, 0.95))
def test_count_above(lines, threshold):
    full = measures.outer(lines)
    above = full / full.max()
    if np.any(np.abs(above - threshold) < 1e-9):
        return
    assert measures.count_above(lines, threshold) == np.count_nonzero(above > threshold)
    assert measures.count_above([full], threshold) == np.count_nonzero(above > threshold)


def test_what_is_on_the_threshold_but_for_rounding_is_not_above():
    line = np.array([0.1 + 0.2, 0.3, 0.3 * (1 + 1e-12), 1.0])
    assert line[0] > 0.3
    assert measures.count_above([line], 0.3) == 2
    assert measures.count_above([line, np.ones(2)], 0.3) == 4


def test_cumulants_far_from_the_start_lose_nothing():
    line = np.zeros(100_001)
    line[-3:] = 0.25, 0.5, 0.25
    assert measures.cumulant(line, 7, 1) == 7 + 99_999
    assert measures.cumulant(line, 7, 2) == 0.5
    assert measures.cumulant(line, 7, 4) == 0.5 - 3 * 0.25


@pytest.mark.parametrize(("shape", "norm"), [("square", np.inf), ("disc", 2)])
def test_radius_is_the_smallest_that_holds_the_share(shape, norm):
    @given(LINES, st.floats(0.01, 1))
    def look(lines, mass):
        axes = centred(lines)
        places = [(np.linalg.norm(x, norm), v) for x, v in pixels(lines, axes)]
        total = sum(v for _, v in places)
        for factors in (lines, [measures.outer(lines)]):
            found = measures.radius(factors, axes, mass, shape)
            inside = sum(v for r, v in places if r <= found + 1e-9)
            smaller = sum(v for r, v in places if r < found - 1e-9)
            assert inside >= total * (mass - 1e-9)
            assert smaller < total * (mass + 1e-9)

    look()


@given(LINES, st.floats(0, 0.99))
def test_central_squares(lines, mass):
    axes = centred(lines)
    side = measures.central_square(lines, axes, mass)
    places = [(2 * np.abs(x).max() + 1, v) for x, v in pixels(lines, axes)]
    total = sum(v for _, v in places)
    assert sum(v for s, v in places if s <= side) > total * (mass - 1e-9)
    assert sum(v for s, v in places if s < side - 1e-9) <= total * (mass + 1e-9)
    assert side == measures.central_square([measures.outer(lines)], axes, mass)


@given(FULL, st.floats(0.02, 0.98))
def test_maps_of_one_piece(full, share):
    """Signed for the count, magnitudes for the rest; no outer product of lines."""
    axes = centred([np.ones(m) for m in full.shape])
    size = np.abs(full)
    clear = np.all(np.abs(size / size.max() - share) > 1e-9)
    assert not clear or measures.count_above([full], share) == np.sum(size > share * size.max())
    for norm, shape in ((np.inf, "square"), (2, "disc")):
        places = sorted((np.linalg.norm(x, norm), v) for x, v in pixels([size], axes))
        held, total = 0.0, size.sum()
        at = measures.radius([size], axes, share, shape)
        for distance, value in places:
            if held < (share - 1e-9) * total:
                assert distance <= at + 1e-9
            held += value
            if held >= (share + 1e-9) * total and distance > at + 1e-9:
                assert sum(v for r, v in places if r <= at + 1e-9) >= (share - 1e-9) * total


@given(LINES)
def test_participation_and_moments(lines):
    full, axes = measures.outer(lines), centred(lines)
    flat = full.sum() ** 2 / np.square(full).sum()
    assert measures.participation(lines) == pytest.approx(flat, rel=1e-12)
    mean, covariance = measures.moments(full, axes)
    points = np.array([x for x, _ in pixels(lines, axes)])
    weights = full.ravel() / full.sum()
    assert mean == pytest.approx(weights @ points, abs=1e-12)
    spread = points - weights @ points
    assert covariance == pytest.approx((spread.T * weights) @ spread, abs=1e-12)
    for axis in range(len(lines)):
        second = measures.cumulant(full / full.sum(), 0, 2, axis)
        assert second == pytest.approx(covariance[axis, axis], abs=1e-12)


@pytest.mark.parametrize(
    ("line", "expected"),
    [([1.0], 0.5), ([1.0, 1.0], 1.0), ([1.0, 2.0, 1.0], 1.0), ([0.0, 4.0, 1.0, 0.0], 7 / 12)],
)
def test_half_width(line, expected):
    axis = np.arange(len(line), dtype=float)
    assert measures.half_width(np.array(line), axis) == pytest.approx(expected)


@given(LINE)
def test_half_width_is_where_the_polygon_first_and_last_meets_half_the_maximum(line):
    """The profile as a polygon through the pixel centres, 0 one pixel beyond its ends."""
    x = centred([line])[0]
    fine = np.union1d(np.linspace(x[0] - 1, x[-1] + 1, 20_001), x)
    polygon = np.interp(fine, [x[0] - 1, *x, x[-1] + 1], [0, *line, 0])
    above = fine[polygon >= line.max() / 2]
    expected = (above[-1] - above[0]) / 2
    assert measures.half_width(line, x) == pytest.approx(expected, abs=1e-3)


def test_half_width_of_a_gaussian():
    x = np.arange(-200, 201) * 1.0
    found = measures.half_width(np.exp(-(x**2) / (2 * 30**2)), x)
    assert found == pytest.approx(30 * (2 * np.log(2)) ** 0.5, rel=1e-4)


def test_the_box_of_the_support():
    assert measures.support_box(np.array([0, 0, 3, 0, 1, 0])) == ((2,), (3,))
    assert measures.support_box(np.zeros((2, 2))) == ((0, 0), (0, 0))
