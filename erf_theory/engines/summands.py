"""The summands engine: a map as the law of a sum of independent steps.

A convolution adds a step with the kernel as its law, a stride stretches all steps so far. Where
branches meet, what they have in common stays, and the rest becomes one step whose law is their
mixture. This is what limit theorems speak about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import takewhile
from math import prod
from typing import final

import numpy as np

from erf_theory.engines.field import Border, refusal
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number, doubles
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Sum", "Summand", "impulse"]

_FEW, _MOST = 256, 2**14
"""Taps of a mixture: up to which it stays exact, and the most that are multiplied out."""
_INSTEAD = "the convolution engine gives the map, which is then no sum of independent steps"


@final
@dataclass(frozen=True)
class Summand:
    """Equal independent steps.

    Attributes
    ----------
    kernel : Kernel
        The law of a step, up to its mass, in units of ``step``.
    step : tuple of int
        Lattice distance of the kernel's taps, per axis.
    times : int
        How many there are.
    """

    kernel: Kernel
    step: tuple[int, ...]
    times: int

    def law(self) -> Kernel:
        """The law of their sum, up to its mass, on the lattice."""
        return _rounded(self.kernel.dilate(self.step)) ** self.times


@final
@dataclass(frozen=True)
class Sum:
    """A field as the law of a sum of independent steps.

    Attributes
    ----------
    parts : tuple of Summand
        The steps, from the output to the input.
    ndim : int
        Number of axes.
    factor : number
        What the masses of the kernels leave out.

    Examples
    --------
    >>> found = impulse(1).convolve(Kernel.uniform(3), times=2).expand(2).convolve(Kernel([1, 1]))
    >>> [(part.kernel.taps.tolist(), part.step, part.times) for part in found.parts]
    [([1, 1, 1], (2,), 2), ([1, 1], (1,), 1)]
    """

    parts: tuple[Summand, ...]
    ndim: int
    factor: Number = 1

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Sum:
        """Add ``times`` steps; equal ones in a row are one entry."""
        if kernel.channels:
            raise refusal("summands", "convolve channels", _INSTEAD)
        if times == 0:
            return self
        added, parts = Summand(kernel, per_axis(step, self.ndim), times), self.parts
        if parts and (parts[-1].kernel, parts[-1].step) == (kernel, added.step):
            added, parts = replace(added, times=parts[-1].times + times), parts[:-1]
        return replace(self, parts=(*parts, added))

    def scale(self, factor: Number | FloatArray) -> Sum:
        """Multiply the mass by a number."""
        if isinstance(factor, np.ndarray):
            raise refusal("summands", "scale by channel or by position", _INSTEAD)
        return replace(self, factor=self.factor * factor)

    def __add__(self, other: Sum) -> Sum:
        """Mix: one step for what the branches do not share."""
        pairs = zip(self.parts, other.parts, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        mixed = _rounded(self._law(shared) + other._law(shared))
        return Sum(self.parts[:shared], self.ndim).convolve(mixed)

    def expand(self, s: Steps) -> Sum:
        """Stretch all steps."""
        steps = per_axis(s, self.ndim)
        stretched = (
            replace(part, step=tuple(a * b for a, b in zip(part.step, steps, strict=True)))
            for part in self.parts
        )
        return replace(self, parts=tuple(stretched))

    def decimate(self, s: Steps) -> Sum:
        """Refused: the places that are kept depend on the sum."""
        raise refusal("summands", f"keep every {s}th place", _INSTEAD)

    def fold(self, size: Steps, border: Border) -> Sum:
        """Refused: where a border is met depends on the sum."""
        raise refusal("summands", f"fold at the {border} border of {size}", _INSTEAD)

    def take(self, a: int, b: int) -> Sum:
        """Refused: no channels here."""
        raise refusal("summands", f"take channels {a} to {b}", _INSTEAD)

    def _law(self, first: int) -> Kernel:
        """The law of the steps from one on, with the factor."""
        sides = [
            1 + sum((p.kernel.shape[i] - 1) * p.step[i] * p.times for p in self.parts[first:])
            for i in range(self.ndim)
        ]
        if prod(sides) > _MOST:
            raise EngineError(
                f"branches of {' x '.join(map(str, sides))} taps are too long to be mixed into "
                f"one step, {_MOST} are the most: {_INSTEAD}"
            )
        laws = (_rounded(part.law()) for part in self.parts[first:])
        return reduce(Kernel.__matmul__, laws, Kernel.delta(self.ndim) * self.factor)


def _rounded(kernel: Kernel) -> Kernel:
    """The same with doubles for taps if these are many."""
    if kernel.taps.size <= _FEW or not kernel.is_exact:
        return kernel
    return Kernel.of(doubles(kernel.taps), kernel.origin)


def impulse(ndim: int) -> Sum:
    """The unit impulse at 0: no steps."""
    return Sum((), ndim)
