"""What the edges of a tile cut: the energy of an output in a tile, beside that without edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from math import expm1, lcm
from typing import final

from erf_theory.activations import Nonlinearity
from erf_theory.channelmaps import channel_map
from erf_theory.engines.tape import recorded
from erf_theory.errors import ErfTheoryError
from erf_theory.maps import ProgramMap
from erf_theory.network.geometry import image_sizes
from erf_theory.network.nodes import Network
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.backward import energy_program
from erf_theory.propagation.forward import Signals, signals
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.perchannel import Channelwise, has_given_weights
from erf_theory.propagation.walking import Question

__all__ = ["Tiling", "fitting", "least", "periods_of"]

_LARGE = 2**14
"""Pixels of an image that is large enough for a network to have outputs."""


@final
@dataclass(frozen=True, eq=False)
class Tiling:
    """A network on tiles that begin at multiples of its period.

    Context is counted in periods: those of the tile before or after the one that an output
    belongs to.

    Attributes
    ----------
    network : Network
        Its paddings in numbers.
    jumps : tuple of Fraction
        Distance of neighbouring outputs, per axis.
    periods : tuple of int
        The shortest shift of the input that shifts every layer by whole places, per axis.
    extra : int
        Pixels by which a tile is larger than so many periods, so that all layers fit.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv, Upsample
    >>> net = Chain([Conv(1, 1, 3, stride=2, padding=1), Conv(1, 1, 3, padding=1), Upsample(2)])
    >>> tiling = Tiling.of(net)
    >>> tiling.periods, [tiling.support(0, side) for side in (0, 1)]
    ((2, 2), [2, 1])
    >>> [round(tiling.cut(0, (1, 2)), 4), tiling.cut(0, (2, 1))]
    [0.1111, 0.0]
    """

    network: Network
    jumps: tuple[Fraction, ...]
    periods: tuple[int, ...]
    extra: int

    @classmethod
    def of(cls, network: Network) -> Tiling:
        """The tiling of a network whose paddings are numbers.

        Raises
        ------
        ErfTheoryError
            If no image fits through its layers.
        """
        geometry = receptive_field(network)
        jumps = tuple(Fraction(jump) for jump in geometry.output.jump)
        periods = periods_of(geometry)
        large = [period * -(-_LARGE // period) for period in periods]
        return cls(network, jumps, periods, fitting(network, large, max(periods)))

    @property
    def is_alike(self) -> bool:
        """Whether every layer does the same along all axes, as far as its numbers tell."""
        layers = (node.layer for node in self.network.nodes)
        return all(_is_one(value) for layer in layers for value in vars(layer).values())

    @cached_property
    def far(self) -> int:
        """Periods of context on all sides with which no output depends on anything outside."""
        context = 1
        while any(any(map(any, self._met(axis, (context, context)))) for axis in self._axes):
            context *= 2
        return context

    def support(self, axis: int, side: int) -> int:
        """The fewest periods before (side 0) or after (1) with which nothing is cut there."""

        def is_enough(context: int) -> bool:
            ends = (context, self.far) if side == 0 else (self.far, context)
            return not any(phase[side] for phase in self._met(axis, ends))

        return least(is_enough, self.far)

    def cut(self, axis: int, ends: tuple[int, int]) -> float:
        """The share of energy that a tile cuts of its worst output; ``ends`` is its context."""
        return max(self._cut(axis, ends, phase) for phase in range(self._phases(axis)))

    def needed(self, axis: int, side: int, budget: float) -> int:
        """The fewest periods of context with which no more than a share is cut on a side."""

        def is_enough(context: int) -> bool:
            ends = (context, self.far) if side == 0 else (self.far, context)
            phases = range(self._phases(axis))
            return all(self._cut(axis, ends, phase) <= budget + _ROUNDING for phase in phases)

        return least(is_enough, self.support(axis, side))

    @property
    def _axes(self) -> range:
        return range(self.network.ndim)

    def _phases(self, axis: int) -> int:
        """Outputs in a period."""
        return int(self.periods[axis] / self.jumps[axis])

    def _met(self, axis: int, ends: tuple[int, int]) -> list[tuple[bool, bool]]:
        """Whether the outputs of a period depend on anything before and after a tile."""
        asked = (self._question(axis, ends, phase, ends) for phase in range(self._phases(axis)))
        return [(True, True) if one is None else one.met[axis] for one in asked]

    def _question(
        self, axis: int, ends: tuple[int, int], phase: int, others: tuple[int, int]
    ) -> Question | None:
        """An output of a tile, phase 0 on the other axes; None if the tile has no such output."""
        contexts = [ends if each == axis else others for each in self._axes]
        rows = list(zip(self.periods, contexts, strict=True))
        image = tuple(period * (a + 1 + b) + self.extra for period, (a, b) in rows)
        unit = [self._phases(each) * contexts[each][0] for each in self._axes]
        unit[axis] += phase
        try:
            return Question(self.network, tuple(unit), image=image, far_signal=True)
        except ErfTheoryError:
            return None

    @cached_property
    def _log_energy(self) -> Callable[[int, tuple[int, int], int], float]:
        """Logarithm of the energy of an output of a tile; every one is computed once."""
        return cache(self._kept)

    def _kept(self, axis: int, ends: tuple[int, int], phase: int) -> float:
        question = self._question(axis, ends, phase, (self.far, self.far))
        if question is None:
            return -float("inf")
        ndim = self.network.ndim
        try:
            return self._log_mass(question, Axes(ndim, axis, "marginal"))
        except NoMarginalError:
            return self._log_mass(question, Axes(ndim))

    def _log_mass(self, question: Question, axes: Axes) -> float:
        """Logarithm of the energy on some axes."""
        if has_given_weights(self.network):
            return channel_map(Channelwise(question, "energy"), axes).log_mass
        program = recorded(energy_program(question, self._signals, axes, Notes()), len(axes.kept))
        return ProgramMap(program, len(axes.kept)).shares.log_norm

    @cached_property
    def _signals(self) -> Sequence[Signals]:
        return signals(self.network, Notes())

    def _cut(self, axis: int, ends: tuple[int, int], phase: int) -> float:
        kept = self._log_energy(axis, ends, phase)
        return max(0.0, -expm1(kept - self._log_energy(axis, (self.far, self.far), phase)))


def _is_one(value: object) -> bool:
    """Whether a field of a layer is one for all axes: no array, and tuples of equals."""
    if isinstance(value, tuple):
        return len(set(value)) == 1
    return value is None or isinstance(value, int | float | str | Fraction | Nonlinearity)


_ROUNDING = 1e-12
"""Shares of an energy that differ by less count as equal."""


def periods_of(geometry: Geometry) -> tuple[int, ...]:
    """The shortest shift of the input that shifts every layer by whole places, per axis."""
    rows = [row.jump for row in geometry]
    return tuple(
        lcm(*(Fraction(jump).numerator for jump in axis)) for axis in zip(*rows, strict=True)
    )


def least(is_enough: Callable[[int], bool], enough: int) -> int:
    """The smallest number that is enough, 0 to ``enough``; every larger one is, too.

    Examples
    --------
    >>> least(lambda n: n >= 5, 100)
    5
    """
    low, high = -1, enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def fitting(network: Network, sizes: Sequence[int], tries: int) -> int:
    """The fewest pixels beyond some sizes, less than ``tries``, with which an image fits.

    Raises
    ------
    ErfTheoryError
        If none of them fits through all layers.

    Examples
    --------
    >>> from erf_theory.zoo import unet
    >>> fitting(unet(), (200, 200), 16)
    8
    """
    *others, last = range(tries)
    for extra in others:
        try:
            image_sizes(network, [size + extra for size in sizes])
        except ErfTheoryError:
            continue
        return extra
    image_sizes(network, [size + last for size in sizes])
    return last
