"""The closed forms of a stack of n equal layers, derived by running it on symbols."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any, final

from erf_theory.engines.symbolic import Symbolic, UniformTaps, impulse
from erf_theory.errors import ErfTheoryError

__all__ = ["Formulas", "SymbolicERF", "symbolic_erf"]

_LONGEST = 64
"""A polynomial with more terms, a mass with more digits than this stays a power."""
_MOST_BITS = 2**22
"""A mass with more bits than this, a million digits, is not multiplied out."""


@dataclass(frozen=True, repr=False)
class Formulas(ABC):
    """Formulas of a stack of n layers with k taps, as sympy expressions, plain text and LaTeX.

    Attributes
    ----------
    k, n : int or sympy expression
        Number of taps and of layers.
    """

    k: Any
    n: Any

    def lines(self) -> list[tuple[str, Any]]:
        """Every formula with its name, in the order of a derivation."""
        return [(name, formula) for name, _, formula in self._formulas()]

    def latex(self) -> dict[str, str]:
        r"""Every formula in LaTeX, by its name.

        Examples
        --------
        >>> symbolic_erf(k=3).latex()["variance"]
        '\\frac{2 n}{3}'
        """
        return {name: _sympy().latex(formula) for name, formula in self.lines()}

    def __repr__(self) -> str:
        rows = (f"  {name}: {formula}" for name, formula in self.lines())
        return "\n".join([f"{type(self).__name__}(k={self.k}, n={self.n})", *rows])

    def _repr_latex_(self) -> str:
        latex = self.latex()
        rows = (f"{head} {latex[name]}" for name, head, _ in self._formulas())
        body = " \\\\\n".join(rows)
        return f"$$\\begin{{aligned}}\n{body}\n\\end{{aligned}}$$"

    @abstractmethod
    def _formulas(self) -> list[tuple[str, str, Any]]:
        """Name, LaTeX up to and with the sign of relation, and right side of every formula."""


@final
@dataclass(frozen=True, repr=False)
class SymbolicERF(Formulas):
    """Formulas of the map of n layers of k equal taps, all ones, first tap at 0.

    Made by `symbolic_erf`. A formula is a sympy expression in ``k`` and ``n``, where these are
    symbols, and in its own variable: ``z``, ``omega`` or ``t``.

    Attributes
    ----------
    k, n : int or sympy expression
        Number of taps and of layers.

    Notes
    -----
    The symbolic engine runs ``field.convolve(uniform(k), times=n)`` on the unit impulse; every
    formula comes from the generating function that this gives. For the map as a power of the
    transfer function and its extended binomial coefficients see [Luo16]_, section 2.

    References
    ----------
    .. [Luo16] W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field
       in Deep Convolutional Neural Networks", NIPS 2016.

    Examples
    --------
    >>> stack = symbolic_erf(k=3)
    >>> stack.generating_function, stack.variance
    ((z**2 + z + 1)**n, 2*n/3)
    >>> stack.coefficient.subs({stack.n: 20, stack.t: 20}).doit()
    377379369
    """

    @property
    def z(self) -> Any:
        """Variable of the generating function; z marks one step on the lattice."""
        return self._field.variables[0]

    @property
    def omega(self) -> Any:
        """Variable of the transfer function, in radians per input pixel."""
        return _symbol("omega", real=True)

    @property
    def t(self) -> Any:
        """Place in the map, in input pixels from its first: 0 to n·(k−1)."""
        return _symbol("t", integer=True, nonnegative=True)

    @cached_property
    def generating_function(self) -> Any:
        """G(z) = Σ_t g(t) z^t; a polynomial where k is a number, expanded where n is one too."""
        sympy = _sympy()
        k, n = self._lengths
        layer = impulse(1).convolve(UniformTaps(k)).expression
        if isinstance(k, int) and k <= _LONGEST:
            layer = sympy.cancel(layer)
        short = isinstance(k, int) and isinstance(n, int) and n * (k - 1) < _LONGEST
        return self._named(sympy.expand(layer**n) if short else layer**n)

    @cached_property
    def transfer_function(self) -> Any:
        """G(e^{-jω}) as a power of a Dirichlet kernel, with its phase."""
        return self._with_layers(self._field_of_any_depth.transfer(self.omega))

    @cached_property
    def coefficient(self) -> Any:
        """g(t) in closed form: an extended binomial coefficient as an alternating sum.

        To evaluate a sum of more than a hundred terms, sympy's ``doit`` first looks for another
        closed form, which may take very long: ask `theoretical_erf` for the numbers.
        """
        return self._named(self._field.coefficient(self.t))

    @property
    def mass(self) -> Any:
        """Sum of the map.

        Raises
        ------
        ErfTheoryError
            If it is a number of more than a million digits.
        """
        if self._mass_bits > _MOST_BITS:
            raise ErfTheoryError(
                "the mass has more than a million digits: ask for log_mass of theoretical_erf"
            )
        return self._named(self._field.mass)

    @property
    def mean(self) -> Any:
        """Mean of the normalised map, in input pixels from its first place."""
        return self.cumulant(1)

    @property
    def variance(self) -> Any:
        """Variance of the normalised map, in input pixels squared."""
        return self.cumulant(2)

    def cumulant(self, r: int) -> Any:
        """Cumulant of order r of the normalised map, in input pixels to the power r.

        Raises
        ------
        ErfTheoryError
            If r is less than 1.

        Examples
        --------
        >>> symbolic_erf().cumulant(4)
        -n*(k - 1)*(k + 1)*(k**2 + 1)/120
        """
        return self._with_layers(self._field_of_any_depth.cumulant(r))

    def _formulas(self) -> list[tuple[str, str, Any]]:
        return [
            ("generating function", "G(z) &=", self.generating_function),
            ("transfer function", r"G(e^{-i \omega}) &=", self.transfer_function),
            ("coefficient of z^t", "g(t) &=", self.coefficient),
            ("mass", "G(1) &=", self._readable_mass),
            ("mean", r"\mu &=", self.mean),
            ("variance", r"\sigma^2 &=", self.variance),
            ("fourth cumulant", r"\kappa_4 &=", self.cumulant(4)),
        ]

    @property
    def _readable_mass(self) -> Any:
        """The mass, as a power where its digits would fill more than a line."""
        known = isinstance(self.k, int) and isinstance(self.n, int)
        if known and (self._mass_bits > 4 * _LONGEST or self.mass >= 10**_LONGEST):
            return _sympy().Pow(self.k, self.n, evaluate=False)
        return self.mass

    @property
    def _mass_bits(self) -> int:
        """No more than the bits of the mass kⁿ; 0 where it is a formula."""
        known = isinstance(self.k, int) and isinstance(self.n, int)
        return self.n * (self.k.bit_length() - 1) if known else 0

    @property
    def _lengths(self) -> tuple[Any, Any]:
        """Both lengths, as numbers or as symbols that sympy knows to be positive integers."""
        pairs = ((self.k, "k"), (self.n, "n"))
        k, n = (v if isinstance(v, int) else _positive_integer(name) for v, name in pairs)
        return k, n

    @cached_property
    def _field(self) -> Symbolic:
        k, n = self._lengths
        return impulse(1).convolve(UniformTaps(k), times=n)

    @cached_property
    def _field_of_any_depth(self) -> Symbolic:
        """The field with a symbol for n: a number would make numbers of n digits on the way."""
        return impulse(1).convolve(UniformTaps(self._lengths[0]), times=_positive_integer("n"))

    def _with_layers(self, formula: Any) -> Any:
        """A formula of `_field_of_any_depth`, for this number of layers, in the user's symbols."""
        return self._named(formula.subs(_positive_integer("n"), self._lengths[1]))

    def _named(self, formula: Any) -> Any:
        """The formula in the user's symbols."""
        names = {_positive_integer("k"): self.k, _positive_integer("n"): self.n}
        return formula.xreplace({a: b for a, b in names.items() if not isinstance(b, int)})


def symbolic_erf(k: Any = None, n: Any = None) -> SymbolicERF:
    """Formulas of the map of n layers with k equal taps, for numbers or for symbols.

    Parameters
    ----------
    k : int or sympy expression, optional
        Number of taps per layer, 1 or more. Default: the symbol k.
    n : int or sympy expression, optional
        Number of layers, 0 or more. Default: the symbol n.

    Returns
    -------
    SymbolicERF
        Generating function, transfer function, coefficient, mass, mean, variance, cumulants.

    Raises
    ------
    ErfTheoryError
        If k or n is not an integer in its range, nor an expression that can be one.

    Examples
    --------
    >>> symbolic_erf().transfer_function
    (sin(k*omega/2)/sin(omega/2))**n*exp(-I*n*omega*(k - 1)/2)
    >>> stack = symbolic_erf(k=2, n=3)
    >>> stack.generating_function, stack.mass, stack.mean, stack.variance
    (z**3 + 3*z**2 + 3*z + 1, 8, 3/2, 3/4)
    """
    return SymbolicERF(_length("k", k, 1), _length("n", n, 0))


def _length(name: str, value: Any, least: int) -> Any:
    """An int, or an expression with symbols that can be an integer from ``least`` on."""
    if value is None:
        return _positive_integer(name)
    if getattr(value, "free_symbols", None):
        wrong = value.is_integer is False or (value - least).is_negative
    else:
        try:
            value = int(index(value))
            wrong = value < least
        except TypeError:
            wrong = True
    if wrong:
        raise ErfTheoryError(
            f"{name} = {value} does not count anything: give an integer of {least} or more, or a "
            "sympy symbol that can be one"
        )
    return value


def _positive_integer(name: str) -> Any:
    return _symbol(name, integer=True, positive=True)


def _symbol(name: str, **assumptions: bool) -> Any:
    return _sympy().Symbol(name, **assumptions)


def _sympy() -> Any:
    import sympy

    return sympy
