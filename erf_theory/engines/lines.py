"""What units of many steps of a record make of its end: the mean over their channels.

There are two ways from a step to the end. The end's coordinates go back to the step, as
`transposed` has it: short where the end is near. Or the unit's field goes to the end: short where
the unit sees few places. So they meet at a step that every way passes. The fields of the units in
front of it go there together, side by side as one field.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, final

import numpy as np

from erf_theory.engines.convolution import Samples, impulse, is_any
from erf_theory.engines.field import refusal, weighted_sum
from erf_theory.engines.tape import Operation, Recorded, last_read
from erf_theory.engines.transposed import channels_of, responses
from erf_theory.exact import FloatArray

__all__ = ["mean_lines"]

_LOST = 64
"""Fields are left out that are less than 2**64 times what may have underflowed."""
_ROOM = 64
"""Products of two samples are made smaller by 2**64, so that doubles hold their sums."""


def mean_lines(
    end: Recorded, channels: int, ends: FloatArray, wanted: Collection[int]
) -> Iterator[tuple[int, Samples]]:
    """What a unit at place 0 of some steps makes of the end, the mean over the step's channels.

    Parameters
    ----------
    end : Recorded
        The end, placed, on one axis.
    channels : int
        Channels of the impulse.
    ends : ndarray, shape (channels of the end,)
        The weights of the end's channels, which are summed.
    wanted : collection of int
        The steps.

    Yields
    ------
    tuple of int and Samples
        Steps that the end depends on, each with the samples at the end's places, without channels.
        Steps are left out whose fields are 0, or too far below those of others.

    Raises
    ------
    EngineError
        If a step decimates or folds: units there do not all see alike.

    Examples
    --------
    >>> from erf_theory.engines.tape import Tape
    >>> from erf_theory.kernel import Kernel
    >>> field = Recorded(Tape(), 0, 1).convolve(Kernel([[[1.0, 2.0]], [[0.0, 3.0]]], (0,)))
    >>> found = dict(mean_lines(field, 2, np.ones(1), {0}))
    >>> np.ldexp(found[0].values, found[0].exponent).tolist()
    [0.5, 2.5]
    """
    operations = end.tape.operations[: end.step]
    sights = _sights(operations)
    seen = sorted(step for step in wanted if step in sights)
    counts = channels_of(operations, channels)
    meeting = _meeting(operations, sights, counts, seen)
    for step, samples in responses(end, channels, ends, {*seen, meeting}, meeting):
        if step in wanted:
            yield step, samples._replace(values=samples.values.mean(axis=0))
    units = _side_by_side(sights, meeting, [step for step in seen if step < meeting])
    if units:
        field, powers = _carried(operations[:meeting], sights, units, counts)
        yield from _met(field, powers, units, samples, sights[meeting].jump)


@final
class _Sight(NamedTuple):
    """Places of the end that a unit of a step sees, and how far its neighbour's are from them."""

    first: int
    last: int
    jump: int

    @property
    def size(self) -> int:
        """How many places there are from the first to the last."""
        return self.last - self.first + 1

    def joined(self, other: _Sight | None) -> _Sight:
        """What is seen in two ways."""
        if other is None:
            return self
        return _Sight(min(self.first, other.first), max(self.last, other.last), self.jump)

    def of(self, step: _Sight) -> range:
        """The places of a step which this is seen through."""
        first, last = self.first - step.first, self.last - step.last
        return range(first // step.jump, last // step.jump + 1)


def _sights(operations: Sequence[Operation]) -> dict[int, _Sight]:
    """What a unit of every step sees of the end, for steps that the end depends on."""
    found = {len(operations): _Sight(0, 0, 1)}
    for step in range(len(operations), 0, -1):
        for source, sight in _before(operations[step - 1], found[step]) if step in found else ():
            found[source] = sight.joined(found.get(source))
    return found


def _before(operation: Operation, sight: _Sight) -> Iterator[tuple[int, _Sight]]:
    """The steps that an operation reads, and what their units see of the end through it."""
    name, sources, arguments = operation
    first, last, jump = sight
    if name == "sum":
        for source, (factor, shift) in zip(sources, arguments, strict=True):
            if factor:
                by = jump * sum(shift)
                yield source, _Sight(first + by, last + by, jump)
    elif name == "expand":
        yield sources[0], _Sight(first, last, jump * arguments[0][0])
    elif name == "convolve":
        kernel, steps, times = arguments
        apart = jump * steps[0] * times
        low, high = kernel.origin[0], kernel.origin[0] + kernel.shape[0] - 1
        yield sources[0], _Sight(first + low * apart, last + high * apart, jump)
    elif name == "take" or (name == "scale" and arguments[0].ndim == 1):
        yield sources[0], sight
    else:
        raise refusal("transposed", f"{name} a field", "the others can")


def _meeting(
    operations: Sequence[Operation],
    sights: Mapping[int, _Sight],
    counts: Sequence[int],
    seen: Sequence[int],
) -> int:
    """The step that all ways pass and whose two halves take the fewest multiplications.

    All ways pass a step behind which nothing reads an earlier one.
    """
    sizes = [0, *accumulate(sights[step].size for step in seen)]

    def columns(step: int) -> int:
        """About how many of its places the units in front of a step see, all together."""
        count, sight = bisect_right(seen, step), sights[step]
        return (sizes[count] - count * sight.size) // sight.jump + count

    costs, saved, lowest = {}, 0, len(operations)
    for step in sorted(sights, reverse=True):
        if step <= lowest:
            costs[step] = counts[step] * sights[step].size * columns(step) - saved
        if step == 0:
            break
        name, _, arguments = operations[step - 1]
        for source, _ in _before(operations[step - 1], sights[step]):
            lowest = min(lowest, source)
            taps = arguments[0].taps.size if name == "convolve" else 0
            saved += taps * (columns(source) - sights[step].size)
    return min(costs, key=costs.__getitem__)


@final
class _Unit(NamedTuple):
    """A unit beside others: where its place 0 is at the meeting, and what of it is seen there."""

    start: int
    seen: range
    jump: int


def _side_by_side(
    sights: Mapping[int, _Sight], meeting: int, steps: Sequence[int]
) -> dict[int, _Unit]:
    """Units of steps, so far apart that no two see the same place of the meeting."""
    found, free = {}, 0
    for step in steps:
        seen = sights[step].of(sights[meeting])
        jump = sights[step].jump // sights[meeting].jump
        start = -(-(free - seen.start) // jump) * jump
        found[step] = _Unit(start, seen, jump)
        free = start + seen.stop
    return found


def _carried(
    operations: Sequence[Operation],
    sights: Mapping[int, _Sight],
    units: Mapping[int, _Unit],
    counts: Sequence[int],
) -> tuple[Samples, dict[int, int]]:
    """The fields of units as one behind the last operation, and the powers of 2 on top of them.

    A unit joins a field with the power that the field has, or where there is none with that of the
    last one, so that none is lost beside another.
    """
    fields: dict[int, Samples] = {}
    powers, level = {}, 0
    done: list[set[int]] = [set(), *last_read(operations)]
    for step in range(len(operations) + 1):
        found = _played(operations[step - 1], fields) if step and step in sights else None
        if found and is_any(found.values):
            level = found.exponent
        if step in units:
            unit = _unit(counts[step], units[step])
            powers[step] = unit.exponent - level
            unit = unit._replace(exponent=level)
            found = found + unit if found else unit
        for source in done[step] & fields.keys():
            del fields[source]
        if found:
            fields[step] = found
    return fields[len(operations)], powers


def _unit(channels: int, unit: _Unit) -> Samples:
    """All channels of a unit alike, at its place."""
    weights = np.full(channels, 1 / channels)
    return impulse(1, weights)._replace(start=(unit.start // unit.jump,))


def _played(operation: Operation, fields: Mapping[int, Samples]) -> Samples | None:
    """What an operation makes of fields; None if it reads none of them."""
    name, sources, arguments = operation
    if name != "sum":
        field = fields.get(sources[0])
        return field and getattr(field, name)(*arguments)
    terms = [
        (fields[source], factor, shift)
        for source, (factor, shift) in zip(sources, arguments, strict=True)
        if factor and source in fields
    ]
    return weighted_sum(terms[0][0], terms) if terms else None


def _met(
    field: Samples,
    powers: Mapping[int, int],
    units: Mapping[int, _Unit],
    response: Samples,
    jump: int,
) -> Iterator[tuple[int, Samples]]:
    """What units make of the end, from their fields at a step and the response of its units."""
    least = np.ldexp(1.0, field.floor + _LOST)
    lines = field.values.T @ (response.values * 2.0**-_ROOM)
    for step, (start, seen, _) in units.items():
        first = start + seen.start - field.start[0]
        own = slice(first, first + len(seen))
        if not np.any(field.values[:, own] > least):
            continue
        line = np.zeros((len(seen) - 1) * jump + lines.shape[1])
        for place, part in enumerate(lines[own]):
            line[place * jump : place * jump + len(part)] += part
        begin = seen.start * jump + response.start[0]
        exponent = field.exponent + response.exponent + powers[step] + _ROOM
        yield step, Samples(line, (begin,), exponent, response.floor)
