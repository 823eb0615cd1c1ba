"""Attractors of rational kernels as sympy expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import cos
from typing import Any, final

from erf_theory.gaussian.peaks import Peak, rational_taps, squared_modulus
from erf_theory.kernel import Kernel
from erf_theory.moments import cumulants

__all__ = ["SymbolicPeak", "symbolic_peak"]


@final
@dataclass(frozen=True)
class SymbolicPeak:
    """A maximum of ``|V|`` and its attractor, exact.

    Attributes
    ----------
    frequency : sympy expression
        ω₀.
    value : sympy expression
        V(ω₀).
    drift : sympy expression
        μ.
    order : int
        m.
    coefficient : sympy expression
        c in log V(ω₀ + θ)/V(ω₀) = −iμθ + cθᵐ + … .
    attractor : sympy expression
        What the n-th power is near to, in the symbols n and t; twice the real part of it where
        −ω₀ is another maximum.

    Examples
    --------
    >>> from erf_theory.gaussian.peaks import peaks_of
    >>> peak = symbolic_peak(Kernel([-1, 4, -1]), *peaks_of(Kernel([-1, 4, -1])))
    >>> peak.frequency, peak.value, peak.drift, peak.coefficient
    (pi, -6, 1, -1/6)
    >>> peak.attractor
    (-6)**n*sqrt(6)*exp(-3*(-n + t)**2/(2*n))*exp(I*pi*t)/(2*sqrt(pi)*sqrt(n))
    """

    frequency: Any
    value: Any
    drift: Any
    order: int
    coefficient: Any
    attractor: Any

    def _repr_latex_(self) -> str:
        return f"${_sympy().latex(self.attractor)}$"


def symbolic_peak(kernel: Kernel, peak: Peak) -> SymbolicPeak:
    """A maximum of ``|V|``, found in numbers, as sympy expressions.

    Its cosine is a root of the derivative of ``|V|²``, which is a rational polynomial in cos ω.

    Parameters
    ----------
    kernel : Kernel
        1-D; float taps count as in `erf_theory.gaussian.peaks.rational_taps`.
    peak : Peak
        One of its maxima.

    Returns
    -------
    SymbolicPeak
    """
    sp = _sympy()

    taps = rational_taps(kernel)
    x = _cosine(squared_modulus(taps), cos(peak.frequency))
    places = range(kernel.origin[0], kernel.origin[0] + len(taps))
    value = _simple(sum(_rational(v) * _turned(x, m) for m, v in zip(places, taps, strict=True)))
    moments = [_moment(taps, places, x, r) for r in range(peak.order + 1)]
    kappa = cumulants([1, *(_simple(moment / moments[0]) for moment in moments[1:])])
    drift = _simple(kappa[1])
    c = _simple(kappa[peak.order] * (-sp.I) ** peak.order / sp.factorial(peak.order))
    frequency = sp.acos(x)
    n, t = sp.symbols("n t", integer=True, positive=True)
    scale = n ** sp.Rational(1, peak.order)
    shape = _heat(peak.order, c, (t - n * drift) / scale)
    wave = value**n * sp.exp(sp.I * frequency * t) * shape / scale
    return SymbolicPeak(frequency, value, drift, peak.order, c, wave)


def _cosine(squared: Sequence[Fraction], near: float) -> Any:
    """The cosine of ω₀ as an algebraic number: -1, 1, or a root of the derivative of ``|V|²``."""
    sp = _sympy()

    x = sp.Symbol("x")
    slope = sp.Poly([_rational(c) for c in reversed(squared)], x).diff(x)
    found = [sp.Integer(-1), sp.Integer(1), *slope.real_roots(multiple=False, radicals=True)]
    roots = [root[0] if isinstance(root, tuple) else root for root in found]
    return min(roots, key=lambda root: abs(float(root) - near))


def _turned(x: Any, m: int) -> Any:
    """exp(−imω) at the angle with the cosine x."""
    sp = _sympy()

    sine = sp.sign(m) * sp.sqrt(1 - x**2) * sp.chebyshevu(abs(m) - 1, x)
    return sp.expand(sp.chebyshevt(abs(m), x) - sp.I * sine)


def _moment(taps: Sequence[Fraction], places: range, x: Any, r: int) -> Any:
    """Σ mʳ v(m) exp(−imω) times the conjugate of V(ω): polynomials in x, and in the sine.

    For r = 1 the sines add up to the derivative of ``|V|²``/2, which is 0 at a maximum.
    """
    sp = _sympy()

    pairs = [
        (_rational(m**r * a * b), m - other)
        for m, a in zip(places, taps, strict=True)
        for other, b in zip(places, taps, strict=True)
    ]
    if r == 1:
        return _simple(sum(weight * sp.chebyshevt(abs(lag), x) for weight, lag in pairs))
    return _simple(sum(weight * _turned(x, lag) for weight, lag in pairs))


def _rational(value: Fraction) -> Any:
    sp = _sympy()

    return sp.Rational(value.numerator, value.denominator)


def _simple(expression: Any) -> Any:
    """Multiplied out; with a rational denominator where roots are square roots."""
    sp = _sympy()

    return sp.radsimp(sp.expand(expression))


def _heat(m: int, c: Any, xi: Any) -> Any:
    """(1/2π) ∫ exp(iξθ + cθᵐ) dθ."""
    sp = _sympy()

    if m == 2:
        return sp.exp(xi**2 / (4 * c)) / (2 * sp.sqrt(-sp.pi * c))
    if m == 3:
        scale = sp.cbrt(sp.Abs(3 * c))
        return sp.airyai(sp.sign(c / sp.I) * xi / scale) / scale
    theta = sp.Symbol("theta", real=True)
    integrand = sp.exp(sp.I * xi * theta + c * theta**m)
    return sp.Integral(integrand, (theta, -sp.oo, sp.oo)) / (2 * sp.pi)


def _sympy() -> Any:
    import sympy

    return sympy
