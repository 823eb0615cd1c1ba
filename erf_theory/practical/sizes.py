"""How large an input should be: the smallest that holds a receptive field, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from math import ceil
from typing import Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.layertable import LayerTable, layer_table
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import Network
from erf_theory.network.pointwise import Pointwise
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.network.text import table
from erf_theory.practical.edges import fitting, periods_of

__all__ = ["InputAdvice", "LayerInput", "input_size_advice"]


@final
@dataclass(frozen=True)
class LayerInput:
    """What a unit of one layer needs of an input; lengths are input pixels on one axis.

    Attributes
    ----------
    name, layer : str
        The node and its layer.
    trf : int
        Theoretical receptive field.
    erf : int
        Side of the smallest interval about the unit's centre that holds the share of the energy.
    size : float
        Size of [Luo16] of the whole map: the root of its pixels above 4.55 % of the maximum.
    trf_input, erf_input : int
        The smallest input with a unit whose TRF, or that interval, lies within it.
    """

    name: str
    layer: str
    trf: int
    erf: int
    size: float
    trf_input: int
    erf_input: int


@final
@dataclass(frozen=True, repr=False)
class InputAdvice:
    """What every layer needs of an input: `input_size_advice` makes it, ``print`` shows it.

    Attributes
    ----------
    rows : tuple of LayerInput
        One row per layer that sees more than one place, and the last one.
    mass : float
        The share of the energy that ``erf`` holds.
    axis : int
        The axis of the lengths.
    image_size : int or None
        The size of the image on it that the rows are compared with.
    reasons : tuple of str
        Why the last row's theory is only approximate.
    call : str
        The call that made it.
    """

    rows: tuple[LayerInput, ...]
    mass: float
    axis: int
    image_size: int | None
    reasons: tuple[str, ...]
    call: str

    def __getitem__(self, name: str) -> LayerInput:
        for row in self.rows:
            if row.name == name:
                return row
        raise ErfTheoryError(f"the table has no layer {name!r}")

    def __iter__(self) -> Iterator[LayerInput]:
        return iter(self.rows)

    @property
    def beyond_trf(self) -> tuple[str, ...]:
        """Layers whose theoretical receptive field exceeds the image: no unit sees no border."""
        return self._beyond("trf_input")

    @property
    def beyond_erf(self) -> tuple[str, ...]:
        """Layers whose effective one does, too: more layers bring no new context."""
        return self._beyond("erf_input")

    def to_dict(self) -> dict[str, Any]:
        """All rows and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.InputAdvice/1",
            **records.provenance("energy", self.call),
            "mass": self.mass,
            "axis": self.axis,
            "image_size": self.image_size,
            "reasons": list(self.reasons),
            "layers": [asdict(row) for row in self.rows],
            "beyond_trf": list(self.beyond_trf),
            "beyond_erf": list(self.beyond_erf),
        }

    def __str__(self) -> str:
        share = f"{100 * self.mass:g} %"
        head = ["node", "layer", "TRF", f"ERF {share}", "size", "holds TRF", "holds ERF"]
        rows = [[*head, "exceeds"], *([*_texts(row), self._exceeded(row)] for row in self.rows)]
        notes = [f"Lengths are input pixels on axis {self.axis}."]
        if self.image_size is not None:
            notes.append(self._verdict())
        return "\n".join([*table(rows), *notes, *(f"Approximate: {x}." for x in self.reasons)])

    def __repr__(self) -> str:
        last = self.rows[-1]
        return (
            f"<an input of {last.trf_input} px holds the last layer's TRF, one of "
            f"{last.erf_input} px {100 * self.mass:g} % of its energy>"
        )

    def _beyond(self, name: str) -> tuple[str, ...]:
        image = self.image_size
        found = (row for row in self.rows if image is not None and getattr(row, name) > image)
        return tuple(row.name for row in found)

    def _exceeded(self, row: LayerInput) -> str:
        if self.image_size is None or row.trf_input <= self.image_size:
            return ""
        return "TRF" if row.erf_input <= self.image_size else "TRF, ERF"

    def _verdict(self) -> str:
        """Where the image becomes too small."""
        said = []
        for what, names in (("TRF", self.beyond_trf), ("ERF", self.beyond_erf)):
            where = f"from {names[0]} on" if names else "nowhere"
            said.append(f"the {what} {where}")
        return f"An image of {self.image_size} px is exceeded by {', by '.join(said)}."


def input_size_advice(
    network: Network,
    *,
    mass: float = 0.99,
    image_size: Steps | None = None,
    axis: int = 0,
    table: LayerTable | None = None,
) -> InputAdvice:
    """The smallest inputs that hold every layer's receptive field, theoretical and effective.

    Where an image is smaller than what the units of a layer see, all of them see its borders;
    where it is smaller than their effective field, even the energy is cut, and the layer brings
    no new context.

    Parameters
    ----------
    network : Network
        The network.
    mass : float
        The share of the energy on the axis that counts as the effective receptive field.
    image_size : int or tuple of int, optional
        The image that the layers are compared with; TensorFlow's padding depends on it.
    axis : int
        The axis of the lengths.
    table : LayerTable, optional
        What `layer_table` found of the network on that axis, in pixels, where it is there
        already: the layers that have a row in it are looked at, and nothing is found twice.

    Returns
    -------
    InputAdvice

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no rule is known for a layer.

    Notes
    -----
    Behind an upsampling, units are those that lie as unit 0 does. Inputs are such that all layers
    fit: for a U-Net of five levels, multiples of 16.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> net = Chain([Conv(8, 8, 3, stride=2, padding=1), *[Conv(8, 8, 3, padding=1)] * 3])
    >>> print(input_size_advice(net, mass=0.95, image_size=15))
    node  layer                               TRF  ERF 95 %  size   holds TRF  holds ERF  exceeds
    0     Conv(8, 8, 3, stride=2, padding=1)  3    3         3      4          4
    1     Conv(8, 8, 3, padding=1)            7    7         7      8          8
    2     Conv(8, 8, 3, padding=1)            11   11        10.25  12         12
    3     Conv(8, 8, 3, padding=1)            15   11        12.37  16         12         TRF
    Lengths are input pixels on axis 0.
    An image of 15 px is exceeded by the TRF from 3 on, by the ERF nowhere.
    """
    if not 0 < mass <= 1:
        raise ErfTheoryError(f"a share of the energy is above 0 and at most 1, not {mass}")
    exact = resolved(network, image_size)
    found = layer_table(exact, axis=axis) if table is None else table
    asked = _Asked(exact, receptive_field(exact), found, mass, axis % exact.ndim)
    rows = tuple(asked.row(place) for place in asked.places)
    image = None if image_size is None else per_axis(image_size, exact.ndim)[axis]
    call = f"input_size_advice({network.label}, mass={mass}, image_size={image_size}, axis={axis})"
    return InputAdvice(rows, mass, axis, image, found.reasons, call)


@dataclass(frozen=True)
class _Asked:
    """What is asked of every layer."""

    network: Network
    geometry: Geometry
    table: LayerTable
    mass: float
    axis: int

    @property
    def places(self) -> list[int]:
        """Of the layers in the table those that see several places and the last; of a part, all."""
        nodes, rows = self.network.nodes, self.sizes
        if len(rows) < len(nodes):
            return [i for i, node in enumerate(nodes) if node.name in rows]
        several = [i for i, node in enumerate(nodes) if not isinstance(node.layer, Pointwise)]
        return sorted({*several, len(nodes) - 1})

    @cached_property
    def sizes(self) -> dict[str, float]:
        """The size of every layer that the table knows."""
        return {row.name: row.size for row in self.table}

    def row(self, place: int) -> LayerInput:
        """The row of a node."""
        node, axis = self.network.nodes[place], self.axis
        low, high = map(int, self.geometry.sights[axis][place].of(0))
        line = network_erf(self.network, layer=node.name, ndim=1, axis=axis)
        radius = line.radius(self.mass)
        first = ceil((low + high) / 2 - radius)
        side = round(2 * radius) + 1
        return LayerInput(
            name=node.name,
            layer=repr(node.layer),
            trf=high - low + 1,
            erf=side,
            size=self.sizes[node.name],
            trf_input=self._smallest(place, low, high - low + 1),
            erf_input=self._smallest(place, first, side),
        )

    def _smallest(self, place: int, low: int, extent: int) -> int:
        """The smallest input with a unit like unit 0 whose interval lies within it."""
        jump = self.geometry.sights[self.axis][place].jump
        size = low + jump * max(0, -(low // jump)) + extent
        until = self.network.until(self.network.nodes[place].name)
        tries = 2 * max(periods_of(self.geometry))
        return size + fitting(until, [size] * until.ndim, tries)


def _texts(row: LayerInput) -> list[str]:
    """The cells of a row, but the last."""
    lengths = [str(row.trf), str(row.erf), f"{row.size:.4g}"]
    return [row.name, row.layer, *lengths, str(row.trf_input), str(row.erf_input)]
