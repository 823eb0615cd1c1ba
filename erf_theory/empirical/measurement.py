"""What an experiment found: means over blocks of samples, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import Any, Self, final

import numpy as np

from erf_theory import records
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["FORMAT", "BlockMeans", "Measurement"]

FORMAT = "erf_theory.Measurement/1"
_PARTS = ("blocks", "magnitudes", "amplitudes")


@final
@dataclass(frozen=True, eq=False)
class BlockMeans:
    """Means of a quantity over independent blocks of samples.

    Attributes
    ----------
    blocks : ndarray, shape (blocks, map...)
        The means.
    counts : ndarray of int, shape (blocks,)
        Samples in every block.

    Examples
    --------
    >>> means = BlockMeans(np.array([[1.0], [3.0]]), np.array([5, 5]))
    >>> means.mean.tolist(), means.standard_error.tolist(), means.profile_error
    ([2.0], [1.0], 0.5)
    """

    blocks: FloatArray
    counts: Any

    @cached_property
    def mean(self) -> FloatArray:
        """Mean over all samples at every place."""
        return np.asarray(np.tensordot(self._shares, self.blocks, 1))

    @cached_property
    def standard_error(self) -> FloatArray:
        """Standard error of `mean`, from the spread of the blocks."""
        shares = self._shares.reshape(-1, *(1,) * self.mean.ndim)
        blocks = len(self.counts)
        spread = np.sum((shares * (self.blocks - self.mean)) ** 2, axis=0)
        return np.asarray(np.sqrt(spread * blocks / (blocks - 1)))

    @property
    def profile_error(self) -> float:
        """Relative error of the profiles: √(Σ se²)/√(Σ p²), the largest over the axes.

        The profile p of an axis is the mean's sum over the other axes, and se its standard error
        from the spread of the blocks. Infinite where the mean is 0 everywhere.
        """
        return max(map(self._profile_error, range(self.mean.ndim)))

    def _profile_error(self, axis: int) -> float:
        others = tuple(other + 1 for other in range(self.mean.ndim) if other != axis)
        line = BlockMeans(self.blocks.sum(axis=others), self.counts)
        size = float(np.linalg.norm(line.mean))
        return float(np.linalg.norm(line.standard_error)) / size if size else np.inf

    @property
    def _shares(self) -> FloatArray:
        return np.asarray(self.counts / np.sum(self.counts))


@final
@dataclass(frozen=True, eq=False)
class Measurement:
    """The energy E g² of an output unit's gradient, averaged over random weights and inputs.

    Attributes
    ----------
    blocks : ndarray, shape (blocks, map...)
        Means of g² over the samples of a block and the input's channels; blocks are independent
        and hold the same number of samples, or one more.
    counts : ndarray of int, shape (blocks,)
        Samples in every block.
    start : tuple of int
        Input coordinate of the map's first place; the output unit is that of coordinate 0.
    call : str
        The call that made it.
    magnitudes, amplitudes : ndarray, shape (blocks, map...), optional
        Means of abs(g) and of g over the same samples and channels.
    interrupted : bool
        Whether it was stopped by hand, so that there are fewer samples than the call would make.
    """

    blocks: FloatArray
    counts: Any
    start: tuple[int, ...]
    call: str
    magnitudes: FloatArray | None = None
    amplitudes: FloatArray | None = None
    interrupted: bool = False

    @property
    def samples(self) -> int:
        """Number of samples: independent weights and inputs."""
        return int(np.sum(self.counts))

    @cached_property
    def energy(self) -> BlockMeans:
        """Of g²: its mean and standard error at every place."""
        return BlockMeans(self.blocks, self.counts)

    @cached_property
    def magnitude(self) -> BlockMeans:
        """Of abs(g), the gradient's size at every place.

        Raises
        ------
        ErfTheoryError
            If it was not measured.
        """
        return self._measured("abs(g)", self.magnitudes)

    @cached_property
    def amplitude(self) -> BlockMeans:
        """Of g itself; 0 but for noise where weights or output directions are random.

        Raises
        ------
        ErfTheoryError
            If it was not measured.
        """
        return self._measured("g", self.amplitudes)

    @property
    def mean(self) -> FloatArray:
        """Mean of g² at every place."""
        return self.energy.mean

    @property
    def standard_error(self) -> FloatArray:
        """Standard error of `mean`, from the spread of the blocks."""
        return self.energy.standard_error

    @property
    def relative_error(self) -> float:
        """Relative error of the energy's profiles: see `BlockMeans.profile_error`."""
        return self.energy.profile_error

    @property
    def mass(self) -> float:
        """Sum of `mean`."""
        return float(np.sum(self.mean))

    def to_dict(self) -> dict[str, Any]:
        """The blocks and their provenance, as JSON knows them."""
        arrays = {name: getattr(self, name) for name in _PARTS}
        return {
            "format": FORMAT,
            **records.provenance("energy", self.call),
            "samples": self.samples,
            "interrupted": self.interrupted,
            "start": list(self.start),
            "shape": list(self.mean.shape),
            "counts": np.asarray(self.counts).tolist(),
            **{n: None if part is None else part.ravel().tolist() for n, part in arrays.items()},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The measurement of `to_dict`, bit for bit.

        Raises
        ------
        ErfTheoryError
            If the record is not complete.
        """
        try:
            counts = np.array(record["counts"], dtype=np.int64)
            shape = (len(counts), *record["shape"])
            blocks, magnitudes, amplitudes = (_array(record[name], shape) for name in _PARTS)
            start, call, interrupted = record["start"], record["call"], record["interrupted"]
        except (KeyError, TypeError, ValueError) as error:
            raise ErfTheoryError(f"this is not a saved {FORMAT}: {error!r}") from error
        if blocks is None or len(start) != len(shape) - 1 or len(counts) < 2:
            raise ErfTheoryError(f"this is not a saved {FORMAT}: {len(counts)} blocks from {start}")
        return cls(
            blocks, counts, tuple(start), call, magnitudes, amplitudes, interrupted=interrupted
        )

    def save(self, path: str | PathLike[str]) -> None:
        """Save as JSON: `to_dict` in a file."""
        records.write(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Load what `save` wrote.

        Raises
        ------
        ErfTheoryError
            If the file holds no saved measurement.
        """
        return cls.from_dict(records.read(path, FORMAT, "measurement"))

    def __repr__(self) -> str:
        error = float(np.mean(self.standard_error))
        stopped = f", interrupted after {self.samples} samples" if self.interrupted else ""
        return (
            f"Measurement of {self.call}: mass {self.mass:.4g}, standard error of a pixel "
            f"{error:.2g} on average{stopped}"
        )

    def _measured(self, what: str, blocks: FloatArray | None) -> BlockMeans:
        if blocks is None:
            raise ErfTheoryError(f"this measurement has no mean of {what}: call measure_erf anew")
        return BlockMeans(blocks, self.counts)


def _array(numbers: list[float] | None, shape: tuple[int, ...]) -> FloatArray | None:
    return None if numbers is None else np.array(numbers, dtype=np.float64).reshape(shape)
