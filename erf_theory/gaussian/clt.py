"""The central limit theorem of n equal layers in formulas, derived by the symbolic engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import whole
from erf_theory.formulas import Formulas, SymbolicERF, symbolic_erf
from erf_theory.gaussian.hermite import Term, expansion

__all__ = ["CLTFormulas", "clt_formulas"]


@final
@dataclass(frozen=True, repr=False)
class CLTFormulas(Formulas):
    """The Gaussian limit of n layers of k equal taps, and how it is reached, in formulas.

    Made by `clt_formulas`. A formula is a sympy expression in ``k`` and ``n``, where these are
    symbols, and in its own variable: ``z`` = (t − mean)/std, or the frequency ``omega`` per std.

    Attributes
    ----------
    k, n : int or sympy expression
        Number of taps and of layers.

    Notes
    -----
    Cumulants come from the generating function that the symbolic engine makes of the layers, and
    everything else from the cumulants: by the exponential of their series (`expansion`), by
    limits, and by the orthogonality of Hermite polynomials.

    Examples
    --------
    >>> limit = clt_formulas()
    >>> limit.std, limit.excess_kurtosis
    (sqrt(3)*sqrt(n)*sqrt(k - 1)*sqrt(k + 1)/6, -6*(k**2 + 1)/(5*n*(k - 1)*(k + 1)))
    >>> limit.density_terms(2)[2]
    -(k**2 + 1)*(z**4 - 6*z**2 + 3)/(20*n*(k - 1)*(k + 1))
    """

    @property
    def z(self) -> Any:
        """Variable of the terms: standard deviations from the mean."""
        return _sympy().Symbol("z", real=True)

    @property
    def omega(self) -> Any:
        """Variable of the characteristic function, in radians per standard deviation."""
        return self._stack.omega

    @property
    def mean(self) -> Any:
        """Mean of the map, in input pixels from its first place."""
        return self.cumulant(1)

    @property
    def variance(self) -> Any:
        """Variance of the map, in input pixels squared."""
        return self.cumulant(2)

    def cumulant(self, r: int) -> Any:
        """Cumulant of order r of the map, in input pixels to the power r."""
        return self._at_depth(self._stack.cumulant(r))

    @cached_property
    def std(self) -> Any:
        """Standard deviation of the map in input pixels: the √n law."""
        return self._at_depth(_sympy().sqrt(self._stack.variance))

    @cached_property
    def excess_kurtosis(self) -> Any:
        """κ₄/κ₂², which falls as 1/n: the first thing that the Gaussian misses."""
        return self._at_depth(_sympy().factor(self._kurtosis))

    @cached_property
    def theoretical_rf(self) -> Any:
        """Side of the theoretical receptive field: a symmetric map from 0 to twice its mean."""
        return self._at_depth(_sympy().expand(2 * self._stack.mean + 1))

    @cached_property
    def share(self) -> Any:
        """The limit of std over the theoretical receptive field, to leading order: the 1/√n law."""
        sympy, n = _sympy(), self._stack.n
        share = sympy.sqrt(self._stack.variance) / (2 * self._stack.mean + 1)
        return self._at_depth(sympy.limit(share * sympy.sqrt(n), n, sympy.oo) / sympy.sqrt(n))

    @cached_property
    def theorem(self) -> Any:
        """The central limit theorem: the limit of the standardised characteristic function.

        Examples
        --------
        >>> clt_formulas(k=2).theorem
        Eq(Limit(cos(omega/sqrt(n))**n, n, oo, dir='-'), exp(-omega**2/2))
        """
        sympy, n, omega = _sympy(), self._stack.n, self.omega
        one = symbolic_erf(self.k, 1)
        turned = one.transfer_function * sympy.exp(sympy.I * one.mean * omega) / one.mass
        layer = sympy.simplify(turned)
        near = sympy.Symbol("x", positive=True)
        curvature = sympy.limit(sympy.log(layer.subs(omega, near)) / near**2, near, 0)
        exponent = sympy.simplify(curvature * omega**2 / one.variance)
        standardised = sympy.simplify(layer.subs(omega, omega / sympy.sqrt(n * one.variance))) ** n
        return sympy.Eq(sympy.Limit(standardised, n, sympy.oo), sympy.exp(exponent))

    def density_terms(self, order: int) -> tuple[Any, ...]:
        """Edgeworth's terms of the density, by powers of n^(-1/2): polynomials in z.

        The map is φ(z)/std times their sum; odd ones are 0.

        Raises
        ------
        ErfTheoryError
            If the order is below 0.
        """
        return tuple(self._polynomial(term, 0) for term in self._terms(order, 0))

    def cdf_terms(self, order: int) -> tuple[Any, ...]:
        """Edgeworth's terms of the distribution function half a pixel beyond a place of the map.

        It is Φ(z) plus φ(z) times their sum, z at t + 1/2; the term of order 0 is 0.

        Examples
        --------
        >>> clt_formulas().cdf_terms(2)[2]
        z*(k**2*z**2 - 3*k**2 + z**2 + 7)/(20*n*(k - 1)*(k + 1))
        """
        _, *terms = self._terms(order, 1)
        return (_sympy().Integer(0), *(-self._polynomial(term, 1) for term in terms))

    def distances(self) -> dict[str, Any]:
        """Leading terms of distances between map and Gaussian as n grows, by name.

        All but Kolmogorov's are against the sampled, normalised Gaussian; "density" is the largest
        difference of std times the map. Kolmogorov's, against the normal law, is half of the
        map's largest jump.

        Examples
        --------
        >>> clt_formulas(k=3).distances()["chi-squared"]
        3/(32*n**2)
        """
        sympy, size = _sympy(), -self._kurtosis / 24
        peak = _density(sympy.Integer(0))
        found = {
            "kolmogorov": peak / (2 * sympy.sqrt(self._stack.variance)),
            "density": size * _largest(4),
            "total variation": size * _mean_magnitude(4) / 2,
            "chi-squared": size**2 * sympy.factorial(4),
            "kullback-leibler": size**2 * sympy.factorial(4) / 2,
        }
        return {name: self._at_depth(sympy.simplify(value)) for name, value in found.items()}

    def _formulas(self) -> list[tuple[str, str, Any]]:
        return [
            ("central limit theorem", "&", self.theorem),
            ("mean", r"\mu &=", self.mean),
            ("std, the root-n law", r"\sigma &=", self.std),
            ("share of the theoretical field", r"\sigma / (n (k - 1) + 1) &\sim", self.share),
            ("excess kurtosis", r"\kappa_4 / \sigma^4 &=", self.excess_kurtosis),
            ("density, term of 1/n", "q_2(z) &=", self.density_terms(2)[2]),
            ("distribution function, term of 1/n", "Q_2(z) &=", self.cdf_terms(2)[2]),
            *((name, rf"\text{{{name}}} &\sim", d) for name, d in self.distances().items()),
        ]

    @cached_property
    def _stack(self) -> SymbolicERF:
        """The stack with a symbol for n: limits in it are taken."""
        return symbolic_erf(self.k)

    @cached_property
    def _kurtosis(self) -> Any:
        return self._stack.cumulant(4) / self._stack.variance**2

    def _terms(self, order: int, span: int) -> list[Term]:
        whole("the order of an expansion", order, 0)
        cumulants = {r: self._stack.cumulant(r) for r in range(2, order + 3)}
        return expansion(cumulants, order, span=span)

    def _polynomial(self, term: Term, shift: int) -> Any:
        """A term in z; symmetric maps have even degrees only."""
        sympy = _sympy()
        variance, parts = self._stack.variance, term.items()
        total = sum(
            value / variance ** (j // 2) * sympy.hermite_prob_poly(j - shift, self.z)
            for j, value in parts
        )
        return self._at_depth(sympy.factor(total))

    def _at_depth(self, formula: Any) -> Any:
        """A formula of `_stack` for this number of layers."""
        return formula.subs(self._stack.n, self.n)


def clt_formulas(k: Any = None, n: Any = None) -> CLTFormulas:
    """Formulas of the Gaussian limit of n layers with k equal taps, for numbers or for symbols.

    Parameters
    ----------
    k : int or sympy expression, optional
        Number of taps per layer, 2 or more. Default: the symbol k.
    n : int or sympy expression, optional
        Number of layers, 1 or more. Default: the symbol n.

    Returns
    -------
    CLTFormulas
        The theorem, moments, Edgeworth's terms and leading terms of distances.

    Raises
    ------
    ErfTheoryError
        If k or n counts nothing, or the map lies on one point: k = 1 or n = 0.

    Examples
    --------
    >>> limit = clt_formulas(n=20)
    >>> limit.variance, limit.theoretical_rf
    (5*(k - 1)*(k + 1)/3, 20*k - 19)
    """
    stack = symbolic_erf(k, n)
    if stack.variance == 0:
        raise ErfTheoryError(
            f"{stack.n} layers of {stack.k} taps lie on one point, which has no Gaussian limit: "
            "give k = 2 or more and n = 1 or more"
        )
    return CLTFormulas(stack.k, stack.n)


def _mean_magnitude(degree: int) -> Any:
    """E|He_j| of a standard normal: its antiderivative −He_(j−1)·φ between the roots of He_j."""
    sympy, z = _sympy(), _sympy().Symbol("z", real=True)
    roots = sorted(sympy.roots(sympy.hermite_prob_poly(degree, z), z), key=float)
    below = -sympy.hermite_prob_poly(degree - 1, z) * _density(z)
    sides = [(-1) ** i * below.subs(z, root) for i, root in enumerate(roots)]
    return sympy.simplify(sympy.Abs(2 * sum(sides)))


def _largest(degree: int) -> Any:
    """The largest magnitude of He_j·φ: it is at a root of its derivative −He_(j+1)·φ."""
    sympy, z = _sympy(), _sympy().Symbol("z", real=True)
    roots = sympy.roots(sympy.hermite_prob_poly(degree + 1, z), z)
    curve = sympy.hermite_prob_poly(degree, z) * _density(z)
    return max((sympy.Abs(curve.subs(z, root)) for root in roots), key=float)


def _density(z: Any) -> Any:
    """φ(z)."""
    sympy = _sympy()
    return sympy.exp(-(z**2) / 2) / sympy.sqrt(2 * sympy.pi)


def _sympy() -> Any:
    import sympy

    return sympy
