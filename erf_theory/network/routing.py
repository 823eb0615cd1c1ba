"""Layers that bring samples elsewhere: pads and crops, channels split, shuffled and joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer, keep, need_ends, need_one, need_whole

__all__ = ["Add", "ChannelShuffle", "Concat", "Crop", "Ends", "Pad", "Split"]

Ends = int | tuple[int | tuple[int, int], ...]
"""One number for both ends of all axes, or for every axis a number or a pair (before, after)."""


@dataclass(frozen=True, repr=False)
class _Shift(Layer):
    """A layer that adds or takes places at the ends."""

    ends: Ends

    def __post_init__(self) -> None:
        keep(self, "ends", need_ends(f"ends of {type(self).__name__}", self.ends))

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        return need_one(channels)

    @property
    def lengths(self) -> set[int]:
        """Number of axes that its ends speak of."""
        return {len(self.ends)} if isinstance(self.ends, tuple) else set()

    def per_axis(self, ndim: int) -> tuple[tuple[int, int], ...]:
        """Places before the first and behind the last sample, per axis."""
        parts: Any = self.ends if isinstance(self.ends, tuple) else (self.ends,) * ndim
        return tuple(part if isinstance(part, tuple) else (part, part) for part in parts)


@final
@dataclass(frozen=True, repr=False)
class Pad(_Shift):
    """Places added at the ends.

    Parameters
    ----------
    ends : int or tuple
        How many; see `Ends`.
    border : {"zeros", "reflect", "replicate", "circular"}
        What they hold.
    """

    border: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.border not in _BORDERS:
            raise ErfTheoryError(f"a border is one of {', '.join(_BORDERS)}, not {self.border!r}")


@final
@dataclass(frozen=True, repr=False)
class Crop(_Shift):
    """Places taken away at the ends."""


@final
@dataclass(frozen=True, repr=False)
class Split(Layer):
    """Channels start to stop-1 of its input.

    Examples
    --------
    >>> Split(0, 8).out_of(16)
    8
    """

    start: int
    stop: int

    def __post_init__(self) -> None:
        need_whole("start of Split", self.start, 0)
        need_whole("stop of Split", self.stop, self.start + 1)

    def out_of(self, *channels: int) -> int:
        """Channels that are kept."""
        count = need_one(channels)
        if self.stop > count:
            raise ErfTheoryError(f"there are no channels {self.start} to {self.stop} of {count}")
        return self.stop - self.start


@final
@dataclass(frozen=True, repr=False)
class ChannelShuffle(Layer):
    """Channels of groups dealt out one after the other: group g's i-th comes to i·groups + g."""

    groups: int

    def __post_init__(self) -> None:
        need_whole("groups of ChannelShuffle", self.groups, 1)

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        count = need_one(channels)
        if count % self.groups:
            raise ErfTheoryError(f"{self.groups} groups do not divide {count} channels")
        return count


@final
@dataclass(frozen=True, repr=False)
class Add(Layer):
    """The sum of several inputs."""

    def out_of(self, *channels: int) -> int:
        """As many as each input has."""
        if len(set(channels)) != 1:
            raise ErfTheoryError(f"inputs with {', '.join(map(str, channels))} channels do not add")
        return channels[0]


@final
@dataclass(frozen=True, repr=False)
class Concat(Layer):
    """Several inputs one behind the other along the channels."""

    def out_of(self, *channels: int) -> int:
        """As many as all inputs have together."""
        return sum(channels)


_BORDERS = ("zeros", "reflect", "replicate", "circular")
