"""The traced engine: a map on one axis, and what every step on the way to it contributed.

A field is a record of operations. They are run once forward, on samples f, the weight of all walks
from the unit to a place, and once back, on h₀, h₁, h₂, the weight of all walks from there to the
input times powers 0, 1, 2 of where they end, from the mean. f·h summed over places is then a sum
over all walks, at any step: how much passes, where it ends, and with a tap between, what took it.
Both ways cost as much as the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import frexp
from typing import NamedTuple, final

import numpy as np

from erf_theory.engines.field import Border, entered, refusal
from erf_theory.engines.sensitivity import Derivatives, Parameters
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Traced", "impulse"]


class _Taps(NamedTuple):
    """Taps, and by how far each of them moves a walk."""

    weights: FloatArray
    step: int
    first: int


class _Step(NamedTuple):
    """An operation: its name, the steps that it acts on, what it needs, and the node at work."""

    name: str
    sources: tuple[int, ...] = ()
    number: float = 1.0
    taps: _Taps | None = None
    node: int | None = None


class _Samples(NamedTuple):
    """Samples from ``start`` on, times 2 to the power of ``exponent``."""

    values: FloatArray
    start: int
    exponent: int = 0


class _Back(NamedTuple):
    """The sums over walks to the input, shape (3, places), and input pixels for one place."""

    sums: FloatArray
    jump: Fraction


@final
@dataclass(frozen=True)
class Traced:
    """A field on one axis, as the record of its operations.

    Attributes
    ----------
    parameters : Parameters
        What derivatives are taken by.
    tape : list
        All operations; shared by the fields of one run.
    step : int
        The one whose result it is.
    node : int, optional
        The node whose rule is at work.

    Examples
    --------
    >>> field = entered(impulse(Parameters((0,))), 0).convolve(Kernel([1, 2, 1])).decimate(2)
    >>> found = field.derivatives()
    >>> found.mean, found.variance, found.rates[2].tolist()
    (0.5, 0.25, [0.5, 0.5, 0.0])
    """

    parameters: Parameters
    tape: list[_Step]
    step: int = 0
    node: int | None = None

    def _then(self, step: _Step) -> Traced:
        self.tape.append(step)
        return replace(self, step=len(self.tape) - 1)

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Traced:
        """Record a convolution, and which node it is of."""
        if kernel.channels or kernel.ndim > 1:
            raise refusal(
                "traced", "convolve several axes or channels", "the convolution engine can"
            )
        (d,), (origin,) = per_axis(step, 1), kernel.origin
        taps, found = _Taps(kernel.taps.astype(np.float64), d, d * origin), self
        for _ in range(times):
            found = found._then(_Step("convolve", (found.step,), taps=taps, node=self.node))
        return found

    def scale(self, factor: Number | FloatArray) -> Traced:
        """Record a factor."""
        if isinstance(factor, np.ndarray):
            raise refusal("traced", "scale by channel or by position", "the convolution engine can")
        return self._then(_Step("scale", (self.step,), float(factor)))

    def __add__(self, other: Traced) -> Traced:
        """Record a sum."""
        return self._then(_Step("add", (self.step, other.step)))

    def expand(self, s: Steps) -> Traced:
        """Record a stride."""
        return self._then(_Step("expand", (self.step,), per_axis(s, 1)[0]))

    def decimate(self, s: Steps) -> Traced:
        """Record an upsampling."""
        return self._then(_Step("decimate", (self.step,), per_axis(s, 1)[0]))

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
        fields: list[_Samples] = []
        for step in self.tape[: self.step + 1]:
            fields.append(_forward(step, [fields[i] for i in step.sources]))
        values, start, _ = fields[-1]
        if (mass := float(values.sum())) == 0:
            raise EngineError("the map is 0 everywhere, so it has no mean and no variance")
        x = start + np.arange(len(values))
        mean = float(values @ x) / mass
        off = x - mean
        variance = float(values @ off**2) / mass
        rates = np.zeros((3, self.parameters.rows))
        backs = {self.step: _Back(np.array([off**0, off, off**2]) / mass, Fraction(1))}
        for place in range(self.step, 0, -1):
            if place in backs:
                self._back(place, fields, backs, rates)
        rates[2] -= variance * rates[0]
        return Derivatives(self.parameters, mean, variance, rates)

    def _back(
        self, place: int, fields: list[_Samples], backs: dict[int, _Back], rates: FloatArray
    ) -> None:
        """Go back through a step, and note what its node does there."""
        step, back = self.tape[place], backs.pop(place)
        if step.name == "enter" and step.node is not None:
            rates[:, self.parameters.gain(step.node)] += back.sums @ fields[place].values
        if step.taps is not None and step.node is not None:
            power = fields[step.sources[0]].exponent - fields[place].exponent
            before = np.ldexp(fields[step.sources[0]].values, power)
            _note(step.taps, before, back, rates, (self.parameters, step.node))
        for source in step.sources:
            found = _backward(step, fields[place], fields[source], back)
            backs[source] = _joined(found, backs.get(source))


def impulse(parameters: Parameters) -> Traced:
    """The unit impulse at 0.

    Examples
    --------
    >>> impulse(Parameters((3,))).derivatives().variance
    0.0
    """
    return Traced(parameters, [_Step("impulse")])


@entered.register
def _(field: Traced, place: int) -> Traced:
    step = _Step("enter", (field.step,), node=place)
    field.tape.append(step)
    return replace(field, step=len(field.tape) - 1, node=place)


def _forward(step: _Step, before: Sequence[_Samples]) -> _Samples:
    """What a step makes of samples."""
    if step.name == "impulse":
        return _Samples(np.ones(1), 0)
    if step.name == "add":
        return _added(*before)
    (field,) = before
    if step.name == "expand":
        return field._replace(
            values=_expanded(field.values, int(step.number)), start=int(step.number) * field.start
        )
    if step.name == "decimate":
        first = -(-field.start // int(step.number))
        values = field.values[int(step.number) * first - field.start :: int(step.number)]
        return field._replace(values=values if len(values) else np.zeros(1), start=first)
    if step.taps is None:
        return _near_one(field._replace(values=step.number * field.values))
    weights = _expanded(step.taps.weights, step.taps.step)
    values = np.convolve(field.values, weights)
    return _near_one(_Samples(values, field.start + step.taps.first, field.exponent))


def _backward(step: _Step, after: _Samples, before: _Samples, back: _Back) -> _Back:
    """The sums before a step from those behind it: what `_forward` does, transposed."""
    count = len(before.values)
    if step.name == "expand":
        d = int(step.number)
        return _Back(back.sums[:, ::d], back.jump * d)
    if step.name == "decimate":
        d, sums = int(step.number), np.zeros((3, count))
        kept = sums[:, d * after.start - before.start :: d]
        kept[...] = back.sums[:, : kept.shape[1]]
        return _Back(sums, back.jump / d)
    power = before.exponent - after.exponent
    if step.name == "add":
        at = before.start - after.start
        return _Back(np.ldexp(back.sums[:, at : at + count], power), back.jump)
    if step.taps is None:
        return _Back(np.ldexp(step.number * back.sums, power), back.jump)
    sums = sum(
        weight * back.sums[:, step.taps.step * m : step.taps.step * m + count]
        for m, weight in enumerate(step.taps.weights.tolist())
    )
    return _Back(np.ldexp(sums, power), back.jump)


def _joined(one: _Back, other: _Back | None) -> _Back:
    """The sums of two readers of one step."""
    if other is None:
        return one
    if one.jump != other.jump:
        raise EngineError(
            f"one place is {one.jump} input pixels on one way and {other.jump} on another: give "
            "branches the same stride"
        )
    return one._replace(sums=one.sums + other.sums)


def _note(
    taps: _Taps, before: FloatArray, back: _Back, rates: FloatArray, at: tuple[Parameters, int]
) -> None:
    """Add to the derivatives by the moves and the taps of a node."""
    (named, node), places = at, len(before)
    by_tap = np.array(
        [
            weight * (back.sums[:, taps.step * m : taps.step * m + places] @ before)
            for m, weight in enumerate(taps.weights.tolist())
        ]
    )
    moves = taps.first + taps.step * np.arange(len(taps.weights))
    mean = float(moves @ taps.weights / taps.weights.sum())
    for row, moved in ((named.move(node), moves), (named.width(node), moves - mean)):
        rates[1:, row] += float(back.jump) * (moved @ by_tap[:, :2]) * [1, 2]
    own = named.of_taps(node)
    if own.stop - own.start == len(moves) > 1:
        rates[:, own] += by_tap.T


def _added(one: _Samples, other: _Samples) -> _Samples:
    """The sum on the union of both boxes."""
    start = min(one.start, other.start)
    stop = max(part.start + len(part.values) for part in (one, other))
    exponent = max(one.exponent, other.exponent)
    total = np.zeros(stop - start)
    for values, first, power in (one, other):
        total[first - start : first - start + len(values)] += np.ldexp(values, power - exponent)
    return _Samples(total, start, exponent)


def _expanded(values: FloatArray, d: int) -> FloatArray:
    """Values d places apart."""
    found = np.zeros((len(values) - 1) * d + 1)
    found[::d] = values
    return found


def _near_one(field: _Samples) -> _Samples:
    """The same with its largest value near 1."""
    power = frexp(float(np.max(np.abs(field.values))))[1]
    return _Samples(np.ldexp(field.values, -power), field.start, field.exponent + power)
