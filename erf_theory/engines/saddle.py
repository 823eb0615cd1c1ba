"""The saddle engine: the cumulant generating function of a non-negative 1-D map, at many θ.

K(θ) = log Σ g(x) e^{θx} with its first two derivatives says where each tilted map lies and how
wide it is: saddle points, Chernoff bounds, windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import final

import numpy as np

from erf_theory.engines.field import Border, Program, refusal
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Saddle", "run"]


@final
@dataclass(frozen=True)
class Saddle:
    """log G(e^θ), counted from the start of the box, and its derivatives in θ.

    Attributes
    ----------
    theta : ndarray
        Logarithms of the circles' radii at this node.
    start : int
        Coordinate from which the exponents count.
    value, mean, variance : ndarray
        log Σ g(x) e^{θ(x-start)}, and its first two derivatives: mean (from the start) and
        variance of the tilted map.
    """

    theta: FloatArray
    start: int
    value: FloatArray
    mean: FloatArray
    variance: FloatArray

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Saddle:
        """Add ``times`` of the kernel's own."""
        (d,) = per_axis(step, 1)
        value, mean, variance = _of_kernel(kernel, self.theta * d)
        return replace(
            self,
            start=self.start + times * d * kernel.origin[0],
            value=self.value + times * value,
            mean=self.mean + times * d * mean,
            variance=self.variance + times * d * d * variance,
        )

    def scale(self, factor: Number | FloatArray) -> Saddle:
        """Add the logarithm of the factor."""
        value, _, _ = _of_kernel(Kernel(np.array([factor], dtype=object)), self.theta[:1])
        return replace(self, value=self.value + value[0])

    def __add__(self, other: Saddle) -> Saddle:
        start = min(self.start, other.start)
        values, means = zip(*(_from(field, start) for field in (self, other)), strict=True)
        top = np.maximum(*values)
        total = top + np.log(np.exp(values[0] - top) + np.exp(values[1] - top))
        share = [np.exp(value - total) for value in values]
        mean = share[0] * means[0] + share[1] * means[1]
        within = share[0] * self.variance + share[1] * other.variance
        between = share[0] * share[1] * (means[0] - means[1]) ** 2
        return Saddle(self.theta, start, total, mean, within + between)

    def expand(self, s: Steps) -> Saddle:
        """Stretch the exponents by s."""
        (d,) = per_axis(s, 1)
        return replace(
            self,
            theta=self.theta / d,
            start=self.start * d,
            mean=self.mean * d,
            variance=self.variance * d**2,
        )

    def decimate(self, s: Steps) -> Saddle:
        """Refused: the aliases of a circle are not on it."""
        raise refusal("contour", f"keep only the multiples of {s}", "the balls engine can")

    def fold(self, size: Steps, border: Border) -> Saddle:
        """Refused: borders need samples."""
        raise refusal("contour", f"fold at the {border} border of {size}", "convolution can")

    def take(self, a: int, b: int) -> Saddle:
        """Refused: no channels here."""
        raise refusal("contour", f"take channels {a} to {b}", "the convolution engine can")


def run(program: Program, theta: FloatArray, jump: int = 1) -> Saddle:
    """K and its derivatives at ``theta`` of the input, for a program with that total ``jump``.

    Examples
    --------
    >>> found = run(lambda f: f.convolve(Kernel.uniform(3), 1, 20), np.zeros(1))
    >>> np.exp(found.value / 20), found.mean, found.variance
    (array([3.]), array([20.]), array([13.33333333]))
    """
    zero = np.zeros(np.shape(theta))
    return program(Saddle(theta * jump, 0, zero, zero, zero))


def _of_kernel(kernel: Kernel, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """K, K' and K'' of one kernel, counted from its first tap."""
    if kernel.channels or kernel.ndim != 1 or not kernel.is_nonnegative:
        raise refusal("contour", "use this kernel", "it needs 1-D, non-negative, no channels")
    taps, exponent = kernel.scaled
    if not np.any(taps):
        raise refusal("contour", "weigh a kernel that is 0 everywhere", "convolution can")
    places = np.arange(len(taps), dtype=np.float64)
    with np.errstate(divide="ignore"):
        exponents = np.log(taps) + np.multiply.outer(theta, places)
    top = np.max(exponents, axis=-1, keepdims=True)
    weights = np.exp(exponents - top)
    total = np.sum(weights, axis=-1)
    mean = weights @ places / total
    variance = np.sum(weights * (places - mean[..., None]) ** 2, axis=-1) / total
    return top[..., 0] + np.log(total) + exponent * log(2), mean, variance


def _from(field: Saddle, start: int) -> tuple[FloatArray, FloatArray]:
    """K and K' counted from a lower start."""
    gap = field.start - start
    return field.value + field.theta * gap, field.mean + gap
