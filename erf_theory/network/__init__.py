"""Networks as descriptions: layers as frozen data, and how they follow each other."""

from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.files import from_dict, load, save, to_dict
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.graph import Chain, Graph, Parallel, Residual
from erf_theory.network.nodes import Network, Node
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

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
