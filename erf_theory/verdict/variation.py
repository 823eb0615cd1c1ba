"""Total variation between a measured map and a theory, and what noise alone makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.verdict.statistics import ranks

__all__ = ["TotalVariation", "total_variation"]

_AT_ONCE = 4096
_FLAT = 1e-9


@final
@dataclass(frozen=True, eq=False)
class TotalVariation:
    """Half of Σ|p - q|, beside what it is where the theory is true.

    A measured map is noisy, so that it is not 0 there.

    Attributes
    ----------
    value : float
        As measured.
    resampled : ndarray
        Values under the theory: the blocks' deviations, centred, with random signs.
    """

    value: float
    resampled: FloatArray

    @property
    def expected(self) -> float:
        """Mean under the theory."""
        return float(np.mean(self.resampled))

    @property
    def bound(self) -> float:
        """What 19 of 20 measurements stay below under the theory."""
        return float(np.quantile(self.resampled, 0.95))

    @property
    def p_value(self) -> float:
        """Probability of a value this large, or larger, if the theory is true; 0.001 or more."""
        return float(self._ranks[0])

    @property
    def resampled_p_values(self) -> FloatArray:
        """The same of every resampled value."""
        return self._ranks[1:]

    @cached_property
    def _ranks(self) -> FloatArray:
        return ranks(np.append(max(self.value - _FLAT, 0), np.maximum(self.resampled - _FLAT, 0)))


def total_variation(deviations: FloatArray, outside: float, signs: FloatArray) -> TotalVariation:
    """Total variation from the blocks' deviations, which average to p - q.

    Parameters
    ----------
    deviations : ndarray, shape (blocks, places)
        Independent, of mean 0 where the theory is true.
    outside : float
        Share of the theory's energy outside these places.
    signs : ndarray, shape (resamplings, blocks)
        Random signs.

    Examples
    --------
    >>> from erf_theory.verdict.statistics import random_signs
    >>> noise = np.random.default_rng(1).normal(0, 0.1, (64, 5))
    >>> found = total_variation(noise, 0, random_signs(64))
    >>> round(found.value, 3), round(found.expected, 3), round(found.p_value, 2)
    (0.032, 0.023, 0.12)
    """
    blocks, places = deviations.shape
    grown, value = np.zeros(len(signs)), outside
    unbiased = np.sqrt(blocks / (blocks - 1))
    for first in range(0, places, _AT_ONCE):
        part = deviations[:, first : first + _AT_ONCE]
        mean = np.mean(part, axis=0)
        value += float(np.sum(np.abs(mean)))
        grown += np.sum(np.abs(signs @ ((part - mean) * unbiased)), axis=1) / blocks
    return TotalVariation(value / 2, grown / 2)
