"""Random kernels and random programs: what a network may do to a field, drawn by Hypothesis.

A program is data, so that Hypothesis can print and shrink it, and a function from field to
field, so that it runs on every engine and on the twin.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from erf_theory.engines.extent import extent_of
from erf_theory.kernel import Kernel
from erf_theory.testing import kernels

INTEGERS = st.integers(0, 9)
FRACTIONS = st.fractions(0, 3, max_denominator=9)
FLOATS = st.one_of(st.just(0.0), st.floats(1e-4, 4))
POSITIVE = st.one_of(INTEGERS, FRACTIONS, FLOATS)
EXACT = st.one_of(st.integers(-5, 9), st.fractions(-2, 3, max_denominator=9))
SIGNED = st.one_of(EXACT, FLOATS.map(lambda tap: -tap))

_PLACES = 2000
"""Most places in the box of a map."""


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
    drawn = st.builds(lambda first, rest: Chain((first, *rest)), convolve, deep)
    return drawn.filter(lambda program: extent_of(program, ndim).size <= _PLACES)


def repeated(drawn, ndim):
    """A program several times in a row, its kernels the same objects."""
    most = 4 if ndim == 1 else 2
    times = st.builds(lambda program, n: Chain((program,) * n), drawn, st.integers(1, most))
    return times.filter(lambda program: extent_of(program, ndim).size <= _PLACES)


FAINT = st.sampled_from([0, 1, 1, 3, 0.001, 1e-6, 1e-10])
"""Taps that lie far apart: what is faint in one layer is all that another one leaves."""


def stacks(taps, *, decimate=False, depth=2):
    """Up to four runs of up to 40 layers each, with branches, strides and faint factors."""
    convolve = st.builds(
        lambda kernel, step, times: Do("convolve", (kernel, step, times)),
        st.one_of(kernels(taps), st.integers(1, 6).map(Kernel.uniform)),
        st.integers(1, 4),
        st.one_of(st.integers(1, 4), st.integers(5, 40)),
    )
    signs = (1, -1) if taps is SIGNED else (1,)
    factors = st.tuples(st.sampled_from(signs), st.sampled_from([0.5, 3, 1e-3, 1e-12]))
    scale = factors.map(lambda pair: Do("scale", (pair[0] * pair[1],)))
    level = st.one_of(convolve, convolve, scale)
    for _ in range(depth):
        inside = _chain(level, 3)
        level = st.one_of(convolve, convolve, scale, st.builds(Fork, inside, inside))
    jumps = ["expand", "decimate"] if decimate else ["expand"]
    jump = st.builds(lambda name, s: Do(name, (s,)), st.sampled_from(jumps), st.integers(2, 3))
    drawn = _chain(st.one_of(level, level, jump), 4)
    return drawn.filter(lambda program: extent_of(program, 1).size <= _PLACES)
