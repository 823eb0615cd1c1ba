"""Where things are: the region of a layer's input that a region of its output depends on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network.graph import Chain
from erf_theory.network.layers import Activation, Conv, Layer

__all__ = ["Region", "input_region", "regions"]


@dataclass(frozen=True)
class Region:
    """A box in the coordinates of one node: its first place and its shape."""

    start: tuple[int, ...]
    shape: tuple[int, ...]


@singledispatch
def input_region(layer: Layer, region: Region) -> Region:
    """The box of a layer's input that a box of its output depends on.

    Examples
    --------
    >>> input_region(Conv(1, 1, 3, stride=2, padding=1), Region((0,), (4,)))
    Region(start=(-1,), shape=(9,))
    """
    raise ErfTheoryError(f"no geometry is known for a layer of type {type(layer).__name__}")


@input_region.register
def _(layer: Conv, region: Region) -> Region:
    axes = len(region.start)
    size, stride, padding, dilation = (per_axis(value, axes) for value in layer.steps)
    start = (s * a - p for a, s, p in zip(region.start, stride, padding, strict=True))
    spans = zip(region.shape, size, stride, dilation, strict=True)
    return Region(tuple(start), tuple(s * (m - 1) + d * (k - 1) + 1 for m, k, s, d in spans))


@input_region.register
def _(_layer: Activation, region: Region) -> Region:
    return region


def regions(network: Chain) -> tuple[Region, ...]:
    """For the output unit at 0: the box that it depends on, before every layer and at the end.

    Examples
    --------
    >>> [region.shape for region in regions(Chain([Conv(1, 1, 3)] * 2, ndim=1))]
    [(5,), (3,), (1,)]
    """
    region = Region((0,) * network.ndim, (1,) * network.ndim)
    found = [region]
    for layer in reversed(network.layers):
        region = input_region(layer, region)
        found.append(region)
    return tuple(reversed(found))
