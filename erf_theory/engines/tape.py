"""A field that is a record: the operations on it, to be played on other engines.

Rules of layers run once, on a record; what follows from it without arithmetic is done here. Factors
wait until fields meet, kernels with one tap are factors and shifts, equal convolutions in a row are
one with a power.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import groupby, pairwise
from math import log10
from typing import Any, final

import numpy as np

from erf_theory.engines.field import Border, F, Program
from erf_theory.exact import FloatArray, Number, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Recorded", "Tape", "recorded"]

_FAR = 100
"""Decimal exponent of factors that are recorded at once."""
_Operation = tuple[str, int, tuple[Any, ...]]
"""Name of a field's method, the step whose result it acts on, and its arguments."""


@final
@dataclass
class Tape:
    """Operations in the order they are to be played; step 0 is the impulse."""

    operations: list[_Operation] = field(default_factory=list)

    def append(self, name: str, source: int, *arguments: Any) -> int:
        """Record an operation, and give the number of its step."""
        self.operations.append((name, source, arguments))
        return len(self.operations)

    def play(self, impulse: F) -> F:
        """What the operations make of an impulse; a field goes with its last reader."""
        last = {source: at for at, step in enumerate(self.operations) for source in _read(step)}
        steps = {0: impulse}
        for at, (name, source, arguments) in enumerate(self.operations):
            field = steps[source]
            if name == "add":
                found = field + steps[arguments[0]]
            else:
                found = getattr(field, name)(*arguments)
            for step in {step for step in _read(self.operations[at]) if last[step] == at}:
                del steps[step]
            steps[at + 1] = found
        return steps[len(self.operations)]


@final
@dataclass(frozen=True)
class Recorded:
    """A field on record.

    Attributes
    ----------
    tape : Tape
        Where it is recorded.
    step : int
        The step that it is the result of, but for a factor and a shift.
    ndim : int
        Spatial axes.
    factor : number
        What it is multiplied by.
    shift : tuple of int
        What it is moved by.
    """

    tape: Tape
    step: int
    ndim: int
    factor: Number = 1
    shift: tuple[int, ...] = ()

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Recorded:
        """Record a convolution; one tap is a factor and a shift."""
        if times == 0:
            return self
        steps = per_axis(step, self.ndim)
        if kernel.taps.size == 1 and _is_near(kernel.taps.flat[0], times):
            rows = zip(self._at, kernel.origin, steps, strict=True)
            shift = tuple(a + times * o * d for a, o, d in rows)
            return self._times(kernel.taps.flat[0], times, shift)
        return self.after(self.tape.append("convolve", self.step, kernel, steps, times))

    def scale(self, factor: Number | FloatArray) -> Recorded:
        """Take a number into the factor; record factors by channel or position."""
        if isinstance(factor, np.ndarray):
            placed = self.placed(self.factor)
            return placed.after(self.tape.append("scale", placed.step, factor))
        return self._times(factor, 1, self.shift)

    def __add__(self, other: Recorded) -> Recorded:
        """Record a sum; what both are multiplied by stays a factor."""
        common = self.factor or other.factor
        one, two = (part.placed(common) for part in (self, other))
        return Recorded(self.tape, self.tape.append("add", one.step, two.step), self.ndim, common)

    def expand(self, s: Steps) -> Recorded:
        """Record a stride."""
        steps = per_axis(s, self.ndim)
        if max(steps) == 1:
            return self
        moved = tuple(a * d for a, d in zip(self._at, steps, strict=True))
        step = self.tape.append("expand", self.step, steps)
        return Recorded(self.tape, step, self.ndim, self.factor, moved)

    def decimate(self, s: Steps) -> Recorded:
        """Record an upsampling."""
        steps = per_axis(s, self.ndim)
        if max(steps) == 1:
            return self
        placed = self.placed(self.factor)
        return placed.after(self.tape.append("decimate", placed.step, steps))

    def fold(self, size: Steps, border: Border) -> Recorded:
        """Record a border."""
        placed = self.placed(self.factor)
        return placed.after(self.tape.append("fold", placed.step, size, border))

    def take(self, a: int, b: int) -> Recorded:
        """Record a range of channels."""
        return self.after(self.tape.append("take", self.step, a, b))

    def _times(self, factor: Any, times: int, shift: tuple[int, ...]) -> Recorded:
        """The same at a shift, with more in its factor; what leaves doubles is recorded before."""
        product = _product(self.factor, factor, times)
        if _is_near(product):
            return Recorded(self.tape, self.step, self.ndim, product, shift)
        step = self.tape.append("scale", self.step, self.factor)
        return Recorded(self.tape, step, self.ndim, _product(1, factor, times), shift)

    def placed(self, common: Number = 1) -> Recorded:
        """The same with its shift recorded, and its factor but for ``common``."""
        found, rest = self.step, _quotient(self.factor, common)
        if any(self._at):
            point = _point(rest, self._at)
            found = self.tape.append("convolve", found, point, (1,) * self.ndim, 1)
        elif rest != 1:
            found = self.tape.append("scale", found, rest)
        return Recorded(self.tape, found, self.ndim, common)

    def after(self, step: int) -> Recorded:
        """The same behind a later step."""
        return Recorded(self.tape, step, self.ndim, self.factor, self.shift)

    @property
    def _at(self) -> tuple[int, ...]:
        return self.shift or (0,) * self.ndim


def recorded(program: Program, ndim: int) -> Program:
    """The same program, its rules already run.

    Examples
    --------
    >>> from erf_theory.engines.cumulants import impulse
    >>> def twice(field):
    ...     return field.scale(2).convolve(Kernel.uniform(3)).convolve(Kernel.uniform(3))
    >>> recorded(twice, 1)(impulse(1)).mass
    18
    """
    tape = Tape()
    end = program(Recorded(tape, 0, ndim)).placed()
    short = Tape(_powered(_fused(tape.operations[: end.step]), ndim))

    def play(impulse: F, /) -> F:
        return short.play(impulse)

    return play


@lru_cache(maxsize=1024, typed=True)
def _point(weight: Number, at: tuple[int, ...]) -> Kernel:
    """One tap; equal ones are one object."""
    kind = np.float64 if isinstance(weight, float) else object
    return Kernel.of(np.full((1,) * len(at), weight, dtype=kind), at)


def _read(operation: _Operation) -> tuple[int, ...]:
    """The steps whose results an operation acts on."""
    name, source, arguments = operation
    return (source, arguments[0]) if name == "add" else (source,)


def _fused(operations: list[_Operation]) -> list[_Operation]:
    """The same with equal convolutions in a row as one, where nothing else reads between them."""
    readers = Counter(step for operation in operations for step in _read(operation))
    found: list[_Operation] = []
    places = [0]
    for name, source, arguments in operations:
        place = places[source]
        if name == "convolve" and place and readers[source] == 1:
            before, start, (*kernel, times) = found[place - 1]
            if before == name and kernel[0] is arguments[0] and kernel[1] == arguments[1]:
                found[place - 1] = (name, start, (*kernel, times + arguments[2]))
                places.append(place)
                continue
        more = (places[arguments[0]],) if name == "add" else arguments
        found.append((name, place, more))
        places.append(len(found))
    return found


def _powered(operations: list[_Operation], ndim: int) -> list[_Operation]:
    """The same with runs of equal blocks as one kernel and a power.

    A block begins and ends where nothing later reads anything earlier.
    """
    found: list[_Operation] = []
    for _, group in groupby(_blocks(operations), key=_marks):
        block, *others = group
        times = 1 + len(others)
        kernel = _kernel_of(block, ndim) if times > 1 else None
        if kernel is not None:
            found.append(("convolve", len(found), (kernel, (1,) * ndim, times)))
            continue
        for _ in range(times):
            start = len(found)
            for name, source, arguments in block:
                more = (arguments[0] + start,) if name == "add" else arguments
                found.append((name, source + start, more))
    return found


def _blocks(operations: list[_Operation]) -> Iterator[list[_Operation]]:
    """The operations from one waist to the next, their steps counted from it."""
    lowest, waists = len(operations), [len(operations)]
    for place in reversed(range(len(operations))):
        name, source, arguments = operations[place]
        lowest = min(lowest, source, arguments[0] if name == "add" else source)
        if lowest == place:
            waists.append(place)
    for first, last in pairwise(reversed(waists)):
        yield [
            (name, source - first, (arguments[0] - first,) if name == "add" else arguments)
            for name, source, arguments in operations[first:last]
        ]


def _marks(block: list[_Operation]) -> list[Any]:
    """What tells blocks apart; kernels and arrays are the same if they are one object."""
    return [
        (name, source, *(id(x) if isinstance(x, Kernel | np.ndarray) else x for x in arguments))
        for name, source, arguments in block
    ]


def _kernel_of(block: list[_Operation], ndim: int) -> Kernel | None:
    """The kernel that a block of convolutions, factors and sums is; None for another block."""
    steps = [Kernel.delta(ndim)]
    for name, source, arguments in block:
        if name == "convolve":
            kernel, step, times = arguments
            steps.append(steps[source] @ kernel.dilate(step) ** times)
        elif name == "scale" and not isinstance(arguments[0], np.ndarray):
            steps.append(steps[source] * arguments[0])
        elif name == "add":
            steps.append(steps[source] + steps[arguments[0]])
        else:
            return None
    return steps[-1]


def _is_near(factor: Any, times: int = 1) -> bool:
    """Whether a power of a float is far from where doubles end; exact numbers always are."""
    if not isinstance(factor, float) or factor == 0:
        return True
    return times * abs(log10(abs(factor))) < _FAR


def _product(one: Number, two: Any, times: int) -> Number:
    """One times two to a power: exact if both are."""
    if two == 1:
        return one
    if isinstance(one, float) or isinstance(two, float):
        return float(one) * float(two) ** times
    return number(one * two**times)


def _quotient(one: Number, two: Number) -> Number:
    if one == two:
        return 1
    if isinstance(one, float) or isinstance(two, float):
        return float(one) / float(two)
    return number(Fraction(one) / Fraction(two))
