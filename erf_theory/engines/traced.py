"""The traced engine: samples of a map, each with sums over the walks that end there.

Beside its value f(x), the weight of all walks from the unit to x, a place has one number for every
parameter of `erf_theory.engines.sensitivity.Parameters`: the weight of these walks times what the
parameter's logarithm would multiply, their move in a node, or how often they took a tap. All of
them are linear in the field, so that strides and upsamplings do to them what they do to f.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import frexp
from typing import final

import numpy as np

from erf_theory.engines.field import Border, entered, refusal
from erf_theory.engines.sensitivity import Derivatives, Parameters
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, box, per_axis, union

__all__ = ["Traced", "impulse"]


@final
@dataclass(frozen=True)
class Traced:
    """A field on one axis with its sums over walks.

    Attributes
    ----------
    parameters : Parameters
        What there are sums for.
    rows : ndarray, shape (1 + parameters, places)
        The field, then the sums; times 2 to the power of ``exponent``.
    start : int
        Coordinate of the first place.
    exponent : int
        Power of 2.
    node : int, optional
        The node whose rule is at work.

    Examples
    --------
    >>> field = entered(impulse(Parameters((0,))), 0).convolve(Kernel([1, 2, 1])).decimate(2)
    >>> field.rows[0].tolist(), field.rows[1].tolist()
    ([1.0, 1.0], [0.0, 1.0])
    """

    parameters: Parameters
    rows: FloatArray
    start: int = 0
    exponent: int = 0
    node: int | None = None

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Traced:
        """Go on by every tap, and note it."""
        if kernel.channels or kernel.ndim > 1:
            raise refusal(
                "traced", "convolve several axes or channels", "the convolution engine can"
            )
        found = self
        for _ in range(times):
            found = found.once(kernel, per_axis(step, 1)[0])
        return found

    def once(self, kernel: Kernel, step: int) -> Traced:
        """Go on by one tap of the kernel."""
        taps, places = kernel.taps.astype(np.float64), self.rows.shape[1]
        moves = step * (np.arange(len(taps)) + kernel.origin[0])
        shape = (len(self.rows), places + step * (len(taps) - 1))
        rows = np.zeros(shape)
        mean = float(moves @ taps / taps.sum())
        for m, (tap, move) in enumerate(zip(taps, moves, strict=True)):
            here = rows[:, step * m : step * m + places]
            here += tap * self.rows
            if self.node is not None:
                self._note(here, m, tap, (float(move), float(move) - mean), len(taps))
        return _scaled(replace(self, rows=rows, start=self.start + int(moves[0])))

    def _note(
        self, here: FloatArray, m: int, tap: float, moves: tuple[float, float], taps: int
    ) -> None:
        """Add what a walk does in the node by one of its taps."""
        assert self.node is not None  # noqa: S101
        named, weight = self.parameters, tap * self.rows[0]
        for row, move in zip((named.move(self.node), named.width(self.node)), moves, strict=True):
            here[1 + row] += move * weight
        own = named.of_taps(self.node)
        if own.stop - own.start == taps > 1:
            here[1 + own.start + m] += weight

    def scale(self, factor: Number | FloatArray) -> Traced:
        """Multiply by a number."""
        if isinstance(factor, np.ndarray):
            raise refusal("traced", "scale by channel or by position", "the convolution engine can")
        return _scaled(replace(self, rows=self.rows * float(factor)))

    def __add__(self, other: Traced) -> Traced:
        """Add on the union of both boxes."""
        lead, places = self.rows.shape[0], (self.rows.shape[1],)
        (start,), shape = union((self.start,), places, (other.start,), (other.rows.shape[1],))
        exponent = max(self.exponent, other.exponent)
        rows = np.zeros((lead, *shape))
        for part in (self, other):
            at = box((part.start - start,), (part.rows.shape[1],))
            rows[at] += np.ldexp(part.rows, part.exponent - exponent)
        return replace(self, rows=rows, start=start, exponent=exponent)

    def expand(self, s: Steps) -> Traced:
        """Move what is at x to s·x; moves are s times as long."""
        (d,) = per_axis(s, 1)
        lead, places = self.rows.shape
        rows = np.zeros((lead, (places - 1) * d + 1))
        rows[:, ::d] = self._with_moves(float(d))
        return replace(self, rows=rows, start=self.start * d)

    def decimate(self, s: Steps) -> Traced:
        """Keep what is at multiples of s and move it from s·x to x; moves are s times as short."""
        (d,) = per_axis(s, 1)
        first = -(-self.start // d)
        rows = self._with_moves(1 / d)[:, first * d - self.start :: d]
        if rows.shape[1] == 0:
            return replace(self, rows=np.zeros((len(rows), 1)), start=0)
        return replace(self, rows=rows, start=first)

    def fold(self, size: Steps, border: Border) -> Traced:
        """Refused: a border moves a walk, and no node does that."""
        raise refusal(
            "traced", f"fold at the {border} border of {size}", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Traced:
        """Refused: no channels here."""
        raise refusal("traced", f"take channels {a} to {b}", "the convolution engine can")

    def derivatives(self) -> Derivatives:
        """Variance of the map, and the derivatives of log mass, mean and variance."""
        x = self.start + np.arange(self.rows.shape[1])
        mass = float(self.rows[0].sum())
        if mass == 0:
            raise EngineError("the map is 0 everywhere, so it has no mean and no variance")
        rows = self.rows / mass
        mean = float(rows[0] @ x)
        off = x - mean
        variance = float(rows[0] @ off**2)
        sums = rows[1:]
        moved = 2 * len(self.parameters.taps)
        rates = np.array([sums.sum(1), sums @ off, sums @ off**2 - variance * sums.sum(1)])
        rates[:, :moved] = [0 * sums[:moved, 0], sums[:moved].sum(1), 2 * sums[:moved] @ off]
        return Derivatives(self.parameters, mean, variance, rates)

    def _with_moves(self, factor: float) -> FloatArray:
        """The rows with all moves times a factor."""
        rows = self.rows.copy()
        rows[1 : 1 + 2 * len(self.parameters.taps)] *= factor
        return rows


def impulse(parameters: Parameters) -> Traced:
    """The unit impulse at 0.

    Examples
    --------
    >>> impulse(Parameters((3,))).rows.shape
    (7, 1)
    """
    rows = np.zeros((1 + parameters.rows, 1))
    rows[0] = 1
    return Traced(parameters, rows)


@entered.register
def _(field: Traced, place: int) -> Traced:
    rows = field.rows.copy()
    rows[1 + field.parameters.gain(place)] += rows[0]
    return replace(field, node=place, rows=rows)


def _scaled(field: Traced) -> Traced:
    """The same with its largest value near 1."""
    power = frexp(float(np.max(np.abs(field.rows[0]))))[1]
    rows = np.ldexp(field.rows, -power)
    return replace(field, rows=rows, exponent=field.exponent + power)
