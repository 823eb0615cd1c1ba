from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from erf_theory.engines import balls, contour
from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))
FAR = [0, 1, 1e-6, 1e-20, 1e-250]
RUNS = [(1, 1), (2, 1), (1, 2), (4, 3)]


def run(taps, times, step=1):
    return lambda field: field.convolve(Kernel(taps), step, times)


def right(program, floor=-np.inf):
    """Whether the engine answers; what it answers is right, or this is an error.

    Above the floor every logarithm of a share is right to the error that the engine states, and
    -inf exactly where the map is 0.
    """
    try:
        found = contour.run(program, floor)
    except EngineError:
        return False
    exact = balls.log_map(program, 1)
    assert (found.start,) == exact.start
    assert found.values.shape == exact.log_abs.shape
    top = np.max(exact.log_abs)
    total = top + np.log(np.sum(np.exp(exact.log_abs - top)))
    shares, expected = found.values - found.total, exact.log_abs - total
    assert np.array_equal(shares == -np.inf, expected == -np.inf) or floor > -np.inf
    needed = (expected > floor) & (expected > -np.inf)
    assert np.all(shares[needed] > -np.inf)
    off = np.max(np.abs(shares[needed] - expected[needed]), initial=0)
    assert off <= found.error + exact.error + 4e-16 * abs(total)
    assert found.error < 1e-8
    assert found.total == pytest.approx(total, rel=1e-13, abs=1e-13)
    return True


@pytest.mark.parametrize("floor", [-np.inf, -746.0])
@pytest.mark.parametrize(("step", "times"), RUNS)
def test_taps_far_apart_are_right_or_refused(step, times, floor):
    kernels = [taps for taps in product(FAR, repeat=3) if any(taps)]
    answered = sum(right(run(taps, times, step), floor) for taps in kernels)
    assert 0.05 * len(kernels) < answered < len(kernels)


def test_a_window_that_does_not_hold_its_piece_is_noticed():
    """On the last circle place 4 is read modulo the window's 4 places, where place 0 lies."""
    right(run([0.0, 1.0, 1e-6], 3, step=4))
    right(run([1.0, 1e-6], 3, step=1000))


@pytest.mark.parametrize("floor", [-np.inf, -746.0])
@pytest.mark.parametrize(
    "program",
    [
        run([1, 5, 1], 5, step=2),
        run([1, 5, 5, 1, 0], 82),
        run([0, 1, 5, 1], 44, step=2),
        run([2, 2], 1),
        run([1, 1], 7),
        lambda f: f.expand(2).convolve(Kernel([1, 5, 1]), 3, 5),
    ],
)
def test_means_on_a_place_or_between_two(program, floor):
    assert right(program, floor)


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f,
        lambda f: f.scale(Fraction(1, 10**400)),
        run([0.0, 1e-10], 2, step=3),
        lambda f: (
            f.convolve(Kernel([0, 1e-10])) + f.convolve(Kernel([0, 0, 3.0], (-1,))).scale(0.1)
        ),
        lambda f: f.convolve(Kernel([0, 0, 7], (-1,)), 5, 1000),
    ],
)
def test_maps_on_one_place(program):
    assert right(program)


@pytest.mark.parametrize(
    "program",
    [
        run([Fraction(1, 10**10), Fraction(2, 10**10)], 97),
        run([10**30, 10**30, 10**29], 300),
        lambda f: f.convolve(BOX, 1, 50).scale(Fraction(1, 10**900)),
        lambda f: f.convolve(Kernel([1e-10])).convolve(SKEW, 2, 40).convolve(Kernel([1e200]), 1, 9),
    ],
)
def test_large_and_small_masses(program):
    assert right(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f.convolve(SKEW, 1, 40) + f.convolve(Kernel([4, 4]), 1, 42),
        lambda f: f.convolve(BOX, 1, 60) + f.convolve(BOX, 1, 59).scale(1e-12),
        lambda f: f.convolve(BOX, 1, 60) + f.convolve(BOX, 1, 60).scale(1e-300),
        lambda f: f.convolve(SKEW, 1, 20).expand(3) + f.expand(3).convolve(SKEW, 3, 21),
        lambda f: f.convolve(SKEW, 1, 9).expand(5).convolve(Kernel.uniform(5), 1, 40).expand(2),
    ],
)
def test_branches_and_jumps(program):
    assert right(program)


@pytest.mark.parametrize(
    "kernel", [Kernel([1, 0, 0, 1, 1]), Kernel([1, 0, 2]), Kernel([3, 0, 0, 1])]
)
@pytest.mark.parametrize("times", [1, 7, 60])
def test_holes_are_holes_or_refused(kernel, times):
    right(lambda f: f.convolve(kernel, 2, times))
    common = Kernel([kernel.taps[i] for i in np.flatnonzero(kernel.taps)])
    assert right(lambda f: f.convolve(common, 6, times))


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize("kernel", [BOX, Kernel([1, 4, 4, 1]), Kernel([0, 2, 1, 2, 0])])
def test_a_half_of_a_symmetric_map_is_the_whole(kernel, step, monkeypatch):
    program = run(kernel.taps, 41, step)
    assert extent_of(program, 1).symmetric
    short = contour.run(program)
    halves = []
    half = contour._half

    def counted(*arguments):
        halves.append(arguments)
        return half(*arguments)

    def lopsided(field):
        return field.convolve(Kernel([*kernel.taps, 0]), step, 1).convolve(kernel, step, 40)

    monkeypatch.setattr(contour, "_half", counted)
    full = contour.run(lopsided)
    assert len(halves) == 2
    inside = np.flatnonzero(short.values > -np.inf)
    assert np.array_equal(short.values, short.values[::-1])
    assert np.array_equal(np.flatnonzero(full.values > -np.inf), inside)
    off = np.max(np.abs(full.values[inside] - short.values[inside]))
    assert off <= short.error + full.error


def test_refusals_say_how_many_logarithms_are_lost():
    with pytest.raises(EngineError, match=r"1 of 3 logarithms .* log-concave; the balls engine"):
        contour.run(run([1, 1e-20, 1], 1))


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda f: f.scale(-1), "non-negative"),
        (lambda f: f.convolve(SKEW).convolve(Kernel([1, -1e-300])), "non-negative"),
        (lambda f: f.convolve(Kernel(np.ones((2, 3)), (0,))), "convolve channels|use this kernel"),
        (lambda f: f.scale(np.ones(2)), "by channel or by position"),
        (lambda f: f.convolve(BOX).decimate(2), "multiples of 2"),
        (lambda f: f.convolve(BOX).fold(3, "zeros"), "zeros border"),
        (lambda f: f.take(0, 1), "take channels"),
    ],
)
def test_what_is_no_law_on_a_line_is_refused(program, message):
    with pytest.raises(EngineError, match=message):
        contour.run(program)


def test_a_symmetric_half_is_the_other_half():
    def lopsided(field):
        return field.convolve(BOX, 1, 300) + field.convolve(Kernel([0, 0, 0, 0]), 1, 1)

    even = contour.run(lambda f: f.convolve(BOX, 1, 300)).values
    turned = contour.run(lambda f: f.convolve(Kernel([1, 1, 1, 0]), 1, 300)).values
    assert np.array_equal(even, even[::-1])
    assert even == pytest.approx(turned[:601], abs=1e-10)
    with pytest.raises(EngineError, match="0 everywhere"):
        contour.run(lopsided)


def test_floors_leave_the_rest_out():
    program = lambda f: f.convolve(SKEW, 1, 4000)  # noqa: E731
    near, full = contour.run(program, floor=-746.0), contour.run(program)
    shares = full.values - full.total
    kept = near.values > -np.inf
    assert np.all(kept[shares > -746])
    assert near.values[kept] == pytest.approx(full.values[kept], abs=1e-9)
    assert kept.sum() < len(kept) / 2
