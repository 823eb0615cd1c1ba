"""Networks as descriptions: layers as frozen data, and how they follow each other.

Compositions and files load when they are first used: a network that is read needs none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.nodes import Network, Node
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

if TYPE_CHECKING:
    from erf_theory.network.files import from_dict, load, save, to_dict
    from erf_theory.network.graph import Chain, Graph, Parallel, Residual

__all__ = [
    "Activation",
    "Add",
    "AvgPool",
    "Chain",
    "ChannelShuffle",
    "Concat",
    "Conv",
    "ConvTranspose",
    "Crop",
    "Dropout",
    "Gate",
    "Geometry",
    "Global",
    "Graph",
    "Identity",
    "Layer",
    "MaxPool",
    "Network",
    "Node",
    "Norm",
    "PReLU",
    "Pad",
    "Parallel",
    "Residual",
    "Scale",
    "Split",
    "Upsample",
    "from_dict",
    "load",
    "receptive_field",
    "save",
    "to_dict",
]

_LATE = {
    **dict.fromkeys(("from_dict", "load", "save", "to_dict"), "files"),
    **dict.fromkeys(("Chain", "Graph", "Parallel", "Residual"), "graph"),
}


def __getattr__(name: str) -> Any:
    """Load a name from the module that defines it, or that module."""
    if name in _LATE.values():
        return import_module(f"{__name__}.{name}")
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
