"""The forward signal: what the slopes of activations and the scales of norms are averaged over.

Over random weights and an input of white noise. Samples of a channel are normal with a part that
all images and places share, or have a law that is known on a grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from erf_theory.activations import Nonlinearity, nonlinearity
from erf_theory.propagation.fewsums import FewSum
from erf_theory.propagation.tabled import Tabled

__all__ = ["IDENTITY", "Signal", "normal"]

IDENTITY = nonlinearity("identity")


@final
@dataclass(frozen=True)
class Signal:
    """What is known of the samples of a channel.

    Attributes
    ----------
    second : float
        E x², the mean over images, weights and channels, kept among the normal doubles: slopes
        have long reached their limits there, and at 0 they would be those of one point.
    shared : float
        E x x' for the same channel of two images, or of two places far from each other:
        ``second - shared`` is a channel's variance over images.
    mean : float
        E x.
    is_normal : bool
        Whether the samples are normal with mean 0, in the wide limit.
    is_symmetric : bool
        Whether random weights of their own give them a random sign.
    gate : Nonlinearity
        The samples are this function of normal ones, if ``before`` is known.
    before : tuple of float, optional
        ``second`` and ``shared`` of these normal samples. With a ``law`` they stand in for sums of
        few samples, whose laws differ between channels.
    law : Tabled, optional
        The law of a sample over weights and images, where it is no function of normal ones.
    is_guessed : bool
        Whether ``shared`` and ``lags`` are as if samples with this law were functions of normal
        ones, which they are not.
    sums : FewSum, optional
        What is added up where this is so little that every channel has a law of its own. With
        ``law``, that of all channels, each has the variance ``second``; without, its own variance
        and mean.
    lags : dict
        E x(i) x(i + h) where it differs from ``shared``, for places h ≠ 0 per axis.
    """

    second: float
    shared: float = 0.0
    mean: float = 0.0
    is_normal: bool = False
    is_symmetric: bool = False
    gate: Nonlinearity = IDENTITY
    before: tuple[float, float] | None = None
    law: Tabled | None = None
    is_guessed: bool = False
    sums: FewSum | None = None
    lags: tuple[tuple[tuple[int, ...], float], ...] = ()

    def __post_init__(self) -> None:
        limits = np.finfo(np.float64)
        kept = min(max(self.second, float(limits.tiny)), float(limits.max))
        object.__setattr__(self, "second", kept)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Signals are asked for it at every node."""
        return hash((self.second, self.shared, self.mean, self.law, self.lags))

    @property
    def variance(self) -> float:
        """Variance of a channel over images."""
        return self.second - self.shared

    @property
    def is_independent(self) -> bool:
        """Whether samples of two images, or far from each other, are independent."""
        is_near = abs(self.shared - self.mean**2) <= 1e-9 * self.second
        is_of_few = self.sums is not None or (self.law is not None and self.before is not None)
        return is_near and not self.is_guessed and not is_of_few

    @property
    def correlation(self) -> float:
        """Correlation of two images, between -1 and 1."""
        return float(np.clip(self.shared / self.second, -1, 1)) if self.second else 0.0


def normal(second: float, shared: float = 0.0) -> Signal:
    """Normal samples with mean 0."""
    return Signal(second, shared, is_normal=True, is_symmetric=True, before=(second, shared))
