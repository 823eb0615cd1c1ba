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
import numpy.typing as npt

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["ChannelLaws", "FewSum", "channel_laws"]

_DRAWN, _ADDED, _MOST = 1 << 14, 1152, 128
"""Channels that are drawn; samples that those whose laws are kept add up in all; most of them."""
_CELLS, _STEP = 1024, 1 / 50
"""Cells of every law, and their width in standard deviations."""


@final
@dataclass(frozen=True)
class FewSum:
    """What a convolution of few samples adds up for every output.

    Attributes
    ----------
    gate : Nonlinearity, optional
        The samples are this function of normal ones; None if they have another law.
    variance : float
        That of the normal ones, rounded: the laws of standardised sums hardly depend on it, and
        so are those of many layers.
    count : int
        Samples.
    distribution : str
        The weights', alike for all samples: "normal" or "uniform"; or "orthogonal", where they
        have the direction of normal ones.
    """

    gate: Nonlinearity | None
    variance: float
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
    law : Tabled
        The law of a sample of any channel.
    seen : Tabled
        The same as a gradient sees it that goes on to one of the samples added, and through the
        gate before it: weighed by this sample's weight squared and its gate's slope squared.
    """

    places: FloatArray
    shares: FloatArray
    parts: FloatArray
    law: Tabled
    seen: Tabled

    def squared_mean(self, function: Callable[[FloatArray], FloatArray]) -> float:
        """Mean over channels of the square of a function's mean."""
        means = [self.shares @ function(side * self.places) for side in (1, -1)]
        return float(np.mean(np.square(means) @ self.parts))


@lru_cache(maxsize=64)
def channel_laws(few: FewSum) -> ChannelLaws:
    """Laws of standardised sums of samples that are not normal, for some random weights.

    What all images share behind a ReLU, or a function like it, is right to 1e-4 for 3 samples or
    more: that comes from the choice of the weights, which is the same in every call.

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> laws = channel_laws(FewSum(nonlinearity("relu"), 1.0, 9, "normal"))
    >>> round(laws.squared_mean(lambda z: np.maximum(z, 0)), 3), round(1 / (2 * np.pi), 3)
    (0.152, 0.159)
    """
    law, back = _samples(few)
    mean = law.expect(lambda y: y)
    std = sqrt(law.expect(lambda y: (y - mean) ** 2))
    weights, parts = _weights(few)
    shares, seen = _added(law.scaled(1 / std, mean), back.scaled(1 / std, mean), weights)
    cells: FloatArray = _STEP * (np.arange(_CELLS, dtype=np.float64) - _CELLS // 2)
    places: FloatArray = cells / sqrt(float(np.mean(shares @ cells**2)))
    whole, back_through = (_either_sign(places, parts @ part) for part in (shares, seen))
    return ChannelLaws(places, shares, parts, whole, back_through)


def _samples(few: FewSum) -> tuple[Tabled, Tabled]:
    """The law of a sample that is added, and the same weighed by the squared slope of its gate."""
    gate, source = few.gate, tabled_normal(few.variance)
    if gate is None:
        raise ValueError("the law of the samples is not known")
    slopes = source.shares * source.halved(lambda z: gate.slope(z, np) ** 2)
    opened = Tabled(source.low, source.step, slopes / slopes.sum())
    whole, back = (part.mapped(lambda z: gate.value(z, np)) for part in (source, opened))
    return whole, back


def _either_sign(places: FloatArray, shares: FloatArray) -> Tabled:
    """The law of a number that may as well have the other sign."""
    both = np.maximum(shares + np.roll(shares[::-1], 1), 0.0)
    return Tabled(float(places[0]), float(places[1] - places[0]), both / both.sum())


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
    some = slice(min(_MOST, max(8, _ADDED // few.count)))
    return drawn[some], np.linalg.pinv(terms[some]).T @ np.mean(terms, axis=0)


def _added(law: Tabled, back: Tabled, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Laws of the sums of independent samples times the weights of every channel.

    The second ones are means over one sample that has another law, weighed by its weight squared.
    """
    every = np.ones((len(weights), _CELLS // 2 + 1), dtype=complex)
    but_one = np.zeros_like(every)
    for column in weights.T:
        wave = _wave(law, column)
        but_one = but_one * wave + column[:, None] ** 2 * _wave(back, column) * every
        every *= wave
    whole, seen = (
        np.fft.fftshift(np.fft.irfft(waves, _CELLS), axes=1) for waves in (every, but_one)
    )
    return whole, seen


def _wave(law: Tabled, factors: FloatArray) -> npt.NDArray[np.complex128]:
    """Transforms of the laws of a number times every factor.

    Between two cells a value is shared by distance, which keeps the mean.
    """
    at = factors[:, None] * (law.places / _STEP)
    cell = np.floor(at)
    upper = (at - cell) * law.shares
    where = np.arange(len(factors))[:, None] * _CELLS + cell.astype(int) % _CELLS
    size = len(factors) * _CELLS
    low, high = (
        np.bincount(where.ravel(), part.ravel(), size).reshape(-1, _CELLS)
        for part in (law.shares - upper, upper)
    )
    return np.fft.rfft(low + np.roll(high, 1, axis=1))
