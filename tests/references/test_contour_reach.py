"""Logarithms over whole supports against exact integers, and what breaks a contour."""

from fractions import Fraction
from math import log

import mpmath
import numpy as np
import pytest

from erf_theory.engines import contour, multinomial
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel
from erf_theory.maps import ProgramMap
from erf_theory.theory import theoretical_erf

BOX = Kernel.uniform(3)


def stack(taps, n):
    return lambda field: field.convolve(Kernel(taps), 1, n)


def pyramid(field):
    field = field.convolve(BOX, 1, 50).expand(2).convolve(Kernel.uniform(5), 3, 20)
    return field.expand(2).convolve(Kernel([1, 4, 2]), 1, 100)


def wide(field):
    return field.expand(4).convolve(Kernel.uniform(7), 1, 200).convolve(BOX, 5, 300)


def branches(field):
    for _ in range(30):
        field = field.convolve(Kernel([1, 2, 1], (-1,))) + field.convolve(BOX, 1, 2)
    return field


REACH = {
    "k=3": stack([1] * 3, 10_000),
    "k=5": stack([1] * 5, 3000),
    "k=11": stack([1] * 11, 2000),
    "1,4,1": stack([1, 4, 1], 3000),
    "3,1": stack([3, 1], 3000),
    "1,0,2": stack([1, 0, 2], 3000),
    "pyramid": pyramid,
    "wide": wide,
    "branches": branches,
}


def exact_logs(program):
    field = program(multinomial.impulse(1))
    shift = log(field.denominator)
    return np.array([log(n) - shift if n else -np.inf for n in field.numerators])


@pytest.mark.parametrize("program", REACH.values(), ids=REACH)
def test_logarithms_over_the_whole_support(program):
    found, exact = contour.run(program), exact_logs(program)
    assert np.array_equal(found.values == -np.inf, exact == -np.inf)
    inside = exact > -np.inf
    off = np.max(np.abs(found.values[inside] - exact[inside]))
    assert off <= min(1e-9, found.error + 1e-15 * np.max(np.abs(exact[inside])))


def test_a_million_layers():
    n = 10**6
    found = contour.run(stack([1] * 3, n))
    assert found.error < 1e-9
    counts = [1, n, n * (n + 1) // 2]
    exact = np.log(np.array(counts, dtype=float))
    assert np.max(np.abs(found.values[:3] - exact)) <= 1e-14 * n * log(3)
    assert np.max(np.abs(found.values[:-4:-1] - exact)) <= 1e-14 * n * log(3)
    middle = n * log(3) - log(4 * np.pi * n / 3) / 2 - 3 / (16 * n)
    assert abs(found.values[n] - middle) < 1e-9


def far(field):
    return field.convolve(BOX, 1, 30).convolve(BOX, 100)


def residual(r, k, n):
    def program(field):
        for _ in range(n):
            field = field + field.convolve(Kernel.uniform(k) * Fraction(1, k)).scale(r)
        return field

    return program


BREAKERS = {
    "one far dilation": far,
    "a tiny tap": stack([1, 1e-20, 1], 300),
    "a weak residual": residual(Fraction(1, 1000), 31, 10),
    "fat tails": residual(Fraction(1, 10**9), 201, 5),
    "holes": stack([1, 0, 0, 1, 1], 60),
    "far apart dilations": lambda f: f.convolve(BOX, 1, 20).convolve(BOX, 50, 20),
    "far branches": lambda f: f.convolve(BOX, 1, 40) + f.convolve(Kernel([1], (900,))),
}


@pytest.mark.parametrize("program", BREAKERS.values(), ids=BREAKERS)
def test_breakers_are_right_or_refused(program):
    exact = exact_logs(program)
    inside = exact > -np.inf
    try:
        found = contour.run(program).values
    except EngineError as refusal:
        assert "log-concave" in str(refusal)  # noqa: PT017
    else:
        assert np.array_equal(found == -np.inf, ~inside)
        assert np.max(np.abs(found[inside] - exact[inside])) <= 1e-9
    chosen = ProgramMap(program, 1).logs.values
    top = np.max(exact)
    share = exact - top - np.log(np.sum(np.exp(exact - top)))
    assert np.array_equal(chosen == -np.inf, ~inside)
    assert np.max(np.abs(chosen[inside] - share[inside])) <= 1e-9


@pytest.mark.parametrize("taps", [(1, 2, 5), (3, 1), (1, 100), (7, 1, 1, 2)])
@pytest.mark.parametrize("n", [400, 5000])
def test_small_values_of_asymmetric_kernels(taps, n):
    erf = theoretical_erf(len(taps), n, kernel=taps)
    numerators, denominator = erf.exact()
    normal = np.flatnonzero(erf.values > 2.3e-308)
    small = [int(i) for i in normal if erf.values[i] < 1e-200][::5]
    assert small
    for i in small:
        assert erf.values[i] == pytest.approx(
            float(Fraction(int(numerators[i]), denominator)), rel=1e-10
        )


@pytest.mark.parametrize(("taps", "n"), [((1, 1, 1), 40), ((1, 2, 5), 25), ((2, 0, 1, 1), 20)])
def test_the_inverse_transform_itself(taps, n):
    """o(t) = (1/2π) ∫ V(ω)ⁿ e^{jωt} dω at 50 digits: the trapezoid is exact on enough points."""
    erf = theoretical_erf(len(taps), n, kernel=taps)
    points = n * (len(taps) - 1) + 1
    with mpmath.workdps(50):
        circle = [mpmath.expjpi(mpmath.mpf(2 * j) / points) for j in range(points)]
        transfer = [
            (sum(v * circle[-j * m % points] for m, v in enumerate(taps)) / sum(taps)) ** n
            for j in range(points)
        ]
        for t in range(points):
            value = sum(v * circle[j * t % points] for j, v in enumerate(transfer)) / points
            if (size := mpmath.re(value)) > mpmath.mpf(10) ** -40:
                assert abs(erf.values[t] / size - 1) < 1e-10
                assert abs(erf.log_values[t] - mpmath.log(size)) < 1e-9


def test_the_integral_by_quadrature():
    erf = theoretical_erf(3, 8)
    with mpmath.workdps(50):
        for t in (0, 3, 8):

            def integrand(omega, t=t):
                return ((1 + 2 * mpmath.cos(omega)) / 3) ** 8 * mpmath.cos(omega * (t - 8))

            value = mpmath.quad(integrand, [0, 1, 2, mpmath.pi]) / mpmath.pi
            assert abs(erf.values[t] / value - 1) < 1e-14
