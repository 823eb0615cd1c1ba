from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given

from erf_theory.engines import convolution
from erf_theory.engines.extent import extent_of, need_memory, support_extent_of
from erf_theory.errors import EngineError, MapTooLargeError
from erf_theory.kernel import Kernel
from tests.laws.programs import EXACT, INTEGERS, POSITIVE, SIGNED, Chain, has, programs
from tests.laws.twin import Paths

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))
DIMENSIONS = pytest.mark.parametrize("ndim", [1, 2, 3])


@DIMENSIONS
def test_one_grid_serves_every_node_on_the_way(ndim):
    """M points at the unit are M·rate at a node: whole, and enough for the node's box."""

    @given(programs(SIGNED, ndim))
    def look(program):
        whole = extent_of(program, ndim)
        for stop in range(len(program.parts) + 1):
            node = extent_of(Chain(program.parts[:stop]), ndim)
            for points, divisor, rate, size in zip(
                whole.points(), whole.divisor, node.rate, node.shape, strict=True
            ):
                assert points % divisor == 0
                assert (points * rate).denominator == 1
                assert points * rate >= size

    look()


@DIMENSIONS
def test_claims_about_signs_and_mirrors_hold(ndim):
    @given(programs(SIGNED, ndim))
    def look(program):
        extent = extent_of(program, ndim)
        values = {x: v for (_, x), v in program(Paths.impulse(ndim)).values.items() if v}
        assert min(values.values(), default=0) >= 0 or not extent.nonnegative
        if extent.symmetric:
            box = list(zip(extent.start, extent.shape, strict=True))
            turned = {
                tuple(2 * a + m - 1 - i for i, (a, m) in zip(x, box, strict=True)): v
                for x, v in values.items()
            }
            assert turned == values

    look()


@pytest.mark.parametrize(
    ("program", "symmetric"),
    [
        (lambda f: f.convolve(BOX, 2, 5), True),
        (lambda f: f.convolve(SKEW), False),
        (lambda f: f.convolve(SKEW, 1, 0), True),
        (
            lambda f: f.expand(3).convolve(BOX) + f.expand(3).convolve(Kernel.uniform(5), 1, 1),
            False,
        ),
        (lambda f: f.convolve(BOX) + f.convolve(Kernel.uniform(5), 1, 1), False),
        (lambda f: f.convolve(Kernel([1, 1, 1], (-1,))) + f, True),
        (lambda f: f.convolve(BOX).decimate(2), True),
        (lambda f: f.convolve(Kernel.uniform(4)).decimate(2), False),
        (lambda f: f.convolve(BOX).fold(8, "zeros"), False),
    ],
)
def test_which_maps_are_known_to_be_symmetric(program, symmetric):
    assert extent_of(program, 1).symmetric == symmetric


def test_the_geometry_of_a_stack():
    extent = extent_of(lambda f: f.expand(2).convolve(SKEW, 3, 4).expand((5,)).convolve(BOX), 1)
    assert (extent.start, extent.shape) == ((-60,), (123,))
    assert (extent.rate, extent.divisor) == ((10,), (1,))
    assert extent.points() == (13,)
    assert extent.size == 123
    assert extent.work == 4 * 3 * 25 + 3 * 123


def test_the_geometry_of_an_upsampling():
    extent = extent_of(lambda f: f.convolve(SKEW, 1, 3).decimate((3,)).convolve(BOX).decimate(2), 1)
    assert (extent.start, extent.shape) == ((0,), (2,))
    assert extent.rate == (Fraction(1, 6),)
    assert extent.divisor == (6,)
    assert extent.points() == (18,)


def test_borders_and_channels():
    matrix = Kernel(np.ones((2, 3, 4)), (-1,))
    extent = extent_of(lambda f: f.convolve(matrix, 2, 2).take(0, 1).fold(5, "circular"), 1)
    assert (extent.start, extent.shape) == ((0,), (5,))
    assert extent.points() == (13,)


@pytest.mark.parametrize("taps", [[0, 0, 1, 2, 0], [1], [0, 3, 0, 0, 1]])
@pytest.mark.parametrize("times", [0, 1, 4])
def test_supports_shed_the_zeros_at_the_rim(taps, times):
    places = {sum(path) for path in product(np.flatnonzero(taps).tolist(), repeat=times)}
    for step in (1, 3):
        found = support_extent_of(lambda f, d=step: f.convolve(Kernel(taps), d, times), 1)
        assert found.start == (step * min(places),)
        assert found.shape == (step * (max(places) - min(places)) + 1,)


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f.convolve(BOX).decimate(2),
        lambda f: f.convolve(BOX).fold(2, "zeros"),
    ],
)
def test_supports_that_need_their_holes_are_left_to_the_support_engine(program):
    with pytest.raises(EngineError, match="support can"):
        support_extent_of(program, 1)


@pytest.mark.parametrize(
    "program",
    [
        lambda f: f.convolve(SKEW) + f.convolve(Kernel.uniform(9), 7).scale(0),
        lambda f: f.convolve(SKEW) + f.convolve(Kernel([0, 0, 0]), 7),
    ],
)
def test_a_dead_branch_has_no_support(program):
    try:
        found = support_extent_of(program, 1)
    except EngineError:
        return
    assert (found.start, found.shape) == ((-1,), (3,))


@given(programs(POSITIVE, 1, decimate=False))
def test_symmetry_is_never_claimed_in_vain(program):
    extent = extent_of(program, 1)
    values = {x[0]: v for (_, x), v in program(Paths.impulse(1)).values.items() if v}
    if extent.symmetric:
        turn = 2 * extent.start[0] + extent.shape[0] - 1
        assert {turn - x: v for x, v in values.items()} == values
    assert extent.nonnegative


@given(programs(EXACT, 2))
def test_boxes_hold_every_path(program):
    extent = extent_of(program, 2)
    for _, x in program(Paths.impulse(2)).values:
        for i, a, m in zip(x, extent.start, extent.shape, strict=True):
            assert a <= i < a + m
    assert convolution.run(program, 2).shape == extent.shape


@given(programs(INTEGERS, 2, decimate=False).filter(lambda program: not has(program, "scale")))
def test_support_boxes_are_tight(program):
    support = program(Paths.impulse(2)).support
    extent = support_extent_of(program, 2)
    for axis in range(2):
        places = [x[axis] for x in support]
        assert extent.start[axis] == min(places)
        assert extent.shape[axis] == max(places) - min(places) + 1


def test_memory_is_asked_for_before_any_work():
    need_memory(1000)
    with pytest.raises(MapTooLargeError, match="GiB"):
        need_memory(10**400)
