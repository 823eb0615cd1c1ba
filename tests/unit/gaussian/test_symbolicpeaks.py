"""Symbolic attractors beside the numeric ones, and the limit theorem among them."""

import pytest
import sympy as sp

from erf_theory import attractor
from erf_theory.kernel import Kernel

KERNELS = [
    [1, 4, 1],
    [-1, 4, -1],
    [3, 6, -1],
    [-1, 4, 10, 4, -1],
    [2, 4, -3, 4, 2],
    [1, -3, 1, 2],
    [1, -3, 1, 2, 1],
    [1, 0, -1],
    [0.5, -0.1],
]
N, T = sp.symbols("n t", integer=True, positive=True)


@pytest.mark.parametrize("taps", KERNELS, ids=str)
def test_numbers_are_those_of_the_peaks(taps):
    found = attractor(taps)
    for symbolic, peak in zip(found.symbolic(), found.peaks, strict=True):
        value = complex(symbolic.value)
        assert float(symbolic.frequency) == pytest.approx(peak.frequency, abs=1e-14)
        assert abs(value) == pytest.approx(peak.modulus, rel=1e-13)
        assert float(symbolic.drift) == pytest.approx(peak.drift, rel=1e-12)
        assert symbolic.order == peak.order
        assert complex(symbolic.coefficient) == pytest.approx(peak.coefficient, rel=1e-11)


@pytest.mark.parametrize("taps", [k for k in KERNELS if k[0] != -1 or len(k) == 3], ids=str)
def test_the_expressions_are_the_approximations(taps):
    found, n, j = attractor(taps), 40, 24
    total = sum(
        (1 + peak.is_inner) * sp.re(sp.N(symbolic.attractor.subs({N: n, T: j}), 30))
        for symbolic, peak in zip(found.symbolic(), found.peaks, strict=True)
    )
    near = found.approximate(n, [j * found.span], damped=False)[0]
    assert float(total) / found.modulus**n == pytest.approx(near, rel=1e-10, abs=1e-13)


def test_the_central_limit_theorem():
    [peak] = attractor([1, 1, 1]).symbolic()
    gaussian = 3**N * sp.exp(-3 * (T - N) ** 2 / (4 * N)) * sp.sqrt(3) / (2 * sp.sqrt(sp.pi * N))
    assert sp.simplify(peak.attractor / gaussian) == 1


def test_lax_and_wendroff_counted_from_the_first_tap():
    [peak] = attractor(Kernel([3, 6, -1], origin=(-1,))).symbolic()
    assert (peak.value, peak.drift, peak.coefficient) == (8, sp.Rational(1, 2), -sp.I / 16)
    assert peak.attractor.has(sp.airyai)
    assert peak._repr_latex_().startswith("$")


def test_the_fourth_order_is_an_integral():
    [peak] = attractor([-1, 4, 10, 4, -1]).symbolic()
    assert peak.attractor.has(sp.Integral)
    value = peak.attractor.subs({N: 16, T: 32}).doit()
    near = attractor([-1, 4, 10, 4, -1]).approximate(16, [32])[0]
    assert float(sp.re(sp.N(value))) / 16**16 == pytest.approx(near, rel=1e-9)
