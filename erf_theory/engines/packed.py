"""Fields as polynomials of FLINT: what the exact and the ball engine share.

A field is a polynomial in d variables (x is an exponent), packed into one variable by Kronecker
substitution: the place of a sample in its row-major box is the exponent. Convolutions are kept as
a list of runs, G(z) = Π V(z^{J d})ⁿ, until samples are asked for; then the size of the final box
is known, every run is one power, and FLINT multiplies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, reduce
from math import gcd, lcm, prod
from operator import index, mul
from typing import Any, ClassVar, Self

import numpy as np

from erf_theory.engines.field import Border, refusal
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, NumberArray, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, box, per_axis, union

__all__ = ["Packed", "Run"]


@dataclass(frozen=True, eq=False)
class Run:
    """``times`` convolutions with one kernel, its taps ``step`` apart on each axis."""

    kernel: Kernel
    step: tuple[int, ...]
    times: int

    @property
    def shift(self) -> tuple[int, ...]:
        """How far the run moves the start of a box."""
        pairs = zip(self.kernel.origin, self.step, strict=True)
        return tuple(self.times * o * d for o, d in pairs)

    @property
    def reach(self) -> tuple[int, ...]:
        """How much the run adds to the shape of a box."""
        pairs = zip(self.kernel.shape, self.step, strict=True)
        return tuple(self.times * (m - 1) * d for m, d in pairs)

    @cached_property
    def numerators(self) -> list[int]:
        """The kernel's taps in row-major order, over their common denominator."""
        return [int(Fraction(tap) * self.denominator) for tap in self.kernel.taps.flat]

    @cached_property
    def denominator(self) -> int:
        """Common denominator of the kernel's taps; a float is a fraction over a power of 2."""
        return lcm(*(Fraction(tap).denominator for tap in self.kernel.taps.flat))

    def is_like(self, other: Run) -> bool:
        """Whether the other run differs in nothing but ``times``."""
        same_box = self.kernel.origin == other.kernel.origin and self.step == other.step
        return same_box and np.array_equal(self.kernel.taps, other.kernel.taps)


@dataclass(frozen=True, eq=False)
class Packed(ABC):
    """A field as a polynomial of FLINT times the runs that are still to be multiplied.

    Attributes
    ----------
    samples : fmpz_poly or arb_poly
        Numerators of the samples before the runs; exponents are places in the box.
    corner, extent : tuple of int
        Start and shape of the box of ``samples``.
    divisor : int
        Common denominator of ``samples``.
    runs : tuple of Run
        Convolutions to come.
    """

    samples: Any = field(repr=False)
    corner: tuple[int, ...]
    extent: tuple[int, ...]
    divisor: int = 1
    runs: tuple[Run, ...] = ()

    engine: ClassVar[str]

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.corner)

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample on every axis."""
        return tuple(map(sum, zip(self.corner, *(run.shift for run in self.runs), strict=True)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of samples on every axis."""
        return tuple(map(sum, zip(self.extent, *(run.reach for run in self.runs), strict=True)))

    @property
    def denominator(self) -> int:
        """What all coefficients are to be divided by; not in lowest terms."""
        return int(self.divisor * prod(run.denominator**run.times for run in self.runs))

    @cached_property
    def polynomial(self) -> Any:
        """The numerators of all samples: one polynomial of FLINT."""
        room = self.shape
        self._need_room(room)
        with self._working():
            factors = [self._power(run, room) for run in self.runs]
            if self.samples != self._ring([1]) or not factors:
                factors.append(self._repacked(self.samples, self.extent, room))
            return reduce(mul, factors)

    @property
    def coefficients(self) -> NumberArray:
        """The numerators of all samples, as FLINT numbers in the shape of the box."""
        return self.coefficients_of(self.polynomial, self.shape)

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Self:
        """Convolve ``times`` times with the kernel, its taps ``step`` apart."""
        if kernel.channels:
            raise refusal(self.engine, "carry channels", "the convolution engine can")
        _need_axes(kernel.ndim, self.ndim)
        if index(times) < 0:
            raise ErfTheoryError(f"a run has 0 or more convolutions, not times = {times}")
        added = Run(kernel, _positive(step, self.ndim, "step"), index(times))
        return replace(self, runs=_joined(self.runs, added)) if times else self

    def scale(self, factor: Number | FloatArray) -> Self:
        """Multiply by a number."""
        if isinstance(factor, np.ndarray):
            raise refusal(self.engine, "scale by channel or position", "the convolution engine can")
        exact = Fraction(number(factor))
        with self._working():
            samples = self.samples * exact.numerator
        return replace(self, samples=samples, divisor=self.divisor * exact.denominator)

    def __add__(self, other: Self) -> Self:
        _need_axes(other.ndim, self.ndim)
        corner, room = union(self.start, self.shape, other.start, other.shape)
        self._need_room(room)
        divisor = lcm(self.denominator, other.denominator)
        with self._working():
            total = self.placed(corner, room) * (divisor // self.denominator)
            total += other.placed(corner, room) * (divisor // other.denominator)
        return replace(self, samples=total, corner=corner, extent=room, divisor=divisor, runs=())

    def expand(self, s: Steps) -> Self:
        """Move what is at x to s·x."""
        steps = _positive(s, self.ndim, "stride")
        extent = tuple((m - 1) * d + 1 for m, d in zip(self.extent, steps, strict=True))
        self._need_room(extent)
        spread = np.zeros(extent, dtype=object)
        places = box((0,) * self.ndim, self.extent, steps)
        spread[places] = self.coefficients_of(self.samples, self.extent)
        return replace(
            self,
            samples=self._packed(spread),
            corner=_times(self.corner, steps),
            extent=extent,
            runs=tuple(replace(run, step=_times(run.step, steps)) for run in self.runs),
        )

    def decimate(self, s: Steps) -> Self:
        """Keep what is at multiples of s and move it from s·x to x; a zero at 0 if nothing is."""
        kept, corner = self.coefficients, list(self.start)
        for axis, d in enumerate(_positive(s, self.ndim, "upsampling factor")):
            first = -(-corner[axis] // d)
            lines = np.moveaxis(kept, axis, 0)[first * d - corner[axis] :: d]
            corner[axis] = first if len(lines) else 0
            lines = lines if len(lines) else np.zeros((1, *lines.shape[1:]), dtype=object)
            kept = np.moveaxis(lines, 0, axis)
        return replace(
            self,
            samples=self._packed(kept),
            corner=tuple(corner),
            extent=kept.shape,
            divisor=self.denominator,
            runs=(),
        )

    def fold(self, size: Steps, border: Border) -> Self:
        """Refused: borders need the convolution engine."""
        raise refusal(
            self.engine, f"fold a field to {size} ({border})", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Self:
        """Refused: channels need the convolution engine."""
        raise refusal(self.engine, f"take channels {a} to {b}", "the convolution engine can")

    def coefficients_of(self, polynomial: Any, shape: tuple[int, ...]) -> NumberArray:
        """The coefficients of a polynomial that is packed in a box of ``shape``."""
        found = polynomial.coeffs()
        flat = np.full(prod(shape), polynomial[len(found)], dtype=object)
        flat[: len(found)] = found
        return flat.reshape(shape)

    def placed(self, corner: tuple[int, ...], room: tuple[int, ...]) -> Any:
        """The numerators of all samples, packed in a larger box that starts at ``corner``."""
        at = (a - b for a, b in zip(self.start, corner, strict=True))
        shift = sum(a * stride for a, stride in zip(at, _strides(room), strict=True))
        return self._repacked(self.polynomial, self.shape, room).left_shift(shift)

    @abstractmethod
    def _ring(self, coefficients: Sequence[Any]) -> Any:
        """The polynomial with these coefficients."""

    @abstractmethod
    def _spread(self, polynomial: Any, gap: int) -> Any:
        """The polynomial in the ``gap``-th power of its variable."""

    @abstractmethod
    def _need_room(self, shape: tuple[int, ...]) -> None:
        """Refuse a box of samples that would be too many, or too long."""

    def _working(self) -> AbstractContextManager[object]:
        """The precision to work in."""
        return nullcontext()

    def _packed(self, samples: NumberArray) -> Any:
        return self._ring(samples.ravel().tolist())

    def _repacked(self, polynomial: Any, shape: tuple[int, ...], room: tuple[int, ...]) -> Any:
        """A polynomial packed in ``shape``, now packed in the larger ``room``."""
        if shape[1:] == room[1:]:
            return polynomial
        larger = np.zeros((shape[0], *room[1:]), dtype=object)
        larger[box((0,) * self.ndim, shape)] = self.coefficients_of(polynomial, shape)
        return self._packed(larger)

    def _power(self, run: Run, room: tuple[int, ...]) -> Any:
        """One run's kernel to the power of its times, packed in ``room``."""
        weights = _times(run.step, _strides(room))
        places = np.ndindex(run.kernel.shape)
        exponents = [sum(a * w for a, w in zip(at, weights, strict=True)) for at in places]
        gap = gcd(*exponents) or 1
        dense = [0] * (exponents[-1] // gap + 1)
        for exponent, numerator in zip(exponents, run.numerators, strict=True):
            dense[exponent // gap] = numerator
        return self._spread(self._ring(dense) ** run.times, gap)


def _joined(runs: tuple[Run, ...], added: Run) -> tuple[Run, ...]:
    """The runs with one more; equal kernels make one run."""
    for at, run in enumerate(runs):
        if run.is_like(added):
            longer = replace(run, times=run.times + added.times)
            return (*runs[:at], longer, *runs[at + 1 :])
    return (*runs, added)


def _strides(room: tuple[int, ...]) -> tuple[int, ...]:
    """Places between neighbours on each axis of a row-major box."""
    return tuple(prod(room[axis + 1 :]) for axis in range(len(room)))


def _times(left: tuple[int, ...], right: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a * b for a, b in zip(left, right, strict=True))


def _positive(value: Steps, ndim: int, name: str) -> tuple[int, ...]:
    if min(steps := per_axis(value, ndim)) < 1:
        raise ErfTheoryError(f"a {name} is 1 or more on every axis, not {value}")
    return steps


def _need_axes(given: int, ndim: int) -> None:
    if given != ndim:
        raise ErfTheoryError(f"{given} spatial axes do not fit a field of {ndim}")
