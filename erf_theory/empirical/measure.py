"""Effective receptive fields by experiment: random weights, a forward and a backward pass, E g²."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from operator import index
from typing import Any

import numpy as np

from erf_theory.empirical.layers import draw, forward
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.geometry import Region, regions
from erf_theory.network.graph import Chain

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
        relative = float(np.sum(self.standard_error) / self.mass)
        return (
            f"Measurement of {self.call}: {self.samples} samples, mass {self.mass:.4g}, "
            f"standard error {100 * relative:.2g} % of a pixel on average"
        )


def measure_erf(
    network: Chain,
    *,
    backend: str = "numpy",
    samples: int = 100,
    rng: int | np.random.SeedSequence | None = None,
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
    rng : int or SeedSequence, optional
        The seed. Sample i is the same whatever the number of samples.

    Returns
    -------
    Measurement

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no sample goes through a layer.

    Examples
    --------
    >>> from erf_theory.network import Conv
    >>> one = measure_erf(Chain([Conv(1, 1, 3, init=1)], ndim=1), samples=1000, rng=0)
    >>> one.mean.round(1), one.start
    (array([1. , 1. , 1. ]), (0,))
    """
    if backend not in BACKENDS:
        raise ErfTheoryError(f"there is no backend {backend!r}: choose {', '.join(BACKENDS)}")
    if index(samples) < 2:
        raise ErfTheoryError(f"an error needs 2 samples or more, not {samples}")
    entropy = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
    boxes = regions(network)
    counts = np.array([len(part) for part in np.array_split(range(samples), min(_BLOCKS, samples))])
    seeds = iter(entropy.spawn(samples))
    blocks = [_block_mean(network, boxes, seeds, int(count)) for count in counts]
    call = f"measure_erf({network}, samples={samples}, rng={entropy.entropy})"
    return Measurement(np.array(blocks), counts, boxes[0].start, call)


def _block_mean(
    network: Chain,
    boxes: tuple[Region, ...],
    seeds: Iterator[np.random.SeedSequence],
    count: int,
) -> FloatArray:
    """Mean of g² over ``count`` samples, a few at a time."""
    most = max(1, _MOST_NUMBERS // _numbers(network, boxes))
    total = np.zeros(boxes[0].shape)
    for first in range(0, count, most):
        batch = [np.random.default_rng(next(seeds)) for _ in range(min(most, count - first))]
        gradient = _gradient(network, boxes, batch)
        total += np.mean(np.square(gradient), axis=1).sum(axis=0)
    return total / count


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
