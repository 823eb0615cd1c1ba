"""Where the transfer function of a kernel is largest, and how it leaves its maximum.

The squared modulus of V is a polynomial in cos ω with the autocorrelation of the taps for
coefficients. The roots of its derivative are enclosed in balls; what is equal, and what is 0, is
decided on 400 bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, factorial, pi
from typing import Any, final

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.kernel import Kernel

__all__ = ["Peak", "peaks_of", "rational_taps", "squared_modulus"]

_BITS = 400
_SAME = Fraction(1, 2**200)
"""Relative differences below it, found on 400 bits, are none."""
_LARGEST_DENOMINATOR = 10**6
_SIMPLE = Fraction(1, 10**14)
_MOST_TAPS = 128
_HIGHEST = (4, 16, 64)
"""Orders up to which log V is expanded, until it is seen how it leaves its maximum."""


@final
@dataclass(frozen=True)
class Peak:
    """A maximum of ``|V|`` on the circle, and the logarithm of V near it.

    log V(ω₀ + θ)/V(ω₀) = −iμθ + Σ c_r θʳ over r ≥ m, and the first with a real part is that of
    r = k, which is even, and negative.

    Attributes
    ----------
    frequency : float
        ω₀ in [0, π], radians per tap; a real kernel has −ω₀ with it.
    modulus, phase : float
        V(ω₀) = modulus · exp(i phase).
    drift : float
        μ, in taps per layer: the group velocity.
    coefficients : tuple of complex
        c_m to c_k; a single one where c_m has a real part.
    dissipation : int
        k.
    """

    frequency: float
    modulus: float
    phase: float
    drift: float
    coefficients: tuple[complex, ...]
    dissipation: int

    @property
    def order(self) -> int:
        """The order m ≥ 2 of the first term: the sup norm falls as n^(−1/m)."""
        return self.dissipation + 1 - len(self.coefficients)

    @property
    def coefficient(self) -> complex:
        """The first term's, c_m."""
        return self.coefficients[0]

    @property
    def is_inner(self) -> bool:
        """Whether ω₀ is neither 0 nor π, so that −ω₀ is another maximum."""
        return 0 < self.frequency < pi

    @property
    def shape(self) -> str:
        """What the attractor is called."""
        c, m = self.coefficient, self.order
        if m == 2:
            if c.real == 0:
                return "Fresnel"
            return "Gaussian" if c.imag == 0 else "Gaussian of complex variance"
        if m == 3:
            return "Airy"
        if c.real < 0:
            return f"exp(-xi^{m})"
        return f"oscillatory of order {m}"


def rational_taps(kernel: Kernel) -> list[Fraction]:
    """The taps as fractions; doubles as the fraction with a small denominator that they round.

    A denominator is small up to a million; where none fits, as the binary fraction.

    Examples
    --------
    >>> rational_taps(Kernel([0.1, -1 / 3]))
    [Fraction(1, 10), Fraction(-1, 3)]
    """
    taps = [Fraction(tap) for tap in kernel.taps]
    return taps if kernel.is_exact else [_simple(tap) for tap in taps]


def _simple(tap: Fraction) -> Fraction:
    near = tap.limit_denominator(_LARGEST_DENOMINATOR)
    return near if abs(near - tap) <= _SIMPLE * abs(tap) else tap


def squared_modulus(taps: Sequence[Number]) -> list[Fraction]:
    """Coefficients of ``|V|²`` as a polynomial in x = cos ω, from x⁰ on: a₀ + 2 Σ aⱼ Tⱼ(x).

    Examples
    --------
    >>> squared_modulus([1, 0, -1])
    [Fraction(4, 1), Fraction(0, 1), Fraction(-4, 1)]
    """
    from flint import fmpq, fmpq_poly

    lags = [sum(a * b for a, b in zip(taps, taps[j:], strict=False)) for j in range(len(taps))]
    before, now, x = fmpq_poly([0, 1]), fmpq_poly([1]), fmpq_poly([0, 1])
    total = fmpq_poly([0])
    for j, lag in enumerate(Fraction(lag) for lag in lags):
        total += fmpq((1 + (j > 0)) * lag.numerator, lag.denominator) * now
        before, now = now, 2 * x * now - before
    return [Fraction(int(c.p), int(c.q)) for c in total.coeffs()]


def peaks_of(kernel: Kernel) -> tuple[Peak, ...]:
    """All maxima of ``|V|`` with frequencies in [0, π].

    Parameters
    ----------
    kernel : Kernel
        1-D, of two taps or more that are not 0.

    Returns
    -------
    tuple of Peak
        By ascending frequency.

    Raises
    ------
    ErfTheoryError
        If there is one tap, where ``|V|`` is the same everywhere, or more than 128.

    Examples
    --------
    >>> [peak] = peaks_of(Kernel([3, 6, -1]))
    >>> peak.frequency, peak.drift, peak.order, peak.shape
    (0.0, 0.5, 3, 'Airy')
    """
    from flint import ctx

    taps = rational_taps(kernel)
    if sum(tap != 0 for tap in taps) < 2:
        raise ErfTheoryError(
            f"{kernel} has a single tap that is not 0: its powers only move, and |V| has no maximum"
        )
    if len(taps) > _MOST_TAPS:
        raise ErfTheoryError(
            f"a kernel of {len(taps)} taps is too long for the exact maxima of its transfer "
            f"function: {_MOST_TAPS} are the most"
        )
    with ctx.workprec(_BITS):
        places = list(_critical(squared_modulus(taps)))
        top = max((value for _, value in places), key=_middle)
        found = [x for x, value in places if _is_zero(value - top, top)]
        peaks = [_peak(taps, kernel.origin[0], x) for x in found]
    return tuple(sorted(peaks, key=lambda peak: peak.frequency))


def _middle(ball: Any) -> Fraction:
    """The middle of a ball."""
    mantissa, exponent = ball.mid().man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _critical(squared: Sequence[Fraction]) -> Iterator[tuple[Any, Any]]:
    """Balls around cos ω where ``|V|²`` may be largest, and around its values there."""
    from flint import arb, fmpq, fmpq_poly

    polynomial = fmpq_poly([fmpq(c.numerator, c.denominator) for c in squared])
    roots: Any = polynomial.derivative().numer().complex_roots()
    inner = [root.real for root, _ in roots if root.imag == 0]
    for x in [arb(-1), *(x for x in inner if -1 < x < 1), arb(1)]:
        yield x, _value(squared, x)


def _value(coefficients: Sequence[Fraction], x: Any) -> Any:
    """A polynomial by Horner's rule, in balls."""
    from flint import arb

    total = arb(0)
    for c in reversed(coefficients):
        total = total * x + _ball(c)
    return total


def _ball(value: Fraction) -> Any:
    from flint import arb

    return arb(value.numerator) / value.denominator


def _is_zero(ball: Any, scale: Any) -> bool:
    """Whether a ball holds nothing but rounding, beside a scale."""
    return bool(abs(ball) <= abs(scale) * _ball(_SAME))


def _peak(taps: Sequence[Fraction], origin: int, x: Any) -> Peak:
    """The expansion at the maximum with that cosine."""
    from flint import acb

    z = acb(x, -((1 - x) * (1 + x)).sqrt()) if abs(x) < 1 else acb(x)
    weights = [_ball(tap) * z**m for m, tap in enumerate(taps)]
    value = sum(weights, acb(0))
    for highest in _HIGHEST:
        kappa = _cumulants([w / value for w in weights], highest)
        terms = [k * (-acb(0, 1)) ** r / factorial(r) for r, k in enumerate(kappa)]
        order = _first([abs(term) for term in terms])
        damped = _first([term.real for term in terms])
        if order and damped:
            break
    else:
        raise ErfTheoryError(
            f"log V agrees with a pure phase up to order {_HIGHEST[-1]} where it is largest: no "
            "attractor of such a high order is known here"
        )
    there = value * z**origin
    return Peak(
        frequency=float(x.acos().mid()),
        modulus=float(abs(there).mid()),
        phase=float(there.log().imag.mid()),
        drift=float(kappa[1].real.mid()) + origin,
        coefficients=tuple(_complex(terms[r]) for r in range(order, damped + 1)),
        dissipation=damped,
    )


def _cumulants(law: Sequence[Any], highest: int) -> list[Any]:
    """Cumulants 0 to ``highest`` of a complex law of mass 1 on 0, 1, 2 and so on."""
    from flint import acb

    moments = [sum((w * m**r for m, w in enumerate(law)), acb(0)) for r in range(highest + 1)]
    kappa = [acb(0)]
    for r in range(1, highest + 1):
        lower = (comb(r - 1, j - 1) * kappa[j] * moments[r - j] for j in range(1, r))
        kappa.append(moments[r] - sum(lower, acb(0)))
    return kappa


def _first(terms: Sequence[Any]) -> int:
    """The first order from 2 on whose term is not 0; 0 if there is none."""
    found = (r for r in range(2, len(terms)) if not _is_zero(terms[r], _ball(Fraction(1))))
    return next(found, 0)


def _complex(ball: Any) -> complex:
    """The middle of a ball, with parts that are 0 but for rounding as 0."""
    parts = (ball.real, ball.imag)
    return complex(*(0.0 if _is_zero(part, abs(ball)) else float(part.mid()) for part in parts))
