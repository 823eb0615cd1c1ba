"""Effective receptive fields by experiment: random weights, a forward and a backward pass, E g²."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

from erf_theory.empirical import tape
from erf_theory.empirical.draws import Sample, draw
from erf_theory.empirical.plan import Plan, plan
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps
from erf_theory.memory import physical_memory
from erf_theory.network.base import need_whole
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
        error = float(np.mean(self.standard_error))
        return (
            f"Measurement of {self.call}: mass {self.mass:.4g}, standard error of a pixel "
            f"{error:.2g} on average"
        )


def measure_erf(
    network: Network,
    *,
    backend: str = "numpy",
    samples: int = 100,
    unit: Steps = 0,
    rng: Seed = None,
    progress: Callable[[int], object] | None = None,
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
    rng : int, SeedSequence or Generator, optional
        The seed, or what draws it; the result's ``call`` has the seed. Sample i is the same
        whatever the number of samples, and on every backend.
    progress : callable, optional
        Called with the number of samples that are done, now and then.

    Returns
    -------
    Measurement

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, the unit depends on no input, no sample goes through a
        layer, or numbers grow beyond doubles.
    MapTooLargeError
        If one sample would not fit into memory.

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
    >>> one = measure_erf(Chain([Conv(1, 1, 3, init=1)], ndim=1), samples=1000, rng=0)
    >>> one.start, bool(np.all(abs(one.mean - 1) < 4 * one.standard_error))
    ((0,), True)
    """
    if backend not in BACKENDS:
        raise ErfTheoryError(f"there is no backend {backend!r}: choose {', '.join(BACKENDS)}")
    total = need_whole("number of samples", samples, 2)
    seed, what = _seed(rng), plan(network, unit)
    if 8 * what.numbers > (limit := physical_memory()):
        raise MapTooLargeError(
            f"one sample needs about {8 * what.numbers / 2**30:.3g} GiB and this machine has "
            f"{limit / 2**30:.3g} GiB: take fewer channels or a smaller network"
        )
    children, counts, blocks = _children(seed), _counts(total), []
    for done, size in enumerate(counts):
        blocks.append(_block_mean(what, backend, children, size))
        if progress:
            progress(sum(counts[: done + 1]))
    if not np.all(np.isfinite(blocks)):
        raise ErfTheoryError("the gradients grow beyond doubles: give the weights less variance")
    where = "" if unit == 0 else f", unit={unit}"
    call = f"measure_erf({network}, samples={total}{where}, rng={_text(seed)})"
    return Measurement(np.array(blocks), np.array(counts), what.map.start, call)


def _seed(rng: Seed) -> np.random.SeedSequence:
    """The seed of all samples."""
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int.from_bytes(rng.bytes(16)))
    return np.random.SeedSequence(None if rng is None else need_whole("seed", rng, 0))


def _text(seed: np.random.SeedSequence) -> str:
    """How a seed is written."""
    if seed.spawn_key:
        return f"SeedSequence({seed.entropy}, spawn_key={seed.spawn_key})"
    return str(seed.entropy)


def _children(seed: np.random.SeedSequence) -> Iterator[np.random.SeedSequence]:
    """One seed per sample."""
    key = seed.spawn_key
    return (np.random.SeedSequence(seed.entropy, spawn_key=(*key, i)) for i in count())


def _counts(samples: int) -> list[int]:
    """Samples in every block."""
    blocks = min(_BLOCKS, samples)
    return [samples // blocks + (i < samples % blocks) for i in range(blocks)]


def _block_mean(
    what: Plan, backend: str, seeds: Iterator[np.random.SeedSequence], size: int
) -> FloatArray:
    """Mean of g² over ``size`` samples, a few at a time."""
    most = max(1, _MOST_NUMBERS // what.numbers)
    total = np.zeros(what.map.shape)
    for first in range(0, size, most):
        few = min(most, size - first)
        batch = [draw(what, np.random.default_rng(next(seeds))) for _ in range(few)]
        with np.errstate(over="ignore", invalid="ignore"):
            for sample in np.mean(np.square(BACKENDS[backend](what, batch)), axis=1):
                total += sample
    return total / size


def _torch(what: Plan, batch: Sequence[Sample]) -> FloatArray:
    """By PyTorch's modules, which load only here."""
    from erf_theory.empirical import torch_backend

    return torch_backend.gradients(what, batch)


BACKENDS: Mapping[str, Callable[[Plan, Sequence[Sample]], FloatArray]] = {
    "numpy": tape.gradients,
    "torch": _torch,
}
"""What can measure: functions from samples to gradients by the input."""
