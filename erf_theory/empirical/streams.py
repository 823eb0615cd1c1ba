"""Sums of samples as they come: 64 blocks, whatever the number of samples."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, final

import numpy as np

from erf_theory.empirical.measurement import BlockMeans
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["BLOCKS", "Stream", "rows_of"]

BLOCKS = 64
"""Blocks that the samples are dealt to in turn: sample i is in block i mod 64."""


def rows_of(gradients: FloatArray) -> FloatArray:
    """What samples add to a `Stream`.

    Parameters
    ----------
    gradients : ndarray, shape (samples, channels, place...)
        Gradients by the input.

    Returns
    -------
    ndarray, shape (samples, 1 + 3·places)
        1, and the means over the channels of g², of abs(g) and of g.

    Raises
    ------
    ErfTheoryError
        If numbers are beyond doubles.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        parts = [np.square(gradients), np.abs(gradients), gradients]
        means = [part.mean(axis=1).reshape(len(gradients), -1) for part in parts]
    rows = np.concatenate([np.ones((len(gradients), 1)), *means], axis=1)
    if not np.all(np.isfinite(rows)):
        raise ErfTheoryError("the gradients grow beyond doubles: give the weights less variance")
    return rows


@final
@dataclass(frozen=True, eq=False)
class Stream:
    """Sums over the samples of every block; it changes as samples are added.

    A sample's row is added in one step, with the 1 that counts it, so that an interrupt at any
    moment leaves whole samples.

    Attributes
    ----------
    sums : ndarray, shape (64, 1 + 3·places)
        Sums of the rows of `rows_of`.

    Examples
    --------
    >>> stream = Stream.of_map((5,))
    >>> stream.add(rows_of(np.ones((70, 2, 5))))
    >>> stream.done, stream.counts[:7].tolist(), stream.means((5,))[0].blocks.shape
    (70, [2, 2, 2, 2, 2, 2, 1], (64, 5))
    """

    sums: FloatArray

    @classmethod
    def of_map(cls, shape: tuple[int, ...]) -> Stream:
        """No samples yet, of a map of that shape."""
        return cls(np.zeros((BLOCKS, 1 + 3 * prod(shape))))

    @staticmethod
    def numbers(shape: tuple[int, ...]) -> int:
        """Numbers that the sums of a map need, with the means that are made of them."""
        return 6 * BLOCKS * prod(shape)

    def add(self, rows: FloatArray) -> None:
        """Add samples."""
        for row in rows:
            self.sums[self.done % BLOCKS] += row

    @property
    def done(self) -> int:
        """Number of samples."""
        return int(np.sum(self.sums[:, 0]))

    @property
    def counts(self) -> Any:
        """Samples in every block that has any."""
        return self.sums[: min(BLOCKS, self.done), 0].astype(np.int64)

    def means(self, shape: tuple[int, ...]) -> tuple[BlockMeans, BlockMeans, BlockMeans]:
        """Means over the blocks of g², of abs(g) and of g."""
        counts = self.counts
        means = (self.sums[: len(counts), 1:] / counts[:, None]).reshape(len(counts), 3, *shape)
        energy, magnitude, amplitude = (BlockMeans(means[:, i], counts) for i in range(3))
        return energy, magnitude, amplitude

    def error(self, shape: tuple[int, ...]) -> float:
        """Relative error of the energy's profiles."""
        places = (self.sums.shape[1] - 1) // 3
        counts = self.counts
        energy = self.sums[: len(counts), 1 : places + 1] / counts[:, None]
        return BlockMeans(energy.reshape(-1, *shape), counts).profile_error
