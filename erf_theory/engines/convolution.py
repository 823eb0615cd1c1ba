"""The convolution engine: samples, convolved one with another. The definition.

Non-negative fields only ever add and multiply non-negative numbers, so every sample that is
a normal double after normalisation is right to about ``roundings * 2**-53``. Fields with signs
may cancel; `absolute_error` says how much that can have cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import frexp, ldexp, log2
from operator import add, itemgetter, mul, sub
from typing import Any, NamedTuple, TypeVar, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines.extent import extent_of, need_memory
from erf_theory.engines.field import Border, Program, Term, weighted_sum
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray, Number, exponent_of, number
from erf_theory.kernel import Kernel, axis_kernels
from erf_theory.lattice import Steps, convolve, per_axis

__all__ = ["Samples", "absolute_error", "impulse", "is_any", "run"]

_PEAK = 490
"""Exponent of the largest sample: products of two fields fit, and what underflows is 2**-1500."""
_LOST = -1075
"""What underflows is off by less than 2**-1075."""
_NEAR = 16
"""Powers of 2 up to this one, up or down, are not worth a copy."""
_ROOM = 1000
"""Doubles from 2**-1000 to 2**1000 are far from both ends of their range."""

_T = TypeVar("_T")


@final
class Samples(NamedTuple):
    """A field as samples on a box: ``values * 2**exponent`` from ``start`` on.

    Attributes
    ----------
    values : ndarray, shape (channels..., box...)
        float64; the largest magnitude is about 2**490.
    start : tuple of int
        Coordinate of the first sample on every spatial axis.
    exponent : int
        What the values leave out.
    floor : int
        Samples may be off by about ``2**floor`` because they underflowed.
    """

    values: FloatArray
    start: tuple[int, ...]
    exponent: int = 0
    floor: int = -10_000

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.start)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples on every spatial axis."""
        return self.values.shape[self.values.ndim - self.ndim :]

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Samples:
        """Convolve: one dimension by binary powering, more by one shifted copy per tap."""
        steps = per_axis(step, len(self.start))
        origin = [o * d for o, d in zip(kernel.origin, steps, strict=True)]
        if times == kernel.taps.size == 1 and not kernel.channels:
            return _weighted_sum(self, [(self, kernel.taps.item(), tuple(origin))])
        if times > 1 and self.ndim == 1 and not kernel.channels:
            return _product(self, _power(kernel, times).expand(step))
        lines = axis_kernels(kernel) if times and self.ndim > 1 and not kernel.channels else ()
        if len(lines) > 1:
            field = self
            for line in lines * times:
                field = field.convolve(line, step)
            return field
        taps, exponent, grows = _near_one(kernel.dilate(steps))
        field = self
        for _ in range(times):
            start = tuple(map(add, field.start, origin))
            values = _channelwise(taps, field.values, len(start))
            floor = max(field.floor + grows, _LOST)
            field = _balanced(values, start, field.exponent + exponent, floor)
        return field

    def scale(self, factor: Number | FloatArray) -> Samples:
        """Multiply by a number, by one number per channel, or per channel and position."""
        if isinstance(factor, np.ndarray):
            lead = self.values.ndim - self.ndim
            power = exponent_of(float(np.max(np.abs(factor))))
            column = np.ldexp(factor, -power)
            column = column.reshape(factor.shape + (1,) * (self.ndim * (factor.ndim == lead)))
            return _balanced(
                self.values * column, self.start, self.exponent + power, max(self.floor, _LOST)
            )
        return _weighted_sum(self, [(self, number(factor), ())])

    def __add__(self, other: Samples) -> Samples:  # type: ignore[override]
        return _weighted_sum(self, [(self, 1, ()), (other, 1, ())])

    def expand(self, s: Steps) -> Samples:
        """Move what is at x to s·x."""
        steps = per_axis(s, len(self.start))
        if max(steps) == 1:
            return self
        lead, sizes = self.values.shape[: -len(steps)], self.values.shape[-len(steps) :]
        values = np.zeros((*lead, *[(m - 1) * d + 1 for m, d in zip(sizes, steps, strict=True)]))
        places: Any = (..., *[slice(None, None, d) for d in steps])
        values[places] = self.values
        start = tuple(map(mul, self.start, steps))
        return Samples(values, start, self.exponent, self.floor)

    def decimate(self, s: Steps) -> Samples:
        """Keep what is at multiples of s and move it from s·x to x."""
        steps = per_axis(s, self.ndim)
        values, start = self.values, list(self.start)
        for axis, d in enumerate(steps, start=-self.ndim):
            first = -(-start[axis] // d)
            kept = np.arange(first * d - start[axis], values.shape[axis], d)
            values = np.take(values, kept, axis)
            start[axis] = first
            if kept.size == 0:
                hole = [1 if i == values.ndim + axis else n for i, n in enumerate(values.shape)]
                values, start[axis] = np.zeros(hole), 0
        return _balanced(values, tuple(start), self.exponent, self.floor)

    def fold(self, size: Steps, border: Border) -> Samples:
        """Bring what lies outside the image [0, size) back to it, as its border says."""
        values = self.values
        sizes = per_axis(size, self.ndim)
        for axis, (length, first) in enumerate(zip(sizes, self.start, strict=True), -self.ndim):
            lines = np.moveaxis(values, axis, 0)
            image = np.zeros((length + 1, *lines.shape[1:]))
            places = np.arange(first, first + len(lines))
            np.add.at(image, _folded(places, length, border), lines)
            values = np.moveaxis(image[:length], 0, axis)
        return _balanced(values, (0,) * self.ndim, self.exponent, self.floor)

    def take(self, a: int, b: int) -> Samples:
        """Keep channels a to b−1."""
        if self.values.ndim == self.ndim:
            raise ErfTheoryError("a field without channels has none to take")
        return _balanced(self.values[a:b], self.start, self.exponent, self.floor)


_Part = tuple[int, float, FloatArray, tuple[int, ...], tuple[int, ...], int]
"""What a term adds to a sum: exponent, factor, values, start, stop and floor."""


def _part(field: Samples, factor: Number, shift: tuple[int, ...]) -> _Part:
    """A field times a number, and moved."""
    values, start, exponent, floor = field
    near, power = _parted(factor)
    if shift:
        start = tuple(map(add, start, shift))
    stop = tuple(map(add, start, values.shape[-len(start) :]))
    return exponent + power, near, values, start, stop, floor


def _lowered(values: FloatArray, near: float, by: int) -> FloatArray:
    """Samples times a number and a power of 2."""
    if by < -_ROOM:
        return np.asarray(np.ldexp(values * near, max(by, 5 * _LOST)))
    factor = ldexp(near, by)
    return values if factor == 1 else values * factor


@weighted_sum.register
def _weighted_sum(like: Samples, terms: Sequence[Term]) -> Samples:  # noqa: ARG001
    parts = [_part(*term) for term in terms]
    if len(parts) == 1:
        exponent, near, values, start, _, floor = parts[0]
        made = Samples if near == 1 else _balanced
        return made(_lowered(values, near, 0), start, exponent, max(_LOST, floor))
    highest = sorted(parts, key=itemgetter(0), reverse=True)
    top = next((power for power, near, values, *_ in highest if near and is_any(values)), 0)
    starts, stops = [part[3] for part in parts], [part[4] for part in parts]
    low, high = tuple(map(min, *starts)), tuple(map(max, *stops))
    parts.sort(key=lambda part: (part[3], part[4]) != (low, high))  # one that fills the box first
    first, *others = parts
    total = _laid(first, top, low, high)
    for power, near, values, start, stop, _ in others:
        total[_inside(start, stop, low)] += _lowered(values, near, min(power - top, 0))
    floor = max(lost + min(power - top, 0) for power, *_, lost in parts)
    return _balanced(total, low, top, max(floor, _LOST))


def _laid(part: _Part, top: int, low: tuple[int, ...], high: tuple[int, ...]) -> FloatArray:
    """A fresh array on a box with one part in it, without ``2**top``."""
    power, near, values, start, stop, _ = part
    lowered = _lowered(values, near, min(power - top, 0))
    if (start, stop) == (low, high):
        return lowered.copy() if lowered is values else lowered
    total = np.zeros((*values.shape[: -len(low)], *map(sub, high, low)))
    total[_inside(start, stop, low)] = lowered
    return total


def _inside(start: tuple[int, ...], stop: tuple[int, ...], low: tuple[int, ...]) -> Any:
    """Where samples from ``start`` to ``stop`` are in a box from ``low`` on."""
    return (..., *map(slice, map(sub, start, low), map(sub, stop, low)))


def is_any(values: FloatArray) -> bool:
    """Whether any sample is not 0; mostly the first one is not."""
    return bool(values.item(0) or values.any())


def impulse(ndim: int, channels: FloatArray | None = None) -> Samples:
    """The unit impulse at 0; with ``channels``, one weight per channel of the unit."""
    if channels is None:
        return Samples(np.full((1,) * ndim, 2.0**_PEAK), (0,) * ndim, -_PEAK)
    weights = np.asarray(channels, dtype=np.float64)
    return _balanced(weights.reshape(weights.shape + (1,) * ndim), (0,) * ndim, 0)


def run(program: Program, ndim: int) -> Samples:
    """The map of a program, sample by sample.

    Raises
    ------
    MapTooLargeError
        If the map would not fit into memory.

    Examples
    --------
    >>> field = run(lambda f: f.convolve(Kernel([1, 2, 5], origin=(-1,))), 1)
    >>> field.start, np.ldexp(field.values, field.exponent).tolist()
    ((-1,), [1.0, 2.0, 5.0])
    """
    need_memory(extent_of(program, ndim).size)
    return program(impulse(ndim))


def absolute_error(program: Program, ndim: int, channels: FloatArray | None = None) -> Samples:
    """Bound, sample by sample, on what rounding did to the map of a program.

    The program run with every number's magnitude, times the roundings behind a sample (to
    first order in the unit roundoff).
    """
    total = program(_Magnitudes(impulse(ndim, channels))).samples
    roundings = extent_of(program, ndim).roundings
    return total._replace(values=total.values * (roundings * np.finfo(np.float64).eps))


@final
@dataclass(frozen=True, eq=False, repr=False)
class _Magnitudes:
    """Samples under the magnitudes of whatever acts on them."""

    samples: Samples

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> _Magnitudes:
        return replace(self, samples=self.samples.convolve(abs(kernel), step, times))

    def scale(self, factor: Number | FloatArray) -> _Magnitudes:
        size: Any = abs(factor)
        return replace(self, samples=self.samples.scale(size))

    def __add__(self, other: _Magnitudes) -> _Magnitudes:
        return replace(self, samples=self.samples + other.samples)

    def expand(self, s: Steps) -> _Magnitudes:
        return replace(self, samples=self.samples.expand(s))

    def decimate(self, s: Steps) -> _Magnitudes:
        return replace(self, samples=self.samples.decimate(s))

    def fold(self, size: Steps, border: Border) -> _Magnitudes:
        return replace(self, samples=self.samples.fold(size, border))

    def take(self, a: int, b: int) -> _Magnitudes:
        return replace(self, samples=self.samples.take(a, b))


def _near_one(kernel: Kernel) -> tuple[FloatArray, int, int]:
    """Float taps, the exponent of 2 that they leave out, and the one that the largest has."""
    if not kernel.is_exact and abs(kernel.exponent) <= _NEAR:
        return kernel.taps, 0, kernel.exponent
    return *kernel.scaled, 0


def _power(kernel: Kernel, times: int) -> Samples:
    """The kernel convolved with itself, ``times`` of it, by squaring."""
    taps, exponent = kernel.scaled
    sizes = [abs(tap) for tap in taps.tolist() if tap]
    if sizes and times * max(log2(sum(sizes)), -log2(min(sizes))) < _ROOM:
        values = _squared(np.convolve, taps, times)
        return _balanced(values, (times * kernel.origin[0],), times * exponent)
    return _squared(_product, _balanced(taps, kernel.origin, exponent), times)


def _squared(product: Callable[[_T, _T], _T], base: _T, times: int) -> _T:
    """A product of ``times`` equal factors: squared, and multiplied by one more where it must."""
    power = base
    for bit in f"{times:b}"[1:]:
        power = product(power, power)
        if bit == "1":
            power = product(power, base)
    return power


def _product(field: Samples, line: Samples) -> Samples:
    """Convolution of every channel of a 1-D field with a field without channels."""
    start = (field.start[0] + line.start[0],)
    if field.values.ndim == 1:
        values = np.convolve(field.values, line.values)
    else:
        values = np.asarray(convolve(line.values, field.values, 1))
    return _balanced(
        values,
        start,
        field.exponent + line.exponent,
        max(field.floor + _PEAK, line.floor + _PEAK, _LOST),
    )


def _channelwise(taps: FloatArray, values: FloatArray, ndim: int) -> FloatArray:
    """One convolution in any dimension: the field is a column, a matrix goes from out to in."""
    lead, channels = values.ndim - ndim, taps.ndim - ndim
    if values.ndim == taps.ndim == 1:
        return np.convolve(values, taps)
    if channels and not lead:
        raise ErfTheoryError("a kernel with channels needs a field with channels")
    if channels == 2:
        taps = np.swapaxes(taps, 0, 1)
        return np.asarray(convolve(taps, values[:, None], ndim)[:, 0])
    return np.asarray(convolve(taps, values, ndim))


def _balanced(
    values: FloatArray, start: tuple[int, ...], exponent: int, floor: int = -10_000
) -> Samples:
    """A field, ``values * 2**exponent``, with its largest sample brought to about ``2**490``."""
    peak = max(values.item(values.argmax()), -values.item(values.argmin()))
    if peak == 0:
        return Samples(values, start, 0)
    shift = _PEAK - frexp(peak)[1]
    if floor + shift > _PEAK + _LOST:
        raise EngineError(
            "the convolution engine kept only samples far below the rest of the map, where "
            "doubles have lost them: ask the multinomial engine"
        )
    if abs(shift) <= _NEAR:
        return Samples(values, start, exponent, floor)
    floor = max(floor + shift, _LOST) if shift < 0 else floor + shift
    return Samples(np.ldexp(values, shift), start, exponent - shift, floor)


def _parted(factor: Number) -> tuple[float, int]:
    """A number as a double in about [1/2, 1) and the exponent that it leaves out."""
    if factor == 1:
        return 1.0, 0
    if isinstance(factor, float):
        return frexp(factor)
    power = exponent_of(factor)
    return float(Fraction(factor) / Fraction(2) ** power), power


def _folded(places: npt.NDArray[np.intp], length: int, border: Border) -> npt.NDArray[np.intp]:
    """Where each place lands in [0, length); ``length`` itself for what is lost."""
    if border == "circular":
        return places % length
    if border == "replicate":
        return np.clip(places, 0, length - 1)
    if border == "reflect":
        period = max(2 * (length - 1), 1)
        return length - 1 - np.abs(places % period - (length - 1))
    return np.where((places >= 0) & (places < length), places, length)
