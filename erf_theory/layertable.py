"""One table with every layer: theoretical field, effective field, and the mass of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from math import inf, log
from typing import Any, NamedTuple, final

import numpy as np

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.channelmaps import has_given_weights
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps
from erf_theory.network.base import Layer
from erf_theory.network.geometry import image_sizes, resolved
from erf_theory.network.nodes import INPUT, Network, need_network
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.receptive import receptive_field
from erf_theory.network.routing import ChannelShuffle
from erf_theory.network.text import table
from erf_theory.propagation.forward import signals
from erf_theory.propagation.gates import Runs
from erf_theory.propagation.notes import Notes

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
    for place, found in _measured(exact, axis, wanted):
        field = geometry.rows[place].axes[axis]
        std, size, trf = (spacing * length for length in (found.std, found.size, field.size))
        rows.append(
            LayerRow(
                name=exact.nodes[place].name,
                layer=repr(network.nodes[place].layer),
                channels=network.channels[place],
                jump=spacing * float(field.jump),
                trf=trf,
                std=std,
                size=size,
                share=size / trf,
                log_mass=found.log_mass,
                is_exact=found.is_exact,
            )
        )
        if progress:
            progress(len(rows))
    more = "" if layers is None else f", layers={list(layers)}"
    more += f", spacing={spacing}, unit={unit!r}" if spacing != 1 or unit != "px" else ""
    call = f"layer_table({network.label}, image_size={image_size}, axis={axis}{more})"
    return LayerTable(tuple(rows), unit, axis, found.reasons, call)


class _Measures(NamedTuple):
    """What an effective field is asked for: lengths in pixels on the table's axis."""

    std: float
    size: float
    log_mass: float
    is_exact: bool
    reasons: tuple[str, ...]


def _wanted(network: Network, layers: Sequence[str] | None) -> list[int]:
    """Places of the nodes that have a row."""
    last = len(network.nodes) - 1
    if layers is None:
        return list(range(last + 1))
    return sorted({*map(network.place_of, layers), last})


def _measured(
    network: Network, axis: int, wanted: Sequence[int]
) -> Iterator[tuple[int, _Measures]]:
    """The measures of layers; from those of the layer before it where the shape is the same.

    The last layer is always asked for itself: its reasons are the table's.
    """
    same = _same_shapes(network)
    done: dict[int, _Measures] = {}
    for place in wanted:
        node, is_last = network.nodes[place], place == len(network.nodes) - 1
        before = node.inputs[0]
        if place in same and before in done and not is_last:
            known, name = done[before], network.nodes[before].name
            step = network_erf(network, layer=node.name, source=name, ndim=1)
            log_mass = known.log_mass + step.log_mass + log(network.channels[before])
            is_exact = known.is_exact and step.exactness == "exact"
            done[place] = known._replace(log_mass=log_mass, is_exact=is_exact)
        else:
            erf = network_erf(network, layer=node.name)
            is_exact = erf.exactness == "exact"
            done[place] = _Measures(
                _std(erf, axis), erf.size(), erf.log_norm, is_exact, erf.reasons
            )
        yield place, done[place]


def _same_shapes(network: Network) -> set[int]:
    """Places of the nodes whose units see what the units before them see, but for a factor.

    A gate or a norm weighs channels that are not alike by themselves, and the gate of a unit may
    depend on one that the unit's samples have met before.
    """
    before = signals(network, Notes())
    run = Runs.of(network, before, INPUT)
    met_before = run.loose.union(run.following.values())
    is_given = has_given_weights(network)
    found = set()
    for place, (node, signal) in enumerate(zip(network.nodes, before, strict=True)):
        weighs_alike = len(signal.parts) == 1 and not is_given and place not in met_before
        if _keeps_shape(node.layer) or (weighs_alike and _has_one_factor(node.layer)):
            found.add(place)
    return found


def _keeps_shape(layer: Layer) -> bool:
    """Whether a unit sees what one unit before it sees, whatever that is."""
    return isinstance(layer, ChannelShuffle | Dropout | Identity)


def _has_one_factor(layer: Layer) -> bool:
    """Whether channels whose samples are alike have one factor."""
    is_plain = isinstance(layer, Norm) and layer.scale is None and layer.variance is None
    return is_plain or isinstance(layer, Activation)


def _std(erf: ERF, axis: int) -> float:
    """Standard deviation along an axis, from the samples that the size is counted on."""
    line = erf.profile(axis)
    shares, places = line.values, line.offsets[0]
    mean = shares @ places
    return float(np.sqrt(shares @ (places - mean) ** 2))


def _texts(row: LayerRow) -> list[str]:
    """The cells of a row."""
    lengths = [f"{x:.4g}" for x in (row.jump, row.trf, row.std, row.size)]
    theory = "exact" if row.is_exact else "approximate"
    cells = [row.name, row.layer, str(row.channels), *lengths]
    return [*cells, f"{row.share:.3g}", f"{round(row.log_mass, 12):.3g}", theory]
