"""What a generating function in z says: sines on the circle, coefficients, cumulants.

The functions take any sympy expression that sums, products and powers build from z, numbers
and symbols, and derive their answer from its structure.
"""

from __future__ import annotations

from math import comb, factorial, perm
from typing import Any, NamedTuple

from erf_theory.errors import EngineError
from erf_theory.moments import cumulants

__all__ = ["coefficient", "cumulant", "mass", "on_circle"]

_VANISHING = 2
"""So many moments of a sum may be 0: the sum of a second difference's taps and their mean."""


class _Power(NamedTuple):
    """``(1 - q z^p)^e``."""

    q: Any
    p: Any
    e: Any


class _Logarithm(NamedTuple):
    """``F(e^s) = lead · s^vanishing · exp(Σ κ_r s^r/r!)``, kappa[0] = 0."""

    lead: Any
    vanishing: Any
    kappa: list[Any]


def on_circle(expression: Any, z: Any, omega: Any) -> Any:
    """The expression at z = e^{-jω}, every ``1 - z**p`` as ``2j e^{-jpω/2} sin(pω/2)``.

    Examples
    --------
    >>> from sympy import symbols
    >>> z, omega = symbols("z omega")
    >>> on_circle((1 - z**3) / (1 - z), z, omega)
    exp(-I*omega)*sin(3*omega/2)/sin(omega/2)
    """
    sympy = _sympy()
    sines = {e: _sine(e, z, omega) for e in expression.atoms(sympy.Add)}
    changed = {e: sine for e, sine in sines.items() if e != sine}
    total = expression.xreplace(changed).xreplace({z: sympy.exp(-sympy.I * omega)})
    total = sympy.powsimp(sympy.expand_power_base(total))
    return total.replace(sympy.exp, lambda power: sympy.exp(sympy.factor(power)))


def coefficient(expression: Any, z: Any, t: Any) -> Any:
    """Coefficient of z^t, from the binomial series of the expression's factors.

    Every factor (1 − q z^p)^e is the series Σ_i C(e, i) (−q)^i z^{pi}, for e < 0 written as
    Σ_i C(i − e − 1, i) q^i z^{pi}. One factor, with p = 1 if there is one, takes what the
    others leave; all others are summed over.

    Raises
    ------
    EngineError
        If the expression is not a product of powers of ``a + b*z**p``, or a sum of such; or if
        it would take a sum over two or more indices with symbols in its limits, which sympy may
        evaluate to a wrong number.

    Examples
    --------
    >>> from sympy import symbols
    >>> z, t = symbols("z t")
    >>> coefficient((1 + z) ** 5, z, t), coefficient((1 - z) ** -3, z, t)
    (binomial(5, t), binomial(t + 2, t))
    """
    sympy = _sympy()
    if expression.is_Add and _split(expression, z) is None:
        return sympy.Add(*(coefficient(term, z, t) for term in expression.args))
    total, shift, powers = _binomials(expression, z)
    rest = t - shift
    if not powers:
        return total * sympy.KroneckerDelta(rest, 0)
    return total * _convolution(powers, rest)


def mass(expression: Any, z: Any) -> Any:
    """The value at z = 1, also where a factor is 0/0.

    Examples
    --------
    >>> from sympy import symbols
    >>> z, k = symbols("z k")
    >>> mass((1 - z**k) / (1 - z), z)
    k
    """
    series = _logarithm(expression, z, 0)
    if series.vanishing.is_negative:
        raise _no_series(expression)
    return _sympy().Integer(0) if series.vanishing != 0 else series.lead


def cumulant(expression: Any, z: Any, r: int) -> Any:
    """Cumulant of order r: r! times the s^r term of log F(e^s).

    Raises
    ------
    EngineError
        If F(1) = 0.

    Examples
    --------
    >>> from sympy import symbols
    >>> z, k = symbols("z k")
    >>> cumulant((1 - z**k) / (1 - z), z, 4)
    -(k - 1)*(k + 1)*(k**2 + 1)/120
    """
    series = _logarithm(expression, z, r)
    if series.lead == 0 or series.vanishing != 0:
        raise EngineError(
            "the map has mass 0, so there is no normalised map and no mean or cumulant"
        )
    return _sympy().factor(series.kappa[r])


def _sympy() -> Any:
    import sympy

    return sympy


def _split(expression: Any, z: Any) -> tuple[Any, Any, Any] | None:
    """(a, b, p) of ``a + b*z**p`` with a, b, p free of z and a not 0; None for anything else."""
    first, rest = expression.as_independent(z, as_Add=True)
    factor, power = rest.as_independent(z, as_Add=False)
    base, exponent = power.as_base_exp()
    if not expression.is_Add or first == 0 or base != z or exponent.has(z):
        return None
    return first, factor, exponent


def _sine(expression: Any, z: Any, omega: Any) -> Any:
    """``a - a*z**p`` on the circle; any other expression comes back."""
    sympy = _sympy()
    parts = _split(expression, z)
    if parts is None or parts[0] != -parts[1]:
        return expression
    half = parts[2] * omega / 2
    return 2 * sympy.I * parts[0] * sympy.exp(-sympy.I * half) * sympy.sin(half)


def _binomials(expression: Any, z: Any) -> tuple[Any, Any, list[_Power]]:
    """Constant c, shift m and the factors of c z^m Π (1 − q z^p)^e, the last one to close with."""
    sympy = _sympy()
    constant, shift = sympy.Integer(1), sympy.Integer(0)
    found: dict[tuple[Any, Any], Any] = {}
    for factor in sympy.Mul.make_args(sympy.expand_power_base(expression)):
        base, power = factor.as_base_exp()
        if not base.has(z):
            constant *= factor
        elif base == z:
            shift += power
        elif (parts := _split(base, z)) is not None:
            first, second, p = parts
            constant *= first**power
            found[-second / first, p] = found.get((-second / first, p), 0) + power
        else:
            raise EngineError(
                f"the symbolic engine has no closed form for a coefficient of {expression}, "
                f"because of its factor {base}: the multinomial engine gives the numbers"
            )
    powers = [_Power(q, p, power) for (q, p), power in found.items() if power != 0]
    powers.sort(key=lambda power: (power.p == 1, bool(power.e.is_negative)))
    return constant, shift, powers


def _convolution(powers: list[_Power], rest: Any) -> Any:
    """Coefficient of z^rest in the product: a sum over the first factor, the last one closes."""
    sympy = _sympy()
    first, *others = powers
    if not others:
        term = _term(first, rest / first.p)
        divides = sympy.Eq(sympy.Mod(rest, first.p), 0)
        return term if first.p == 1 else sympy.Piecewise((term, divides), (0, True))
    high = sympy.floor(rest / first.p)
    if high.is_Integer:
        places = (sympy.Integer(i) for i in range(int(high) + 1))
        return sympy.Add(
            *(_term(first, i) * _convolution(others, rest - first.p * i) for i in places)
        )
    if len(others) > 1:
        raise EngineError(
            "the symbolic engine gives a coefficient of unequal layers as a number only: give "
            "numbers for t and for the lengths, or ask the multinomial engine for the map"
        )
    i = sympy.Symbol("i", integer=True, nonnegative=True)
    return sympy.Sum(_term(first, i) * _convolution(others, rest - first.p * i), (i, 0, high))


def _term(power: _Power, i: Any) -> Any:
    """Coefficient of z^{pi} in (1 − q z^p)^e."""
    binomial = _sympy().binomial
    if power.e.is_negative:
        return binomial(i - power.e - 1, i) * power.q**i
    return binomial(power.e, i) * (-power.q) ** i


def _logarithm(expression: Any, z: Any, order: int) -> _Logarithm:
    """Series of the logarithm at z = e^s, with cumulants up to ``order``."""
    zero, one = _sympy().Integer(0), _sympy().Integer(1)
    kappa = [zero] * (order + 1)
    if not expression.has(z):
        return _Logarithm(expression, zero, kappa)
    if expression == z:
        return _Logarithm(one, zero, [one if r == 1 else zero for r in range(order + 1)])
    if expression.is_Add:
        return _logarithm_of_sum(expression, z, order)
    if expression.is_Pow:
        lead, vanishing, added = _logarithm(expression.base, z, order)
        e = expression.exp
        return _Logarithm(lead**e, vanishing * e, [e * value for value in added])
    lead, vanishing = one, zero
    for factor in expression.args:
        part = _logarithm(factor, z, order)
        lead, vanishing = lead * part.lead, vanishing + part.vanishing
        kappa = [a + b for a, b in zip(kappa, part.kappa, strict=True)]
    return _Logarithm(lead, _sympy().expand(vanishing), kappa)


def _logarithm_of_sum(expression: Any, z: Any, order: int) -> _Logarithm:
    """The same for a sum: the moments of its terms add, and the first few may cancel."""
    depth = order + _VANISHING
    total = [_sympy().Integer(0)] * (depth + 1)
    for term in expression.args:
        lead, vanishing, kappa = _logarithm(term, z, depth)
        if vanishing not in range(_VANISHING + 1):
            raise _no_series(expression)
        v = int(vanishing)
        for r, value in enumerate(_moments(kappa)[: depth + 1 - v], start=v):
            total[r] += lead * value * perm(r, v)
    nonzero = (r for r in range(_VANISHING + 1) if _sympy().simplify(total[r]) != 0)
    if (first := next(nonzero, None)) is None:
        raise _no_series(expression)
    scaled = [total[r + first] / (total[first] * comb(r + first, first)) for r in range(order + 1)]
    lead = total[first] / factorial(first)
    return _Logarithm(lead, _sympy().Integer(first), cumulants(scaled))


def _moments(kappa: list[Any]) -> list[Any]:
    """Raw moments of a law from its cumulants: m_r = Σ_{0<j≤r} C(r−1, j−1) κ_j m_{r−j}."""
    moments: list[Any] = [_sympy().Integer(1)]
    for r in range(1, len(kappa)):
        terms = (comb(r - 1, j - 1) * kappa[j] * moments[r - j] for j in range(1, r + 1))
        moments.append(sum(terms))
    return moments


def _no_series(expression: Any) -> EngineError:
    return EngineError(
        f"the symbolic engine has no series of {expression} at z = 1, where it is infinite or "
        f"vanishes to more than order {_VANISHING}: ask the convolution engine with numbers"
    )
