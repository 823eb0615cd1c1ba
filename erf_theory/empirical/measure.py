"""Effective receptive fields by experiment: random weights, a forward and a backward pass, E g²."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import index
from typing import Any

import numpy as np

from erf_theory.empirical import tape
from erf_theory.empirical.draws import Sample, draw
from erf_theory.empirical.plan import Plan, plan
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps
from erf_theory.network.nodes import Network

__all__ = ["BACKENDS", "Measurement", "Seed", "measure_erf"]

Seed = int | np.random.SeedSequence | np.random.Generator | None
"""What random numbers come from."""
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
    network: Network,
    *,
    backend: str = "numpy",
    samples: int = 100,
    unit: Steps = 0,
    rng: Seed = None,
) -> Measurement:
    """Measure the energy E g² of an output unit by back-propagation, as frameworks do it.

    Every sample draws all weights by the layers' laws and an input of independent standard
    normal numbers, runs forwards, and sends a gradient of one output unit back to the input. That
    gradient has a random direction over the output channels, normal numbers divided by √channels,
    so that g² is on average the mean over these channels. It shares no code with the theory.

    Parameters
    ----------
    network : Network
        What to measure. No border reaches its unit: it is in an infinite image.
    backend : str
        "numpy"; or "torch", which runs the same samples through real PyTorch modules and autograd.
    samples : int
        Independent weights and inputs, 2 or more.
    unit : int or tuple of int
        The output unit, whose phase matters behind an upsampling.
    rng : int, SeedSequence or Generator
        The seed. Sample i is the same whatever the number of samples, and on every backend.

    Returns
    -------
    Measurement

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, the unit depends on no input, or no sample goes through a
        layer.

    Notes
    -----
    Dropout in train mode draws its masks. A batch norm is in eval mode: for every network drawn,
    its mean and variance are taken before, per channel, over 4 other inputs and 1024 places or
    more in each, and are constants on the way back. Layer, group and instance norms take theirs
    from the input itself, over all places of a box of 1024 or more around the unit's, and the
    gradient goes through them; what they so bring from outside the map is left out of it.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> one = measure_erf(Chain([Conv(1, 1, 3, init=1)], ndim=1), samples=1000, rng=1)
    >>> one.mean.round(1), one.start
    (array([1. , 1. , 1. ]), (0,))
    """
    if backend not in BACKENDS:
        raise ErfTheoryError(f"there is no backend {backend!r}: choose {', '.join(BACKENDS)}")
    if index(samples) < 2:
        raise ErfTheoryError(f"an error needs 2 samples or more, not {samples}")
    seeds, text = _seeds(rng)
    what = plan(network, unit)
    counts = np.array([len(part) for part in np.array_split(range(samples), min(_BLOCKS, samples))])
    children = iter(seeds.spawn(samples))
    blocks = [_block_mean(what, backend, children, int(count)) for count in counts]
    where = "" if unit == 0 else f", unit={unit}"
    call = f"measure_erf({network}, samples={samples}{where}, rng={text})"
    return Measurement(np.array(blocks), counts, what.map.start, call)


def _seeds(rng: Seed) -> tuple[np.random.SeedSequence, str]:
    """Where the samples' seeds come from, and how it is written."""
    if isinstance(rng, np.random.Generator):
        seeds: Any = rng.bit_generator.seed_seq
        if not isinstance(seeds, np.random.SeedSequence):
            raise ErfTheoryError("the generator has no SeedSequence to draw seeds from: give one")
    else:
        seeds = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
    spawned = {"spawn_key": seeds.spawn_key, "n_children_spawned": seeds.n_children_spawned}
    more = "".join(f", {name}={value}" for name, value in spawned.items() if value)
    return seeds, f"SeedSequence({seeds.entropy}{more})" if more else str(seeds.entropy)


def _block_mean(
    what: Plan, backend: str, seeds: Iterator[np.random.SeedSequence], count: int
) -> FloatArray:
    """Mean of g² over ``count`` samples, a few at a time."""
    most = max(1, _MOST_NUMBERS // what.numbers)
    total = np.zeros(what.map.shape)
    for first in range(0, count, most):
        size = min(most, count - first)
        batch = [draw(what, np.random.default_rng(next(seeds))) for _ in range(size)]
        gradient = BACKENDS[backend](what, batch)
        total += np.mean(np.square(gradient), axis=1).sum(axis=0)
    return total / count


def _torch(what: Plan, batch: Sequence[Sample]) -> FloatArray:
    """By PyTorch's modules, which load only here."""
    from erf_theory.empirical import torch_backend

    return torch_backend.gradients(what, batch)


BACKENDS: Mapping[str, Callable[[Plan, Sequence[Sample]], FloatArray]] = {
    "numpy": tape.gradients,
    "torch": _torch,
}
"""What can measure: functions from samples to gradients by the input."""
