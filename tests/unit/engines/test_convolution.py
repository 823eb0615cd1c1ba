from fractions import Fraction

import numpy as np
import pytest

from erf_theory.engines import convolution, multinomial
from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel
from tests.laws.twin import Paths, by_place

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], (-1,))
EPS = Fraction(2) ** -52
RNG = np.random.default_rng(17)
MATRIX = Kernel(RNG.normal(size=(3, 3, 4)), (-1,))
DEPTHWISE = Kernel(RNG.uniform(size=(3, 2, 3)), (0, -1))
PLANES = Kernel(RNG.normal(size=(3, 2, 3, 2)), (-1, -1))
WEIGHTS = np.array([1.0, -0.3, 2.0])


def exactly(field):
    """A field of samples as exact numbers, by channel and place."""
    places = by_place(field.values, field.start)
    return {at: Fraction(v) * Fraction(2) ** field.exponent for at, v in places.items()}


@pytest.mark.parametrize(
    ("program", "ndim"),
    [
        (lambda f: f.convolve(MATRIX, 2, 4), 1),
        (lambda f: f.convolve(MATRIX).take(1, 3).convolve(SKEW, 1, 20), 1),
        (lambda f: f.convolve(DEPTHWISE, (1, 2), 3), 2),
        (lambda f: f.convolve(DEPTHWISE).convolve(PLANES, 2).scale(np.array([0.1, 7.0])), 2),
        (lambda f: f.expand(2).convolve(MATRIX, 1, 2) + f.convolve(MATRIX).scale(-0.7), 1),
    ],
)
def test_channels_are_right_to_their_roundings(program, ndim):
    found = exactly(program(convolution.impulse(ndim, WEIGHTS)))
    paths = program(Paths.impulse(ndim, WEIGHTS))
    roundings = extent_of(program, ndim).roundings
    assert paths.samples.keys() <= found.keys()
    for at, value in found.items():
        error = abs(value - paths.values.get(at, 0))
        assert error <= EPS * roundings * paths.sizes.get(at, 0)


@pytest.mark.parametrize("times", [1, 2, 13, 37])
@pytest.mark.parametrize("kernel", [SKEW, Kernel([0.1, 0.7, 1e-9]), Kernel([0, 2, 0, 1, 0])])
def test_runs_are_one_convolution_after_the_other(kernel, times):
    run = convolution.impulse(1).convolve(SKEW).convolve(kernel, 2, times)
    loop = convolution.impulse(1).convolve(SKEW)
    for _ in range(times):
        loop = loop.convolve(kernel, 2)
    assert (run.start, run.shape) == (loop.start, loop.shape)
    one, other = exactly(run), exactly(loop)
    assert all(abs(one[at] - other[at]) <= 2 * (times + 4) * EPS * one[at] for at in one)


@pytest.mark.parametrize("times", [1, 500, 537, 1001])
@pytest.mark.parametrize("kernel", [SKEW, Kernel.uniform(7), Kernel([4, -1, 2])])
def test_powers_are_right_within_the_range_of_doubles_and_beyond(kernel, times):
    field = convolution.impulse(1).convolve(kernel, 1, times)
    exact, sizes = (
        multinomial.impulse(1).convolve(k, 1, times).numerators for k in (kernel, abs(kernel))
    )
    unit = Fraction(2) ** -field.exponent
    lost, least = 2 * (times + 4) * EPS, max(sizes) // 10**300
    for found, true, size in zip(field.values.tolist(), exact, sizes, strict=True):
        assert abs(Fraction(found) - true * unit) <= lost * max(size, least) * unit


@pytest.mark.parametrize("tap", [1e300, 1e-300, Fraction(10) ** 400, Fraction(1, 10**400)])
def test_no_scale_is_too_large_or_too_small(tap):
    field = convolution.impulse(1).convolve(Kernel([1, 2]) * tap, 1, 40).scale(tap)
    exact = Kernel([1, 2]) ** 40
    for (_, (x,)), value in exactly(field).items():
        assert abs(value / (Fraction(tap) ** 41 * exact.taps[x]) - 1) < 60 * EPS


@pytest.mark.parametrize("exponent", [-5000, 5000])
def test_a_dead_branch_hides_nothing(exponent):
    live = convolution.impulse(1).convolve(SKEW).scale(Fraction(2) ** exponent)
    dead = convolution.impulse(1).convolve(BOX, 2).scale(0)
    expected = {at: 2 * v for at, v in exactly(live).items()}
    both = (live + dead) + (dead + live)
    assert {at: v for at, v in exactly(both).items() if v} == expected
    assert not (dead + dead).values.any()


@pytest.mark.parametrize("largest", [1e-300, 1e200, 1.7e308])
def test_factors_by_position_may_be_of_any_size(largest):
    factor = np.array([largest, largest / 4, 0.0])
    found = exactly(convolution.impulse(1).convolve(Kernel([3, 1, 2])).scale(factor))
    exact = [3 * Fraction(largest), Fraction(largest) / 4, 0]
    assert all(abs(found[0, (x,)] - exact[x]) <= 2 * EPS * exact[x] for x in range(3))


GAPS = [(100, 100), (400, 500), (500, 400), (900, 900), (1000, 30), (30, 1000)]


@pytest.mark.parametrize(("near", "wide"), GAPS)
def test_samples_far_below_the_rest_are_right_or_refused(near, wide):
    """What is kept are 2**-near and 2**-(near + wide): doubles reach 2**-1022 below the largest."""

    def program(field):
        field = field.convolve(Kernel([1, Fraction(1, 2**near)], (-1,)))
        return field.convolve(Kernel([1, 0, Fraction(1, 2**wide)])).decimate(2)

    try:
        found = exactly(convolution.run(program, 1))
    except EngineError as refusal:
        assert "far below the rest of the map" in str(refusal)  # noqa: PT017
        assert near > 400
    else:
        assert found == {(0, x): v for (_, x), v in program(Paths.impulse(1)).values.items()}


def test_a_little_is_kept_again_and_again():
    """Every upsampling keeps 2**-300 of what there was; in the end nothing right is left."""

    def program(field):
        for _ in range(4):
            field = field.convolve(Kernel([1, Fraction(1, 2**300)], (-1,)))
            field = field.convolve(Kernel([1, 0, Fraction(1, 2**200)])).decimate(2)
        return field

    with pytest.raises(EngineError, match="multinomial"):
        convolution.run(program, 1)


@pytest.mark.parametrize("shift", [1e-3, 1e-9, 1e-15])
def test_the_bound_on_rounding_sees_cancellation(shift):
    def program(field):
        field = field.convolve(Kernel([0.1, 0.7, 0.3]), 1, 30)
        return field.scale(1 + shift) + field.scale(-1)

    found, bound = (
        exactly(answer)
        for answer in (convolution.run(program, 1), convolution.absolute_error(program, 1))
    )
    paths = program(Paths.impulse(1))
    roundings = extent_of(program, 1).roundings
    for at, exact in paths.values.items():
        assert abs(found[at] - exact) <= bound[at]
        assert bound[at] == pytest.approx(float(paths.sizes[at] * roundings * EPS), rel=1e-9)


def test_the_bound_of_a_map_without_signs_is_relative():
    def program(field):
        return field.convolve(SKEW, 2, 50) + field.convolve(BOX, 3, 20).scale(0.1)

    found, bound = convolution.run(program, 1), convolution.absolute_error(program, 1)
    relative = float(EPS * extent_of(program, 1).roundings)
    error = np.ldexp(bound.values, bound.exponent - found.exponent)
    assert error == pytest.approx(found.values * relative, rel=1e-12, abs=0)


@pytest.mark.parametrize("origin", [(0, 0), (0, -1)])
def test_kernels_that_differ_by_a_rim_of_zeros_keep_their_boxes(origin):
    line = Kernel([[1.0], [2.0], [3.0]])
    wide = Kernel([[0, 1.0, 0], [0, 2.0, 0], [0, 3.0, 0]], origin)
    for kernel in (line, wide, line):
        field = convolution.impulse(2).convolve(kernel, 1, 2)
        assert field.start == tuple(2 * o for o in kernel.origin)
        assert field.shape == tuple(2 * k - 1 for k in kernel.shape)
        values = {x: value for (_, x), value in exactly(field).items() if value}
        middle = field.start[1] + field.shape[1] // 2
        assert values == {(i, middle): v for i, v in enumerate([1, 4, 10, 12, 9])}


@pytest.mark.parametrize("power", [-17, -16, -15, -8, -1, 1, 8, 15, 16, 17])
def test_taps_of_one_size_again_and_again_lose_nothing(power):
    """Samples shrink with the kernel, and what underflowed shrinks with them."""
    field = convolution.impulse(1, np.ones(2))
    kernel = Kernel(np.full((2, 1), 0.75 * 2.0**power), (0,))
    for _ in range(200):
        field = field.convolve(kernel)
    logs = np.log2(field.values.ravel()) + field.exponent
    assert logs == pytest.approx(200 * (power + np.log2(0.75)), abs=1e-6)
    assert field.floor < -900


@pytest.mark.parametrize("size", [1, 7, 5000])
@pytest.mark.parametrize("power", [-900, 0, *range(470, 511), 1000])
def test_samples_are_brought_to_one_level_unless_they_are_near_it(power, size):
    spread = np.ldexp(RNG.uniform(-1, 1, size), RNG.integers(-40, 0, size))
    spread[RNG.integers(size)] = 0.75
    for values in (spread, np.full(size, -0.75)):
        found = convolution._balanced(np.ldexp(values, power), (0,), 3)
        assert 490 - 16 <= np.frexp(np.abs(found.values).max())[1] <= 490 + 16
        by = found.exponent - 3 - power
        assert np.array_equal(np.ldexp(found.values, by), values)
        assert found.exponent == 3 if 474 <= power <= 506 else by == -490


@pytest.mark.parametrize("floor", range(-640, -560))
@pytest.mark.parametrize("power", [474, 480, 490, 506])
def test_samples_are_refused_once_what_underflowed_may_be_seen(power, floor):
    values = np.ldexp(RNG.uniform(0.5, 1, 64), power)
    if floor + 490 - power > 490 - 1075:
        with pytest.raises(EngineError, match="far below the rest of the map"):
            convolution._balanced(values, (0,), 0, floor)
    else:
        assert convolution._balanced(values, (0,), 0, floor).floor == floor
