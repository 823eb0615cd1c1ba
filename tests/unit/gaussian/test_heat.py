"""Heat kernels of any order against mpmath's quadrature on rotated rays."""

import mpmath
import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.heat import damped_kernel, heat_kernel

XI = [-9.0, 0.0, 0.7, 11.0]


def by_definition(xi, exponent, turn):
    """(1/2π) ∫ exp(iξθ + exponent(θ)) dθ along two rays from 0."""
    total = 0
    for side, ray in ((1, turn[1]), (-1, turn[-1])):

        def integrand(s, ray=ray):
            return mpmath.exp(1j * xi * s * ray + exponent(s * ray)) * ray

        total += side * mpmath.quad(integrand, np.linspace(0, side * 12, 21).tolist())
    return complex(total / (2 * mpmath.pi))


@pytest.mark.parametrize(
    ("m", "c"),
    [
        (2, -0.7),
        (2, -0.3 + 2j),
        (3, 1j),
        (3, -0.2j),
        (4, -1),
        (4, -0.2 + 0.1j),
        (4, 1j),
        (4, -0.7j),
        (4, -0.05 + 1j),
        (5, 1j),
        (5, -2j),
        (6, -3),
        (6, 0.4j),
    ],
)
def test_heat_kernels(m, c):
    c = complex(c)
    angle = mpmath.pi / (2 * m) * np.sign(c.imag) if c.real > -0.1 * abs(c) else 0
    up = mpmath.expj(angle)
    turn = {1: up, -1: mpmath.conj(up) if m % 2 else up}
    expected = [by_definition(x, lambda s: c * s**m, turn) for x in XI]
    assert heat_kernel(XI, m, c) == pytest.approx(np.array(expected), abs=1e-11)


def test_a_damped_kernel():
    terms = {3: 0.5j, 4: -0.02 + 0.1j}
    straight = {1: mpmath.mpf(1), -1: mpmath.mpf(1)}
    expected = [
        by_definition(x, lambda s: sum(c * s**r for r, c in terms.items()), straight) for x in XI
    ]
    assert damped_kernel(XI, terms) == pytest.approx(np.array(expected), abs=1e-11)


def test_little_damping_changes_little():
    near = damped_kernel([-1.0, 0.0, 1.0], {3: 1j, 4: -1e-4})
    assert near == pytest.approx(heat_kernel([-1.0, 0.0, 1.0], 3, 1j), abs=1e-3)


def test_shapes_are_kept():
    assert heat_kernel(np.zeros((2, 3)), 4, -1.0).shape == (2, 3)
    assert heat_kernel([], 4, -1.0).shape == (0,)


@pytest.mark.parametrize(
    ("m", "c"), [(1, 1j), (2, 0), (2, 1), (3, -1), (3, 1j - 0.1), (4, 0.1 + 1j)]
)
def test_integrals_that_do_not_converge(m, c):
    with pytest.raises(ErfTheoryError, match="does not converge"):
        heat_kernel(0.0, m, complex(c))


@pytest.mark.parametrize("terms", [{3: 1j}, {3: 1j, 4: 0.1 + 0j}, {2: 1j, 4: 1j}])
def test_what_does_not_damp(terms):
    with pytest.raises(ErfTheoryError, match="does not fall to 0"):
        damped_kernel(0.0, terms)
