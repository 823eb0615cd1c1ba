"""A law on the line as a table: what neither is normal nor stays a function of something normal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import erfc, sqrt
from typing import final

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["Tabled", "tabled_normal"]

_STEPS = 64
"""Cells per standard deviation of a normal law; errors fall as its square."""
_REACH = 8.5
_PARTS = 8
"""Parts of a cell that a function is averaged over."""
_COARSE, _MOST = 4, 1 << 14
"""How much wider or narrower cells may be than that, and how many there may be."""


@final
@dataclass(frozen=True, eq=False)
class Tabled:
    """Probabilities of cells of equal width.

    Attributes
    ----------
    low, step : float
        Centre of the first cell, and width of the cells.
    shares : ndarray, shape (m,)
        Probability of every cell.
    variance : float, optional
        That of the normal law of mean 0 that it is.

    Examples
    --------
    >>> law = tabled_normal(1.0).mapped(lambda z: np.maximum(z, 0))
    >>> round(law.expect(lambda x: x**2), 3), round(law.expect(lambda x: x), 3)
    (0.5, 0.399)
    """

    low: float
    step: float
    shares: FloatArray
    variance: float | None = None

    @property
    def places(self) -> FloatArray:
        """Centres of the cells."""
        return np.asarray(self.low + self.step * np.arange(len(self.shares)), dtype=np.float64)

    def expect(self, function: Callable[[FloatArray], FloatArray]) -> float:
        """Mean of a function."""
        return float(self.shares @ function(self.places))

    def halved(self, function: Callable[[FloatArray], FloatArray]) -> FloatArray:
        """A function on every cell, as its mean there: a jump in the middle counts half."""
        parts = (np.arange(_PARTS) + 0.5) / _PARTS - 0.5
        values = function(self.places[:, None] + self.step * parts)
        return np.asarray(np.mean(values, axis=1), dtype=np.float64)

    def largest(self, places: int) -> Tabled:
        """Law of the largest of so many independent numbers."""
        below = np.cumsum(self.shares)
        return Tabled(self.low, self.step, np.diff(below**places, prepend=0.0))

    def winning(self, places: int, other: Tabled) -> FloatArray:
        """On the cells of another law, chance over share to be the largest of so many of this one.

        K F^(K-1), as its mean over the cell.
        """
        ends = self.low + self.step * (np.arange(len(self.shares) + 1) - 0.5)
        below = np.concatenate([[0.0], np.cumsum(self.shares)])
        low, high = (
            np.interp(other.places + side * other.step, ends, below) for side in (-0.5, 0.5)
        )
        return np.asarray(sum(low**j * high ** (places - 1 - j) for j in range(places)))

    def plus(self, other: Tabled) -> Tabled:
        """Law of the sum with an independent number.

        Normal ones are tabled anew on the other's cells, unless those are far narrower.
        """
        step = max(self.step, other.step)
        for one, normal in ((self, other), (other, self)):
            if normal.variance is not None and one.variance is None:
                step = one.step if step <= _COARSE * one.step else step
        one, two = self._on(step), other._on(step)
        size = len(one.shares) + len(two.shares) - 1
        points = 1 << (size - 1).bit_length()
        product = np.fft.rfft(one.shares, points) * np.fft.rfft(two.shares, points)
        shares = np.maximum(np.fft.irfft(product, points)[:size], 0.0)
        return Tabled(one.low + two.low, step, shares / shares.sum()).trimmed()

    def mapped(self, function: Callable[[FloatArray], FloatArray]) -> Tabled:
        """Law of a function of the number; between two cells a value is shared by distance."""
        values = function(self.places)
        return _shared_out(values, self.shares, _fitting(values, self.shares, self.step))

    def scaled(self, factor: float, shift: float) -> Tabled:
        """Law of ``factor * (x - shift)``; the factor is not 0."""
        if factor < 0:
            high = self.low + self.step * (len(self.shares) - 1)
            return Tabled(factor * (high - shift), -factor * self.step, self.shares[::-1])
        return Tabled(factor * (self.low - shift), factor * self.step, self.shares)

    def _on(self, step: float) -> Tabled:
        """The same on cells of another width."""
        if step == self.step:
            return self
        if self.variance is not None:
            return _normal_on(step, self.variance)
        return _shared_out(self.places, self.shares, step)

    def trimmed(self) -> Tabled:
        """The same without cells that hold next to nothing at the ends."""
        kept = np.flatnonzero(self.shares > 1e-18)
        first, last = int(kept[0]), int(kept[-1]) + 1
        return Tabled(self.low + self.step * first, self.step, self.shares[first:last])


def tabled_normal(variance: float, mean: float = 0.0) -> Tabled:
    """The normal law, on cells of which one has its centre at 0."""
    return _normal_on(sqrt(variance) / _STEPS, variance, mean)


@lru_cache(maxsize=256)
def _normal_on(step: float, variance: float, mean: float = 0.0) -> Tabled:
    """The normal law on cells of a given width, a whole number of them from 0."""
    std = sqrt(variance)
    middle = round(mean / step)
    count = int(np.ceil(_REACH * std / step))
    cells = np.arange(middle - count, middle + count + 2)
    ends = ((cells - 0.5) * step - mean) / (-sqrt(2) * std)
    shares = np.diff([erfc(end) / 2 for end in ends.tolist()])
    known = None if mean else variance
    return Tabled(float(cells[0] * step), step, shares / shares.sum(), known)


def _fitting(values: FloatArray, shares: FloatArray, step: float) -> float:
    """A step for a law of these values: the given one, unless it is far too wide or narrow."""
    peak = float(np.max(np.abs(values))) or 1.0
    off = (values - shares @ values) / peak
    wanted = peak * sqrt(shares @ off**2) / _STEPS
    if wanted > 0 and not step / _COARSE <= wanted <= step * _COARSE:
        step = wanted
    return max(step, float(np.ptp(values)) / _MOST)


def _shared_out(values: FloatArray, shares: FloatArray, step: float) -> Tabled:
    """The law of values with these shares; cell centres are whole multiples of a step."""
    low = step * np.floor(np.min(values) / step)
    at = (values - low) / step
    cell = np.floor(at).astype(int)
    part = at - cell
    found = np.bincount(cell, (1 - part) * shares, int(np.max(cell)) + 2)
    found += np.bincount(cell + 1, part * shares, len(found))
    return Tabled(float(low), step, np.asarray(found, dtype=np.float64))
