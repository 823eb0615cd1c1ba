from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines import dtft
from erf_theory.engines.extent import extent_of
from erf_theory.kernel import Kernel
from tests.laws.programs import EXACT, programs
from tests.laws.twin import Paths, by_place

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))
SIGNED = Kernel([3, -1, Fraction(1, 2)], (-2,))
CROSS = Kernel([[0, 1, 0], [2, -1, 3], [0, Fraction(5, 7), 0]], (-1, -1))


def assert_within(values, log_scale, error, exact):
    """Values times e^log_scale are off by no more than the error times e^log_scale."""
    with mpmath.workdps(40):
        scale, rounding = mpmath.exp(log_scale), 2.0**-52 * (2 + abs(log_scale))
        for at, value in values.items():
            ratio = Fraction(exact.get(at, 0))
            size = mpmath.mpf(ratio.numerator) / ratio.denominator / scale
            assert abs(value - size) <= error + rounding * abs(size)


def assert_error_holds(program, ndim=1):
    found = dtft.run(program, ndim)
    values = by_place(found.values, found.start)
    exact = program(Paths.impulse(ndim)).values
    assert {at for at, value in exact.items() if value} <= values.keys()
    assert_within(values, found.log_scale, found.error, exact)
    return found.error / np.max(np.abs(found.values))


def network(field):
    branch = field.convolve(SKEW, 2, 3).scale(Fraction(1, 7))
    field = (field + branch).expand(3).convolve(Kernel([4, 0, 1]), 1, 2)
    return (field + field.convolve(SIGNED, 5)).decimate(2).convolve(SIGNED)


def plane(field):
    branch = field.expand((2, 3)).convolve(CROSS, (1, 2), 2)
    return branch.convolve(CROSS).decimate((2, 3)) + field.convolve(CROSS, 4).scale(Fraction(1, 5))


@pytest.mark.parametrize("n", [5, 40, 100])
@pytest.mark.parametrize("order", [1, 2, 4, 6])
def test_a_transfer_function_that_almost_vanishes_costs_digits(n, order):
    """A wide map passes only frequencies where a difference's transfer function is near 0."""
    difference = Kernel([1, -1]) ** order

    def program(field):
        return field.convolve(BOX, 1, n).convolve(difference)

    assert assert_error_holds(program) < 1e-6
    assert assert_error_holds(lambda f: f.convolve(difference).convolve(BOX, 1, n)) < 1e-6


@pytest.mark.parametrize("gap", [20, 40, 48])
def test_what_cancels_costs_digits(gap):
    def program(field):
        field = field.convolve(BOX, 1, 10)
        return field.scale(Fraction(2**gap + 1, 2**gap)) + field.scale(-1)

    assert assert_error_holds(program) > 2.0 ** (gap - 53)


@pytest.mark.parametrize("faint", [1e-9, 1e-14])
def test_what_an_upsampling_drops_costs_digits(faint):
    kernel = Kernel([faint, 1, 3 * faint, 1, 2 * faint, 5])
    relative = assert_error_holds(lambda f: f.convolve(kernel).decimate(2))
    assert relative > 1e-17 / faint


@pytest.mark.parametrize("exponent", [-5000, 5000])
def test_a_dead_branch_hides_nothing(exponent):
    factor = Fraction(2) ** exponent

    def program(field):
        live, dead = field.convolve(SKEW).scale(factor), field.convolve(BOX, 2).scale(0)
        return (live + dead) + (dead + live)

    found = dtft.run(program, 1)
    assert found.log_scale + np.log(found.values.sum()) == pytest.approx(
        np.log(16) + exponent * np.log(2), rel=1e-13
    )
    shares = found.values / found.values.sum() * 8
    assert np.allclose(shares, [1, 2, 5, 0, 0, 0], rtol=0, atol=1e-13)


def test_zeros_stay_zeros():
    for program in (
        lambda f: f.scale(0),
        lambda f: f.convolve(Kernel([0, 0, 0])),
        lambda f: f.convolve(BOX).scale(0) + f.convolve(Kernel([0])),
        lambda f: f.convolve(Kernel([4, 7], (1,))).decimate(5),
    ):
        found = dtft.run(program, 1)
        assert np.all(np.abs(found.values) <= found.error)


@pytest.mark.parametrize("program", [network, lambda f: network(network(f))])
def test_circles_show_the_tilted_map(program):
    extent = extent_of(program, 1)
    theta = np.array([[-0.4], [0.0], [0.03], [0.7]]) * float(extent.rate[0])
    field = program(dtft.impulse(1, extent.points(), theta))
    exact = program(Paths.impulse(1)).values
    assert np.allclose(field.theta, theta / float(extent.rate[0]), rtol=1e-15)
    rows = zip(field.samples(), field.log_scale, field.theta[:, 0], field.error(), strict=True)
    for samples, log_scale, tilt, error in rows:
        expected = np.zeros(len(samples))
        for (_, (x,)), value in exact.items():
            place = x - field.start[0]
            expected[place % len(samples)] += float(value) * np.exp(tilt * place - log_scale)
        assert np.max(np.abs(samples - expected)) <= 4 * error
        assert error < 1e-12


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_errors_keep_their_size_under_factors_per_channel(factor):
    one = dtft.impulse(1, (64,))
    field = replace(one, values=np.stack([one.values, one.values], axis=1))
    field = field.convolve(BOX, 1, 10)
    faint = field.scale(1 + 2.0**-40) + field.scale(-1)
    scaled = faint.scale(np.array([factor, factor]))
    assert scaled.error() == pytest.approx(faint.error(), rel=0.2)
    assert faint.error()[0] > 1e-5


def test_grids_hold_every_box_and_every_upsampling():
    @given(programs(EXACT, 1))
    def look(program):
        extent = extent_of(program, 1)
        (least,), (divisor,) = extent.points(), extent.divisor
        assert least % divisor == 0
        exact = program(Paths.impulse(1)).values
        for points in (least, dtft.fast_length(least, divisor), 3 * least):
            field = program(dtft.impulse(1, (points,)))
            assert field.size[0] == points * extent.rate[0] >= extent.shape[0]
            samples = np.roll(field.samples()[0], field.start[0] - extent.start[0])
            values = by_place(samples[: extent.shape[0]], extent.start)
            assert_within(values, field.log_scale[0], 4 * field.error()[0], exact)
            rest = samples[extent.shape[0] :]
            assert np.max(np.abs(rest), initial=0) <= 4 * field.error()[0]

    look()


def test_planes_and_strides():
    assert assert_error_holds(plane, 2) < 1e-12

    def pyramid(field):
        for _ in range(6):
            field = field.expand(2).convolve(SKEW)
        return field

    assert assert_error_holds(pyramid) < 1e-12


@given(st.integers(1, 10**6), st.integers(1, 40))
def test_fast_lengths(n, multiple):
    length = dtft.fast_length(n, multiple)
    rest = length // multiple
    assert length >= n
    assert length % multiple == 0
    for prime in (2, 3, 5):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1
    assert length < 2 * n + 2 * multiple
