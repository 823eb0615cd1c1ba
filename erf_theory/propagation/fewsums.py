"""Sums of few samples with random weights: every channel has a law of its own.

A depthwise or grouped convolution adds so few samples that what it makes is not normal, however
wide the network is. Behind a batch norm a channel with the weights w is the standardised sum
Σ w y / |w| of standardised samples y. Its law depends on w, and so does its mean behind an
activation: what all images share there is E (E[σ(z) | w])², more than (E σ(z))².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import Literal, final

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["ChannelLaws", "FewSum", "channel_laws", "law_nearby"]

_DRAWN, _ADDED = 1 << 14, 1152
"""Channels that are drawn, and samples that are added in all those whose laws are kept."""
_CELLS, _STEP = 1024, 1 / 50
"""Cells of every law, and their width in standard deviations."""


@final
@dataclass(frozen=True)
class FewSum:
    """What a convolution of few samples adds up for every output.

    Attributes
    ----------
    law : Tabled, optional
        The law of every sample; None for a normal one.
    count : int
        Samples.
    distribution : str
        The weights', alike for all samples: "normal" or "uniform"; or "orthogonal", where they
        have the direction of normal ones.
    """

    law: Tabled | None
    count: int
    distribution: Literal["normal", "uniform", "orthogonal"]


@final
@dataclass(frozen=True, eq=False)
class ChannelLaws:
    """Standardised laws of several channels that stand for all.

    Attributes
    ----------
    places : ndarray, shape (m,)
        Centres of the cells.
    shares : ndarray, shape (channels, m)
        Probability of every cell, for every channel. Each stands for its mirror image, too: the
        same weights with the other sign.
    parts : ndarray, shape (channels,)
        How many of all channels each stands for.
    """

    places: FloatArray
    shares: FloatArray
    parts: FloatArray

    def squared_mean(self, function: Callable[[FloatArray], FloatArray]) -> float:
        """Mean over channels of the square of a function's mean."""
        means = [self.shares @ function(side * self.places) for side in (1, -1)]
        return float(np.mean(np.square(means) @ self.parts))

    def law(self) -> Tabled:
        """Law of a sample of any channel."""
        mean = self.parts @ self.shares
        both = np.maximum(mean + np.roll(mean[::-1], 1), 0.0)
        step = float(self.places[1] - self.places[0])
        return Tabled(float(self.places[0]), step, both / both.sum())


@lru_cache(maxsize=64)
def channel_laws(few: FewSum) -> ChannelLaws:
    """Laws of standardised sums of samples that are not normal, for some random weights.

    What all images share behind a ReLU, or a function like it, is right to 1e-4 for 3 samples or
    more: that comes from the choice of the weights, which is the same in every call.

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> samples = law_nearby(nonlinearity("relu"), 1.0)
    >>> laws = channel_laws(FewSum(samples, 9, "normal"))
    >>> round(laws.squared_mean(lambda z: np.maximum(z, 0)), 3), round(1 / (2 * np.pi), 3)
    (0.152, 0.159)
    """
    if few.law is None:
        raise ValueError("sums of normal samples are normal")
    mean = few.law.expect(lambda y: y)
    std = sqrt(few.law.expect(lambda y: (y - mean) ** 2))
    weights, parts = _weights(few)
    shares = _added((few.law.places - mean) / std, few.law.shares, weights)
    places = _STEP * (np.arange(_CELLS) - _CELLS // 2)
    spread = sqrt(float(np.mean(shares @ places**2)))
    return ChannelLaws(places / spread, shares, parts)


def _weights(few: FewSum) -> tuple[FloatArray, FloatArray]:
    """Weights of some channels, over their norm, and how many of all channels each stands for.

    These numbers make means over some those over all of what is linear in Σw⁴, Σw⁶, (Σw³)² and
    (Σw⁴)²: the shape of a sum depends on these to first orders.
    """
    rng = np.random.default_rng(0)
    shape = (_DRAWN, few.count)
    drawn = rng.uniform(-1, 1, shape) if few.distribution == "uniform" else rng.normal(size=shape)
    drawn /= np.sqrt(np.sum(drawn**2, axis=1, keepdims=True))
    square = drawn * drawn
    third, fourth = np.sum(square * drawn, axis=1), np.sum(square * square, axis=1)
    sixth = np.sum(square * square * square, axis=1)
    terms = np.stack([np.ones(_DRAWN), fourth, sixth, third**2, fourth**2], axis=1)
    some = slice(max(8, _ADDED // few.count))
    return drawn[some], np.linalg.pinv(terms[some]).T @ np.mean(terms, axis=0)


def _added(samples: FloatArray, shares: FloatArray, weights: FloatArray) -> FloatArray:
    """Laws of the sums of independent samples times the weights of every channel.

    Between two cells a value is shared by distance, which keeps the mean.
    """
    channels = len(weights)
    first = np.arange(channels)[:, None] * _CELLS
    waves = np.ones((channels, _CELLS // 2 + 1), dtype=complex)
    for column in weights.T:
        at = column[:, None] * samples / _STEP
        cell = np.floor(at)
        part = at - cell
        table = np.zeros(channels * _CELLS)
        for side, share in ((0, 1 - part), (1, part)):
            where = first + (cell.astype(int) + side) % _CELLS
            table += np.bincount(where.ravel(), (share * shares).ravel(), len(table))
        waves *= np.fft.rfft(table.reshape(channels, _CELLS))
    return np.fft.fftshift(np.fft.irfft(waves, _CELLS), axes=1)


def law_nearby(gate: Nonlinearity, variance: float) -> Tabled:
    """The law of a function of normal samples, whose variance is rounded to three digits.

    The laws of standardised sums hardly depend on it, and so are those of many layers.
    """
    return _law(gate, float(f"{variance:.3g}"))


@lru_cache(maxsize=256)
def _law(gate: Nonlinearity, variance: float) -> Tabled:
    return tabled_normal(variance).mapped(lambda z: gate.value(z, np))
