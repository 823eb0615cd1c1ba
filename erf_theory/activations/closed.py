"""Gaussian moments that have a closed form (theory: section 3 of the documentation).

A function of a law (mean, q) or of two laws and their correlation gives the value, or None
where there is no closed form. All are written so that they lose no digits for very small or very
large variances, nor near c = ±1.
"""

from __future__ import annotations

from collections.abc import Callable
from math import acos, atan2, cos, erf, erfc, exp, expm1, pi, sin, sqrt
from typing import NamedTuple

import numpy as np

from erf_theory.activations.expectations import Normal
from erf_theory.exact import FloatArray

__all__ = ["CLIP", "ELU", "ERF", "GELU", "LEAKY", "NONE", "SIN", "Closed", "Pair", "below"]


class Pair(NamedTuple):
    """Two jointly normal variables with correlation c."""

    first: Normal
    second: Normal
    c: float

    @property
    def is_centred(self) -> bool:
        """Whether both means are 0."""
        return self.first.mean == self.second.mean == 0


_One = Callable[..., float | None]
"""Of a law and the parameters of the function."""


class Closed(NamedTuple):
    """The closed forms of one family of functions; its parameters follow the law."""

    mean: _One
    second_moment: _One
    slope_second_moment: _One
    product: _One
    slope_product: _One


def _nothing(*_: object) -> None:
    """There is no closed form."""


NONE = Closed(_nothing, _nothing, _nothing, _nothing, _nothing)


def _below(t: float) -> float:
    """Φ(t)."""
    return erfc(-t * sqrt(0.5)) / 2


def below(numbers: FloatArray) -> FloatArray:
    """Φ of every number, without SciPy, which takes longer to load than most networks need.

    Examples
    --------
    >>> import numpy as np
    >>> below(np.array([-np.inf, 0.0])).tolist()
    [0.0, 0.5]
    """
    scaled = numbers.ravel() * -sqrt(0.5)
    return np.reshape([*map(erfc, scaled.tolist())], numbers.shape) / 2


def _density(t: float) -> float:
    """φ(t)."""
    return exp(-t * t / 2) / sqrt(2 * pi)


# Functions with one slope below 0: E over z > 0, and the slope times E over z < 0.


def _ramp(law: Normal) -> float:
    """E max(z, 0)."""
    t = law.mean / law.std
    return law.std * (t * _below(t) + _density(t))


def _ramp_square(law: Normal) -> float:
    """E max(z, 0)²."""
    t = law.mean / law.std
    return law.q * ((1 + t * t) * _below(t) + t * _density(t))


def _leaky_mean(law: Normal, slope: float) -> float:
    return _ramp(law) - slope * _ramp(Normal(-law.mean, law.q))


def _leaky_square(law: Normal, slope: float) -> float:
    return _ramp_square(law) + slope**2 * _ramp_square(Normal(-law.mean, law.q))


def _leaky_slope_square(law: Normal, slope: float) -> float:
    t = law.mean / law.std
    return _below(t) + slope**2 * _below(-t)


def _ramp_product(c: float) -> float:
    """E max(z₁, 0)·max(z₂, 0) for unit variances: (√(1−c²) + c(π − acos c))/2π."""
    angle = acos(-c)
    if angle > 0.5:
        return (sin(angle) - angle * cos(angle)) / (2 * pi)
    square, term, total = angle * angle, angle**3 / 3, 0.0
    for k in range(1, 8):
        total += term
        term *= -square * (k + 1) / (k * (2 * k + 2) * (2 * k + 3))
    return total / (2 * pi)


def _leaky_product(pair: Pair, slope: float) -> float | None:
    if not pair.is_centred:
        return None
    same, opposite = _ramp_product(pair.c), _ramp_product(-pair.c)
    return pair.first.std * pair.second.std * ((1 + slope**2) * same - 2 * slope * opposite)


def _leaky_slope_product(pair: Pair, slope: float) -> float | None:
    if not pair.is_centred:
        return None
    same, opposite = acos(-pair.c) / (2 * pi), acos(pair.c) / (2 * pi)
    return (1 + slope**2) * same + 2 * slope * opposite


LEAKY = Closed(
    _leaky_mean, _leaky_square, _leaky_slope_square, _leaky_product, _leaky_slope_product
)


def _clip_slope_square(law: Normal, low: float, high: float, gain: float) -> float:
    a, b = (low - law.mean) / law.std, (high - law.mean) / law.std
    if a > 0:
        a, b = -b, -a
    inside = _below(b) - _below(a) if b < -1 else (erf(b / sqrt(2)) - erf(a / sqrt(2))) / 2
    return gain**2 * inside


CLIP = NONE._replace(slope_second_moment=_clip_slope_square)


def _elu_slope_square(law: Normal, alpha: float, rate: float, gain: float) -> float:
    """E of 1 over z > 0 and (α·rate)²·e^(2·rate·z) over z < 0, with erfcx against overflow."""
    from scipy.special import erfcx

    t, r = law.mean / law.std, 2 * rate * law.std
    if t + r > 0:
        below = exp(-t * t / 2) * float(erfcx((t + r) * sqrt(0.5))) / 2
    else:
        below = exp(r * (t + r / 2)) * _below(-t - r)
    return gain**2 * (_below(t) + (alpha * rate) ** 2 * below)


ELU = NONE._replace(slope_second_moment=_elu_slope_square)


def _erf_mean(law: Normal) -> float:
    return erf(law.mean / sqrt(1 + 2 * law.q))


def _erf_square(law: Normal) -> float | None:
    q = law.q
    return 2 / pi * atan2(2 * q, sqrt(1 + 4 * q)) if law.mean == 0 else None


def _erf_slope_square(law: Normal) -> float:
    wide = 1 + 4 * law.q
    return 4 / pi * exp(-2 * law.mean**2 / wide) / sqrt(wide)


def _erf_spread(pair: Pair) -> tuple[float, float]:
    """2·Cov and √((1 + 2q₁)(1 + 2q₂) − 4 Cov²)."""
    s, t, c = pair.first.std, pair.second.std, pair.c
    left = 4 * (s * t) ** 2 * (1 - c) * (1 + c)
    return 2 * c * s * t, sqrt(1 + 2 * pair.first.q + 2 * pair.second.q + left)


def _erf_product(pair: Pair) -> float | None:
    return 2 / pi * atan2(*_erf_spread(pair)) if pair.is_centred else None


def _erf_slope_product(pair: Pair) -> float | None:
    return 4 / pi / _erf_spread(pair)[1] if pair.is_centred else None


ERF = Closed(_erf_mean, _erf_square, _erf_slope_square, _erf_product, _erf_slope_product)


def _sin_mean(law: Normal) -> float:
    return exp(-law.q / 2) * sin(law.mean)


def _sin_square(law: Normal) -> float:
    return sin(law.mean) ** 2 - cos(2 * law.mean) * expm1(-2 * law.q) / 2


def _sin_slope_square(law: Normal) -> float:
    return cos(law.mean) ** 2 + cos(2 * law.mean) * expm1(-2 * law.q) / 2


def _waves(pair: Pair) -> tuple[float, float]:
    """E cos(z₁ − z₂) and E cos(z₁ + z₂) for means 0, less their smaller exponent."""
    s, t, c = pair.first.std, pair.second.std, pair.c
    return exp(-((s - t) ** 2) / 2 - s * t * (1 - c)), exp(-((s - t) ** 2) / 2 - s * t * (1 + c))


def _sin_product(pair: Pair) -> float:
    near, far = _waves(pair)
    m, n = pair.first.mean, pair.second.mean
    covariance = 2 * pair.first.std * pair.second.std * pair.c
    difference = -near * expm1(-covariance) if covariance > 0 else far * expm1(covariance)
    return (difference * cos(m) * cos(n) + (near + far) * sin(m) * sin(n)) / 2


def _sin_slope_product(pair: Pair) -> float:
    near, far = _waves(pair)
    m, n = pair.first.mean, pair.second.mean
    return (near * cos(m - n) + far * cos(m + n)) / 2


SIN = Closed(_sin_mean, _sin_square, _sin_slope_square, _sin_product, _sin_slope_product)


def _gelu_mean(law: Normal) -> float:
    wide = sqrt(1 + law.q)
    return law.mean * _below(law.mean / wide) + law.q / wide * _density(law.mean / wide)


def _root(q: float) -> float:
    """√(1 + 2q), also of the largest doubles."""
    return sqrt(2) * sqrt(0.5 + q)


def _gelu_square(law: Normal) -> float | None:
    if law.mean:
        return None
    q, root = law.q, _root(law.q)
    return q / 4 + q * (atan2(q, root) / (2 * pi)) + q * (q / (1 + q)) / (pi * root)


def _gelu_slope_square(law: Normal) -> float | None:
    if law.mean:
        return None
    q, root = law.q, _root(law.q)
    ends = 1 / 4 + atan2(q, root) / (2 * pi)
    return ends + q / (1 + q) / (pi * root) + q / root / root / root / (2 * pi)


GELU = NONE._replace(
    mean=_gelu_mean, second_moment=_gelu_square, slope_second_moment=_gelu_slope_square
)
