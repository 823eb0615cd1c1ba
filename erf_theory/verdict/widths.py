"""The measured width of a map, its error, and what a wider map would look like."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self, final

import numpy as np

from erf_theory import measures
from erf_theory.erf import ERF
from erf_theory.exact import FloatArray

__all__ = ["MeasuredStd", "wider"]

_FLAT = 1e-12


@final
@dataclass(frozen=True)
class MeasuredStd:
    """The root of the mean variance of the axes, from independent blocks.

    Attributes
    ----------
    value : float
        In pixels.
    error : float
        Its standard error, by the jackknife.
    blocks : int
        Their number.
    """

    value: float
    error: float
    blocks: int

    @classmethod
    def of(cls, blocks: FloatArray, counts: Any) -> Self:
        """The width of block means, shape (blocks, map...), of so many samples each.

        Examples
        --------
        >>> maps = np.array([[1.0, 2.0, 1.0], [1.0, 1.0, 1.0], [1.0, 4.0, 1.0]])
        >>> found = MeasuredStd.of(maps, np.array([2, 2, 2]))
        >>> round(found.value, 3), round(found.error, 3)
        (0.679, 0.074)
        """
        sums = counts[:, None] * _moments(blocks)
        whole = np.sum(sums, axis=0)
        left = np.array([_std(row) for row in whole - sums])
        count = len(counts)
        error = sqrt((count - 1) / count * float(np.sum((left - np.mean(left)) ** 2)))
        return cls(_std(whole), error, count)

    def interval(self, level: float) -> tuple[float, float]:
        """Student's confidence interval."""
        from scipy.stats import t

        half = float(t.isf((1 - level) / 2, self.blocks - 1)) * self.error
        return max(self.value - half, 0.0), self.value + half


def wider(theory: ERF, more: float) -> FloatArray | None:
    """What is added to a map p so that its std grows by a share: a p(r²/s² - 1).

    With r² the squared distance from the mean and s² its mean. None where that does not vary, as
    for two places.

    Examples
    --------
    >>> from erf_theory.architectures import network_erf
    >>> from erf_theory.network import Chain, Conv
    >>> wider(network_erf(Chain([Conv(1, 1, 3)], ndim=1)), 0.05).round(3).tolist()
    [0.034, -0.068, 0.034]
    """
    axes = [np.arange(size, dtype=np.float64) for size in theory.shape]
    mean, covariance = measures.moments(theory.values, axes)
    spread = float(np.trace(covariance))
    if spread <= _FLAT:
        return None
    apart = [(axis - centre) ** 2 for axis, centre in zip(axes, mean, strict=True)]
    squared = sum(np.meshgrid(*apart, indexing="ij", sparse=True)) / spread - 1
    varies = float(np.sum(theory.values * squared**2))
    if varies <= _FLAT:
        return None
    return np.asarray(((1 + more) ** 2 - 1) / varies * theory.values * squared)


def _moments(blocks: FloatArray) -> FloatArray:
    """Σ p, Σ p x and Σ p x² of every block, x from the middle of each axis."""
    ndim = blocks.ndim - 1
    found = [blocks.reshape(len(blocks), -1).sum(axis=1)]
    for power in (1, 2):
        for axis in range(ndim):
            others = tuple(other + 1 for other in range(ndim) if other != axis)
            line = blocks.sum(axis=others)
            x = np.arange(line.shape[1]) - (line.shape[1] - 1) / 2
            found.append(line @ x**power)
    return np.stack(found, axis=1)


def _std(sums: FloatArray) -> float:
    """Of the sums of `_moments`; 0 for a map of nothing."""
    if not sums[0] > 0:
        return 0.0
    first, second = np.split(sums[1:] / sums[0], 2)
    return sqrt(max(float(np.mean(second - first**2)), 0.0))
