"""What a layer's output sees of its input, on one axis: intervals, exact for every phase."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, singledispatch
from math import gcd, inf, lcm
from typing import NamedTuple, final

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.gating import Global
from erf_theory.network.pointwise import Pointwise
from erf_theory.network.pooling import Pool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

__all__ = ["NOTHING", "SAME", "Sight", "sight", "sight_per_axis"]

_Interval = tuple[float, float]
"""First and last place; integers, but for `NOTHING`."""
NOTHING: _Interval = (inf, -inf)
"""The interval of a unit that sees nothing, as behind a transposed convolution with gaps."""


@final
class Sight(NamedTuple):
    """The interval of source places that every unit of a node sees, periodic in the unit.

    Unit ``i + period`` sees what unit ``i`` sees, ``jump`` places further on.

    Attributes
    ----------
    jump : int
        Source places for one period.
    intervals : tuple of (int, int)
        What units 0 to period-1 see.
    step : int
        Distance of the places in an interval that one layer sees. Through several layers only the
        ends of an interval are known, and it is 1.

    Examples
    --------
    >>> conv, copies = Sight(2, ((-1, 1),)), Sight(1, ((0, 0), (0, 0)))
    >>> [conv.of(unit) for unit in (0, 1)], [copies.of(unit) for unit in (0, 1, 2)]
    ([(-1, 1), (1, 3)], [(0, 0), (0, 0), (1, 1)])
    >>> conv.through(copies)
    Sight(jump=1, intervals=((-1, 0),), step=1)
    """

    jump: int
    intervals: tuple[_Interval, ...]
    step: int = 1

    @property
    def period(self) -> int:
        """Units after which it repeats."""
        return len(self.intervals)

    @property
    def rate(self) -> Fraction:
        """Source places for one unit."""
        return Fraction(self.jump, self.period)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of places that units 0 to period-1 see."""
        return tuple(int(high - low) + 1 if low <= high else 0 for low, high in self.intervals)

    @property
    def centre(self) -> Fraction | None:
        """Where unit 0 looks, with the phases averaged: the mean of (first + last)/2 - rate·unit.

        Units that see nothing do not count; None if all of them see nothing.
        """
        seen = [(i, a + b) for i, (a, b) in enumerate(self.intervals) if a <= b]
        if not seen:
            return None
        ends, units = sum(int(both) for _, both in seen), sum(i for i, _ in seen)
        return Fraction(ends * self.period - 2 * self.jump * units, 2 * self.period * len(seen))

    def of(self, unit: int) -> _Interval:
        """First and last source place that a unit sees."""
        turns, phase = divmod(unit, self.period)
        low, high = self.intervals[phase]
        return low + turns * self.jump, high + turns * self.jump

    def region(self, low: float, high: float, step: int = 1) -> _Interval:
        """The interval that the units from ``low`` to ``high``, ``step`` apart, see together."""
        if low > high:
            return NOTHING
        first, last = int(low), int(high)
        if len(self.intervals) == 1:
            ((below, above),) = self.intervals
            return below + first * self.jump, above + last * self.jump
        turn = step * (self.period // gcd(self.period, step))
        near = range(first, min(first + turn, last + 1), step)
        far = range(last, max(last - turn, first - 1), -step)
        return min(self.of(unit)[0] for unit in near), max(self.of(unit)[1] for unit in far)

    def through(self, before: Sight) -> Sight:
        """What the units see through the node that they read."""
        if self.intervals == ((0, 0),) and self.jump == 1:
            return before
        rounds = before.period // gcd(before.period, self.jump)
        period = self.period * rounds
        intervals = tuple(before.region(*self.of(unit), self.step) for unit in range(period))
        return Sight(before.jump * self.jump * rounds // before.period, intervals).shortest()

    def shortest(self) -> Sight:
        """The same, with the shortest period that shows it."""
        for parts in range(self.period, 1, -1):
            if self.period % parts or self.jump % parts:
                continue
            step, turn = self.period // parts, self.jump // parts
            if all(
                self.intervals[i + step] == (a + turn, b + turn)
                for i, (a, b) in enumerate(self.intervals[: self.period - step])
            ):
                return Sight(turn, self.intervals[:step])
        return self

    def __or__(self, other: Sight) -> Sight:
        """The smallest intervals that hold both; the two advance alike."""
        period = lcm(self.period, other.period)
        intervals = tuple(
            (min(a, c), max(b, d))
            for (a, b), (c, d) in ((self.of(i), other.of(i)) for i in range(period))
        )
        return Sight(self.jump * period // self.period, intervals)


SAME = Sight(1, ((0, 0),))
"""Of layers whose units see the one place that they are at."""


def sight(layer: Layer, ndim: int, axis: int) -> Sight:
    """What a layer's units see of its input, on one axis: one of `sight_per_axis`.

    Raises
    ------
    ErfTheoryError
        If no geometry is known for the layer, or its padding depends on the image.

    Examples
    --------
    >>> sight(Conv(1, 1, 3, stride=2, padding=1), 1, 0)
    Sight(jump=2, intervals=((-1, 1),), step=1)
    """
    return sight_per_axis(layer, ndim)[axis]


@cache
def sight_per_axis(layer: Layer, ndim: int) -> tuple[Sight, ...]:
    """What a layer's units see of its input, for every axis.

    Raises
    ------
    ErfTheoryError
        If no geometry is known for the layer, or its padding depends on the image.

    Examples
    --------
    >>> sight_per_axis(Conv(1, 1, (1, 3), padding=(0, 1)), 2)[1]
    Sight(jump=1, intervals=((-1, 1),), step=1)
    """
    return tuple(_sees(layer, ndim))


@singledispatch
def _sees(layer: Layer, ndim: int) -> Sequence[Sight]:
    """What the units see, for every axis."""
    raise ErfTheoryError(f"no geometry is known for a layer of type {type(layer).__name__}")


@_sees.register(Conv)
@_sees.register(Pool)
def _(layer: Conv | Pool, ndim: int) -> Sequence[Sight]:
    values = (per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation))
    rows = zip(*values, layer.pads(ndim), strict=True)
    return [Sight(s, ((-before, d * (k - 1) - before),), d) for k, s, d, (before, _) in rows]


@_sees.register
def _(layer: ConvTranspose, ndim: int) -> Sequence[Sight]:
    values = (per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation))
    rows = zip(*values, layer.pads(ndim), strict=True)
    return [_spread(k, s, d, before) for k, s, d, (before, _) in rows]


@_sees.register
def _(layer: Upsample, ndim: int) -> Sequence[Sight]:
    scales = per_axis(layer.scale, ndim)
    if layer.mode == "nearest":
        return [Sight(1, ((0, 0),) * s) for s in scales]
    return [Sight(1, tuple(_neighbours(i, s) for i in range(s))) for s in scales]


@_sees.register
def _(layer: Pad, ndim: int) -> Sequence[Sight]:
    return [Sight(1, ((-before, -before),)) for before, _ in layer.per_axis(ndim)]


@_sees.register
def _(layer: Crop, ndim: int) -> Sequence[Sight]:
    return [Sight(1, ((before, before),)) for before, _ in layer.per_axis(ndim)]


@_sees.register(Add)
@_sees.register(ChannelShuffle)
@_sees.register(Concat)
@_sees.register(Pointwise)
@_sees.register(Split)
def _(layer: Layer, ndim: int) -> Sequence[Sight]:
    return [SAME] * ndim


@_sees.register
def _(layer: Global, ndim: int) -> Sequence[Sight]:
    return [Sight(1, (NOTHING,))] * ndim


def _spread(size: int, stride: int, dilation: int, padding: int) -> Sight:
    """Inputs that a transposed convolution brings to an output."""
    intervals = []
    for unit in range(stride):
        places = [unit + padding - dilation * tap for tap in range(size)]
        seen = [place // stride for place in places if place % stride == 0]
        intervals.append((min(seen), max(seen)) if seen else NOTHING)
    return Sight(1, tuple(intervals), dilation // gcd(dilation, stride))


def _neighbours(unit: int, scale: int) -> _Interval:
    """The two inputs that an output lies between, or the one that it lies on."""
    at = 2 * unit + 1 - scale
    return at // (2 * scale), -(-at // (2 * scale))
