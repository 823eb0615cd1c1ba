from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines import contour, convolution, saddle
from erf_theory.engines.dtft import fast_length
from erf_theory.engines.extent import extent_of, need_memory, support_extent_of
from erf_theory.errors import EngineError, MapTooLargeError
from erf_theory.kernel import Kernel
from tests.laws.programs import EXACT, INTEGERS, POSITIVE, has, programs
from tests.laws.twin import Paths

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))


def network(field):
    branch = field.convolve(SKEW, 2, 3).scale(Fraction(1, 7))
    field = (field + branch).expand(3).convolve(Kernel([4, 0, 1]), 1, 2)
    return field + field.convolve(BOX, 5)


@pytest.mark.parametrize("theta", [-7.0, -0.3, 0.0, 0.02, 4.0])
def test_saddles_are_derivatives_of_the_logarithm(theta):
    found = saddle.run(network, np.array([theta]), 3)
    values = {x[0]: value for (_, x), value in network(Paths.impulse(1)).values.items()}

    def log_sum(s):
        terms = (
            mpmath.mpf(v.numerator) / v.denominator * mpmath.exp(s * (x - found.start))
            for x, v in values.items()
        )
        return mpmath.log(mpmath.fsum(terms))

    with mpmath.workdps(40):
        for order, name in enumerate(("value", "mean", "variance")):
            exact = mpmath.diff(log_sum, mpmath.mpf(theta), order)
            assert getattr(found, name)[0] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)


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


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda f: f.convolve(Kernel([1, -1])), "non-negative"),
        (lambda f: f.convolve(BOX).decimate(2), "multiples of 2"),
        (lambda f: f.convolve(BOX).fold(3, "zeros"), "zeros border"),
        (lambda f: f.take(0, 1), "take channels"),
    ],
)
def test_contours_refuse(program, message):
    with pytest.raises(EngineError, match=message):
        contour.run(program)


@given(st.integers(1, 10**6), st.integers(1, 40))
def test_fast_lengths(n, multiple):
    length = fast_length(n, multiple)
    rest = length // multiple
    assert length >= n
    assert length % multiple == 0
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1
    assert length < 2 * n + 2 * multiple


def test_memory_is_asked_for_before_any_work():
    need_memory(1000)
    with pytest.raises(MapTooLargeError, match="GiB"):
        need_memory(10**400)
