"""One table with every layer: theoretical field, effective field, and the mass of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import inf
from typing import Any, final

from erf_theory import records
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps
from erf_theory.layerprofiles import Measures, by_profiles
from erf_theory.network.geometry import image_sizes, resolved
from erf_theory.network.nodes import Network, need_network
from erf_theory.network.receptive import receptive_field
from erf_theory.network.rows import NodeField
from erf_theory.network.text import table

__all__ = ["LayerRow", "LayerTable", "layer_table"]


@final
@dataclass(frozen=True)
class LayerRow:
    """What a unit of one layer sees; lengths in the table's unit.

    Attributes
    ----------
    name, layer : str
        The node and its layer.
    channels : int
        Channels behind it.
    jump : float
        Distance of neighbouring units on the table's axis.
    trf : float
        Theoretical receptive field on that axis.
    std : float
        Standard deviation of the energy on that axis.
    size : float
        Size of [Luo16] of the whole map: the root of its pixels above 4.55 % of the maximum.
    share : float
        ``size`` over ``trf``.
    log_mass : float
        Natural logarithm of the energy's mass: whether gradients explode or vanish.
    is_exact : bool
        Whether the theory is exact up to here, in the wide limit.
    """

    name: str
    layer: str
    channels: int
    jump: float
    trf: float
    std: float
    size: float
    share: float
    log_mass: float
    is_exact: bool


@final
@dataclass(frozen=True, repr=False)
class LayerTable:
    """What every layer of a network sees: `layer_table` makes it, ``print`` shows it.

    Attributes
    ----------
    rows : tuple of LayerRow
        One row per node.
    unit : str
        The unit of its lengths.
    axis : int
        The axis of its lengths.
    reasons : tuple of str
        Why the last row's theory is only approximate.
    call : str
        The call that made it.
    """

    rows: tuple[LayerRow, ...]
    unit: str
    axis: int
    reasons: tuple[str, ...]
    call: str

    def __getitem__(self, name: str) -> LayerRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise ErfTheoryError(f"the table has no layer {name!r}")

    def __iter__(self) -> Iterator[LayerRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        """All rows and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.LayerTable/1",
            **records.provenance("energy", self.call),
            "unit": self.unit,
            "axis": self.axis,
            "reasons": list(self.reasons),
            "layers": [asdict(row) for row in self.rows],
        }

    def to_csv(self) -> str:
        """All rows as comma-separated values with a head."""
        import csv
        from io import StringIO

        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        names = [part.name for part in fields(LayerRow)]
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in self.rows)
        return text.getvalue()

    def __str__(self) -> str:
        head = ["node", "layer", "channels", "jump", "TRF", "std"]
        head += ["size", "share", "log mass", "theory"]
        lines = table([head, *map(_texts, self.rows)])
        notes = [f"Lengths are {self.unit} on axis {self.axis}."]
        return "\n".join([*lines, *notes, *(f"Approximate: {text}." for text in self.reasons)])

    def __repr__(self) -> str:
        last = self.rows[-1]
        return (
            f"<{len(self)} layers; the last one's receptive field: theoretical {last.trf:g} "
            f"{self.unit}, std {last.std:.4g} {self.unit}, size {last.size:.4g} {self.unit}>"
        )


def layer_table(
    network: Network,
    *,
    image_size: Steps | None = None,
    layers: Sequence[str] | None = None,
    axis: int = 0,
    spacing: float = 1.0,
    unit: str = "px",
    whole_maps: bool = False,
    progress: Callable[[int], object] | None = None,
) -> LayerTable:
    """What a unit of every layer sees: theoretical and effective field, and the gradient's mass.

    Parameters
    ----------
    network : Network
        With random weights, or with weights as given.
    image_size : int or tuple of int, optional
        Size of the input, which TensorFlow's padding depends on. Units are those that no border
        reaches.
    layers : sequence of str, optional
        The nodes that have a row. Default: all; the last node always has one.
    axis : int
        The axis of the lengths.
    spacing : float
        Distance of two input samples, in ``unit``: seconds, millimetres.
    unit : str
        Its name.
    whole_maps : bool
        Where weights are given, count sizes on the whole map of every layer, which takes minutes.
        Default: on the product of its profiles, and the table's reasons say so.
    progress : callable, optional
        Called with the number of layers that are done.

    Returns
    -------
    LayerTable

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no rule is known for a layer.

    Examples
    --------
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> net = Chain({"a": Conv(3, 16, 3), "σ": Activation("relu"), "b": Conv(16, 16, 3)})
    >>> print(layer_table(net))
    node  layer               channels  jump  TRF  std     size  share  log mass  theory
    a     Conv(3, 16, 3)      16        1     3    0.8165  3     1      -0.405    exact
    σ     Activation('relu')  16        1     3    0.8165  3     1      -1.1      exact
    b     Conv(16, 16, 3)     16        1     5    1.155   5     1      -0.405    exact
    Lengths are px on axis 0.
    """
    need_network(network)
    if not -network.ndim <= axis < network.ndim:
        raise ErfTheoryError(f"a network of {network.ndim} axes has no axis {axis}")
    if not 0 < spacing < inf:
        raise ErfTheoryError(f"the spacing of samples is above 0 and finite, not {spacing}")
    geometry = receptive_field(network, image_size=image_size)
    exact = resolved(network, image_size)
    if image_size is not None:
        image_sizes(network, image_size)
    wanted = _wanted(exact, layers)
    rows: list[LayerRow] = []
    profiles = {} if whole_maps else by_profiles(exact, axis % network.ndim, wanted)
    for place, found in _measured(exact, axis, wanted, profiles):
        rows.append(_row(geometry.rows[place], axis, spacing, found))
        if progress:
            progress(len(rows))
    more = "" if layers is None else f", layers={list(layers)}"
    more += f", spacing={spacing}, unit={unit!r}" if spacing != 1 or unit != "px" else ""
    more += ", whole_maps=True" if whole_maps else ""
    call = f"layer_table({network.label}, image_size={image_size}, axis={axis}{more})"
    return LayerTable(tuple(rows), unit, axis, found.reasons, call)


def _wanted(network: Network, layers: Sequence[str] | None) -> list[int]:
    """Places of the nodes that have a row."""
    last = len(network.nodes) - 1
    if layers is None:
        return list(range(last + 1))
    return sorted({*map(network.place_of, layers), last})


def _measured(
    network: Network, axis: int, wanted: Sequence[int], known: Mapping[int, Measures]
) -> Iterator[tuple[int, Measures]]:
    """The measures of layers; what maps are made with is loaded where some are not known yet."""
    if known.keys() >= {*wanted}:
        return ((place, known[place]) for place in wanted)
    from erf_theory.layermeasures import measured

    return measured(network, axis, wanted, known)


def _row(geometry: NodeField, axis: int, spacing: float, found: Measures) -> LayerRow:
    """The row of a node, its lengths times the spacing."""
    field = geometry.axes[axis]
    std, size, trf = (spacing * length for length in (found.std, found.size, field.size))
    return LayerRow(
        name=geometry.name,
        layer=repr(geometry.layer),
        channels=geometry.channels,
        jump=spacing * float(field.jump),
        trf=trf,
        std=std,
        size=size,
        share=size / trf,
        log_mass=found.log_mass,
        is_exact=found.is_exact,
    )


def _texts(row: LayerRow) -> list[str]:
    """The cells of a row."""
    lengths = [f"{x:.4g}" for x in (row.jump, row.trf, row.std, row.size)]
    theory = "exact" if row.is_exact else "approximate"
    cells = [row.name, row.layer, str(row.channels), *lengths]
    return [*cells, f"{row.share:.3g}", f"{round(row.log_mass, 12):.3g}", theory]
