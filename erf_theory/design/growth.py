"""How the variance of equal steps grows with their number, and the number that has a variance."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from erf_theory.design.plans import Form, Plan, Step
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number

__all__ = ["steps_of_variance", "variance_of_steps"]

_MOST_DIGITS = 300
"""Numbers of blocks with more digits than this are refused."""


def variance_of_steps(form: Form, k: int, count: int) -> Number:
    """Variance per axis of equal steps: exact, or with norms beside skips the nearest double.

    Examples
    --------
    >>> variance_of_steps(Form(), 3, 20)
    Fraction(40, 3)
    >>> blocks = Form(is_residual=True)
    >>> plan = Plan((Step(3),) * 20, blocks)
    >>> bool(abs(variance_of_steps(blocks, 3, 20) - plan.variance) < 1e-14)
    True
    """
    if not form.is_logarithmic:
        return count * Plan((Step(k),), form).variance
    with _mpmath().workdps(len(str(count)) + 25):
        return float(_logarithmic(form, k, count))


def steps_of_variance(form: Form, k: int, variance: Fraction) -> int:
    """The fewest equal steps of k taps, 2 or more, whose variance per axis is at least this.

    Raises
    ------
    ErfTheoryError
        If their number has more than 300 digits.

    Examples
    --------
    >>> steps_of_variance(Form(), 3, Fraction(40, 3)), steps_of_variance(Form(), 3, Fraction(14))
    (20, 21)
    """
    if not form.is_logarithmic:
        return max(1, ceil(variance / Fraction(Plan((Step(k),), form).variance)))
    mpmath = _mpmath()
    with mpmath.workdps(30):
        digits = float(_exponent(form, k, variance) / mpmath.log(10))
    if digits > _MOST_DIGITS:
        raise ErfTheoryError(
            f"the variance of residual blocks with norms grows as the logarithm of the depth: it "
            f"would take about 10^{digits:.0f} of them: take dilations, strides, or no norms"
        )
    with mpmath.workdps(2 * max(0, ceil(digits)) + 30):
        count = max(1, int(mpmath.exp(_exponent(form, k, variance)) - _parts(form, k)[0]))
        while _logarithmic(form, k, count) * variance.denominator < variance.numerator:
            count += 1
        while count > 1 and (
            _logarithmic(form, k, count - 1) * variance.denominator >= variance.numerator
        ):
            count -= 1
    return count


def _exponent(form: Form, k: int, variance: Fraction) -> Any:
    """About the logarithm of n + a."""
    a, factor = _parts(form, k)
    return variance.numerator / (variance.denominator * factor) + _mpmath().digamma(a)


def _logarithmic(form: Form, k: int, count: int) -> Any:
    """Σ_l c/(1 + u(1 + v·l)) = c/(u·v)·[ψ(n + a) - ψ(a)], a = (1 + 1/u)/v; see `_parts`."""
    mpmath = _mpmath()
    a, factor = _parts(form, k)
    return factor * (mpmath.digamma(count + a) - mpmath.digamma(a))


def _parts(form: Form, k: int) -> tuple[Any, Any]:
    """Two numbers a and c/(u·v): a branch has the variance c, adds v and has u inside."""
    v = 1 - 1 / _mpmath().pi
    u = 1 if form.is_depthwise else v
    c = Fraction(form.repeats * (k**2 - 1), 12)
    return (1 + 1 / _mpmath().mpf(u)) / v, c.numerator / (c.denominator * u * v)


def _mpmath() -> Any:
    import mpmath

    return mpmath.mp
