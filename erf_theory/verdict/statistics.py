"""Two tests of a mean, from independent rows whose mean is 0 where the theory is true.

Both can be asked what they say of the same rows with random signs, which are as likely as the rows
themselves where these are symmetric and the theory is true: so several tests of the same rows,
which depend on each other, are calibrated together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import final

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["Hotelling", "StudentHall", "needed", "p_of_least", "random_signs", "ranks"]

_FLAT = 1e-9
"""What counts as rounding: of 1, and of the size of a quantity, how far it varies."""
_CERTAIN = 1e6
"""Non-centrality of which no more is asked: scipy's distributions are 1 there, or end."""
_RESAMPLINGS = 999
_RESOLVED = 10
"""Resamplings that a p-value is counted from; a smaller one goes to 0 in proportion."""


def random_signs(blocks: int) -> FloatArray:
    """Signs of the blocks in every resampling, the same in every call: shape (999, blocks)."""
    rng = np.random.default_rng(20160401)
    return rng.choice([-1.0, 1.0], (_RESAMPLINGS, blocks))


def ranks(values: FloatArray) -> FloatArray:
    """For each of several values, the share of them that are as large, or larger.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 2.0, 2.0])).tolist()
    [0.25, 1.0, 0.75, 0.75]
    """
    below = np.searchsorted(np.sort(values), values, side="left")
    return np.asarray((len(values) - below) / len(values))


def p_of_least(least: float, resampled: FloatArray) -> float:
    """p-value of the least of several p-values, from resamplings under the theory.

    Parameters
    ----------
    least : float
        The observed one.
    resampled : ndarray
        The same in every resampling.

    Returns
    -------
    float
        The share of resamplings that have none larger, itself included; where these are fewer
        than 10, in proportion to ``least``.

    Examples
    --------
    >>> resampled = np.linspace(0.0005, 0.4995, 999)
    >>> round(p_of_least(0.1, resampled), 3), round(p_of_least(1e-9, resampled), 12)
    (0.201, 2e-09)
    """
    total = len(resampled) + 1
    count = 1 + int(np.sum(resampled <= least))
    if count >= _RESOLVED:
        return count / total
    return float(least / np.sort(resampled)[_RESOLVED - 1] * _RESOLVED / total)


def needed(dof: int, level: float, power: float) -> float:
    """Non-centrality at which a test in so many directions has a power, in the limit of many rows.

    Examples
    --------
    >>> round(needed(1, 0.01, 0.9), 2), round((2.5758 + 1.2816) ** 2, 2)
    (14.88, 14.88)
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2, ncx2

    bound = chi2.isf(level, dof)
    return float(brentq(lambda shift: ncx2.sf(bound, dof, shift) - power, 1e-9, 1e4))


@final
@dataclass(frozen=True, eq=False)
class Hotelling:
    """Hotelling's test that the mean of several quantities is 0.

    Quantities that do not vary from row to row are no noise: where their mean is not 0 either,
    the hypothesis is false for certain, and else they do not count.

    Parameters
    ----------
    rows : ndarray, shape (blocks, quantities)
        Independent rows, nearly normal, in units in which 1e-9 is nothing.

    References
    ----------
    .. [1] H. Hotelling, "The generalization of Student's ratio", Ann. Math. Stat. 2, 1931.

    Examples
    --------
    >>> rows = np.array([[1.0], [2.0], [-1.0], [0.5]])
    >>> test = Hotelling(rows)
    >>> round(test.p_value(np.mean(rows, axis=0)), 4)
    0.391
    """

    rows: FloatArray

    def p_value(self, mean: FloatArray) -> float:
        """Probability of a mean this far from 0, or farther, if the true one is 0."""
        from scipy.stats import f

        squared, size = self._squared(mean)
        if not size:
            return float(squared == 0)
        blocks = len(self.rows)
        return float(f.sf(squared * (blocks - size) / (size * (blocks - 1)), size, blocks - size))

    def power(self, mean: FloatArray, level: float) -> float:
        """Rate at which p is below ``level`` if ``mean`` is the true one."""
        from scipy.stats import f, ncf

        squared, size = self.noncentrality(mean)
        if squared == inf:
            return 1.0
        if not size:
            return 0.0
        dof = size, len(self.rows) - size
        bound, shift = f.isf(level, *dof), min(squared, _CERTAIN)
        return float(ncf.sf(bound, *dof, shift)) if shift > 0 else level

    def noncentrality(self, mean: FloatArray) -> tuple[float, int]:
        """How far off a mean is in the rows' noise, squared, and in how many directions."""
        squared, size = self._squared(mean)
        blocks = len(self.rows)
        return squared * (blocks - size - 2) / (blocks - 1), size

    def resampled(self, signs: FloatArray) -> FloatArray:
        """p-values of the rows with other signs: one for every row of ``signs``."""
        from scipy.stats import f

        left, spread, _ = np.linalg.svd(self.rows / self._scale, full_matrices=False)
        left = left[:, spread > _FLAT * sqrt(len(self.rows))]
        blocks, size = left.shape
        if not size:
            return np.ones(len(signs))
        share = np.minimum(np.sum((signs @ left) ** 2, axis=1) / blocks, 1 - _FLAT)
        return np.asarray(f.sf(share / (1 - share) * (blocks - size) / size, size, blocks - size))

    @property
    def _scale(self) -> FloatArray:
        """Size of every quantity; 1 for what is nothing."""
        size = np.sqrt(np.mean(self.rows**2, axis=0))
        return np.where(size > _FLAT, size, 1.0)

    def _squared(self, mean: FloatArray) -> tuple[float, int]:
        """T² of a mean, and the number of quantities that vary independently."""
        blocks, size = self.rows.shape
        if not size:
            return 0.0, 0
        scale = self._scale
        centred = (self.rows - np.mean(self.rows, axis=0)) / scale
        _, spread, directions = np.linalg.svd(centred, full_matrices=False)
        along = directions @ (mean / scale)
        varies = spread > _FLAT * sqrt(blocks)
        if np.any(np.abs(along[~varies]) > sqrt(_FLAT)):
            return inf, int(np.sum(varies))
        z = along[varies] / spread[varies]
        return float(blocks * (blocks - 1) * z @ z), int(np.sum(varies))


@final
@dataclass(frozen=True, eq=False)
class StudentHall:
    """Student's test that a mean is 0, with Hall's correction for the skewness of the rows.

    Parameters
    ----------
    rows : ndarray, shape (blocks,)
        Independent deviations, relative to what they deviate from.

    References
    ----------
    .. [1] P. Hall, "On the removal of skewness by transformation", J. R. Stat. Soc. B 54, 1992.

    Examples
    --------
    >>> round(StudentHall(np.array([0.3, 0.1, -0.1, 0.2])).p_value, 4)
    0.2722
    """

    rows: FloatArray

    @property
    def p_value(self) -> float:
        """Probability of a mean this far from 0, or farther, if the true one is 0."""
        _, mean, std = self._summary
        return float(abs(mean) < _FLAT) if std < _FLAT else float(_hall(self.rows))

    def resampled(self, signs: FloatArray) -> FloatArray:
        """p-values of the rows with other signs: one for every row of ``signs``."""
        if np.max(np.abs(self.rows)) < _FLAT:
            return np.ones(len(signs))
        return _hall(signs * self.rows)

    def power(self, mean: float, level: float) -> float:
        """Rate at which p is below ``level`` if ``mean`` is the true one."""
        from scipy.stats import nct, t

        blocks, _, std = self._summary
        if std < _FLAT:
            return float(abs(mean) >= _FLAT)
        shift = min(abs(mean) / std * sqrt(blocks), _CERTAIN)
        bound = float(t.isf(level / 2, blocks - 1))
        above, below = (nct.sf(bound, blocks - 1, s) for s in (shift, -shift))
        return float(above + below)

    def interval(self, level: float) -> tuple[float, float]:
        """Student's confidence interval of the mean."""
        from scipy.stats import t

        blocks, mean, std = self._summary
        half = float(t.isf((1 - level) / 2, blocks - 1)) * std / sqrt(blocks)
        return mean - half, mean + half

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        blocks, _, std = self._summary
        return std / sqrt(blocks)

    @property
    def _summary(self) -> tuple[int, float, float]:
        """Number of rows, mean and standard deviation."""
        return len(self.rows), float(np.mean(self.rows)), float(np.std(self.rows, ddof=1))


def _hall(rows: FloatArray) -> FloatArray:
    """Two-sided p-values of the means over the last axis."""
    from scipy.stats import t

    blocks = rows.shape[-1]
    mean, std = np.mean(rows, axis=-1), np.maximum(np.std(rows, axis=-1, ddof=1), _FLAT)
    off = mean / std
    skew = np.mean((rows - mean[..., None]) ** 3, axis=-1) / std**3
    hall = off + skew * off**2 / 3 + skew**2 * off**3 / 27 + skew / (6 * blocks)
    return np.asarray(2 * t.sf(np.abs(hall) * sqrt(blocks), blocks - 1))
