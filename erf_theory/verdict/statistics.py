"""Two tests of a mean, from independent rows whose mean is 0 where the theory is true."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import final

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["Hotelling", "StudentHall"]

_FLAT = 1e-9
"""What counts as rounding: of 1, and of the size of a quantity, how far it varies."""
_CERTAIN = 1e6
"""Non-centrality of which no more is asked: scipy's distributions are 1 there, or end."""


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

        squared, size = self._squared(mean)
        if squared == inf:
            return 1.0
        if not size:
            return 0.0
        blocks, dof = len(self.rows), (size, len(self.rows) - size)
        unbiased = min(squared * (blocks - size - 2) / (blocks - 1), _CERTAIN)
        bound = f.isf(level, *dof)
        return float(ncf.sf(bound, *dof, unbiased)) if unbiased > 0 else level

    def _squared(self, mean: FloatArray) -> tuple[float, int]:
        """T² of a mean, and the number of quantities that vary independently."""
        blocks, size = self.rows.shape
        if not size:
            return 0.0, 0
        scale = np.maximum(np.sqrt(np.mean(self.rows**2, axis=0)), _FLAT)
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
        from scipy.stats import t

        blocks, mean, std = self._summary
        if std < _FLAT:
            return float(abs(mean) < _FLAT)
        off = mean / std
        skew = float(np.mean((self.rows - mean) ** 3)) / std**3
        hall = off + skew * off**2 / 3 + skew**2 * off**3 / 27 + skew / (6 * blocks)
        return float(2 * t.sf(abs(hall) * sqrt(blocks), blocks - 1))

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
    def _summary(self) -> tuple[int, float, float]:
        """Number of rows, mean and standard deviation."""
        return len(self.rows), float(np.mean(self.rows)), float(np.std(self.rows, ddof=1))
