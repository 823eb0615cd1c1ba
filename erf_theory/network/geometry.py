"""Where things are: sizes of images, receptive fields of every node, paths that are not aligned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import singledispatch
from typing import Any, final

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.base import Layer, Window
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.nodes import INPUT, Flat, Network, need_network, remembered
from erf_theory.network.pooling import Pool, Upsample
from erf_theory.network.routing import Crop, Pad
from erf_theory.network.sight import SAME, Sight, sight, sight_per_axis

__all__ = [
    "Region",
    "crossed",
    "image_sizes",
    "regions",
    "resolved",
    "seen",
    "shape_behind",
    "sights",
]


@final
@dataclass(frozen=True)
class Region:
    """A box in the coordinates of one node: its first place and its shape."""

    start: tuple[int, ...]
    shape: tuple[int, ...]

    def __or__(self, other: Region) -> Region:
        """The smallest box that holds both."""
        low = tuple(map(min, self.start, other.start))
        ends = zip(self.start, self.shape, other.start, other.shape, low, strict=True)
        return Region(low, tuple(max(a + m, b + n) - c for a, m, b, n, c in ends))


def image_sizes(network: Network, image: Steps) -> tuple[tuple[int, ...], ...]:
    """Spatial shape behind every node, for an image of that size.

    Raises
    ------
    ErfTheoryError
        If a node has no output, or its inputs differ in shape; the message names the node.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> image_sizes(Chain([Conv(1, 1, 3, stride=2, padding=1)] * 2), 224)
    ((112, 112), (56, 56))
    """
    found: list[tuple[int, ...]] = []
    size = per_axis(image, network.ndim)
    for node in network.nodes:
        shapes = {size if i == INPUT else found[i] for i in node.inputs}
        if len(shapes) > 1:
            raise ErfTheoryError(
                f"node {node.name}: its inputs differ in size: {', '.join(map(str, shapes))}"
            )
        (shape,) = shapes
        after = shape_behind(node.layer, shape)
        if min(after) < 1:
            raise ErfTheoryError(
                f"node {node.name}: nothing is left of an image of {shape} places: give a larger "
                "image_size"
            )
        found.append(after)
    return tuple(found)


def resolved(network: Network, image: Steps | None) -> Network:
    """The same network with every padding in numbers.

    Parameters
    ----------
    network : Network
        The network.
    image : int or tuple of int, optional
        Size of its input, which TensorFlow's padding depends on.

    Raises
    ------
    ErfTheoryError
        If it is no network, or a padding needs the size and it is not given; the message names
        the node.
    """
    need_network(network)
    if _is_resolved(network):
        return network
    sizes = None if image is None else (per_axis(image, network.ndim), *image_sizes(network, image))
    nodes = []
    for node in network.nodes:
        layer: Any = node.layer
        if isinstance(_padding(layer), str):
            before = None if sizes is None else sizes[node.inputs[0] + 1]
            try:
                layer = replace(layer, padding=layer.pads(network.ndim, before))
            except ErfTheoryError as error:
                raise ErfTheoryError(f"node {node.name}: {error}") from None
        nodes.append(replace(node, layer=layer))
    return Flat(tuple(nodes), network.ndim, network.in_channels, network.remarks)


def sights(network: Network, axis: int) -> tuple[Sight, ...]:
    """What the units of every node see of the network's input, on one axis.

    Raises
    ------
    ErfTheoryError
        If the inputs of a node do not advance alike; the message names the node.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> sights(Chain([Conv(1, 1, 3, stride=2, padding=1)] * 2), 0)[-1]
    Sight(jump=4, intervals=((-3, 3),), step=1)
    """
    found: list[Sight] = []
    whole = Sight(1, ((0, 0),))
    for node in network.nodes:
        own = sight(node.layer, network.ndim, axis)
        parts = [own.through(whole if i == INPUT else found[i]) for i in node.inputs]
        if len(parts) > 1 and len({part.rate for part in parts}) > 1:
            jumps = ", ".join(str(part.rate) for part in parts)
            raise ErfTheoryError(
                f"node {node.name}: its inputs have strides {jumps} on axis {axis}: they do not fit"
            )
        union = parts[0]
        for part in parts[1:]:
            union = union | part
        found.append(union.shortest())
    return tuple(found)


def seen(layer: Layer, region: Region) -> Region | None:
    """The box of its input that a layer needs for a box of its output; None if it needs nothing.

    Examples
    --------
    >>> from erf_theory.network import Conv
    >>> seen(Conv(1, 1, 3, stride=2, padding=1), Region((0,), (2,)))
    Region(start=(-1,), shape=(5,))
    """
    axes = sight_per_axis(layer, len(region.shape))
    if all(axis is SAME for axis in axes):
        return region
    rows = zip(axes, region.start, region.shape, strict=True)
    bounds = [axis.region(a, a + m - 1) for axis, a, m in rows]
    if any(low > high for low, high in bounds):
        return None
    return Region(tuple(int(low) for low, _ in bounds), tuple(int(b - a) + 1 for a, b in bounds))


def regions(network: Network, unit: Steps = 0, margin: int = 0) -> tuple[Region | None, ...]:
    """The box of every node that one output unit depends on; first that of the input.

    None for a node that it does not depend on. With a ``margin`` the boxes are those of so many
    more outputs at both ends of every axis.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> [region.shape for region in regions(Chain([Conv(1, 1, 3)] * 2, ndim=1))]
    [(5,), (3,), (1,)]
    """
    found: list[Region | None] = [None] * (len(network.nodes) + 1)
    start = tuple(at - margin for at in per_axis(unit, network.ndim))
    found[-1] = Region(start, (2 * margin + 1,) * network.ndim)
    for place in reversed(range(len(network.nodes))):
        region, node = found[place + 1], network.nodes[place]
        need = None if region is None else seen(node.layer, region)
        if need is None:
            continue
        for source in node.inputs:
            known = found[source + 1]
            found[source + 1] = need if known is None else known | need
    return tuple(found)


def crossed(
    network: Network, unit: Steps, sizes: Sequence[tuple[int, ...]]
) -> tuple[tuple[bool, bool], ...]:
    """Whether a unit depends on anything beyond the low and the high border, per axis.

    Parameters
    ----------
    network : Network
        Its paddings in numbers.
    unit : int or tuple of int
        The output unit.
    sizes : sequence of tuple of int
        Shape of the input, and of what is behind every node.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> crossed(Chain([Conv(1, 1, 3, padding=1)], ndim=1), 0, [(8,), (8,)])
    ((True, False),)
    """
    rows = zip(regions(network, unit), sizes, strict=True)
    known = [(region, size) for region, size in rows if region is not None]
    return tuple(
        (
            any(region.start[axis] < 0 for region, _ in known),
            any(region.start[axis] + region.shape[axis] > size[axis] for region, size in known),
        )
        for axis in range(network.ndim)
    )


@remembered
def _is_resolved(network: Network) -> bool:
    """Whether every padding is in numbers."""
    return not any(isinstance(_padding(node.layer), str) for node in network.nodes)


def _padding(layer: Layer) -> Any:
    return layer.padding if isinstance(layer, Window) else 0


@singledispatch
def shape_behind(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Spatial shape behind a layer."""
    return shape


@shape_behind.register(Conv)
@shape_behind.register(Pool)
def _(layer: Conv | Pool, shape: tuple[int, ...]) -> tuple[int, ...]:
    ndim = len(shape)
    values = (per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation))
    rows = zip(shape, *values, layer.pads(ndim, shape), strict=True)
    return tuple((m + sum(ends) - d * (k - 1) - 1) // s + 1 for m, k, s, d, ends in rows)


@shape_behind.register
def _(layer: ConvTranspose, shape: tuple[int, ...]) -> tuple[int, ...]:
    ndim = len(shape)
    steps = (layer.size, layer.stride, layer.dilation, layer.output_padding)
    values = (per_axis(value, ndim) for value in steps)
    rows = zip(shape, *values, layer.pads(ndim), strict=True)
    return tuple((m - 1) * s - sum(ends) + d * (k - 1) + o + 1 for m, k, s, d, o, ends in rows)


@shape_behind.register
def _(layer: Upsample, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(m * s for m, s in zip(shape, per_axis(layer.scale, len(shape)), strict=True))


@shape_behind.register
def _(layer: Pad, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(m + a + b for m, (a, b) in zip(shape, layer.per_axis(len(shape)), strict=True))


@shape_behind.register
def _(layer: Crop, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(m - a - b for m, (a, b) in zip(shape, layer.per_axis(len(shape)), strict=True))
