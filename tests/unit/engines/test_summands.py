from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import given

from erf_theory.engines.summands import Sum, Summand, impulse
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel
from tests.laws.programs import EXACT, Do, programs
from tests.laws.twin import Paths

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], origin=(-1,))


def law(found):
    """The law of the whole sum."""
    laws = (part.law() for part in found.parts)
    return reduce(Kernel.__matmul__, laws, Kernel.delta(found.ndim) * found.factor)


@pytest.mark.parametrize("ndim", [1, 2])
def test_the_law_of_the_sum_is_the_map(ndim):
    @given(programs(EXACT, ndim, decimate=False))
    def look(program):
        found = law(program(impulse(ndim)))
        values = {x: v for (_, x), v in program(Paths.impulse(ndim)).values.items() if v}
        places = np.argwhere(found.taps) + np.array(found.origin)
        assert set(map(tuple, places.tolist())) == set(values)
        for at, value in values.items():
            tap = found.taps[tuple(np.subtract(at, found.origin))]
            assert tap == pytest.approx(value, rel=1e-9) if isinstance(tap, float) else tap == value

    look()


def test_equal_steps_in_a_row_are_one_entry():
    found = impulse(1).convolve(BOX, 2, 3).convolve(BOX, 2).convolve(SKEW)
    assert found.parts == (Summand(BOX, (2,), 4), Summand(SKEW, (1,), 1))


def test_branches_mix_what_they_do_not_share():
    start = impulse(1).convolve(SKEW)
    found = start + start.convolve(BOX).scale(Fraction(1, 2))
    mixture = Kernel.delta() + BOX * Fraction(1, 2)
    assert found == Sum((Summand(SKEW, (1,), 1), Summand(mixture, (1,), 1)), 1)


def test_a_stride_stretches_the_steps_before_it():
    assert impulse(1).convolve(BOX, 2).expand(3).parts == (Summand(BOX, (6,), 1),)


def test_nothing_happens_zero_times():
    assert impulse(1).convolve(BOX, 2, 0) == impulse(1)


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Do("decimate", (2,)), "keep every 2th place"),
        (Do("fold", ((5,), "zeros")), "fold at the zeros border"),
        (Do("take", (0, 1)), "take channels 0 to 1"),
        (Do("scale", (np.ones(3),)), "scale by channel"),
        (Do("convolve", (Kernel([[1, 2]], origin=(0,)),)), "convolve channels"),
    ],
)
def test_what_makes_no_sum_is_refused(operation, message):
    with pytest.raises(EngineError, match=f"the summands engine cannot {message}.*convolution"):
        operation(impulse(1))


def test_long_branches_are_refused_before_any_work():
    with pytest.raises(EngineError, match="branches of 200001 taps are too long"):
        impulse(1) + impulse(1).convolve(BOX, times=100_000)
