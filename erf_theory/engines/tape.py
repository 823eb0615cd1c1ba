"""A field that is a record: the operations on it, to be played on other engines.

Rules of layers run once, on a record; what follows from it without arithmetic is done here. Factors
wait until fields meet, kernels with one tap are factors and shifts, equal convolutions in a row are
one with a power.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial, reduce
from itertools import chain, groupby, pairwise, zip_longest
from operator import add
from typing import Any, final

import numpy as np

from erf_theory.engines.field import Border, F, Program, point, weighted_sum
from erf_theory.exact import FloatArray, Number, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Operation", "Recorded", "Tape", "last_read", "recorded"]

_LEAST, _MOST = 1e-100, 1e100
"""Floats outside are recorded at once: doubles end not far from there."""
Operation = tuple[str, tuple[int, ...], tuple[Any, ...]]
_WHOLE = (1, ())
"""A term that is all of its step."""
_OBJECTS = (Kernel, np.ndarray)


@final
@dataclass(eq=False, repr=False)
class Tape:
    """Operations in the order they are to be played; step 0 is the impulse.

    Attributes
    ----------
    operations : list of Operation
        Of each the name of a field's method, the steps whose results it acts on, and its
        arguments. Those of a "sum" are the number and the shift of each of its terms.
    """

    operations: list[Operation] = field(default_factory=list)

    def append(self, name: str, sources: tuple[int, ...], *arguments: Any) -> int:
        """Record an operation, and give the number of its step."""
        self.operations.append((name, sources, arguments))
        return len(self.operations)


@final
@dataclass(slots=True, eq=False, repr=False)
class Recorded:
    """A field on record; as every field it is never changed.

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
        if kernel.taps.size == 1 and (times == 1 or kernel.is_exact):
            moves = tuple([times * o * d for o, d in zip(kernel.origin, steps, strict=True)])
            found = self.scale(kernel.taps.item() ** times)
            shift = _sum(self.shift, moves)
            return Recorded(self.tape, found.step, self.ndim, found.factor, shift)
        return self.after(self.tape.append("convolve", (self.step,), kernel, steps, times))

    def scale(self, factor: Number | FloatArray) -> Recorded:
        """Take a number into the factor, and record it before where that leaves doubles.

        Factors by channel or position are recorded.
        """
        if isinstance(factor, np.ndarray):
            placed = self.placed(self.factor)
            return placed.after(self.tape.append("scale", (placed.step,), factor))
        step, product = self.step, _product(self.factor, factor)
        if product is None:
            step, product = self.tape.append("sum", (step,), (self.factor, ())), factor
        if isinstance(product, float) and _near(product) is None:
            step, product = self.tape.append("sum", (step,), (product, ())), 1
        return Recorded(self.tape, step, self.ndim, product, self.shift)

    def __add__(self, other: Recorded) -> Recorded:
        """Record a sum; what both are multiplied by stays a factor, if doubles hold the rest."""
        common = self.factor or other.factor
        one, two = _quotient(self.factor, common), _quotient(other.factor, common)
        if one is None or two is None:
            return self.placed() + other.placed()
        terms = (one, self.shift if one else ()), (two, other.shift if two else ())
        step = self.tape.append("sum", (self.step, other.step), *terms)
        return Recorded(self.tape, step, self.ndim, common)

    def expand(self, s: Steps) -> Recorded:
        """Record a stride."""
        steps = per_axis(s, self.ndim)
        if max(steps) == 1:
            return self
        moved = tuple(a * d for a, d in zip(self.shift, steps, strict=False))
        step = self.tape.append("expand", (self.step,), steps)
        return Recorded(self.tape, step, self.ndim, self.factor, moved)

    def decimate(self, s: Steps) -> Recorded:
        """Record an upsampling."""
        steps = per_axis(s, self.ndim)
        if max(steps) == 1:
            return self
        placed = self.placed(self.factor)
        return placed.after(self.tape.append("decimate", (placed.step,), steps))

    def fold(self, size: Steps, border: Border) -> Recorded:
        """Record a border."""
        placed = self.placed(self.factor)
        return placed.after(self.tape.append("fold", (placed.step,), size, border))

    def take(self, a: int, b: int) -> Recorded:
        """Record a range of channels."""
        return self.after(self.tape.append("take", (self.step,), a, b))

    def term(self, common: Number) -> tuple[Number, tuple[int, ...]]:
        """Its factor but for ``common``, and its shift, which nothing has none of."""
        rest = _quotient(self.factor, common)
        assert rest is not None  # noqa: S101
        return rest, self.shift if rest else ()

    def placed(self, common: Number = 1) -> Recorded:
        """The same with its shift recorded, and its factor but for ``common``."""
        step, term = self.step, self.term(common)
        if term != _WHOLE:
            step = self.tape.append("sum", (step,), term)
        return Recorded(self.tape, step, self.ndim, common)

    def after(self, step: int) -> Recorded:
        """The same behind a later step."""
        return Recorded(self.tape, step, self.ndim, self.factor, self.shift)


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
    operations = _powered(_fused(tape.operations[: end.step]), ndim)
    steps = list(zip(operations, last_read(operations), strict=True))

    def play(impulse: F, /) -> F:
        return _played(steps, impulse)

    return play


def _played(steps: list[tuple[Operation, set[int]]], impulse: F) -> F:
    """What operations make of an impulse; a field goes with its last reader."""
    fields, total = {0: impulse}, weighted_sum.dispatch(type(impulse))
    for place, ((name, sources, arguments), done) in enumerate(steps, 1):
        if name == "sum":
            terms = zip(sources, arguments, strict=True)
            found = total(impulse, [(fields[i], factor, by) for i, (factor, by) in terms])
        else:
            found = getattr(fields[sources[0]], name)(*arguments)
        for step in done:
            del fields[step]
        fields[place] = found
    return fields[len(steps)]


def last_read(operations: Sequence[Operation]) -> list[set[int]]:
    """The steps that every operation is the last to read.

    Parameters
    ----------
    operations : sequence of Operation
        All of a record, or the first ones.

    Examples
    --------
    >>> tape = Tape()
    >>> field = Recorded(tape, 0, 1).expand(2)
    >>> _ = field.expand(3) + field
    >>> last_read(tape.operations)
    [{0}, set(), {1, 2}]
    """
    later: set[int] = set()
    found = []
    for _, sources, _ in reversed(operations):
        found.append({*sources} - later)
        later |= found[-1]
    return found[::-1]


def _fused(operations: list[Operation]) -> list[Operation]:
    """The same with what can be one operation as one, where nothing else reads between."""
    readers = Counter(chain.from_iterable([sources for _, sources, _ in operations]))
    found: list[Operation] = []
    places = [0]
    for name, sources, arguments in operations:
        operation = name, tuple([places[i] for i in sources]), arguments
        place, both = operation[1][0], None
        if place and readers[sources[0]] == 1 and found[place - 1][0] == name:
            both = _both(found[place - 1], operation)
        if both is None or (name == "sum" and place < len(found)):
            found.append(operation)
            place = len(found)
        else:
            found[place - 1] = both
        places.append(place)
    return found


def _both(one: Operation, other: Operation) -> Operation | None:
    """One operation and a like one on its result as one: equal convolutions, or sums of sums."""
    (name, before, first), (_, sources, then) = one, other
    if name == "convolve" and first[0] is then[0] and first[1] == then[1]:
        return name, before, (*first[:2], first[2] + then[2])
    if name == "sum" and then[0] == _WHOLE:
        return name, before + sources[1:], first + then[1:]
    return None


def _powered(operations: list[Operation], ndim: int) -> list[Operation]:
    """The same with runs of equal blocks as one kernel and a power.

    A block begins and ends where nothing later reads anything earlier.
    """
    found: list[Operation] = []
    for _, group in groupby(_blocks(operations), key=partial(_marks, operations)):
        (first, last), *others = group
        if others:
            block = [_moved(operation, -first) for operation in operations[first:last]]
            if (kernel := _kernel_of(block, ndim)) is not None:
                times = 1 + len(others)
                found.append(("convolve", (len(found),), (kernel, (1,) * ndim, times)))
                continue
            last = others[-1][1]
        by = len(found) - first
        found.extend([_moved(operation, by) for operation in operations[first:last]])
    return found


def _blocks(operations: list[Operation]) -> Iterator[tuple[int, int]]:
    """First operation, and the one behind the last, from one waist to the next."""
    lowest, waists = len(operations), [len(operations)]
    for place in reversed(range(len(operations))):
        lowest = min(lowest, *operations[place][1])
        if lowest == place:
            waists.append(place)
    return pairwise(reversed(waists))


def _moved(operation: Operation, by: int) -> Operation:
    """The same on steps that are so many further on."""
    if by == 0:
        return operation
    name, sources, arguments = operation
    return name, tuple([step + by for step in sources]), arguments


def _marks(operations: list[Operation], block: tuple[int, int]) -> list[Any]:
    """What tells blocks apart; kernels and arrays are the same if they are one object."""
    first, last = block
    moved = [_moved(operation, -first) for operation in operations[first:last]]
    return [
        (name, sources, *[id(x) if isinstance(x, _OBJECTS) else x for x in arguments])
        for name, sources, arguments in moved
    ]


def _kernel_of(block: list[Operation], ndim: int) -> Kernel | None:
    """The kernel that a block of convolutions and sums is; None for another block."""
    steps = [Kernel.delta(ndim)]
    for name, sources, arguments in block:
        if name == "convolve":
            kernel, step, times = arguments
            steps.append(steps[sources[0]] @ kernel.dilate(step) ** times)
        elif name == "sum":
            nowhere = (0,) * ndim
            terms = zip(sources, arguments, strict=True)
            parts = [steps[i] @ point(factor, by or nowhere) for i, (factor, by) in terms]
            steps.append(reduce(add, parts))
        else:
            return None
    return steps[-1]


def _sum(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    """Two shifts as one, () for none."""
    both = tuple(map(sum, zip_longest(one, two, fillvalue=0)))
    return both if any(both) else ()


def _product(one: Number, two: Number) -> Number | None:
    """The product of two factors; None where it cannot wait."""
    if not isinstance(one, float) and not isinstance(two, float):
        return number(one * two)
    a, b = _near(one), _near(two)
    return None if a is None or b is None else _near(a * b)


def _quotient(one: Number, two: Number) -> Number | None:
    """What is left of a factor without another one; None where no double may hold it."""
    if one == two:
        return 1
    if not isinstance(one, float) and not isinstance(two, float):
        return number(Fraction(one) / Fraction(two))
    a, b = _near(one), _near(two)
    return None if a is None or b is None else a / b


def _near(factor: Number) -> float | None:
    """A factor as a double; None where doubles may not hold its products with others like it."""
    try:
        value = float(factor)
    except OverflowError:
        return None
    if _LEAST < abs(value) < _MOST:
        return value
    return None if factor else value
