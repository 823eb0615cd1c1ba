"""The same network with fewer channels, which is cheaper to measure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import need_whole
from erf_theory.network.convolutions import Weighted
from erf_theory.network.nodes import INPUT, Flat, Network, Node
from erf_theory.network.routing import Split

__all__ = ["thinned"]


def thinned(network: Network, factor: int) -> Network:
    """A network with 1/factor of the channels everywhere but at the input.

    Laws of weights that are given by name follow the channels, so that the energy's shape is
    that of the whole network up to terms of 1/channels. Depthwise convolutions stay depthwise.

    Parameters
    ----------
    network : Network
        Without weights as given.
    factor : int
        1 or more, and a divisor of every number of channels.

    Raises
    ------
    ErfTheoryError
        If a number of channels or groups is not divided, or weights are given.

    Examples
    --------
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> net = Chain([Conv(3, 64, 3), Activation("relu"), Conv(64, 64, 3, groups=64)], ndim=1)
    >>> [node.layer for node in thinned(net, 8).nodes]
    [Conv(3, 8, 3), Activation('relu'), Conv(8, 8, 3, groups=8)]
    """
    need_whole("factor of the channels", factor, 1)
    nodes: list[Node] = []
    channels: list[int] = []
    for node in network.nodes:
        before = [network.in_channels if i == INPUT else channels[i] for i in node.inputs]
        try:
            layer = _thinned(node.layer, before[0], factor)
            channels.append(layer.out_of(*before))
        except ErfTheoryError as error:
            raise ErfTheoryError(f"node {node.name}: {error}; take another factor") from None
        nodes.append(replace(node, layer=layer))
    return Flat(tuple(nodes), network.ndim)


def _thinned(layer: Any, channels: int, factor: int) -> Any:
    """A layer, for so many channels at its input."""
    if isinstance(layer, Split):
        return Split(_share(layer.start, factor), _share(layer.stop, factor))
    if not isinstance(layer, Weighted):
        return layer
    if layer.given_weights is not None:
        raise ErfTheoryError("weights as given have their channels")
    groups = channels if layer.groups == layer.in_channels else layer.groups
    out = _share(layer.out_channels, factor)
    return replace(layer, in_channels=channels, out_channels=out, groups=groups)


def _share(channels: int, factor: int) -> int:
    if channels % factor:
        raise ErfTheoryError(f"{factor} does not divide {channels} channels")
    return channels // factor
