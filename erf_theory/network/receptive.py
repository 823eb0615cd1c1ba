"""The receptive field of every layer: `receptive_field`, and the table that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, final

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.geometry import Region, image_sizes, resolved
from erf_theory.network.nodes import Network, need_network
from erf_theory.network.paths import paths
from erf_theory.network.rows import COLUMNS, AxisField, NodeField, joined
from erf_theory.network.sight import Sight, sight
from erf_theory.network.text import table

__all__ = ["Geometry", "receptive_field"]

_DEFINITION = "the smallest box that holds every input that a unit depends on; Araujo et al. 2019"


@final
@dataclass(frozen=True, repr=False)
class Geometry:
    """The receptive field of every node: `receptive_field` makes it, ``print`` shows the table.

    Attributes
    ----------
    network : Network
        What it is the geometry of.
    rows : tuple of NodeField
        One row per node, in the network's order; ``geometry[name]`` and ``geometry[place]`` too.
    image_size : tuple of int or None
        Size of the input, if it is known.
    sights : tuple of tuple of Sight
        What every unit sees, per axis and node.
    """

    network: Network
    rows: tuple[NodeField, ...]
    image_size: tuple[int, ...] | None
    sights: tuple[tuple[Sight, ...], ...]

    def __getitem__(self, node: str | int) -> NodeField:
        return self.rows[self._place(node)]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[NodeField]:
        return iter(self.rows)

    @property
    def output(self) -> NodeField:
        """The last row."""
        return self.rows[-1]

    @property
    def misaligned(self) -> tuple[NodeField, ...]:
        """The nodes that join branches with different centres; their ``shift`` says how far."""
        return tuple(row for row in self.rows if any(row.shift))

    def region(self, node: str | int, unit: Steps = 0) -> Region | None:
        """The box of input pixels that a unit depends on; it may reach over the image's border.

        Where a transposed convolution with more stride than taps stands beside other branches,
        the box may be larger than what the unit depends on: each axis counts alone.

        Parameters
        ----------
        node : str or int
            Name or place of the node.
        unit : int or tuple of int
            Its place, one number for all axes or one per axis.

        Returns
        -------
        Region or None
            None for a unit that depends on nothing.

        Raises
        ------
        ErfTheoryError
            If there is no such node or unit.
        """
        place = self._place(node)
        units = _whole("unit", unit, len(self.sights))
        size = self.rows[place].output_size
        if size and not all(0 <= u < m for u, m in zip(units, size, strict=True)):
            raise ErfTheoryError(f"there is no unit {unit} among {joined(size)} units")
        seen = [axis[place].of(u) for axis, u in zip(self.sights, units, strict=True)]
        if any(low > high for low, high in seen):
            return None
        shape = tuple(int(high - low) + 1 for low, high in seen)
        return Region(tuple(int(low) for low, _ in seen), shape)

    def to_dict(self) -> dict[str, Any]:
        """All rows and their provenance as JSON knows them; a fraction is a text, as "1/2"."""
        from importlib.metadata import version

        return {
            "package": f"erf_theory {version('erf-theory')}",
            "call": f"receptive_field(network, image_size={self.image_size})",
            "definition": _DEFINITION,
            "image_size": None if self.image_size is None else list(self.image_size),
            "nodes": [row.to_dict() for row in self.rows],
        }

    def to_csv(self) -> str:
        """All rows as comma-separated values with a head: one line per node and axis."""
        import csv
        from io import StringIO

        names = [part.name for part in fields(AxisField) if part.name != "phases"]
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["name", "layer", "channels", "axis", *names, "output_size"])
        for row in self.rows:
            for at, axis in enumerate(row.axes):
                values = (getattr(axis, name) for name in names)
                behind = "" if row.output_size is None else row.output_size[at]
                writer.writerow([row.name, repr(row.layer), row.channels, at, *values, behind])
        return text.getvalue()

    def __str__(self) -> str:
        columns = COLUMNS if self.image_size else COLUMNS[:-1]
        lines = [[name for name, _ in columns]]
        lines += [[text(row) for _, text in columns] for row in self.rows]
        return "\n".join([*table(lines), *self._notes()])

    def __repr__(self) -> str:
        last = self.output
        return (
            f"<receptive fields of {len(self)} nodes; the output's: size {joined(last.size)}, "
            f"jump {joined(last.jump)}, padding {joined(last.padding)}>"
        )

    def _notes(self) -> list[str]:
        """What the table does not say by itself."""
        notes = []
        if any(len(axis.phases) > 1 for row in self.rows for axis in row.axes):
            notes.append("Units behind an upsampling differ: sizes are those of the largest.")
        if bad := self.misaligned:
            most = max(bad, key=lambda row: max(row.shift))
            notes.append(
                f"{len(bad)} of the nodes join branches with different centres, most of all "
                f"{most.name}: by {float(max(most.shift)):g} px."
            )
        return notes

    def _place(self, node: str | int) -> int:
        if isinstance(node, int):
            if -len(self) <= node < len(self):
                return node % len(self)
            raise ErfTheoryError(f"there is no node {node} among {len(self)}")
        return self.network.place_of(node)


def receptive_field(network: Network, *, image_size: Steps | None = None) -> Geometry:
    """The theoretical receptive field of every layer, exactly.

    Parameters
    ----------
    network : Network
        The network.
    image_size : int or tuple of int, optional
        Size of its input: gives the sizes behind all nodes, and TensorFlow's padding needs it.

    Returns
    -------
    Geometry
        Per node and axis: size, jump, start, padding, the smallest and the largest field over
        single paths, and how far branches that are joined look past each other.

    Raises
    ------
    ErfTheoryError
        If branches with different strides are joined, nothing is left of the image, or a padding
        needs the image's size; the message names the node.

    Notes
    -----
    Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill
    2019: size r ← s·r + (k - s), jump S ← s·S and padding P ← s·P + p from the output back. Here
    every unit's interval is carried along, so that upsamplings and branches are exact too.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv, MaxPool
    >>> geometry = receptive_field(Chain([Conv(3, 8, 3, padding=1), MaxPool(2)]), image_size=32)
    >>> print(geometry)
    node  layer                       channels  size  jump  padding  paths  shift  output
    0     Conv(3, 8, 3, padding=1)    8         3     1     1        3      0      32
    1     MaxPool(2, stride=2)        8         4     2     1        4      0      16
    >>> geometry.region("1", 5)
    Region(start=(9, 9), shape=(4, 4))
    """
    need_network(network)
    image = None if image_size is None else _whole("image_size", image_size, network.ndim)
    if image is not None and min(image) < 1:
        raise ErfTheoryError(f"the image_size is 1 or more on every axis, not {image_size}")
    exact = resolved(network, image)
    behind = [None] * len(network.nodes) if image is None else image_sizes(network, image)
    found: dict[tuple[Sight, ...], list[tuple[AxisField, Sight]]] = {}
    by_axis = []
    for axis in range(network.ndim):
        own = tuple(sight(node.layer, network.ndim, axis) for node in exact.nodes)
        if own not in found:
            found[own] = [(AxisField.of(one), one.union) for one in paths(exact, axis)]
        by_axis.append(found[own])
    axes = zip(*([field for field, _ in one] for one in by_axis), strict=True)
    rows = (
        NodeField(node.name, node.layer, channels, seen, size)
        for node, channels, seen, size in zip(
            network.nodes, network.channels, axes, behind, strict=True
        )
    )
    seen = tuple(tuple(union for _, union in one) for one in by_axis)
    return Geometry(network, tuple(rows), image, seen)


def _whole(name: str, value: Steps, ndim: int) -> tuple[int, ...]:
    """Whole numbers, one per axis."""
    try:
        return per_axis(value, ndim)
    except TypeError:
        raise ErfTheoryError(f"the {name} is a whole number for each axis, not {value!r}") from None
