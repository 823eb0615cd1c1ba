"""What a record keeps of a program, and what becomes of it when it is played."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from erf_theory.engines import convolution, cumulants, multinomial
from erf_theory.engines.tape import Recorded, Tape, recorded
from erf_theory.kernel import Kernel
from tests.laws.programs import FLOATS, programs, repeated
from tests.laws.twin import Paths, by_place

THREE, TWO = Kernel.uniform(3), Kernel.uniform(2)
MOVED = Kernel([2], (3,))


def names(program, ndim=1):
    """The operations that a program leaves on a tape, and the field at its end."""
    tape = Tape()
    end = program(Recorded(tape, 0, ndim))
    return [name for name, _, _ in tape.operations], end


def played(program, ndim=1):
    """The operations that are played, by name, and how often a convolution runs."""

    class Spy:
        def __init__(self):
            self.seen = []

        def __getattr__(self, name):
            def method(*arguments):
                self.seen.append((name, arguments[2] if name == "convolve" else None))
                return self

            return method

        def __add__(self, other):
            self.seen.append(("add", None))
            return self

    return recorded(program, ndim)(Spy()).seen


def exactly(program):
    field = program(multinomial.impulse(1))
    return [Fraction(int(number), int(field.denominator)) for number in field.numerators]


def test_equal_convolutions_in_a_row_are_one_with_a_power():
    def stack(field):
        return field.convolve(THREE).convolve(THREE, 1, 2).convolve(TWO).convolve(TWO, 2)

    assert played(stack) == [("convolve", 3), ("convolve", 1), ("convolve", 1)]


def test_a_field_that_somebody_reads_is_not_changed_later():
    def skip(field):
        once = field.convolve(THREE)
        return once + once.convolve(THREE)

    assert played(skip) == [("convolve", 1), ("convolve", 1), ("add", None)]
    assert recorded(skip, 1)(multinomial.impulse(1)).numerators.tolist() == [2, 3, 4, 2, 1]


def test_factors_and_shifts_wait_until_fields_meet():
    done, end = names(lambda f: f.scale(3).convolve(MOVED, 2).scale(Fraction(1, 2)).convolve(THREE))
    assert done == ["convolve"]
    assert (end.factor, end.shift) == (3, (6,))
    done, end = names(lambda f: f.convolve(MOVED, 1, 3).expand(2).convolve(MOVED))
    assert done == ["expand"]
    assert (end.factor, end.shift) == (16, (21,))


@pytest.mark.parametrize("power", [-540, 540])
def test_factors_whose_product_no_double_holds_are_recorded(power):
    play = recorded(lambda field: field.scale(2.0**power).scale(2.0**power), 1)
    found = play(convolution.impulse(1))
    assert np.log2(found.values.item()) + found.exponent == 2 * power


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    "size",
    [2.0**700, 2.0**-700, 10**400, Fraction(1, 10**400)],
    ids=["large", "small", "huge", "tiny"],
)
def test_branches_whose_factors_are_far_apart_both_count(size, swapped):
    back = 1 / size if isinstance(size, float) else Fraction(1) / size
    floats = [] if isinstance(size, float) else [0.5, 2.0]

    def program(field):
        one = field.convolve(Kernel([back, back])).scale(size)
        two = field.scale(back)
        for factor in floats:
            two = two.scale(factor)
        two = two.convolve(Kernel([size, size]), 2)
        return two + one if swapped else one + two

    found = recorded(program, 1)(convolution.impulse(1))
    assert np.ldexp(found.values, found.exponent) == pytest.approx([2, 1, 1], rel=1e-14)


def test_a_sum_keeps_what_both_are_multiplied_by():
    done, end = names(lambda f: f.scale(3).convolve(THREE).scale(2) + f.scale(3))
    assert done == ["convolve", "sum"]
    terms = (1, ()), (Fraction(1, 2), ())
    assert (end.factor, end.tape.operations[1]) == (6, ("sum", (1, 0), terms))


@pytest.mark.parametrize(("one", "two"), [(0, 0), (0, 3), (3, 0), (-2, 2)])
def test_sums_of_nothing(one, two):
    found = recorded(lambda f: f.scale(one) + f.convolve(THREE).scale(two), 1)
    assert found(multinomial.impulse(1)).numerators.tolist() == [one + two, two, two]


def test_nothing_is_recorded_of_steps_of_1():
    done, end = names(lambda f: f.expand(1).decimate((1,)).convolve(THREE, 5, 0).scale(1))
    assert (done, end.factor, end.step) == ([], 1, 0)


def test_factors_by_place_and_channel_stay_where_they_are():
    left, right = np.array([1.0, 2.0]), np.array([3.0, 5.0])

    def twice(field):
        return field.fold(2, "circular").scale(2).scale(left).scale(right).take(0, 1)

    assert [name for name, _ in played(twice)] == ["fold", "scale", "scale", "take", "scale"]


def test_runs_of_equal_blocks_are_one_kernel_with_a_power():
    def block(field):
        return field.scale(2) + field.convolve(THREE).convolve(TWO).scale(Fraction(1, 3))

    def deep(field):
        for _ in range(20):
            field = block(field)
        return field

    assert [name for name, _ in played(deep)].count("add") == 0
    assert played(deep)[0] == ("convolve", 20)
    assert exactly(recorded(deep, 1)) == exactly(deep)


def test_blocks_with_other_kernels_are_not_taken_for_equal():
    def deep(field):
        for kernel in (THREE, Kernel([1, 2, 1]), THREE, THREE):
            field = field + field.convolve(kernel)
        return field

    assert [name for name, _ in played(deep)] == ["convolve", "add"] * 2 + ["convolve"]
    assert exactly(recorded(deep, 1)) == exactly(deep)


def test_blocks_whose_fields_are_read_from_outside_are_played_one_by_one():
    def dense(field):
        first = field.convolve(THREE)
        second = first + first.convolve(TWO)
        return second + second.convolve(TWO) + first

    assert [name for name, _ in played(dense)].count("add") == 3


def test_nothing_is_moved_nowhere():
    def program(field):
        return field.convolve(THREE) + field.convolve(TWO).scale(0.0).convolve(MOVED)

    assert played(program) == [("convolve", 1), ("convolve", 1), ("scale", None), ("add", None)]
    found = recorded(program, 1)(cumulants.impulse(1))
    assert (found.mass, found.cumulant(2)) == (3, Fraction(2, 3))


@pytest.mark.parametrize("ndim", [1, 2])
def test_factors_that_are_floats_are_those_of_all_paths(ndim):
    @given(repeated(programs(FLOATS, ndim, depth=1), ndim))
    def look(program):
        paths = program(Paths.impulse(ndim))
        field = recorded(program, ndim)(convolution.impulse(ndim))
        found = by_place(field.values, field.start)
        for at, value in found.items():
            exact = float(paths.values.get(at, 0) / Fraction(2) ** field.exponent)
            assert value == pytest.approx(exact, rel=1e-12, abs=0)

    look()
