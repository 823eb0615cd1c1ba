"""Geometry before arithmetic: the box, the grid and the memory that a map will need."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, lcm, prod
from typing import final

import numpy as np

from erf_theory.engines.field import Border, Program
from erf_theory.errors import MapTooLargeError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis, union

__all__ = ["Extent", "extent_of", "need_memory"]


@final
@dataclass(frozen=True)
class Extent:
    """The box of a field, with what its history says about grids and signs.

    Attributes
    ----------
    start, shape : tuple of int
        The nominal box: what the sizes of the kernels say, zero taps included.
    rate : tuple of Fraction
        Samples of this node for one sample of the unit's node, per axis.
    grid : tuple of Fraction
        Unit-node samples that hold every box so far, per axis: a transform on ``M`` points
        at a node needs ``M >= grid * rate``.
    divisor : tuple of int
        What the number of points at the unit's node is a multiple of.
    nonnegative : bool
        Whether no kernel and no factor so far was negative.
    roundings : int
        Operations with rounding behind a sample, to judge an error.
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]
    rate: tuple[Fraction, ...]
    grid: tuple[Fraction, ...]
    divisor: tuple[int, ...]
    nonnegative: bool = True
    roundings: int = 1

    @property
    def size(self) -> int:
        """Number of samples in the box."""
        return prod(self.shape)

    def points(self) -> tuple[int, ...]:
        """Fewest points at the unit's node for a transform that holds every box."""
        spans = zip(self.grid, self.divisor, strict=True)
        return tuple(ceil(need / d) * d for need, d in spans)

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Extent:
        """Grow the box by the kernel's."""
        steps = per_axis(step, kernel.ndim)
        shifts = zip(self.start, kernel.origin, steps, strict=True)
        growth = zip(self.shape, kernel.shape, steps, strict=True)
        grown = replace(
            self,
            start=tuple(a + times * o * d for a, o, d in shifts),
            shape=tuple(m + times * (k - 1) * d for m, k, d in growth),
            nonnegative=self.nonnegative and (kernel.is_nonnegative or times == 0),
            roundings=self.roundings + times * (2 + prod(kernel.taps.shape).bit_length()),
        )
        return _measured(grown)

    def scale(self, factor: Number | FloatArray) -> Extent:
        """Keep the box; note a negative factor."""
        positive = self.nonnegative and bool(np.all(np.asarray(factor) >= 0))
        return replace(self, nonnegative=positive, roundings=self.roundings + 1)

    def __add__(self, other: Extent) -> Extent:
        start, shape = union(self.start, self.shape, other.start, other.shape)
        both = replace(
            self,
            start=start,
            shape=shape,
            grid=tuple(map(max, self.grid, other.grid)),
            divisor=tuple(map(lcm, self.divisor, other.divisor)),
            nonnegative=self.nonnegative and other.nonnegative,
            roundings=max(self.roundings, other.roundings) + 1,
        )
        return _measured(both)

    def expand(self, s: Steps) -> Extent:
        """Spread the box; the node has s samples for one."""
        steps = per_axis(s, len(self.shape))
        wider = replace(
            self,
            start=tuple(a * d for a, d in zip(self.start, steps, strict=True)),
            shape=tuple((m - 1) * d + 1 for m, d in zip(self.shape, steps, strict=True)),
            rate=tuple(r * d for r, d in zip(self.rate, steps, strict=True)),
        )
        return _measured(wider)

    def decimate(self, s: Steps) -> Extent:
        """Keep the multiples of s in the box (one place, 0, if there are none)."""
        steps = per_axis(s, len(self.shape))
        spans = zip(self.start, self.shape, steps, strict=True)
        ends = [(-(-a // d), (a + m - 1) // d) for a, m, d in spans]
        ends = [(a, b) if a <= b else (0, 0) for a, b in ends]
        rate = tuple(r / d for r, d in zip(self.rate, steps, strict=True))
        thinner = replace(
            self,
            start=tuple(a for a, _ in ends),
            shape=tuple(b - a + 1 for a, b in ends),
            rate=rate,
            divisor=tuple(lcm(m, r.denominator) for m, r in zip(self.divisor, rate, strict=True)),
            roundings=self.roundings + 1,
        )
        return _measured(thinner)

    def fold(self, size: Steps, border: Border) -> Extent:  # noqa: ARG002
        """The image's box."""
        shape = per_axis(size, len(self.shape))
        folded = replace(self, start=(0,) * len(shape), shape=shape, roundings=self.roundings + 1)
        return _measured(folded)

    def take(self, a: int, b: int) -> Extent:  # noqa: ARG002
        """The same box: channels have no extent."""
        return self


def extent_of(program: Program, ndim: int) -> Extent:
    """Geometry of what a program makes of the unit impulse.

    Examples
    --------
    >>> extent_of(lambda field: field.convolve(Kernel.uniform(3), 1, 20), 1).shape
    (41,)
    """
    one = (Fraction(1),) * ndim
    return program(Extent((0,) * ndim, (1,) * ndim, one, one, (1,) * ndim))


def need_memory(samples: int, doubles: float = 4.0) -> None:
    """Refuse a map that would not fit, before any work.

    Parameters
    ----------
    samples : int
        Number of samples of the map.
    doubles : float
        Working copies per sample.

    Raises
    ------
    MapTooLargeError
        If they need more than the machine's memory.
    """
    if 8 * doubles * samples > (limit := _memory()):
        raise MapTooLargeError(
            f"a map of {samples:.3g} samples needs about {8 * doubles * samples / 2**30:.3g} GiB "
            f"and this machine has {limit / 2**30:.3g} GiB: ask for measures or a profile (std, "
            "size, profile, cumulant) instead of the map, or for a smaller k, n or ndim"
        )


def _measured(extent: Extent) -> Extent:
    """The extent with its box counted in what a grid must hold."""
    needs = zip(extent.grid, extent.shape, extent.rate, strict=True)
    return replace(extent, grid=tuple(max(g, m / r) for g, m, r in needs))


def _memory() -> int:
    """Bytes of physical memory; 8 GiB where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 2**33
