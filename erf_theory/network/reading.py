"""What JSON says of a network, as a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from fractions import Fraction
from math import isfinite
from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.graph import Chain, Graph, Parallel, Residual
from erf_theory.network.nodes import INPUT, Flat, Network, Node, Part
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

__all__ = ["LAYERS", "read_network"]

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        *(Activation, Add, AvgPool, ChannelShuffle, Concat, Conv, ConvTranspose, Crop, Dropout),
        *(Gate, Global, Identity, MaxPool, Norm, Pad, PReLU, Scale, Split, Upsample),
    )
}
"""The layers that a file can hold, by name."""

_Record = Mapping[str, Any]


def read_network(record: Any) -> Network:
    """The network of an object.

    Raises
    ------
    ErfTheoryError
        If it is none; the message says where.
    """
    found = _part(record, "network")
    if isinstance(found, Layer):
        raise ErfTheoryError(f"network: a layer alone is no network: put it in a Chain: {found}")
    found.check()
    return found


def _part(record: Any, where: str) -> Part:
    """A layer or a network."""
    if not isinstance(record, dict) or not isinstance(record.get("type"), str):
        raise ErfTheoryError(f"{where}: a layer or network is an object with a type: {record!r}")
    name = record["type"]
    make = _NETWORKS.get(name, _layer)
    if make is _layer and name not in LAYERS:
        known = ", ".join([*_NETWORKS, *LAYERS])
        raise ErfTheoryError(f"{where}: there is no type {name!r}: choose one of {known}")
    try:
        return make(record, where)
    except ErfTheoryError as error:
        text = str(error)
        raise error if text.startswith("network") else ErfTheoryError(f"{where}: {text}") from None
    except (ArithmeticError, TypeError, ValueError) as error:
        raise ErfTheoryError(f"{where}: this is no {name}: {error}") from None


def _layer(record: _Record, where: str) -> Layer:
    kind = LAYERS[record["type"]]
    known = {part.name: part for part in fields(kind)}
    _need(record, known, [name for name, part in known.items() if part.default is MISSING])
    values = {name: _value(v, f"{where}.{name}") for name, v in record.items() if name != "type"}
    for name, value in values.items():
        if isinstance(value, bool) != isinstance(known[name].default, bool):
            raise ErfTheoryError(f"the {name} of {kind.__name__} is not {value!r}")
    return kind(**values)


def _chain(record: _Record, where: str) -> Chain:
    _need(record, ("parts", "names", "ndim"), ["parts"])
    return Chain(_named(record, "parts", where), record.get("ndim"))


def _parallel(record: _Record, where: str) -> Parallel:
    _need(record, ("branches", "names", "merge", "ndim"), ["branches"])
    branches = _named(record, "branches", where)
    return Parallel(branches, record.get("merge", "add"), record.get("ndim"))


def _residual(record: _Record, where: str) -> Residual:
    _need(record, ("body", "shortcut", "ndim"), ["body"])
    shortcut = record.get("shortcut", {"type": "Identity"})
    parts = _part(record["body"], f"{where}.body"), _part(shortcut, f"{where}.shortcut")
    return Residual(*parts, record.get("ndim"))


def _graph(record: _Record, where: str) -> Graph:
    _need(record, ("parts", "output", "ndim"), ["parts"])
    rows = _rows(record["parts"], where)
    return Graph(rows, record.get("output"), record.get("ndim"))


def _flat(record: _Record, where: str) -> Flat:
    _need(record, ("nodes", "ndim", "in_channels", "remarks"), ["nodes"])
    remarks = _list(record.get("remarks", []), "remarks")
    if not all(isinstance(text, str) for text in remarks):
        raise ErfTheoryError(f"remarks are texts, not {remarks!r}")
    nodes = []
    for place, (name, (layer, *inputs)) in enumerate(_rows(record["nodes"], where).items()):
        whole = all(type(i) is int and INPUT <= i < place for i in inputs)
        if not isinstance(layer, Layer) or not inputs or not whole:
            raise ErfTheoryError(
                f"node {name}: give its layer and the places of earlier nodes that it reads"
            )
        nodes.append(Node(name, layer, tuple(inputs)))
    if not nodes:
        raise ErfTheoryError("a network has at least one node")
    return Flat(tuple(nodes), record.get("ndim"), record.get("in_channels"), tuple(remarks))


def _rows(rows: Any, where: str) -> dict[str, Sequence[Any]]:
    """Parts and what they read, by name."""
    found: dict[str, Sequence[Any]] = {}
    for row in _list(rows, "parts"):
        if len(_list(row, "row")) < 2 or not isinstance(row[0], str) or row[0] in found:
            raise ErfTheoryError(
                f"a node is a name of its own, a part, and what the part reads, not {row!r}"
            )
        found[row[0]] = [_part(row[1], f"{where}.{row[0]}"), *row[2:]]
    return found


def _named(record: _Record, name: str, where: str) -> Sequence[Part] | Mapping[str, Part]:
    """A list of parts, with their names if they have some."""
    rows = enumerate(_list(record[name], name))
    parts = [_part(row, f"{where}.{name}[{place}]") for place, row in rows]
    if "names" not in record:
        return parts
    names = _list(record["names"], "names")
    if not all(isinstance(text, str) for text in names) or len(set(names)) != len(parts):
        raise ErfTheoryError(f"there is one name of its own for each of {len(parts)} parts")
    return dict(zip(names, parts, strict=True))


def _value(value: Any, where: str) -> Any:
    """A value of a layer."""
    match value:
        case None | bool() | str() | int():
            return value
        case float() if isfinite(value):
            return value
        case list():
            return tuple(_value(part, where) for part in value)
        case {"fraction": str(text), **rest} if not rest:
            return Fraction(text)
        case {"array": list(numbers), **rest} if not rest:
            return numbers
    raise ErfTheoryError(f"{where}: this is no value of a layer: {value!r}")


def _need(record: _Record, known: Sequence[str] | Mapping[str, Any], least: Sequence[str]) -> None:
    """Refuse names that do not belong here, and missing ones."""
    for name in record:
        if name != "type" and name not in known:
            raise ErfTheoryError(f"{record['type']} has no {name!r}: it has {', '.join(known)}")
    if not isinstance(record.get("ndim"), int | None) or record.get("ndim") is True:
        raise ErfTheoryError(f"ndim is a whole number, not {record['ndim']!r}")
    for name in least:
        if name not in record:
            raise ErfTheoryError(f"{record['type']} needs {name!r}")


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ErfTheoryError(f"{name}: this is no list: {value!r}")
    return value


_NETWORKS: dict[str, Callable[[_Record, str], Part]] = {
    "Chain": _chain,
    "Flat": _flat,
    "Graph": _graph,
    "Parallel": _parallel,
    "Residual": _residual,
}
