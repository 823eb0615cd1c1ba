"""Effective receptive fields by experiment: random weights, a forward and a backward pass, E g²."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import prod
from typing import Any

import numpy as np

from erf_theory.empirical.layers import draw, forward
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.exact import FloatArray
from erf_theory.memory import physical_memory
from erf_theory.network.geometry import Region, regions
from erf_theory.network.graph import Chain
from erf_theory.network.layers import need_whole

__all__ = ["BACKENDS", "Measurement", "measure_erf"]

BACKENDS = ("numpy",)
"""What can measure."""
_BLOCKS = 64
_MOST_NUMBERS = 2**23
"""Numbers in the arrays of one batch: 64 MiB of doubles."""


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
    """

    blocks: FloatArray
    counts: Any
    start: tuple[int, ...]
    call: str

    @property
    def samples(self) -> int:
        """Number of samples: independent weights and inputs."""
        return int(np.sum(self.counts))

    @cached_property
    def mean(self) -> FloatArray:
        """Mean of g² at every place."""
        return np.asarray(np.tensordot(self.counts / self.samples, self.blocks, 1))

    @cached_property
    def standard_error(self) -> FloatArray:
        """Standard error of `mean`, from the spread of the blocks."""
        shares = (self.counts / self.samples).reshape(-1, *(1,) * self.mean.ndim)
        blocks = len(self.counts)
        spread = np.sum((shares * (self.blocks - self.mean)) ** 2, axis=0)
        return np.asarray(np.sqrt(spread * blocks / (blocks - 1)))

    @property
    def mass(self) -> float:
        """Sum of `mean`."""
        return float(np.sum(self.mean))

    def __repr__(self) -> str:
        error = float(np.mean(self.standard_error))
        return (
            f"Measurement of {self.call}: mass {self.mass:.4g}, standard error of a pixel "
            f"{error:.2g} on average"
        )


def measure_erf(
    network: Chain,
    *,
    backend: str = "numpy",
    samples: int = 100,
    rng: int | np.random.Generator | None = None,
    progress: Callable[[int], object] | None = None,
) -> Measurement:
    """Measure the energy E g² of an output unit by back-propagation, as frameworks do it.

    Every sample draws all weights by the layers' laws and an input of independent standard
    normal numbers, runs forwards, and sends the unit gradient of one output unit (channel 0) back
    to the input by cross-correlations. It shares no code with the theory.

    Parameters
    ----------
    network : Chain
        What to measure. Its unit is one that no border reaches.
    backend : str
        "numpy".
    samples : int
        Independent weights and inputs, 2 or more.
    rng : int or Generator, optional
        The seed, or what draws it; the result's ``call`` has the seed. Sample i is the same
        whatever the number of samples.
    progress : callable, optional
        Called with the number of samples that are done, now and then.

    Returns
    -------
    Measurement

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, no sample goes through a layer, or numbers grow beyond
        doubles.
    MapTooLargeError
        If one sample would not fit into memory.

    Examples
    --------
    >>> from erf_theory.network import Conv
    >>> one = measure_erf(Chain([Conv(1, 1, 3, init=1)], ndim=1), samples=1000, rng=0)
    >>> one.start, bool(np.all(abs(one.mean - 1) < 4 * one.standard_error))
    ((0,), True)
    """
    if backend not in BACKENDS:
        raise ErfTheoryError(f"there is no backend {backend!r}: choose {', '.join(BACKENDS)}")
    total = need_whole("number of samples", samples, 2)
    seed = _seed(rng)
    boxes = regions(network)
    need = _numbers(network, boxes)
    if 8 * need > (limit := physical_memory()):
        raise MapTooLargeError(
            f"one sample needs about {8 * need / 2**30:.3g} GiB and this machine has "
            f"{limit / 2**30:.3g} GiB: take fewer channels or a smaller network"
        )
    seeds = _children(seed)
    blocks, counts = [], _counts(total)
    for done, size in enumerate(counts):
        blocks.append(_block_mean(network, boxes, seeds, size))
        if progress:
            progress(sum(counts[: done + 1]))
    if not np.all(np.isfinite(blocks)):
        raise ErfTheoryError("the gradients grow beyond doubles: give the weights less variance")
    call = f"measure_erf({network}, samples={total}, rng={seed.entropy})"
    return Measurement(np.array(blocks), np.array(counts), boxes[0].start, call)


def _seed(rng: int | np.random.Generator | None) -> np.random.SeedSequence:
    """The seed of all samples."""
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int.from_bytes(rng.bytes(16)))
    return np.random.SeedSequence(None if rng is None else need_whole("seed", rng, 0))


def _children(seed: np.random.SeedSequence) -> Iterator[np.random.SeedSequence]:
    """One seed per sample."""
    return (np.random.SeedSequence(seed.entropy, spawn_key=(i,)) for i in count())


def _counts(samples: int) -> list[int]:
    """Samples in every block."""
    blocks = min(_BLOCKS, samples)
    return [samples // blocks + (i < samples % blocks) for i in range(blocks)]


def _block_mean(
    network: Chain,
    boxes: tuple[Region, ...],
    seeds: Iterator[np.random.SeedSequence],
    size: int,
) -> FloatArray:
    """Mean of g² over ``size`` samples, a few at a time."""
    most = max(1, _MOST_NUMBERS // _numbers(network, boxes))
    total = np.zeros(boxes[0].shape)
    for first in range(0, size, most):
        batch = [np.random.default_rng(next(seeds)) for _ in range(min(most, size - first))]
        with np.errstate(over="ignore", invalid="ignore"):
            gradient = _gradient(network, boxes, batch)
            for sample in np.mean(np.square(gradient), axis=1):
                total += sample
    return total / size


def _gradient(
    network: Chain, boxes: tuple[Region, ...], generators: list[np.random.Generator]
) -> Any:
    """The gradient of the output unit by the input, one row per sample."""
    axes, shape = network.ndim, (network.in_channels, *boxes[0].shape)
    x = np.stack([rng.standard_normal(shape) for rng in generators])
    pulls = []
    for layer, region in zip(network.layers, boxes[1:], strict=True):
        drawn = [draw(layer, axes, rng) for rng in generators]
        weights = np.stack([w for w in drawn if w is not None] or [np.zeros(0)])
        x, pull = forward(layer, x, weights, region, np)
        pulls.append(pull)
    gradient = np.zeros_like(x)
    gradient[:, 0] = 1.0
    for pull in reversed(pulls):
        gradient = pull(gradient)
    return gradient


def _numbers(network: Chain, boxes: tuple[Region, ...]) -> int:
    """Numbers that one sample needs at once, about: two arrays per layer, and the weights."""
    channels, total = network.in_channels, prod(boxes[0].shape) * network.in_channels
    for layer, region in zip(network.layers, boxes[1:], strict=True):
        channels = layer.out_of(channels)
        total += 2 * channels * prod(region.shape)
    return total + sum(prod(layer.weight_shape(network.ndim)) for layer in network.convolutions)
