"""What networks are made of, as JSON knows it."""

from __future__ import annotations

from dataclasses import MISSING, fields
from fractions import Fraction
from typing import Any

from erf_theory.activations import Nonlinearity, nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import number
from erf_theory.network.base import Given, Layer
from erf_theory.network.graph import Chain, Graph, Parallel, Residual
from erf_theory.network.nodes import Flat, Network, Part
from erf_theory.network.pointwise import Identity
from erf_theory.network.reading import LAYERS

__all__ = ["written"]


def written(part: Part, *, arrays: bool) -> dict[str, Any]:
    """A layer or network as an object.

    Parameters
    ----------
    part : Layer or Network
        What to write.
    arrays : bool
        Whether given weights are written.

    Raises
    ------
    ErfTheoryError
        If something of it cannot be written.
    """
    if isinstance(part, Network):
        return {"type": type(part).__name__, **_parts(part, arrays=arrays), **_ndim(part)}
    return _layer(part, arrays=arrays)


def _layer(layer: Layer, *, arrays: bool) -> dict[str, Any]:
    name = type(layer).__name__
    if LAYERS.get(name) is not type(layer):
        raise ErfTheoryError(f"a layer of type {name} is not of this package: no file can hold it")
    record: dict[str, Any] = {"type": name}
    for part in fields(layer):
        value = getattr(layer, part.name)
        if part.default is MISSING or repr(value) != repr(part.default):
            try:
                record[part.name] = _value(value, arrays=arrays)
            except ErfTheoryError as error:
                raise ErfTheoryError(f"the {part.name} of {layer}: {error}") from None
    return record


def _parts(network: Network, *, arrays: bool) -> dict[str, Any]:
    """What a network is made of, by the names of its constructor."""
    match network:
        case Chain(parts=parts, names=names):
            return {"parts": [written(part, arrays=arrays) for part in parts], **_names(names)}
        case Parallel(branches=parts, names=names, merge=merge):
            merged = {} if merge == "add" else {"merge": merge}
            return {
                "branches": [written(part, arrays=arrays) for part in parts],
                **_names(names),
                **merged,
            }
        case Residual(body=body, shortcut=shortcut):
            beside = (
                {} if shortcut == Identity() else {"shortcut": written(shortcut, arrays=arrays)}
            )
            return {"body": written(body, arrays=arrays), **beside}
        case Graph(parts=nodes, output=output):
            rows = [
                [name, written(part, arrays=arrays), *reads]
                for name, (part, reads) in nodes.items()
            ]
            return {"parts": rows, **({} if output == rows[-1][0] else {"output": output})}
        case Flat(flat=flat, said_channels=channels, remarks=remarks):
            said: dict[str, Any] = {} if channels is None else {"in_channels": channels}
            said |= {"remarks": list(remarks)} if remarks else {}
            return {
                "nodes": [[n.name, written(n.layer, arrays=arrays), *n.inputs] for n in flat],
                **said,
            }
    raise ErfTheoryError(
        f"a network of type {type(network).__name__} is not of this package: no file can hold it"
    )


def _names(names: tuple[str, ...]) -> dict[str, Any]:
    return {} if names == tuple(map(str, range(len(names)))) else {"names": list(names)}


def _ndim(network: Network) -> dict[str, Any]:
    return {} if network.said_ndim is None else {"ndim": network.said_ndim}


def _value(value: Any, *, arrays: bool) -> Any:
    """A value of a layer."""
    match value:
        case None | bool() | str():
            return value
        case tuple():
            return [_value(part, arrays=arrays) for part in value]
        case Nonlinearity():
            return _function(value)
        case Given():
            if not arrays:
                raise ErfTheoryError(
                    f"{value} are written only if they are asked for: give arrays=True"
                )
            return {"array": value.array.tolist()}
    return _number(value)


def _function(function: Nonlinearity) -> str:
    try:
        if nonlinearity(function.name) == function:
            return function.name
    except ErfTheoryError:
        pass
    raise ErfTheoryError(
        f"{function.name} is a function of its own: only an activation by name can be written"
    )


def _number(value: Any) -> Any:
    exact = number(value)
    return {"fraction": str(exact)} if isinstance(exact, Fraction) else exact
