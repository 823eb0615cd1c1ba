from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.engines.symbolic import Symbolic, UniformTaps, impulse
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel

K, N, D, T = sympy.symbols("k n d t", integer=True, positive=True)
R = sympy.Symbol("r", positive=True)
OMEGA = sympy.Symbol("omega", real=True)

SKEW = Kernel([1, 2, 5], origin=(-1,))
SIGNED = Kernel([Fraction(1, 2), 0, Fraction(-2, 3)], origin=(-2,))
CORNER = Kernel([[1, 2], [0, 3], [1, 1]], origin=(-1, 2))

KERNEL = st.builds(
    lambda taps, origin: Kernel(taps, (origin,)),
    st.lists(st.fractions(-2, 2, max_denominator=4), min_size=1, max_size=4),
    st.integers(-2, 2),
)


def samples(kernel):
    """The taps that are not 0, by their places."""
    places = np.ndenumerate(kernel.taps)
    return {tuple(np.add(at, kernel.origin).tolist()): tap for at, tap in places if tap != 0}


def number(expression, **values):
    """The value of a formula, its symbols replaced by their names, as a fraction."""
    symbols = {symbol: values[symbol.name] for symbol in expression.free_symbols}
    exact = sympy.Rational(expression.subs(symbols).doit())
    return Fraction(exact.p, exact.q)


@given(KERNEL, KERNEL, st.fractions(-2, 2, max_denominator=5), st.integers(1, 3))
def test_numbers_run_like_kernels(left, right, factor, s):
    skip = impulse(1).convolve(left, s, 2).scale(factor)
    field = (skip + impulse(1).convolve(right)).expand(s).convolve(SKEW)
    kernel = (factor * left.dilate(s) ** 2 + right).dilate(s) @ SKEW
    assert field.terms() == samples(kernel)
    assert field.mass == kernel.mass
    assume(kernel.mass != 0)
    assert field.mean == kernel.mean
    assert [field.cumulant(r) for r in (2, 3, 4)] == [kernel.cumulant(r) for r in (2, 3, 4)]


@given(KERNEL, st.integers(1, 4))
def test_decimation_keeps_the_multiples(kernel, s):
    field = impulse(1).convolve(kernel)
    kept = {(x // s,): tap for (x,), tap in samples(kernel).items() if x % s == 0}
    assert field.decimate(s).terms() == kept
    assert field.expand(s).decimate(s).terms() == field.terms()


def test_two_axes():
    field = impulse(2).convolve(CORNER, (2, 1), 2).expand((1, 3))
    kernel = (CORNER.dilate((2, 1)) ** 2).dilate((1, 3))
    assert field.terms() == samples(kernel)
    assert field.decimate((2, 3)).terms() == samples(CORNER**2)
    assert (field.mass, field.mean) == (kernel.mass, kernel.mean)
    assert field.cumulant(3, axis=1) == kernel.cumulant(3, axis=1)
    omega = (0.3, -1.1)
    assert complex(field.transfer(*omega)) == pytest.approx(complex(kernel.transfer(*omega)))


def test_two_axes_of_symbolic_length():
    field = impulse(2).convolve(UniformTaps(K), times=N)
    kernel = Kernel.uniform(3, 2) ** 4
    assert number(field.mass, k=3, n=4) == kernel.mass
    assert number(field.cumulant(2, axis=1), k=3, n=4) == kernel.cumulant(2, axis=1)


@pytest.mark.parametrize(("k", "d", "n"), [(2, 3, 2), (3, 2, 3), (1, 4, 2), (4, 1, 2)])
def test_unequal_layers_on_symbols(k, d, n):
    field = impulse(1).convolve(UniformTaps(K), times=N).convolve(UniformTaps(K), step=D)
    kernel = Kernel.uniform(k) ** n @ Kernel.uniform(k).dilate(d)
    values = {"k": k, "d": d, "n": n}
    assert number(field.mass, **values) == kernel.mass
    for r in range(1, 5):
        assert number(field.cumulant(r), **values) == kernel.cumulant(r)
    stack = impulse(1).convolve(UniformTaps(k), times=n).convolve(UniformTaps(k), step=d)
    places = range(-2, kernel.shape[0])
    assert [stack.coefficient(t) for t in places] == [0, 0, *kernel.taps]
    gain = field.transfer(OMEGA).subs({K: k, D: d, N: n, OMEGA: 0.7})
    assert complex(gain) == pytest.approx(complex(kernel.transfer(0.7)), rel=1e-12)


@pytest.mark.parametrize(("k", "r"), [(1, Fraction(1, 3)), (3, 2), (4, Fraction(5, 7))])
def test_a_skip_beside_a_branch_on_symbols(k, r):
    field = impulse(1) + impulse(1).convolve(UniformTaps(K), times=2).scale(R)
    kernel = Kernel.delta() + r * Kernel.uniform(k) ** 2
    ratio = sympy.Rational(Fraction(r).numerator, Fraction(r).denominator)
    assert number(field.mass, k=k, r=ratio) == kernel.mass
    for order in range(1, 5):
        assert number(field.cumulant(order), k=k, r=ratio) == kernel.cumulant(order)
    coefficient = field.coefficient(sympy.Symbol("t", integer=True))
    for t, tap in enumerate(kernel.taps.tolist()):
        assert number(coefficient, t=t, k=k, r=ratio) == tap


def test_a_skip_in_every_block_has_binomial_variance():
    """Theory, section 3: n·q·r/(1+r)·(k²−1)/12 where the branch is centred and has mass r."""
    branch = Kernel([1, 1, 1], origin=(-1,)) * Fraction(1, 3)
    skip = impulse(1) + impulse(1).convolve(branch, times=2).scale(R)
    field = Symbolic(skip.expression**N, skip.variables)
    assert sympy.simplify(field.cumulant(2) - N * 2 * R / (1 + R) * sympy.Rational(2, 3)) == 0


@pytest.mark.parametrize(
    ("kernel", "step"), [(Kernel([1, 2]), 1), (Kernel([3, 0, -1], (-1,)), 1), (SIGNED, 2)]
)
def test_two_taps_have_binomial_coefficients(kernel, step):
    coefficient = impulse(1).convolve(kernel, step, N).coefficient(sympy.Symbol("t", integer=True))
    power = kernel.dilate(step) ** 4
    for (t,), tap in samples(power).items():
        assert number(coefficient, n=4, t=t) == tap
    holes = set(range(-16, 9)) - {t for (t,) in samples(power)}
    assert {number(coefficient, n=4, t=t) for t in holes} == {0}


def test_floats_become_the_fractions_that_they_are():
    field = impulse(1).convolve(Kernel([0.1, 0.5])).scale(0.25)
    assert field.terms() == {
        (0,): sympy.Rational(*(0.1).as_integer_ratio()) / 4,
        (1,): sympy.Rational(1, 8),
    }


def test_a_mass_of_zero():
    field = impulse(1).convolve(Kernel([1, -1]), times=2)
    assert field.mass == 0
    assert impulse(1).convolve(Kernel([1, -2, 1])).mass == 0
    with pytest.raises(EngineError, match="the map has mass 0"):
        field.cumulant(1)
    with pytest.raises(EngineError, match=r"no series .* convolution"):
        _ = impulse(1).convolve(Kernel([1, -3, 3, -1])).mass


@pytest.mark.parametrize(
    "operation",
    [
        lambda f: f.convolve(Kernel(np.ones((2, 3)), origin=(0,))),
        lambda f: f.scale(np.ones(2)),
        lambda f: f.fold(4, "zeros"),
        lambda f: f.take(0, 1),
        lambda f: f.decimate(D),
        lambda f: f.convolve(UniformTaps(3), times=N).decimate(2),
        lambda f: f.convolve(UniformTaps(K)).terms(),
    ],
)
def test_refusals_say_what_can_be_done(operation):
    with pytest.raises(EngineError, match=r"the symbolic engine cannot .* (convolution|give)"):
        operation(impulse(1))


def test_coefficients_without_a_closed_form_are_refused():
    with pytest.raises(EngineError, match=r"because of its factor .* multinomial"):
        impulse(1).convolve(SKEW, times=N).coefficient(T)
    unequal = impulse(1).convolve(UniformTaps(3), times=N).convolve(UniformTaps(2), step=5)
    with pytest.raises(EngineError, match="unequal layers as a number only"):
        unequal.coefficient(T)
    with pytest.raises(EngineError, match="one value of a d-D map"):
        impulse(2).coefficient(0)


def test_axes_and_orders_are_checked():
    with pytest.raises(ErfTheoryError, match="a 2-D kernel does not fit a 1-D field"):
        impulse(1).convolve(CORNER)
    with pytest.raises(ErfTheoryError, match="one frequency per axis: 1, not 2"):
        impulse(1).transfer(0, 0)
    with pytest.raises(ErfTheoryError, match="start at order 1, not 0"):
        impulse(1).cumulant(0)
