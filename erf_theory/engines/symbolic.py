"""The symbolic engine: fields as sympy expressions, formulas by running the operations.

A field is its generating function G(z) = Σ_x g(x) z^x. Numbers of layers, lengths of uniform
kernels, dilations, strides and factors may be symbols; floats become the fractions that they
are. What is derived from G - transfer function, coefficients, cumulants - is derived by
substitution and by series, whatever operations made G.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from numbers import Integral
from typing import Any, final

import numpy as np

from erf_theory.engines import generating
from erf_theory.engines.field import Border, refusal
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import number, whole
from erf_theory.kernel import Kernel

__all__ = ["Symbolic", "UniformTaps", "impulse"]


@final
@dataclass(frozen=True)
class UniformTaps:
    """All ones on k taps, first tap at 0, where the length may be a symbol.

    Attributes
    ----------
    k : int or sympy expression
        Number of taps, a positive integer.
    """

    k: Any


@final
@dataclass(frozen=True)
class Symbolic:
    """A field as its generating function.

    Attributes
    ----------
    expression : sympy expression
        G(z).
    variables : tuple of sympy symbol
        z, or one variable per axis.

    Examples
    --------
    >>> from sympy import symbols
    >>> k, n, t = symbols("k n t", integer=True, positive=True)
    >>> field = impulse(1).convolve(UniformTaps(k), times=n)
    >>> field.expression
    ((1 - z**k)/(1 - z))**n
    >>> field.cumulant(2)
    n*(k - 1)*(k + 1)/12
    >>> field.coefficient(t)
    Sum((-1)**i*binomial(n, i)*binomial(-i*k + n + t - 1, -i*k + t), (i, 0, floor(t/k)))
    """

    expression: Any
    variables: tuple[Any, ...]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.variables)

    def convolve(self, kernel: Kernel | UniformTaps, step: Any = 1, times: Any = 1) -> Symbolic:
        """Multiply by the kernel's generating function at z^step, ``times`` times."""
        powers = self._powers(step)
        if isinstance(kernel, UniformTaps):
            return self._times(_geometric(powers, kernel.k) ** times)
        if kernel.channels:
            raise refusal("symbolic", "convolve channels", "the convolution engine can")
        if kernel.ndim != self.ndim:
            raise ErfTheoryError(f"a {kernel.ndim}-D kernel does not fit a {self.ndim}-D field")
        return self._times(_generating(kernel, powers) ** times)

    def scale(self, factor: Any) -> Symbolic:
        """Multiply by a number or a symbol."""
        if isinstance(factor, np.ndarray):
            raise refusal(
                "symbolic", "scale by channel or by position", "the convolution engine can"
            )
        return self._times(_exact(factor))

    def __add__(self, other: Symbolic) -> Symbolic:
        return replace(self, expression=self.expression + other.expression)

    def expand(self, s: Any) -> Symbolic:
        """Move what is at x to s·x: G(z^s)."""
        powers = dict(zip(self.variables, self._powers(s), strict=True))
        return replace(self, expression=self.expression.xreplace(powers))

    def decimate(self, s: Any) -> Symbolic:
        """Keep what is at multiples of s and move it from s·x to x.

        Raises
        ------
        EngineError
            If the number of layers or a length is a symbol, so that G is not a polynomial.
        """
        steps = s if isinstance(s, tuple) else (s,) * self.ndim
        if not all(isinstance(d, Integral) for d in steps):
            raise refusal("symbolic", f"keep every {s}th place", "give a number for it")
        total = _sympy().Integer(0)
        for at, value in self.terms().items():
            if all(a % d == 0 for a, d in zip(at, steps, strict=True)):
                places = zip(self.variables, at, steps, strict=True)
                total += value * prod(z ** (a // d) for z, a, d in places)
        return replace(self, expression=total)

    def fold(self, size: Any, border: Border) -> Symbolic:
        """Refused: borders need samples."""
        raise refusal(
            "symbolic", f"fold at the {border} border of {size}", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Symbolic:
        """Refused: no channels here."""
        raise refusal("symbolic", f"take channels {a} to {b}", "the convolution engine can")

    def terms(self) -> dict[tuple[int, ...], Any]:
        """Every value of the map that is not 0, by its place; factors may be symbols.

        Raises
        ------
        EngineError
            If G is not a polynomial in z and 1/z: a number of layers or a length is a symbol.
        """
        sympy = _sympy()
        powers = self.expression.atoms(sympy.Pow)
        if any(p.base.has(*self.variables) and not p.exp.is_Integer for p in powers):
            raise refusal(
                "symbolic",
                f"list the values of {self.expression}",
                "give numbers for the layers and lengths, or ask for coefficient(t)",
            )
        top, bottom = sympy.fraction(sympy.cancel(sympy.together(self.expression)))
        ((start, unit),) = sympy.Poly(bottom, *self.variables).terms()
        values = sympy.Poly(top, *self.variables).terms() if top != 0 else []
        return {
            tuple(a - b for a, b in zip(at, start, strict=True)): value / unit
            for at, value in values
        }

    def transfer(self, *omega: Any) -> Any:
        """Transfer function G(e^{-jω}), one ω per axis in radians per lattice step.

        Every ``1 - z**p`` becomes ``2j e^{-jpω/2} sin(pω/2)``, so uniform kernels give
        Dirichlet kernels.

        Examples
        --------
        >>> from sympy import symbols
        >>> k, n, omega = symbols("k n omega", integer=True, positive=True)
        >>> impulse(1).convolve(UniformTaps(k), times=n).transfer(omega)
        (sin(k*omega/2)/sin(omega/2))**n*exp(-I*n*omega*(k - 1)/2)
        """
        if len(omega) != self.ndim:
            raise ErfTheoryError(f"give one frequency per axis: {self.ndim}, not {len(omega)}")
        total = self.expression
        for z, w in zip(self.variables, omega, strict=True):
            total = generating.on_circle(total, z, w)
        return total

    def coefficient(self, t: Any) -> Any:
        """Value of a 1-D map at ``t``, from the binomial series of G's factors.

        Parameters
        ----------
        t : int or sympy expression
            Place in the map.

        Raises
        ------
        EngineError
            If G is not a product of powers of ``a + b*z**p``, or a sum of such; or if the layers
            are unequal, so that there are several sums, and there are symbols in their limits.
        """
        if self.ndim != 1:
            raise refusal("symbolic", "read one value of a d-D map", "terms() lists them all")
        return generating.coefficient(self.expression, self.variables[0], t)

    @property
    def mass(self) -> Any:
        """G(1), the sum of the map."""
        z, line = self._line(0)
        return generating.mass(line, z)

    @property
    def mean(self) -> tuple[Any, ...]:
        """First moment per axis of the map divided by its mass."""
        return tuple(self.cumulant(1, axis) for axis in range(self.ndim))

    def cumulant(self, r: int, axis: int = 0) -> Any:
        """Cumulant of the map divided by its mass: r! times the s^r term of log G(e^s).

        Raises
        ------
        EngineError
            If the mass is 0.
        """
        if whole("the order of a cumulant", r) < 1:
            raise ErfTheoryError(f"cumulants start at order 1, not {r}; order 0 is log(mass)")
        z, line = self._line(axis)
        return generating.cumulant(line, z, r)

    def _powers(self, step: Any) -> list[Any]:
        steps = step if isinstance(step, tuple) else (step,) * self.ndim
        return [z**d for z, d in zip(self.variables, steps, strict=True)]

    def _times(self, factor: Any) -> Symbolic:
        return replace(self, expression=self.expression * factor)

    def _line(self, axis: int) -> tuple[Any, Any]:
        """One variable, and G with all others at 1: the marginal of the map."""
        line = self.expression
        for other in self.variables[:axis] + self.variables[axis + 1 :]:
            line = generating.mass(line, other)
        return self.variables[axis], line


def impulse(ndim: int) -> Symbolic:
    """The unit impulse at 0: G = 1.

    Examples
    --------
    >>> impulse(2).convolve(Kernel([[1, 2], [0, 3]])).expression
    3*z_0*z_1 + 2*z_1 + 1
    """
    sympy = _sympy()
    names = ["z"] if ndim == 1 else [f"z_{axis}" for axis in range(ndim)]
    return Symbolic(sympy.Integer(1), tuple(sympy.Symbol(name) for name in names))


def _sympy() -> Any:
    """The library, loaded with the first formula."""
    import sympy

    return sympy


def _exact(value: Any) -> Any:
    """A sympy number from a number; floats become the fractions that they are."""
    sympy = _sympy()
    if isinstance(value, sympy.Basic):
        return value
    ratio = Fraction(number(value))
    return sympy.Rational(ratio.numerator, ratio.denominator)


def _geometric(powers: Sequence[Any], k: Any) -> Any:
    """Generating function of all ones on k places per axis."""
    return prod((1 - z**k) / (1 - z) for z in powers)


def _generating(kernel: Kernel, powers: Sequence[Any]) -> Any:
    """Generating function of a kernel: a geometric sum where all taps of a line are equal."""
    shift = prod(z**o for z, o in zip(powers, kernel.origin, strict=True))
    taps = [_exact(tap) for tap in kernel.taps.flat]
    if kernel.ndim == 1 and len(set(taps)) == 1:
        return taps[0] * shift * _geometric(powers, len(taps))
    places = np.ndindex(kernel.shape)
    terms = (prod(z**m for z, m in zip(powers, at, strict=True)) for at in places)
    return shift * sum(tap * term for tap, term in zip(taps, terms, strict=True))
