"""Bounds on the tails of a map that are theorems: sub-Gaussian, and Chernoff's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, exp, inf, log
from numbers import Real
from typing import TYPE_CHECKING, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, doubles, number
from erf_theory.gaussian.layers import Layer, layers_of
from erf_theory.kernel import Kernel

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = [
    "TailBound",
    "chernoff",
    "is_strictly_sub_gaussian",
    "sub_gaussian_tail",
    "variance_proxy",
]

_ITERATIONS = 200
_PRECISION = 1e-14


_FAR = 1e150
"""Distances whose square no double holds are beyond it."""


@final
@dataclass(frozen=True)
class TailBound:
    """A bound on the share of a map beyond a distance from its mean, beside the share.

    Attributes
    ----------
    distance : float
        In pixels from the mean; of one tail, with its sign, or of both.
    log_bound : float
        Natural logarithm of the bound.
    log_actual : float
        Of the share of the map at that distance or farther; -inf where nothing is.
    source : str
        The theorem.
    two_sided : bool
        Whether both tails count.
    """

    distance: float
    log_bound: float
    log_actual: float
    source: str
    two_sided: bool = True

    @property
    def bound(self) -> float:
        """The bound; 0 below the smallest double."""
        return exp(self.log_bound)

    @property
    def actual(self) -> float:
        """The share of the map; 0 below the smallest double."""
        return exp(self.log_actual)

    @property
    def ratio(self) -> float:
        """The bound over the share: 1 or more; inf where nothing is so far out."""
        return exp(min(self.log_bound - self.log_actual, 700.0)) if self.log_actual > -inf else inf

    def __str__(self) -> str:
        side = "on both sides" if self.two_sided else "on one side"
        return (
            f"a share of e^{self.log_actual:.4g} lies {abs(self.distance):.4g} px or farther "
            f"{side}, at most e^{self.log_bound:.4g} ({self.source})"
        )


def sub_gaussian_tail(erf: ERF, t: float, axis: int = 0) -> TailBound:
    """Bound the share beyond ±t pixels from the mean by 2exp(−t²/2v), v the variance proxy.

    Parameters
    ----------
    erf : ERF
        A map without signs that is a sum of independent layers.
    t : float
        Distance from the mean in pixels, above 0.
    axis : int
        The axis.

    Returns
    -------
    TailBound

    Raises
    ------
    ErfTheoryError
        If the map is no such sum, or t is not above 0.

    Notes
    -----
    v is the map's own variance where every layer is strictly sub-Gaussian, as equal taps are; other
    layers put in a quarter of their squared range (Hoeffding 1963). See `variance_proxy`.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = sub_gaussian_tail(theoretical_erf(3, 100), 40)
    >>> found.source, round(found.log_bound, 3), round(found.log_actual, 3)
    ('strictly sub-Gaussian layers', -11.307, -13.892)
    """
    if not _finite(t) > 0:
        raise ErfTheoryError(f"a distance from the mean is above 0, not {t}")
    layers = layers_of(erf, axis)
    proxy = float(sum(variance_proxy(layer) for layer in layers))
    strict = all(is_strictly_sub_gaussian(layer.law) for layer in layers)
    source = "strictly sub-Gaussian layers" if strict else "Hoeffding for the other layers"
    log_bound = log(2) - t**2 / (2 * proxy) if proxy else -inf
    actual = np.logaddexp(_log_tail(erf, axis, t), _log_tail(erf, axis, -t))
    return TailBound(
        float(t), log_bound=min(log_bound, 0.0), log_actual=float(actual), source=source
    )


def _finite(t: float) -> float:
    """A distance that doubles can square.

    Raises
    ------
    ErfTheoryError
        If it is no such number.
    """
    if not isinstance(t, Real) or not abs(t) < _FAR:
        raise ErfTheoryError(f"a distance from the mean is a number below {_FAR:g}, not {t!r}")
    return float(t)


def variance_proxy(layer: Layer) -> Number:
    """The v of E exp(λ(X − EX)) ≤ exp(λ²v/2) for the sum of a layer's steps, in pixels squared.

    The variance where the law is strictly sub-Gaussian, else a quarter of the squared range of each
    step (Hoeffding's lemma).

    Examples
    --------
    >>> variance_proxy(Layer(Kernel([Fraction(1, 4), Fraction(3, 4)]), 2, 10))
    10
    """
    if is_strictly_sub_gaussian(layer.law):
        return layer.cumulant(2)
    reach = layer.step * (layer.law.shape[0] - 1)
    return number(Fraction(layer.times * reach**2, 4))


def is_strictly_sub_gaussian(law: Kernel) -> bool:
    """Whether E exp(λ(X − EX)) ≤ exp(λ²σ²/2) is proved for a law of mass 1.

    It is where the law is symmetric and no even central moment is above the Gaussian's,
    E(X − EX)^2m ≤ (2m − 1)!!·σ^2m: the series in λ are then compared term by term. Beyond 2m + 1 =
    R²/σ², R half the range, every further moment grows by R² at most and the Gaussian's by more, so
    that finitely many are to be looked at, in fractions. Equal taps pass for every k: their
    generating function is a product of factors (cosh λ − c)/(1 − c), each of which does, because
    all its zeros lie on the unit circle.

    Examples
    --------
    >>> is_strictly_sub_gaussian(Kernel.uniform(7) * Fraction(1, 7))
    True
    >>> is_strictly_sub_gaussian(Kernel([Fraction(1, 10), Fraction(8, 10), Fraction(1, 10)]))
    False
    """
    if not law.is_symmetric:
        return False
    last = law.shape[0] - 1
    weights = [Fraction(tap) for tap in law.taps]
    squares = [Fraction(2 * m - last, 2) ** 2 for m in range(last + 1)]
    mass = sum(weights)
    variance = sum(w * x for w, x in zip(weights, squares, strict=True)) / mass
    highest = ceil((Fraction(last, 2) ** 2 / variance - 1) / 2)
    gaussian, powers = variance, squares
    for m in range(2, highest + 1):
        powers = [p * x for p, x in zip(powers, squares, strict=True)]
        gaussian *= (2 * m - 1) * variance
        if sum(w * p for w, p in zip(weights, powers, strict=True)) > gaussian * mass:
            return False
    return True


def chernoff(erf: ERF, t: float, axis: int = 0) -> TailBound:
    """Bound the share at t pixels from the mean or beyond by exp(−I(t)), I the rate function.

    I(t) = sup_λ (λt − K(λ)), K the logarithm of the moment generating function about the mean: the
    best bound of the form E exp(λ(X − t)) (Chernoff 1952), and the exact exponent of the tail of
    many equal layers (Cramér 1938).

    Parameters
    ----------
    erf : ERF
        A map without signs that is a sum of independent layers.
    t : float
        Distance from the mean in pixels; below 0 for the left tail.
    axis : int
        The axis.

    Returns
    -------
    TailBound

    Raises
    ------
    ErfTheoryError
        If the map is no such sum.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = chernoff(theoretical_erf(3, 100), 100)
    >>> round(found.log_bound, 6) == round(found.log_actual, 6) == round(-100 * log(3), 6)
    True
    """
    _ = _finite(t)
    layers = layers_of(erf, axis)
    right = layers if t >= 0 else [_mirrored(layer) for layer in layers]
    rate = _rate(right, abs(float(t)))
    actual = _log_tail(erf, axis, t)
    return TailBound(
        float(t),
        log_bound=0.0 - rate,
        log_actual=actual,
        source="Chernoff, with the exact rate function",
        two_sided=False,
    )


def _mirrored(layer: Layer) -> Layer:
    return Layer(Kernel.of(layer.law.taps[::-1].copy(), (0,)), layer.step, layer.times)


def _rate(layers: Sequence[Layer], t: float) -> float:
    """The rate function at t ≥ 0 by Newton's method in λ ≥ 0, bisected where that leaves."""
    ends = sum(layer.times * layer.step * _above_mean(layer.law) for layer in layers)
    last = sum(layer.times * -log(layer.law.taps[-1]) for layer in layers)
    if t >= ends * (1 - _PRECISION):
        return float(last) if t <= ends * (1 + _PRECISION) else inf
    low, high, tilt = 0.0, inf, 0.0
    for _ in range(_ITERATIONS):
        value, slope, curvature = _generating(layers, tilt)
        if abs(slope - t) <= _PRECISION * (t + ends) or high - low <= _PRECISION * low:
            break
        low, high = (tilt, high) if slope < t else (low, tilt)
        step = tilt + (t - slope) / curvature if curvature > 0 else inf
        middle = (low + high) / 2 if high < inf else 2 * low + 1 / ends
        tilt = step if low < step < min(high, 4 * middle) else middle
    return float(max(tilt * t - value, 0.0))


def _above_mean(law: Kernel) -> float:
    """Distance of the last tap from the mean."""
    return float(law.shape[0] - 1 - Fraction(law.cumulant(1)))


def _generating(layers: Sequence[Layer], tilt: float) -> tuple[float, float, float]:
    """K(λ) about the mean and its first two derivatives, for λ ≥ 0."""
    total = np.zeros(3)
    for layer in layers:
        law = doubles(layer.law.taps)
        top = _above_mean(layer.law)
        below = layer.step * np.arange(len(law) - 1, -1, -1, dtype=np.float64)
        tilted = law * np.exp(-tilt * below)
        mass = float(tilted.sum())
        mean = float(tilted @ below) / mass
        spread = float(tilted @ (below - mean) ** 2) / mass
        first = layer.step * top
        total += layer.times * np.array([tilt * first + log(mass), first - mean, spread])
    return float(total[0]), float(total[1]), float(total[2])


def _log_tail(erf: ERF, axis: int, t: float) -> float:
    """Logarithm of the share at t from the mean or beyond, on the side that its sign says."""
    line = erf.profile(axis) if erf.ndim > 1 else erf
    mean, first = Fraction(line.cumulant(1)), Fraction(1 - line.shape[0], 2)
    edge = mean + Fraction(t) - first
    logs: FloatArray = line.log_values
    logs = logs[max(ceil(edge), 0) :] if t >= 0 else logs[: max(int(edge // 1) + 1, 0)]
    held = logs[logs > -inf]
    if not len(held):
        return -inf
    peak = float(np.max(held))
    return peak + log(float(np.sum(np.exp(held - peak))))
