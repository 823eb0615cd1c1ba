"""Networks as descriptions: layers as frozen data, and how they follow each other."""

from erf_theory.network.graph import Chain
from erf_theory.network.layers import Activation, Conv, Layer

__all__ = ["Activation", "Chain", "Conv", "Layer"]
