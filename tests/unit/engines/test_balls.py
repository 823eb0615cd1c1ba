from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx, fmpq

from erf_theory.engines import multinomial
from erf_theory.engines.balls import impulse, log_map
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel

BOX = Kernel.uniform(3)


def run(kernel, times, step=1):
    return lambda field: field.convolve(kernel, step, times)


def far_dilation(field):
    return field.convolve(BOX, 1, 30).convolve(BOX, 100)


def cancelled(field):
    return field.convolve(Kernel([1, 1]), 1, 100).convolve(Kernel([1, -1]), 1, 100)


def almost_cancelled(field):
    field = field.convolve(BOX, 1, 40)
    return field.scale(Fraction(2**200 + 1, 2**200)) + field.scale(-1)


def residual(field):
    for _ in range(12):
        field = field + field.convolve(Kernel([-1, 2, -0.5], origin=(-1,)), 1, 2).scale(1e-3)
    return field


def upsampled(field):
    deep = field.expand(2).convolve(Kernel([1, 2, 5], origin=(-1,)), 3, 8).decimate(3)
    return deep + field.convolve(BOX, 2, 5).scale(Fraction(1, 7))


def plane(field):
    cross = Kernel([[0, 1, 0], [2, -1, 3], [0, Fraction(5, 7), 0]], origin=(-1, -1))
    return field.convolve(cross, (1, 2), 6) + field.expand((2, 3)).convolve(cross, 1, 3)


PROGRAMS = {
    "holes": (run(Kernel([1, 0, 0, 1, 1]), 200), 1),
    "tiny tap": (run(Kernel([1, 1e-20, 1]), 300), 1),
    "asymmetric": (run(Kernel([0.9, 0.2, 1e-5]), 200, step=2), 1),
    "signed": (run(Kernel([1, -1, 2]), 150), 1),
    "solid": (run(Kernel(np.arange(8).reshape(2, 2, 2) - 3), 5), 3),
    "far dilation": (far_dilation, 1),
    "cancelled": (cancelled, 1),
    "almost cancelled": (almost_cancelled, 1),
    "residual": (residual, 1),
    "upsampled": (upsampled, 1),
    "plane": (plane, 2),
}


def leading(number):
    """The first 300 bits of an integer, as a number of mpmath."""
    shift = max(0, number.bit_length() - 300)
    return mpmath.ldexp(number >> shift, shift)


def assert_logs_are_those_of_the_exact_map(program, ndim, most):
    logs, exact = log_map(program, ndim), program(multinomial.impulse(ndim))
    assert logs.start == exact.start
    assert logs.log_abs.shape == logs.sign.shape == exact.shape
    assert 0 <= logs.error < most
    with mpmath.workdps(50):
        denominator = leading(exact.denominator)
        for at, numerator in np.ndenumerate(exact.numerators):
            assert logs.sign[at] == (numerator > 0) - (numerator < 0)
            if numerator == 0:
                assert logs.log_abs[at] == -np.inf
                continue
            expected = mpmath.log(leading(abs(numerator)) / denominator)
            assert abs(expected - mpmath.mpf(float(logs.log_abs[at]))) <= logs.error


@pytest.mark.parametrize(("program", "ndim"), PROGRAMS.values(), ids=PROGRAMS)
def test_logs_differ_from_exact_ones_by_no_more_than_the_proven_error(program, ndim):
    assert_logs_are_those_of_the_exact_map(program, ndim, most=1e-12)


@pytest.mark.parametrize("kernel", [Kernel([1, 1e-20, 1]), Kernel([3, 1]), Kernel([1, 0, 2])])
def test_three_thousand_layers_are_right_over_the_whole_support(kernel):
    assert_logs_are_those_of_the_exact_map(run(kernel, 3000), 1, most=2e-12)


@pytest.mark.parametrize(("program", "ndim"), PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("precision", [10, 64, 200])
def test_every_ball_holds_the_exact_sample(program, ndim, precision):
    balls, exact = program(impulse(ndim, precision)), program(multinomial.impulse(ndim))
    assert (balls.start, balls.shape) == (exact.start, exact.shape)
    pairs = zip(balls.enclosures.flat, exact.numerators.flat, strict=True)
    with ctx.workprec(20_000):
        assert all(ball.contains(arb(fmpq(value, exact.denominator))) for ball, value in pairs)


def test_logs_far_below_the_smallest_double():
    third = Kernel([Fraction(1, 3)] * 3)
    logs = log_map(run(third, 10_000), 1)
    assert abs(logs.log_abs[[0, -1]] + 10_000 * np.log(3)).max() < 1e-11
    assert np.exp(logs.log_abs).sum() == pytest.approx(1, abs=1e-11)


def test_everything_may_cancel():
    logs = log_map(lambda f: f.convolve(BOX, 1, 90) + f.convolve(BOX, 1, 90).scale(-1), 1)
    assert np.all(logs.log_abs == -np.inf)
    assert not logs.sign.any()
    assert logs.error == 0


def test_zeros_in_doubt_need_exact_integers_or_a_support(monkeypatch):
    def program(field):
        return field.convolve(Kernel([1, 0.1]), 1, 300).convolve(Kernel([1, -0.1]), 1, 300)

    support = np.arange(601) % 2 == 0
    expected = log_map(program, 1)
    assert np.array_equal(expected.sign != 0, support)
    monkeypatch.setattr(multinomial, "_MOST_BITS", 1000)
    with pytest.raises(EngineError, match=r"samples cannot be told from 0 .* give the support"):
        log_map(program, 1)
    known = log_map(program, 1, support)
    assert np.array_equal(known.sign, expected.sign)
    off = known.log_abs[support] - expected.log_abs[support]
    assert abs(off).max() <= known.error + expected.error


def test_a_support_that_cannot_be_right_is_refused():
    with pytest.raises(ErfTheoryError, match="False at 1 samples"):
        log_map(run(BOX, 1), 1, np.array([True, False, True]))
    with pytest.raises(ErfTheoryError, match=r"shape \(2,\)"):
        log_map(run(BOX, 1), 1, np.array([True, False]))


def test_the_precision_of_the_caller_is_left_alone():
    with ctx.workprec(77):
        log_map(almost_cancelled, 1)
        with pytest.raises(EngineError):
            log_map(run(BOX, 10**6), 1)
        assert ctx.prec == 77


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (lambda f: f.fold(8, "circular"), "convolution engine"),
        (lambda f: f.take(0, 1), "convolution engine"),
        (lambda f: f.scale(np.ones(2)), "convolution engine"),
        (run(Kernel(np.ones((2, 3)), origin=(0,)), 1), "convolution engine"),
        (run(BOX, 10**6), "values instead of logarithms"),
    ],
)
def test_what_it_cannot_do_is_refused_with_an_engine_that_can(program, reason):
    with pytest.raises(EngineError, match=f"balls.*{reason}"):
        log_map(program, 1)
