"""Networks as JSON: to keep one in a file, or to write one by hand.

A layer is an object with its type and what is not default, {"type": "Conv", "in_channels": 3, …};
a tuple is a list, a fraction {"fraction": "1/3"}, an array {"array": […]}. A network names its
type and what its constructor takes; the parts of a `Graph` are lists of a name, a part and the
names of what it reads.
"""

from __future__ import annotations

from os import PathLike
from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import Network
from erf_theory.network.reading import read_network
from erf_theory.network.writing import written

__all__ = ["FORMAT", "from_dict", "load", "save", "to_dict"]

FORMAT = "erf_theory.Network/1"


def to_dict(network: Network, *, arrays: bool = False) -> dict[str, Any]:
    """A network as JSON knows it.

    Parameters
    ----------
    network : Network
        The network.
    arrays : bool
        Whether to write given weights, number by number; without it they are refused.

    Raises
    ------
    ErfTheoryError
        If it holds arrays and they are not asked for, an activation that has no name, or a layer
        that is not of this package.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> to_dict(Chain([Conv(3, 8, 3, padding=1)]))["network"]
    {'type': 'Chain', 'parts': [{'type': 'Conv', 'in_channels': 3, 'out_channels': 8, 'size': 3,
     'padding': 1}]}
    """
    from importlib.metadata import version

    record = {"format": FORMAT, "package": f"erf_theory {version('erf-theory')}"}
    return record | {"network": written(network, arrays=arrays)}


def from_dict(record: Any) -> Network:
    """The network of `to_dict`.

    Raises
    ------
    ErfTheoryError
        If the record is not complete, or its parts do not fit; the message says where.

    Examples
    --------
    >>> from erf_theory.network import Conv, Residual
    >>> net = Residual(Conv(8, 8, 3, padding=1))
    >>> from_dict(to_dict(net)) == net
    True
    """
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ErfTheoryError(f"this is no saved network: its format is not {FORMAT!r}")
    return read_network(record.get("network"))


def save(network: Network, path: str | PathLike[str], *, arrays: bool = False) -> None:
    """Write a network to a file, as JSON; see `to_dict`."""
    import json
    from pathlib import Path

    text = json.dumps(to_dict(network, arrays=arrays), allow_nan=False, indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")


def load(path: str | PathLike[str]) -> Network:
    """The network of a file of `save`.

    Raises
    ------
    ErfTheoryError
        If the file holds no network, or a damaged one.
    """
    import json
    from pathlib import Path

    try:
        record = json.loads(
            Path(path).read_text(encoding="utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_number,
        )
        return from_dict(record)
    except ErfTheoryError as error:
        raise ErfTheoryError(f"{path}: {error}") from None
    except (RecursionError, ValueError) as error:
        raise ErfTheoryError(f"{path} is no JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ErfTheoryError(f"an object has the same name twice: {[name for name, _ in pairs]}")
    return found


def _no_number(text: str) -> Any:
    raise ErfTheoryError(f"{text} is no number: give a finite one")
