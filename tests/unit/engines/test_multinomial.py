from fractions import Fraction
from itertools import product
from math import comb, prod

import numpy as np
import pytest

from erf_theory.engines.multinomial import extended_binomials, impulse
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel
from tests.laws.twin import Paths

ONE_TWO_FIVE = Kernel([1, 2, 5], origin=(-1,))
SIGNED = Kernel([Fraction(1, 2), 0, Fraction(-2, 3)], origin=(-2,))
CROSS = Kernel([[0, 1, 0], [2, -1, 3], [0, Fraction(5, 7), 0]], origin=(-1, -1))
CORNER = Kernel(np.arange(8).reshape(2, 2, 2) - 3, origin=(0, -1, 2))


def uneven(field):
    return field.convolve(ONE_TWO_FIVE, 2, 3).expand(3).convolve(SIGNED).convolve(ONE_TWO_FIVE, 2)


def u_net(field):
    skip = field.convolve(ONE_TWO_FIVE, 1, 2).scale(0.1)
    deep = field.expand(2).convolve(SIGNED, 3, 2).decimate(2).scale(Fraction(-3, 4))
    return (skip + deep).convolve(SIGNED) + deep


def plane(field):
    branch = field.expand((2, 3)).convolve(CROSS, (1, 2), 2)
    return branch.convolve(CROSS).decimate((3, 2)) + field.convolve(CROSS, 4).scale(Fraction(1, 5))


def solid(field):
    return field.convolve(CORNER, (1, 2, 1), 2) + field.convolve(CORNER, 3).expand((1, 1, 2))


def far_apart(field):
    return field.convolve(Kernel([3], origin=(-40,))) + field.convolve(Kernel([2], origin=(9,)))


def cancelled(field):
    return field.convolve(Kernel([1, 1]), 1, 4).convolve(Kernel([1, -1]), 1, 4)


@pytest.mark.parametrize(
    ("program", "ndim"),
    [(uneven, 1), (u_net, 1), (plane, 2), (solid, 3), (far_apart, 1), (cancelled, 1)],
)
def test_programs_give_what_the_definition_gives(program, ndim):
    exact = program(impulse(ndim))
    paths = {x: value for (_, x), value in program(Paths.impulse(ndim)).values.items()}
    found = {
        tuple(np.add(at, exact.start).tolist()): Fraction(value, exact.denominator)
        for at, value in np.ndenumerate(exact.numerators)
    }
    assert {x: v for x, v in found.items() if v} == {x: v for x, v in paths.items() if v}
    assert paths.keys() <= found.keys()


@pytest.mark.parametrize("layers", [(ONE_TWO_FIVE, SIGNED, ONE_TWO_FIVE), (CROSS, CROSS)])
def test_samples_are_sums_over_all_paths(layers):
    field = impulse(layers[0].ndim)
    for layer in layers:
        field = field.convolve(layer)
    total = np.zeros(field.shape, dtype=object)
    for path in product(*(np.ndenumerate(layer.taps) for layer in layers)):
        total[tuple(map(sum, zip(*(at for at, _ in path), strict=True)))] += prod(
            tap for _, tap in path
        )
    assert np.array_equal(field.numerators, total * field.denominator)


@pytest.mark.parametrize(
    "kernel", [Kernel.uniform(4), ONE_TWO_FIVE, SIGNED, CROSS, CORNER, Kernel([0.1, -0.7])]
)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_runs_are_powers_of_the_kernel(kernel, n):
    exact = Kernel([*map(Fraction, kernel.taps)], kernel.origin) if kernel.ndim == 1 else kernel
    field, power = impulse(kernel.ndim).convolve(kernel, 1, n), exact**n
    assert (field.start, field.shape) == (power.origin, power.shape)
    assert np.array_equal(field.numerators, power.taps * field.denominator)


def test_taps_keep_their_order_and_place():
    field = impulse(1).convolve(ONE_TWO_FIVE)
    assert (field.start, field.numerators.tolist()) == ((-1,), [1, 2, 5])


@pytest.mark.parametrize(("k", "n"), [(1, 5), (2, 0), (2, 9), (3, 8), (4, 7), (7, 6), (12, 3)])
def test_extended_binomials_are_their_alternating_sum(k, n):
    def by_inclusion(t):
        terms = ((-1) ** i * comb(n, i) * comb(n + t - 1 - k * i, n - 1) for i in range(t // k + 1))
        return sum(terms)

    expected = [by_inclusion(t) for t in range(n * (k - 1) + 1)] if n else [1]
    assert extended_binomials(k, n) == expected


@pytest.mark.parametrize(("k", "n", "step"), [(2, 30, 1), (3, 41, 2), (6, 17, 3)])
def test_recurrence_agrees_with_the_multiplied_polynomial(k, n, step):
    run = impulse(1).convolve(Kernel.uniform(k), step, n)
    multiplied = np.array([int(c) for c in run.coefficients])
    assert np.array_equal(run.numerators, multiplied)
    assert np.array_equal(run.scale(3).numerators, 3 * multiplied)


def test_a_float_is_the_dyadic_fraction_that_it_is():
    field = impulse(1).convolve(Kernel([0.1])).scale(0.3)
    assert Fraction(field.numerators[0], field.denominator) == Fraction(0.1) * Fraction(0.3)


def test_equal_layers_join_into_one_run_and_boxes_keep_zero_taps():
    rim = Kernel([0, 1], origin=(0,))
    field = impulse(1).convolve(rim).convolve(Kernel([1], origin=(1,))).convolve(rim, 1, 2)
    assert [run.times for run in field.runs] == [3, 1]
    assert (field.start, field.numerators.tolist()) == ((1,), [0, 0, 0, 1])


@pytest.mark.parametrize("steps", [1, 3, (2, 5)])
def test_expand_then_decimate_changes_nothing(steps):
    field = impulse(2).convolve(CROSS, 1, 2)
    back = field.expand(steps).decimate(steps)
    assert (back.start, back.denominator) == (field.start, field.denominator)
    assert np.array_equal(back.numerators, field.numerators)


def test_decimation_of_a_box_without_multiples_leaves_a_zero_at_0():
    field = impulse(1).convolve(Kernel([4, 7], origin=(1,))).decimate(5)
    assert (field.start, field.numerators.tolist()) == ((0,), [0])
    plane = impulse(2).convolve(Kernel([[4, 7]], origin=(1, 2))).decimate((5, 2))
    assert (plane.start, plane.numerators.tolist()) == ((0, 1), [[0]])


def test_a_kernel_of_zeros_leaves_a_box_of_zeros():
    field = impulse(1).convolve(Kernel([0, 0, 0]), 1, 2)
    assert field.numerators.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (lambda f: f.fold(8, "zeros"), EngineError),
        (lambda f: f.take(0, 1), EngineError),
        (lambda f: f.scale(np.ones(3)), EngineError),
        (lambda f: f.convolve(Kernel(np.ones((2, 3)), origin=(0,))), EngineError),
        (lambda f: f.convolve(Kernel.uniform(3), 1, 10**6).numerators, EngineError),
        (lambda f: f.convolve(Kernel.uniform(2), 1, 10**6).scale(2).numerators, EngineError),
        (lambda f: f + f.convolve(Kernel([1], origin=(10**8,))), EngineError),
        (lambda f: f.convolve(SIGNED).decimate(1).expand(10**8), EngineError),
        (lambda f: f.convolve(CROSS), ErfTheoryError),
        (lambda f: f + impulse(2), ErfTheoryError),
        (lambda f: f.convolve(SIGNED, 0), ErfTheoryError),
        (lambda f: f.convolve(SIGNED, 1, -1), ErfTheoryError),
        (lambda f: f.expand(0), ErfTheoryError),
        (lambda f: f.decimate(-2), ErfTheoryError),
        (lambda f: f.scale(float("nan")), ErfTheoryError),
    ],
)
def test_what_makes_no_sense_is_refused(refused, error):
    with pytest.raises(error) as caught:
        refused(impulse(1))
    assert (caught.type is EngineError) == (error is EngineError)
