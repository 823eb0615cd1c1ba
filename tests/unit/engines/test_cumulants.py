from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import comb, isclose, log, prod

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.engines.cumulants import impulse
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel

SKEW = Kernel([1, 2, 5], origin=(-1,))
SIGNED = Kernel([3, -1, Fraction(1, 2)], origin=(-2,))
CORNER = Kernel([[1, 2], [0, 3], [1, 1]], origin=(-1, 2))
TILT = Kernel([[0, 1, 0], [2, -1, 3], [0, Fraction(5, 7), 0]], origin=(-1, -1))

TAP = st.fractions(-3, 3, max_denominator=6)
KERNEL = st.builds(
    lambda taps, origin: Kernel(taps, (origin,)),
    st.lists(TAP, min_size=1, max_size=5).filter(lambda taps: sum(taps) != 0),
    st.integers(-3, 3),
)


def joint_moment(kernel, orders):
    return Fraction(kernel.moment(orders)) / Fraction(kernel.mass)


def path_moment(layers, power):
    """The definition: the weighted mean over all paths of (end of the path)**power."""
    steps = [
        [((m + kernel.origin[0]) * d, Fraction(tap)) for m, tap in enumerate(kernel.taps)]
        for kernel, d, times in layers
        for _ in range(times)
    ]
    paths = [(sum(x for x, _ in path), prod(w for _, w in path)) for path in product(*steps)]
    return sum(w * x**power for x, w in paths) / sum(w for _, w in paths)


def assert_follows(field, kernel):
    """The field says of every axis what the whole map says."""
    assert field.mass == kernel.mass
    assert field.mean == kernel.mean
    assert field.covariance == kernel.covariance
    for axis, r in product(range(kernel.ndim), range(1, field.order + 1)):
        assert field.cumulant(r, axis) == kernel.cumulant(r, axis)


def test_moments_are_those_of_all_paths():
    layers = [(SKEW, 1, 3), (SIGNED, 2, 2), (SKEW, 3, 1)]
    field = impulse(1, order=3)
    for kernel, step, times in layers:
        field = field.convolve(kernel, step, times)
    mean, second, third = (path_moment(layers, r) for r in (1, 2, 3))
    assert field.mean == (mean,)
    assert field.covariance == ((second - mean**2,),)
    assert field.cumulant(3) == third - 3 * second * mean + 2 * mean**3


@given(st.lists(st.tuples(KERNEL, st.integers(1, 3), st.integers(0, 3)), max_size=3))
def test_cumulants_add(layers):
    field, kernel = impulse(1, order=5), Kernel.delta()
    for layer, step, times in layers:
        field = field.convolve(layer, step, times)
        kernel = kernel @ layer.dilate(step) ** times
    assert_follows(field, kernel)


@given(KERNEL, KERNEL, TAP, st.integers(1, 4))
def test_branches_mix(left, right, weight, s):
    assume(left.mass + weight * right.mass != 0)
    start = impulse(1, order=5).convolve(SKEW)
    field = start.convolve(left) + start.convolve(right).scale(weight)
    kernel = SKEW @ (left + weight * right)
    assert_follows(field.expand(s), kernel.dilate(s))


def test_axes_mix_too():
    start = impulse(2, order=4).convolve(CORNER, (1, 2), 2)
    field = (start + start.convolve(TILT, 2).scale(Fraction(2, 3))).expand((3, 1))
    skip = Kernel.delta(2) + Fraction(2, 3) * TILT.dilate(2)
    kernel = (CORNER.dilate((1, 2)) ** 2 @ skip).dilate((3, 1))
    assert_follows(field, kernel)
    mean, cross = kernel.mean, joint_moment(kernel, (1, 1))
    assert field.series[1, 1] == cross - mean[0] * mean[1]
    raw = {(i, j): joint_moment(kernel, (i, j)) for i, j in product(range(3), range(3))}
    central = sum(
        comb(2, i) * comb(2, j) * raw[i, j] * (-mean[0]) ** (2 - i) * (-mean[1]) ** (2 - j)
        for i, j in raw
    )
    (a, c), (_, b) = field.covariance
    assert field.series[2, 2] == central - a * b - 2 * c**2


def test_three_axes():
    kernel = Kernel(np.arange(1, 9).reshape(2, 2, 2), origin=(0, -1, 2))
    field = impulse(3, order=3).convolve(kernel, times=2)
    assert_follows(field, kernel**2)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 7])
def test_uniform_layers_have_bernoulli_cumulants(k):
    field = impulse(1, order=8).convolve(Kernel.uniform(k), times=20)
    for r in range(2, 9):
        numerator, denominator = mpmath.bernfrac(r)
        assert field.cumulant(r) == 20 * Fraction(numerator, denominator) * (k**r - 1) / r


def test_float_taps_are_taken_for_what_they_are_and_rounded_once():
    taps = np.array([0.1, 0.7, 1e-9])
    exact = Kernel([Fraction(tap) for tap in taps.tolist()], (-5,))
    field = impulse(1, order=4).convolve(Kernel(taps, (-5,)))
    for r in range(1, 5):
        assert field.cumulant(r) == float(exact.cumulant(r))
    assert abs(Fraction(field.mass) / exact.mass - 1) < Fraction(1, 10**58)


def test_a_float_branch_agrees_with_its_exact_twin():
    def run(weight, taps):
        field = impulse(1, order=4).convolve(SKEW, 2)
        for _ in range(5):
            field = field + field.convolve(taps, 1, 2).scale(weight)
        return field

    quarter, half = Fraction(1, 4), Fraction(1, 2)
    exact = run(quarter, Kernel([half, 1, quarter]))
    rounded = run(0.25, Kernel([0.5, 1.0, 0.25]))
    for r in range(1, 5):
        assert isclose(rounded.cumulant(r), exact.cumulant(r), rel_tol=1e-12)
    assert isinstance(exact.mass, Fraction)
    assert isinstance(rounded.mass, Decimal)
    assert Fraction(rounded.mass) == exact.mass


def test_a_float_factor_leaves_the_shape_exact():
    field = impulse(1).convolve(SKEW).scale(0.5)
    assert field.mass == 4
    assert field.covariance == SKEW.covariance


def test_masses_of_millions_of_digits_are_refused():
    for kernel in (Kernel([1, 2]), Kernel([Fraction(2, 9)])):
        field = impulse(1).convolve(kernel, times=10**12)
        with pytest.raises(EngineError, match="ask for log_mass"):
            _ = field.mass
        assert isclose(field.log_mass, 10**12 * log(kernel.mass), rel_tol=1e-15)
    assert impulse(1).convolve(Kernel([1]), times=10**12).mass == 1
    assert impulse(1, order=0).convolve(Kernel([1, -1]), times=10**12).mass == 0


@pytest.mark.parametrize("step", [1, 10**400])
def test_what_no_double_holds_is_refused(step):
    field = impulse(1).convolve(Kernel([1.0, 1.0]), step, 10**400)
    for ask in (lambda: field.mean, lambda: field.covariance, lambda: field.expand(2).cumulant(2)):
        with pytest.raises(EngineError, match="as integers or fractions"):
            ask()
    with pytest.raises(EngineError, match="choose a smaller n"):
        _ = field.log_mass


def test_what_is_0_stays_0_at_any_distance():
    assert impulse(1).convolve(Kernel([0.5]), 10**400, 10**400).cumulant(2) == 0


def test_masses_never_overflow():
    deep = impulse(1).convolve(Kernel([0.1, 0.1, 0.1]), times=10**6)
    with mpmath.workdps(40):
        assert isclose(deep.log_mass, 10**6 * mpmath.log(3 * mpmath.mpf(0.1)), rel_tol=1e-15)
    assert isclose(deep.covariance[0][0], 10**6 * 2 / 3, rel_tol=1e-12)
    heavy = impulse(1).convolve(Kernel.uniform(3), times=10**5)
    assert heavy.mass == 3**100_000
    assert isclose(heavy.log_mass, 100_000 * log(3), rel_tol=1e-15)


def test_log_mass_of_near_unit_fractions_keeps_its_digits():
    step = Fraction(10**30 + 1, 10**30)
    field = impulse(1).convolve(Kernel([step]), times=1000)
    assert isclose(field.log_mass, 1e-27, rel_tol=1e-12)


def test_the_callers_decimal_precision_does_not_matter():
    field = impulse(1).convolve(Kernel([0.1, 0.3]), times=30).scale(7)
    with localcontext(prec=2):
        rough = (field.mass, field.log_mass)
    assert rough == (field.mass, field.log_mass)


def test_negative_masses_are_normalised_by_their_sign():
    field = impulse(1, order=3).convolve(-2 * SKEW)
    assert (field.mass, field.log_mass) == (-16, pytest.approx(log(16), rel=1e-15))
    assert field.mean == SKEW.mean
    assert field.cumulant(3) == SKEW.cumulant(3)


def test_a_dead_branch_adds_nothing():
    field = impulse(1).convolve(SKEW)
    dead = field.convolve(SIGNED).scale(0)
    for total in (field + dead, dead + field):
        assert (total.mass, total.mean) == (field.mass, field.mean)
    assert dead.log_mass == -np.inf
    with pytest.raises(EngineError, match="the field has mass 0"):
        dead.mean  # noqa: B018


def test_no_mass_no_cumulants():
    field = impulse(1).convolve(SKEW)
    with pytest.raises(EngineError, match="a kernel has mass 0"):
        field.convolve(Kernel([1, -1]))
    for factor in (-1, -1.0):
        with pytest.raises(EngineError, match="the sum of two fields has mass 0"):
            field + field.scale(factor)


def test_the_mass_alone_may_be_zero():
    field = impulse(1, order=0).convolve(SKEW)
    assert (field.mass, field.convolve(Kernel([1, -1])).mass) == (8, 0)
    assert (field + field.scale(-1)).mass == 0
    assert (field + impulse(1, order=2)).mass == 9


def test_cumulants_beyond_a_double_are_refused_not_infinite():
    nearly = Kernel([1.0, -1.0 + 2**-52])
    with pytest.raises(EngineError, match="nearly add up to 0"):
        impulse(1, order=24).convolve(nearly)


@pytest.mark.parametrize(
    "operation",
    [
        lambda f: f.convolve(Kernel(np.ones((2, 3)), origin=(0,))),
        lambda f: f.scale(np.ones(2)),
        lambda f: f.decimate(2),
        lambda f: f.fold(4, "zeros"),
        lambda f: f.take(0, 1),
    ],
)
def test_refusals_name_an_engine_that_can(operation):
    with pytest.raises(EngineError, match=r"the cumulants engine cannot .* convolution"):
        operation(impulse(1))


def test_orders_and_axes_are_checked():
    with pytest.raises(EngineError, match="orders 1 to 2, not 3"):
        impulse(1).cumulant(3)
    with pytest.raises(ErfTheoryError, match=r"an order is 0 .* not -1"):
        impulse(1, order=-1)
    with pytest.raises(ErfTheoryError, match="a 2-D kernel does not fit a 1-D field"):
        impulse(1).convolve(CORNER)
