"""The rows of the table of receptive fields, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, final

from erf_theory.network.base import Layer
from erf_theory.network.paths import Paths

__all__ = ["COLUMNS", "AxisField", "NodeField", "joined"]


@final
@dataclass(frozen=True)
class AxisField:
    """The receptive field of a node's units on one axis; lengths are input pixels.

    Behind an upsampling the units differ, and repeat after a few: those are the phases.

    Attributes
    ----------
    size : int
        Extent of the receptive field: the largest over the phases.
    phases : tuple of int
        Extent of units 0, 1, … up to where they repeat; 0 for a unit that sees nothing.
    jump : int or Fraction
        Distance of neighbouring units: the effective stride.
    start : int or None
        First place that unit 0 sees; None if it sees nothing.
    padding : int or None
        The effective padding: minus ``start``.
    smallest, largest : int
        Extent over the smallest and over the largest path from the input, of any phase.
    centre : int, Fraction or None
        Where unit 0 looks, the phases averaged; None if no unit sees anything.
    shift : int or Fraction
        By how much the centres of the node's own inputs differ; 0 unless it merges branches.
    aligned : bool
        Whether all paths from the input to the node have one centre.
    """

    size: int
    phases: tuple[int, ...]
    jump: int | Fraction
    start: int | None
    padding: int | None
    smallest: int
    largest: int
    centre: int | Fraction | None
    shift: int | Fraction
    aligned: bool

    @classmethod
    def of(cls, seen: Paths) -> AxisField:
        """The row of what the units of a node see."""
        union = seen.union
        (low, high), centre = union.intervals[0], union.centre
        start = int(low) if low <= high else None
        return cls(
            size=max(union.sizes),
            phases=union.sizes,
            jump=_simple(union.rate),
            start=start,
            padding=None if start is None else -start,
            smallest=seen.smallest,
            largest=seen.largest,
            centre=None if centre is None else _simple(centre),
            shift=_simple(seen.shift),
            aligned=seen.aligned,
        )


@final
@dataclass(frozen=True)
class NodeField:
    """The receptive field of one node.

    Attributes
    ----------
    name : str
        Path of the node.
    layer : Layer
        What it does.
    channels : int
        Channels behind it.
    axes : tuple of AxisField
        Its receptive field, per axis.
    output_size : tuple of int or None
        Spatial shape behind it, for an image of known size.
    """

    name: str
    layer: Layer
    channels: int
    axes: tuple[AxisField, ...]
    output_size: tuple[int, ...] | None

    @property
    def size(self) -> tuple[int, ...]:
        """Extent of the receptive field, per axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def jump(self) -> tuple[int | Fraction, ...]:
        """Distance of neighbouring units in input pixels, per axis."""
        return tuple(axis.jump for axis in self.axes)

    @property
    def padding(self) -> tuple[int | None, ...]:
        """The effective padding, per axis."""
        return tuple(axis.padding for axis in self.axes)

    @property
    def shift(self) -> tuple[int | Fraction, ...]:
        """By how many input pixels the centres of its own inputs differ, per axis."""
        return tuple(axis.shift for axis in self.axes)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON knows it; a fraction is a text, as "1/2"."""
        return {
            "name": self.name,
            "layer": repr(self.layer),
            "channels": self.channels,
            "output_size": _plain(self.output_size),
            "axes": [
                {part.name: _plain(getattr(axis, part.name)) for part in fields(axis)}
                for axis in self.axes
            ],
        }


def joined(values: Sequence[object]) -> str:
    """One text for all axes if they agree, else one per axis.

    Examples
    --------
    >>> joined((3, 3)), joined((1, 7))
    ('3', '1×7')
    """
    texts = [str(value) for value in values]
    return texts[0] if len(set(texts)) == 1 else "×".join(texts)


def _path_sizes(row: NodeField) -> str:
    ends = [(axis.smallest, axis.largest) for axis in row.axes]
    return joined([str(a) if a == b else f"{a}–{b}" for a, b in ends])


def _simple(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value


COLUMNS: tuple[tuple[str, Callable[[NodeField], str]], ...] = (
    ("node", lambda row: row.name),
    ("layer", lambda row: repr(row.layer)),
    ("channels", lambda row: str(row.channels)),
    ("size", lambda row: joined(row.size)),
    ("jump", lambda row: joined(row.jump)),
    ("padding", lambda row: joined(row.padding)),
    ("paths", _path_sizes),
    ("shift", lambda row: joined(row.shift)),
    ("output", lambda row: joined(row.output_size or ())),
)
"""Heads of the columns of the text, and what stands in them."""
