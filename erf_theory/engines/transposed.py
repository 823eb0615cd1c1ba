"""A record played from its end: what a unit of every step makes of the end, in one pass.

A program carries the field of one unit to the input. Its transpose carries a field of the input's
coordinates to every step: at a step, channel by channel, what a unit there at place 0 makes of the
end. Every convolution is the same, its matrix turned and its taps as far apart as they are at the
end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, final

import numpy as np

from erf_theory.engines import convolution
from erf_theory.engines.convolution import Samples
from erf_theory.engines.field import refusal, weighted_sum
from erf_theory.engines.tape import Operation, Recorded
from erf_theory.exact import FloatArray
from erf_theory.kernel import Kernel
from erf_theory.lattice import per_axis

__all__ = ["channels_of", "responses"]


@final
class _Seen(NamedTuple):
    """What the units of a step make of the end, and the places there for one at the step."""

    samples: Samples
    jump: tuple[int, ...]

    def plus(self, other: _Seen) -> _Seen:
        """What both make of it: one way and another from the same step."""
        return _Seen(self.samples + other.samples, self.jump)


def responses(
    end: Recorded, channels: int, ends: FloatArray, wanted: Collection[int], first: int = 0
) -> Iterator[tuple[int, Samples]]:
    """What a unit at place 0 of some steps makes of the end, channel by channel.

    Parameters
    ----------
    end : Recorded
        The end, placed.
    channels : int
        Channels of the impulse.
    ends : ndarray, shape (channels of the end,)
        The weights of the end's channels, which are summed.
    wanted : collection of int
        The steps.
    first : int
        The step to go back to.

    Yields
    ------
    tuple of int and Samples
        Steps, the last one first, each with the samples of its channels at the end's places.

    Raises
    ------
    EngineError
        If a step decimates or folds: units there do not all see alike.

    Examples
    --------
    >>> from erf_theory.engines.tape import Tape
    >>> tape = Tape()
    >>> field = Recorded(tape, 0, 1).convolve(Kernel([[[1.0, 2.0]], [[0.0, 3.0]]], (0,)))
    >>> found = dict(responses(field, 2, np.ones(1), {0}))
    >>> np.ldexp(found[0].values, found[0].exponent).tolist()
    [[1.0, 2.0], [0.0, 3.0]]
    """
    counts = channels_of(end.tape.operations[: end.step], channels)
    seen = {end.step: _Seen(convolution.impulse(end.ndim, ends), (1,) * end.ndim)}
    for step in range(end.step, first - 1, -1):
        here = seen.pop(step, None)
        if here is None:
            continue
        if step in wanted:
            yield step, here.samples
        if step == first:
            return
        for source, part in _before(end.tape.operations[step - 1], here, counts):
            seen[source] = seen[source].plus(part) if source in seen else part


def _before(
    operation: Operation, here: _Seen, counts: Sequence[int]
) -> Iterator[tuple[int, _Seen]]:
    """The steps that an operation acts on, and what their units make of the end through it."""
    name, sources, arguments = operation
    samples, jump = here
    source = sources[0]
    if name == "sum":
        for at, (factor, shift) in zip(sources, arguments, strict=True):
            if not factor:
                continue
            moved = tuple(a * j for a, j in zip(shift, jump, strict=False))
            yield at, _Seen(weighted_sum(samples, [(samples, factor, moved)]), jump)
    elif name == "expand":
        (steps,) = arguments
        yield source, _Seen(samples, tuple(j * s for j, s in zip(jump, steps, strict=True)))
    elif name == "convolve":
        kernel, steps, times = arguments
        apart = tuple(j * d for j, d in zip(jump, per_axis(steps, len(jump)), strict=True))
        yield source, _Seen(samples.convolve(_turned(kernel), apart, times), jump)
    elif name == "scale" and arguments[0].ndim == 1:
        yield source, _Seen(samples.scale(arguments[0]), jump)
    elif name == "take":
        first, last = arguments
        yield source, _Seen(_among(samples, first, last, counts[source]), jump)
    else:
        raise refusal("transposed", f"{name} a field", "the others can")


def _turned(kernel: Kernel) -> Kernel:
    """The kernel with its matrix of channels transposed."""
    if len(kernel.channels) < 2:
        return kernel
    return kernel.laid(np.swapaxes(kernel.taps, 0, 1), kernel.origin)


def _among(samples: Samples, first: int, last: int, channels: int) -> Samples:
    """Channels first to last-1 of so many, the others 0."""
    values = np.zeros((channels, *samples.values.shape[1:]))
    values[first:last] = samples.values
    return Samples(values, samples.start, samples.exponent, samples.floor)


def channels_of(operations: Sequence[Operation], channels: int) -> list[int]:
    """Channels of every step, the impulse first.

    Parameters
    ----------
    operations : sequence of Operation
        All that lead to the steps behind it.
    channels : int
        Channels of the impulse.

    Examples
    --------
    >>> from erf_theory.engines.tape import Tape
    >>> tape = Tape()
    >>> _ = Recorded(tape, 0, 1).take(1, 3).expand(2)
    >>> channels_of(tape.operations, 4)
    [4, 2, 2]
    """
    found = [channels]
    for name, sources, arguments in operations:
        count = found[sources[0]]
        if name == "take":
            count = arguments[1] - arguments[0]
        elif name == "convolve" and len(arguments[0].channels) == 2:
            count = arguments[0].channels[1]
        found.append(count)
    return found
