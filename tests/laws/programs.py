"""Random kernels and random programs: what a network may do to a field, drawn by Hypothesis.

A program is data, so that Hypothesis can print and shrink it, and a function from field to
field, so that it runs on every engine and on the twin.
"""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from erf_theory.kernel import Kernel

INTEGERS = st.integers(0, 9)
FRACTIONS = st.fractions(0, 3, max_denominator=9)
FLOATS = st.one_of(st.just(0.0), st.floats(1e-4, 4))
POSITIVE = st.one_of(INTEGERS, FRACTIONS, FLOATS)
EXACT = st.one_of(st.integers(-5, 9), st.fractions(-2, 3, max_denominator=9))
SIGNED = st.one_of(EXACT, FLOATS.map(lambda tap: -tap))

_SIZES = {1: 5, 2: 3, 3: 2}
"""Most taps per axis, so that enumerating all paths stays quick."""


@st.composite
def kernels(draw, taps=SIGNED, ndim=1):
    """Asymmetric, with holes and zero rims, anywhere; not the kernel of zeros."""
    shape = draw(st.tuples(*[st.integers(1, _SIZES[ndim])] * ndim).filter(lambda s: prod(s) > 1))
    count = prod(shape)
    values = draw(st.lists(taps, min_size=count, max_size=count).filter(any))
    array = np.empty(count, dtype=object)
    array[:] = values
    return Kernel(array.reshape(shape), draw(st.tuples(*[st.integers(-3, 2)] * ndim)))


def steps(ndim, largest=3):
    """One step for all axes, or one per axis."""
    each = st.integers(1, largest)
    return st.one_of(each, st.tuples(*[each] * ndim))


@dataclass(frozen=True)
class Do:
    """One operation by its name, with its arguments."""

    name: str
    arguments: tuple[Any, ...]

    def __call__(self, field):
        return getattr(field, self.name)(*self.arguments)


@dataclass(frozen=True)
class Chain:
    """One program after the other."""

    parts: tuple[Any, ...]

    def __call__(self, field):
        for part in self.parts:
            field = part(field)
        return field


@dataclass(frozen=True)
class Fork:
    """The sum of what two programs make of the same field."""

    left: Any
    right: Any

    def __call__(self, field):
        return self.left(field) + self.right(field)


def has(program, name):
    """Whether a program ever does the operation of this name."""
    if isinstance(program, Do):
        return program.name == name
    parts = program.parts if isinstance(program, Chain) else (program.left, program.right)
    return any(has(part, name) for part in parts)


def _chain(parts, most):
    return st.lists(parts, min_size=1, max_size=most).map(lambda drawn: Chain(tuple(drawn)))


def _between(before, middle, after, ndim):
    """A stride undone by an upsampling, or the other way round: the node's jump comes back."""
    return st.builds(
        lambda s, inside: Chain((Do(before, (s,)), inside, Do(after, (s,)))), steps(ndim), middle
    )


def programs(taps=SIGNED, ndim=1, *, decimate=True, depth=2):
    """Convolutions, factors, branches, strides and upsamplings, in any order.

    Both branches of a fork end at the same node: the jumps inside cancel.
    """
    convolve = st.builds(
        lambda kernel, step, times: Do("convolve", (kernel, step, times)),
        kernels(taps, ndim),
        steps(ndim),
        st.integers(0, 3 if ndim == 1 else 2),
    )
    scale = st.builds(lambda factor: Do("scale", (factor,)), taps.filter(bool) | st.just(0))
    level = st.one_of(convolve, convolve, scale)
    for _ in range(depth):
        inside = _chain(level, 2)
        fork = st.builds(Fork, inside, inside)
        branches = [convolve, scale, fork]
        if decimate:
            branches.append(_between("expand", inside, "decimate", ndim))
            branches.append(_between("decimate", inside, "expand", ndim))
        level = st.one_of(*branches)
    free = [st.builds(lambda s: Do("expand", (s,)), steps(ndim))]
    if decimate:
        free.append(st.builds(lambda s: Do("decimate", (s,)), steps(ndim)))
    deep = st.lists(st.one_of(level, level, *free), min_size=1, max_size=4)
    return st.builds(lambda first, rest: Chain((first, *rest)), convolve, deep)
