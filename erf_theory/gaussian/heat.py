"""The attractors of convolution powers: H(ξ) = (1/2π) ∫ exp(iξθ + cθᵐ) dθ.

For m = 2 and real c < 0 it is the Gaussian, for m = 3 and imaginary c Airy's function, for m = 4
the kernel whose transform is exp(−|c|θ⁴): heat kernels of higher order.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import pi

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["damped_kernel", "heat_kernel"]

_ComplexArray = npt.NDArray[np.complex128]
_NEGLIGIBLE = 40.0
"""exp(-40) is below the rounding of a double relative to 1."""
_GROWTH = 8.0
"""A path of integration through complex θ may raise the integrand to exp(8)."""
_CHUNK = 2**20


def heat_kernel(xi: npt.ArrayLike, m: int, c: complex) -> _ComplexArray:
    """H(ξ) = (1/2π) ∫ exp(iξθ + cθᵐ) dθ over the real line.

    Parameters
    ----------
    xi : array_like
        Where.
    m : int
        Order, 2 or more.
    c : complex
        Coefficient; its real part is below 0 for even m, or 0; it is imaginary for odd m.

    Returns
    -------
    ndarray
        The values: by the exponential for m = 2, by Airy's function for m = 3, else by the
        trapezoidal rule, which converges exponentially; right to about 1e-11 of H(0).

    Raises
    ------
    ErfTheoryError
        If the integral does not converge.

    Examples
    --------
    >>> heat_kernel([0.0, 1.0], 2, -0.5).real.round(4).tolist()
    [0.3989, 0.242]
    >>> heat_kernel(0.0, 4, -1.0).real.round(6).tolist()
    0.288517
    """
    if m < 2 or c == 0 or c.real > 0 or (m % 2 and c.real != 0):
        raise ErfTheoryError(
            f"the integral of exp(iξθ + ({c})θ^{m}) does not converge: for even m the real part of "
            "c is 0 or less, for odd m it is 0, and c is not 0"
        )
    places = np.asarray(xi, dtype=np.float64)
    if m == 2:
        return np.asarray(np.exp(places**2 / (4 * c)) / (2 * np.sqrt(-pi * complex(c))))
    if m == 3:
        return _airy(places, c.imag)
    return _by_quadrature(places, m, complex(c))


def _airy(xi: FloatArray, a: float) -> _ComplexArray:
    """(1/2π) ∫ exp(iξθ + iaθ³) dθ = (3|a|)^(−1/3) Ai(±ξ (3|a|)^(−1/3))."""
    from scipy.special import airy

    scale = np.cbrt(3 * a)
    return np.asarray(airy(xi / scale)[0] / abs(scale), dtype=np.complex128)


def damped_kernel(xi: npt.ArrayLike, terms: Mapping[int, complex]) -> _ComplexArray:
    """(1/2π) ∫ exp(iξθ + Σ c_r θʳ) dθ over the real line.

    Parameters
    ----------
    xi : array_like
        Where.
    terms : mapping from int to complex
        c_r by r; that of the highest order, which is even, has a real part below 0, the others
        have none.

    Returns
    -------
    ndarray
        The values by the trapezoidal rule, right to about 1e-13 of the largest.

    Raises
    ------
    ErfTheoryError
        If the highest order does not damp the integrand.

    Examples
    --------
    >>> damped_kernel([0.0], {3: 1j, 4: -0.01}).real.round(3).tolist()
    [0.247]
    """
    last = max(terms)
    if last % 2 or terms[last].real >= 0:
        raise ErfTheoryError(
            f"exp({terms[last]}·θ^{last}) does not fall to 0 on both sides: the highest order is "
            "even, with a real part below 0"
        )
    places = np.asarray(xi, dtype=np.float64)
    end = (_NEGLIGIBLE / -terms[last].real) ** (1 / last)
    bandwidth = sum(r * abs(c) * end ** (r - 1) for r, c in terms.items())
    s = _nodes(places, end, bandwidth)
    exponent = np.zeros(len(s), dtype=np.complex128)
    for r, c in terms.items():
        exponent += c * s**r
    return _trapezoid(places, s.astype(np.complex128), exponent, float(s[1] - s[0]))


def _by_quadrature(xi: FloatArray, m: int, c: complex) -> _ComplexArray:
    """The trapezoidal rule, on a path that is bent into the complex plane where c is imaginary."""
    if c.real < -0.1 * abs(c):
        return damped_kernel(xi, {m: c})
    bend = min(abs(c) ** (-1 / m), _GROWTH / float(np.max(np.abs(xi), initial=1.0)))
    end = (2 * _NEGLIGIBLE / (abs(c) * m * bend)) ** (1 / (m - 1)) + 2 * bend
    s = _nodes(xi, end, m * abs(c) * end ** (m - 1))
    path, slope = _path(s, m, bend * np.sign(c.imag))
    return _trapezoid(xi, path, c * path**m, slope * (s[1] - s[0]))


def _nodes(xi: FloatArray, end: float, bandwidth: float) -> FloatArray:
    """Nodes on [-end, end] that resolve an integrand whose phase turns that fast beside ξθ."""
    fastest = float(np.max(np.abs(xi), initial=1.0)) + bandwidth + _NEGLIGIBLE / end
    count = int(end * fastest / pi) + 16
    return np.linspace(-end, end, 2 * count + 1)


def _trapezoid(
    xi: FloatArray,
    path: _ComplexArray,
    exponent: _ComplexArray,
    weight: _ComplexArray | float,
) -> _ComplexArray:
    """(1/2π) Σ exp(iξθ + exponent) · weight over the nodes θ of a path."""
    weights, flat = np.exp(exponent) * weight / (2 * pi), xi.ravel()
    rows = max(_CHUNK // len(path), 1)
    blocks = (flat[i : i + rows] for i in range(0, len(flat), rows))
    parts = [np.exp(1j * np.outer(block, path)) @ weights for block in blocks]
    return np.concatenate([*parts, np.empty(0, np.complex128)]).reshape(xi.shape)


def _path(s: FloatArray, m: int, bend: float) -> tuple[_ComplexArray, _ComplexArray]:
    """The path of integration and its derivative: above the real line where iθᵐ then falls."""
    if m % 2:
        return np.asarray(s + 1j * bend), np.ones(len(s), dtype=np.complex128)
    unit = max(abs(bend), 1e-300)
    side = np.tanh(s / unit)
    return np.asarray(s + 1j * bend * side), np.asarray(1 + 1j * bend / unit * (1 - side**2))
