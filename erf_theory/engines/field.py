"""The operations on a gradient field: everything that a network ever does to one.

A *program* is a function from field to field, written with these operations only. An engine
is a class that implements them; running a program on the engine's unit impulse gives the
engine's answer. Programs are written once and run on every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce, singledispatch
from operator import add
from typing import Any, Literal, Protocol, Self, TypeVar

import numpy as np

from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps

__all__ = [
    "Border",
    "F",
    "Field",
    "Program",
    "Term",
    "entered",
    "point",
    "refusal",
    "weighted_sum",
]

Border = Literal["zeros", "reflect", "replicate", "circular"]


class Field(Protocol):
    """A gradient field on the lattice of one node, in that node's absolute coordinates."""

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Self:
        """Convolve ``times`` times with the kernel, its taps ``step`` apart."""
        ...

    def scale(self, factor: Number | FloatArray) -> Self:
        """Multiply by a number, one number per channel, or one per channel and position."""
        ...

    def __add__(self, other: Self) -> Self:
        """Add another field of the same node, on the union of both boxes."""
        ...

    def expand(self, s: Steps) -> Self:
        """Move what is at x to s·x (a stride)."""
        ...

    def decimate(self, s: Steps) -> Self:
        """Keep what is at multiples of s and move it from s·x to x (a nearest upsampling)."""
        ...

    def fold(self, size: Steps, border: Border) -> Self:
        """Bring what lies outside an image [0, size) back to it, as its border says."""
        ...

    def take(self, a: int, b: int) -> Self:
        """Keep channels a to b−1 (split, concatenation)."""
        ...


F = TypeVar("F", bound=Field)


class Program(Protocol):
    """What a network does to a gradient field, on whichever engine the field belongs to."""

    def __call__(self, field: F, /) -> F:
        """Carry the field from the output unit to the input."""
        ...


Term = tuple[Any, Number, tuple[int, ...]]


@singledispatch
def entered(field: Any, place: int) -> Any:  # noqa: ARG001
    """The field where the rule of a node begins: what follows is that node's doing.

    Here it is the field itself; an engine that asks which node does what takes note of it.

    Parameters
    ----------
    field : field
        Of any engine.
    place : int
        Place of the node in its network.

    Examples
    --------
    >>> from erf_theory.engines.multinomial import impulse
    >>> entered(impulse(1), 3).numerators.tolist()
    [1]
    """
    return field


@singledispatch
def weighted_sum(like: Any, terms: Sequence[Term]) -> Any:  # noqa: ARG001
    """The sum of fields, each times a number and moved.

    Here it is what the operations of a field make of it; the engine whose field is ``like`` may
    have a shorter way.

    Parameters
    ----------
    like : field
        Of the engine that does it.
    terms : sequence of tuple
        Fields, what each is multiplied by, and what it is moved by: () for nothing.

    Examples
    --------
    >>> from erf_theory.engines.multinomial import impulse
    >>> field = impulse(1)
    >>> weighted_sum(field, [(field, 2, ()), (field, 3, (1,))]).numerators.tolist()
    [2, 3]
    """
    return reduce(add, [_placed(*term) for term in terms])


def _placed(field: Any, factor: Number, shift: tuple[int, ...]) -> Any:
    if shift:
        return field.convolve(point(factor, shift))
    return field if factor == 1 else field.scale(factor)


@lru_cache(maxsize=1024, typed=True)
def point(weight: Number, at: tuple[int, ...]) -> Kernel:
    """A kernel with one tap; equal ones are one object."""
    kind = np.float64 if isinstance(weight, float) else object
    return Kernel.of(np.full((1,) * len(at), weight, dtype=kind), at)


def refusal(engine: str, operation: str, instead: str) -> EngineError:
    """The error of an engine that cannot do an operation, naming one that can."""
    return EngineError(f"the {engine} engine cannot {operation}: {instead}")
