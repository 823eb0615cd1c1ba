"""The layers of a map as a limit theorem sees them: independent laws, and their distances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import TYPE_CHECKING, final

import numpy as np

from erf_theory.engines.summands import Summand
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number, simplest
from erf_theory.gaussian.steps import steps_of
from erf_theory.kernel import Kernel

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Layer", "is_same_law", "layers_of", "reduced", "total_cumulant"]

_ROUNDING = 1e-12
"""Float laws that differ by less, relative to their largest tap, are one law."""


@final
@dataclass(frozen=True)
class Layer:
    """Equal independent steps of mass 1 that spread, in lowest terms.

    Attributes
    ----------
    law : Kernel
        The law of one: mass 1, first tap at 0, differences of its places without common divisor.
    step : int
        Pixels between its places.
    times : int
        How many there are.

    Examples
    --------
    >>> layer = Layer(Kernel.uniform(3) * Fraction(1, 3), step=2, times=10)
    >>> layer.cumulant(2), layer.third, layer.reach
    (Fraction(80, 3), Fraction(160, 3), 40)
    """

    law: Kernel
    step: int
    times: int

    def cumulant(self, r: int) -> Number:
        """Cumulant of order r ≥ 2 of the sum of them, in pixels to the power r."""
        return number(self.times * self.step**r * self.law.cumulant(r))

    @cached_property
    def absolute_third(self) -> Number:
        """E|X − EX|³ of one, in units of its step: exact for exact taps."""
        mean = Fraction(self.law.cumulant(1))
        terms = (Fraction(p) * abs(m - mean) ** 3 for m, p in enumerate(self.law.taps))
        total = sum(terms)
        return number(total) if self.law.is_exact else float(total)

    @property
    def third(self) -> Number:
        """Sum of E|X − EX|³ over all of them, in pixels cubed."""
        return number(self.times * self.step**3 * self.absolute_third)

    @property
    def reach(self) -> int:
        """Largest sum minus smallest, in pixels."""
        return self.times * self.step * (self.law.shape[0] - 1)


def reduced(kernel: Kernel) -> tuple[Kernel, int]:
    """A 1-D kernel with its first tap at 0 and no common divisor of its places, and the divisor.

    The divisor is 0 where there is a single tap.

    Examples
    --------
    >>> reduced(Kernel([0, 1, 0, 1], origin=(-5,)))
    (Kernel([1, 1], origin=(0,)), 2)
    """
    line = kernel.trim().taps
    span = gcd(*map(int, np.flatnonzero(line != 0)))
    return Kernel.of(line[:: max(span, 1)].copy(), (0,)), span


def is_same_law(one: Kernel, other: Kernel) -> bool:
    """Whether two laws are equal: exactly if both are exact, else but for rounding."""
    if one.shape != other.shape:
        return False
    if one.is_exact and other.is_exact:
        return one == other
    difference = np.abs(one.taps - other.taps).astype(np.float64)
    return bool(np.max(difference) <= _ROUNDING * float(np.max(other.taps)))


def layers_of(erf: ERF, axis: int = 0) -> tuple[Layer, ...]:
    """The independent layers of a map without signs on one axis, equal ones in one entry.

    Single taps, which only move the map, are left out.

    Parameters
    ----------
    erf : ERF
        As for `erf_theory.gaussian.steps.steps_of`.
    axis : int
        The axis.

    Returns
    -------
    tuple of Layer
        By ascending step.

    Raises
    ------
    ErfTheoryError
        If the map is no sum of independent steps, or has signs.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> [(layer.law.taps.size, layer.step, layer.times)
    ...  for layer in layers_of(theoretical_erf(3, 4, stride=2))]
    [(3, 1, 1), (3, 2, 1), (3, 4, 1), (3, 8, 1)]
    """
    found: list[Layer] = []
    for part in steps_of(erf, axis):
        layer = _layer(part)
        if layer is not None:
            _enter(found, layer)
    return tuple(sorted(found, key=lambda layer: layer.step))


def _layer(part: Summand) -> Layer | None:
    """A step in lowest terms; None if it does not spread."""
    if not part.kernel.is_nonnegative:
        raise ErfTheoryError(
            f"the taps {part.kernel} have signs and are the law of nothing: ask attractor(kernel) "
            "for their limit"
        )
    line, span = reduced(part.kernel)
    if not span:
        return None
    if line.is_exact:
        law = Kernel.of(simplest(line.taps / Fraction(line.mass)), (0,))
    else:
        law = Kernel.of(line.taps / float(line.mass), (0,))
    return Layer(law, span * part.step[0], part.times)


def _enter(found: list[Layer], layer: Layer) -> None:
    """Count a layer among those that are equal to it."""
    for at, known in enumerate(found):
        if known.step == layer.step and is_same_law(known.law, layer.law):
            found[at] = replace(known, times=known.times + layer.times)
            return
    found.append(layer)


def total_cumulant(layers: Iterable[Layer], r: int) -> Number:
    """Cumulant of order r ≥ 2 of the sum of all layers: cumulants add."""
    return number(sum(layer.cumulant(r) for layer in layers))
