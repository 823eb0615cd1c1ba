"""Geometry before arithmetic: the box, the grid and the memory that a map will need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache, reduce
from math import ceil, lcm, prod
from operator import add, sub
from typing import final

import numpy as np

from erf_theory.engines.field import Border, Program, Term, refusal, weighted_sum
from erf_theory.errors import MapTooLargeError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis
from erf_theory.memory import physical_memory

__all__ = ["Extent", "extent_of", "need_memory", "support_extent_of"]

_ONE = Fraction(1)


@final
@dataclass(frozen=True, eq=False)
class Extent:
    """The box of a field, with what its history says about grids and signs.

    What a convolution, a stride or a sum makes of one is remembered, and then the same object:
    the next run of a program meets the same boxes.

    Attributes
    ----------
    start, shape : tuple of int
        The nominal box: what the sizes of the kernels say, zero taps included.
    rate : tuple of Fraction
        Samples of this node for one sample of the unit's node, per axis.
    grid : tuple of Fraction
        Unit-node samples that hold every box up to the last change of the rate, per axis: a
        transform on ``M`` points at a node needs ``M >= grid * rate``.
    divisor : tuple of int
        What the number of points at the unit's node is a multiple of.
    nonnegative : bool
        Whether no kernel and no factor so far was negative.
    symmetric : bool
        Whether the map is known to be its own mirror image about the centre of the box.
    roundings : int
        Operations with rounding behind a sample, to judge an error.
    work : int
        Multiplications of convolving sample by sample, one layer after the other, along the
        path that has most of them.
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]
    rate: tuple[Fraction, ...]
    grid: tuple[Fraction, ...]
    divisor: tuple[int, ...]
    nonnegative: bool = True
    symmetric: bool = True
    roundings: int = 1
    work: int = 0

    @property
    def size(self) -> int:
        """Number of samples in the box."""
        return prod(self.shape)

    def points(self) -> tuple[int, ...]:
        """Fewest points at the unit's node for a transform that holds every box."""
        spans = zip(self.held, self.divisor, strict=True)
        return tuple(ceil(need / d) * d for need, d in spans)

    @property
    def held(self) -> tuple[Fraction, ...]:
        """The grid with this box counted, which holds all since the last change of the rate."""
        needs = zip(self.grid, self.shape, self.rate, strict=True)
        return tuple(max(g, m / r) for g, m, r in needs)

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Extent:
        """Grow the box by the kernel's."""
        steps = per_axis(step, len(self.start))
        signs = kernel.is_nonnegative, kernel.is_symmetric
        return _grown(self, (kernel.origin, kernel.taps.shape), signs, steps, times)

    def scale(self, factor: Number | FloatArray) -> Extent:
        """Keep the box; note a negative factor."""
        positive = self.nonnegative and bool(np.all(np.asarray(factor) >= 0))
        even = self.symmetric and not isinstance(factor, np.ndarray)
        return replace(self, nonnegative=positive, symmetric=even, roundings=self.roundings + 1)

    def __add__(self, other: Extent) -> Extent:
        return _weighted_sum(self, [(self, 1, ()), (other, 1, ())])

    def expand(self, s: Steps) -> Extent:
        """Spread the box; the node has s samples for one."""
        return _expanded(self, per_axis(s, len(self.shape)))

    def decimate(self, s: Steps) -> Extent:
        """Keep the multiples of s in the box (one place, 0, if there are none)."""
        steps = per_axis(s, len(self.shape))
        spans = zip(self.start, self.shape, steps, strict=True)
        ends = [(-(-a // d), (a + m - 1) // d) for a, m, d in spans]
        ends = [(a, b) if a <= b else (0, 0) for a, b in ends]
        rate = tuple(r / d for r, d in zip(self.rate, steps, strict=True))
        aligned = all(c % d == 0 for c, d in zip(_centre(self), steps, strict=True))
        shape = tuple(b - a + 1 for a, b in ends)
        return replace(
            self,
            symmetric=self.symmetric and aligned,
            start=tuple(a for a, _ in ends),
            shape=shape,
            rate=rate,
            grid=self.held,
            divisor=tuple(lcm(m, r.denominator) for m, r in zip(self.divisor, rate, strict=True)),
            roundings=self.roundings + 1,
        )

    def fold(self, size: Steps, border: Border) -> Extent:  # noqa: ARG002
        """The image's box."""
        shape = per_axis(size, len(self.shape))
        return replace(
            self,
            start=(0,) * len(shape),
            shape=shape,
            grid=self.held,
            symmetric=False,
            roundings=self.roundings + 1,
        )

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
    return program(_impulse(ndim))


def support_extent_of(program: Program, ndim: int) -> Extent:
    """Smallest box that holds the support of a non-negative map, without the map.

    Raises
    ------
    EngineError
        If the program decimates or folds: then the holes of the support matter.

    Examples
    --------
    >>> support_extent_of(lambda field: field.convolve(Kernel([0, 1, 1]), 1, 20), 1).start
    (20,)
    """
    return program(_Trimmed(_impulse(ndim))).extent


@lru_cache
def _impulse(ndim: int) -> Extent:
    """The unit impulse at 0: one sample."""
    one = (_ONE,) * ndim
    return Extent((0,) * ndim, (1,) * ndim, one, one, (1,) * ndim)


@lru_cache(maxsize=4096)
def _grown(
    extent: Extent,
    box: tuple[tuple[int, ...], tuple[int, ...]],
    signs: tuple[bool, bool],
    steps: tuple[int, ...],
    times: int,
) -> Extent:
    """An extent behind kernels of one origin and shape."""
    origin, taps = box
    sizes = taps[len(taps) - len(steps) :]
    shifts = zip(extent.start, origin, steps, strict=True)
    growth = zip(extent.shape, sizes, steps, strict=True)
    shape = tuple(m + times * (k - 1) * d for m, k, d in growth)
    return replace(
        extent,
        start=tuple(a + times * o * d for a, o, d in shifts),
        shape=shape,
        nonnegative=extent.nonnegative and (signs[0] or times == 0),
        symmetric=extent.symmetric and (signs[1] or times == 0),
        roundings=extent.roundings + times + prod(taps).bit_length(),
        work=extent.work + times * prod(taps) * prod(shape),
    )


@lru_cache(maxsize=4096)
def _expanded(extent: Extent, steps: tuple[int, ...]) -> Extent:
    """An extent behind strides."""
    sizes = zip(extent.shape, steps, strict=True)
    return replace(
        extent,
        start=tuple(a * d for a, d in zip(extent.start, steps, strict=True)),
        shape=tuple((m - 1) * d + 1 for m, d in sizes),
        rate=tuple(r * d for r, d in zip(extent.rate, steps, strict=True)),
        grid=extent.held,
    )


@weighted_sum.register
def _weighted_sum(like: Extent, terms: Sequence[Term]) -> Extent:  # noqa: ARG001
    return _united(tuple([(part, factor >= 0, shift) for part, factor, shift in terms]))


@lru_cache(maxsize=4096)
def _united(terms: tuple[tuple[Extent, bool, tuple[int, ...]], ...]) -> Extent:
    """The extent of a sum, of whose terms the signs and the shifts are given."""
    parts = [part for part, _, _ in terms]
    starts = [_sum(part.start, shift) if shift else part.start for part, _, shift in terms]
    ends = [_sum(start, part.shape) for start, part in zip(starts, parts, strict=True)]
    low = tuple(map(min, zip(*starts, strict=True)))
    high = tuple(map(max, zip(*ends, strict=True)))
    return Extent(
        start=low,
        shape=tuple(map(sub, high, low)),
        rate=parts[0].rate,
        grid=reduce(_largest, [part.grid for part in parts]),
        divisor=reduce(_common, [part.divisor for part in parts]),
        nonnegative=all(part.nonnegative and is_positive for part, is_positive, _ in terms),
        symmetric=all(part.symmetric for part in parts) and len({*map(_sum, starts, ends)}) == 1,
        roundings=max([part.roundings for part in parts]) + len(parts),
        work=max([part.work for part in parts]),
    )


@final
@dataclass(frozen=True, eq=False, repr=False)
class _Trimmed:
    """An extent that grows by the kernels' supports in place of their boxes."""

    extent: Extent

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> _Trimmed:
        if times and not np.any(kernel.taps):
            raise refusal("extent", "tell where a kernel of zeros leaves a support", "support can")
        return _Trimmed(self.extent.convolve(kernel.trim(), step, times))

    def scale(self, factor: Number | FloatArray) -> _Trimmed:
        if not np.all(np.asarray(factor)):
            raise refusal("extent", "tell where a factor of 0 leaves a support", "support can")
        return _Trimmed(self.extent.scale(factor))

    def __add__(self, other: _Trimmed) -> _Trimmed:
        return _Trimmed(self.extent + other.extent)

    def expand(self, s: Steps) -> _Trimmed:
        return _Trimmed(self.extent.expand(s))

    def decimate(self, s: Steps) -> _Trimmed:
        raise refusal("extent", f"tell which multiples of {s} a support holds", "support can")

    def fold(self, size: Steps, border: Border) -> _Trimmed:
        raise refusal("extent", f"fold a support at the {border} border of {size}", "support can")

    def take(self, a: int, b: int) -> _Trimmed:
        return _Trimmed(self.extent.take(a, b))


def need_memory(samples: int, doubles: int = 4) -> None:
    """Refuse a map that would not fit, before any work.

    Parameters
    ----------
    samples : int
        Number of samples of the map.
    doubles : int
        Working copies per sample.

    Raises
    ------
    MapTooLargeError
        If they need more than the machine's memory.
    """
    if (need := 8 * doubles * samples) > (limit := physical_memory()):
        raise MapTooLargeError(
            f"a map of {Decimal(samples):.3g} samples needs about {Decimal(need >> 30):.3g} GiB "
            f"and this machine has {limit / 2**30:.3g} GiB: ask for what needs no map "
            "(std, cumulant; in 2-D and 3-D often profile and size), or for a smaller k, n or ndim"
        )


def _sum(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(add, one, two))


def _largest(one: tuple[Fraction, ...], two: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    return one if one == two else tuple(map(max, one, two))


def _common(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    return one if one == two else tuple(map(lcm, one, two))


def _centre(extent: Extent) -> tuple[int, ...]:
    """Twice the centre of the box."""
    return tuple(2 * a + m - 1 for a, m in zip(extent.start, extent.shape, strict=True))
