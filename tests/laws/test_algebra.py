"""Laws of kernels and of maps, on random kernels: signed, rational, asymmetric, with holes."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from erf_theory.engines import balls, convolution, dtft, multinomial, support
from erf_theory.kernel import Kernel
from erf_theory.testing import kernels
from erf_theory.theory import theoretical_erf
from tests.laws.programs import EXACT, POSITIVE, steps

EXACT_KERNELS = kernels(EXACT)
DIMENSIONS = pytest.mark.parametrize("ndim", [1, 2, 3])


@DIMENSIONS
def test_convolution_is_associative_and_commutative(ndim):
    @given(*[kernels(EXACT, ndim)] * 3)
    def look(a, b, c):
        assert (a @ b) @ c == a @ (b @ c)
        assert a @ b == b @ a
        assert (a @ b).mass == a.mass * b.mass

    look()


@DIMENSIONS
def test_dilation_distributes_over_convolution(ndim):
    @given(kernels(EXACT, ndim), kernels(EXACT, ndim), steps(ndim))
    def look(a, b, step):
        assert (a @ b).dilate(step) == a.dilate(step) @ b.dilate(step)

    look()


@given(EXACT_KERNELS, EXACT_KERNELS, EXACT_KERNELS)
def test_mixtures_distribute_over_convolution(a, b, c):
    assert a @ (b + c) == a @ b + a @ c
    assert 3 * (a + b) == 3 * a + 3 * b


@given(EXACT_KERNELS, st.integers(0, 5))
def test_powers_are_repeated_convolutions(a, n):
    power = Kernel.delta()
    for _ in range(n):
        power = power @ a
    assert a**n == power


@given(*[EXACT_KERNELS.filter(lambda kernel: kernel.mass != 0)] * 2, st.integers(1, 5))
def test_cumulants_add(a, b, order):
    assert (a @ b).cumulant(order) == a.cumulant(order) + b.cumulant(order)
    assert a.dilate(3).cumulant(order) == 3**order * a.cumulant(order)


@DIMENSIONS
def test_marginals_of_a_product_are_products_of_marginals(ndim):
    @given(kernels(EXACT, ndim), kernels(EXACT, ndim))
    def look(a, b):
        for axis in range(ndim):
            assert (a @ b).marginal(axis) == a.marginal(axis) @ b.marginal(axis)

    look()


@given(kernels(EXACT), kernels(EXACT))
def test_factors_of_an_outer_product_multiply_to_it(a, b):
    plane = Kernel(np.multiply.outer(a.taps, b.taps), a.origin + b.origin)
    y, x = plane.factors()
    assert Kernel(np.multiply.outer(y.taps, x.taps), plane.origin) == plane


@given(EXACT_KERNELS, st.floats(-3, 3))
def test_transfer_functions_multiply(a, omega):
    both = a.transfer(omega) * a.transfer(omega)
    size = float(abs(a).mass) ** 2
    assert (a @ a).transfer(omega) == pytest.approx(both, abs=1e-12 * size)


@given(kernels(POSITIVE, 2), steps(2))
def test_decimation_undoes_expansion(kernel, s):
    for engine in (convolution, multinomial, balls, support):
        field = engine.impulse(2).convolve(kernel, 1, 2)
        back = field.expand(s).decimate(s)
        assert back.start == field.start
        for name in ("values", "numerators", "mask"):
            if hasattr(field, name):
                assert np.array_equal(getattr(back, name), getattr(field, name))
    once = dtft.run(lambda f: f.convolve(kernel, 1, 2), 2)
    twice = dtft.run(lambda f: f.convolve(kernel, 1, 2).expand(s).decimate(s), 2)
    scale = np.exp(twice.log_scale - once.log_scale)
    assert np.allclose(twice.values * scale, once.values, rtol=0, atol=once.error + twice.error)


@given(st.integers(2, 7), st.integers(1, 40))
def test_uniform_stacks_are_symmetric_and_log_concave(k, n):
    erf = theoretical_erf(k, n)
    numerators, denominator = erf.exact()
    assert sum(numerators) == denominator == k**n
    assert numerators.tolist() == numerators[::-1].tolist()
    inner = zip(numerators, numerators[1:], numerators[2:], strict=False)
    assert all(b * b >= a * c for a, b, c in inner)
    assert np.allclose(erf.log_values, erf.log_values[::-1], rtol=0, atol=1e-9)
    assert np.all(np.diff(erf.log_values, 2) <= 1e-9)


@given(kernels(EXACT, 2).filter(lambda kernel: kernel.is_nonnegative), st.integers(0, 3))
@example(Kernel([[0, 1]], (0, -1)), 1)
@example(Kernel(np.outer([1, 1, 0], [0, 1, 1]), (0, -1)), 2)
def test_profiles_are_the_maps_of_marginals(kernel, n):
    if len(set(kernel.shape)) > 1:
        kernel = Kernel(np.pad(kernel.taps, [(0, 3 - m) for m in kernel.shape]), kernel.origin)
    erf = theoretical_erf(None, n, kernel=kernel, ndim=2)
    for axis in (0, 1):
        line = theoretical_erf(None, n, kernel=kernel.marginal(axis))
        assert np.allclose(erf.profile(axis).values, line.values, rtol=1e-12, atol=0)


@given(kernels(EXACT, 1), st.integers(0, 4), st.integers(1, 3), st.integers(1, 2))
def test_stacks_are_all_their_paths(kernel, n, dilation, stride):
    erf = theoretical_erf(None, n, kernel=kernel, dilation=dilation, stride=stride)
    paths: dict[int, Fraction] = {}
    for choice in product(range(len(kernel.taps)), repeat=n):
        jumps = [dilation * stride**p for p in range(n)]
        at = sum(m * jump for m, jump in zip(choice, jumps, strict=True))
        weight = Fraction(1)
        for m in choice:
            weight *= kernel.taps[m]
        paths[at] = paths.get(at, Fraction(0)) + weight
    total = sum(map(abs, paths.values()))
    if total == 0:
        return
    numerators, denominator = erf.exact()
    exact = [paths.get(at, Fraction(0)) / total for at in range(len(numerators))]
    assert [Fraction(int(v), denominator) for v in numerators] == exact
    assert erf.mass == sum(paths.values())
