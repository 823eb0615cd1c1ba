"""Networks as their nodes: what all theory and all experiments read.

Every network is flattened into nodes, from the input to the output.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property, wraps
from math import prod
from typing import Any, Concatenate, ParamSpec, TypeVar, final

from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.lattice import Steps, per_axis
from erf_theory.memory import physical_memory
from erf_theory.network.base import Layer, Window, need_whole
from erf_theory.network.convolutions import Weighted
from erf_theory.network.gating import Gate, Scale
from erf_theory.network.pointwise import Identity, Norm, PReLU
from erf_theory.network.pooling import Upsample
from erf_theory.network.routing import ChannelShuffle, Concat, Split

__all__ = ["INPUT", "Flat", "Network", "Node", "Part", "need_network", "remembered"]

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LONG, _BYTES = 160, 64
INPUT = -1
"""The place of the network's input among its nodes."""


@final
@dataclass(frozen=True)
class Node:
    """A layer at its place in a network.

    Attributes
    ----------
    name : str
        Path of the node, parts separated by dots.
    layer : Layer
        What it does.
    inputs : tuple of int
        Places of the nodes that it reads; `INPUT` for the network's input.
    """

    name: str
    layer: Layer
    inputs: tuple[int, ...]


class Network(ABC):
    """A description of a network: the base of all of them."""

    said_ndim: int | None
    """Spatial axes, where they are said."""
    said_channels: int | None = None
    """Channels of the input, where they are said."""
    remarks: tuple[str, ...] = ()
    """What is to be said of it: how it was read."""

    def __getstate__(self) -> dict[str, Any]:
        """What a copy starts with: not what `remembered` keeps, under names with dots."""
        return {name: value for name, value in self.__dict__.items() if "." not in name}

    @property
    @abstractmethod
    def children(self) -> tuple[Part, ...]:
        """The layers and networks that it is made of."""

    @abstractmethod
    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append this network's nodes behind ``source``, and give the place of its output."""

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All layers, none before what it reads; the last one is the output."""
        nodes: list[Node] = []
        output = self.place(nodes, INPUT, "")
        if output != len(nodes) - 1 or not nodes:
            nodes.append(Node("output", Identity(), (output,)))
        return tuple(nodes)

    @cached_property
    def ndim(self) -> int:
        """Spatial axes: as said, or as the tuples of the layers have entries, else 2."""
        said = {length for node in self.nodes for length in node.layer.lengths} | _said(self)
        if len(said) > 1:
            texts = " and ".join(map(str, sorted(said)))
            raise ErfTheoryError(
                f"the tuples in a network, and its ndim, speak of {texts} axes: let them agree"
            )
        axes = next(iter(said), 2)
        if axes not in (1, 2, 3):
            raise ErfTheoryError(f"a network has 1, 2 or 3 spatial axes, not {axes}")
        return axes

    @cached_property
    def channels(self) -> tuple[int, ...]:
        """Channels behind every node.

        Raises
        ------
        ErfTheoryError
            If a node does not take what it is given; the message names it.
        """
        found: list[int] = []
        for node in self.nodes:
            before = [self.in_channels if i == INPUT else found[i] for i in node.inputs]
            try:
                found.append(node.layer.out_of(*before))
            except ErfTheoryError as error:
                raise ErfTheoryError(f"node {node.name}: {error}") from None
        return tuple(found)

    @cached_property
    def channels_before(self) -> tuple[int, ...]:
        """Channels of the input of every node, of all inputs where it puts them in a row."""
        counts = (*self.channels, self.in_channels)
        return tuple(
            sum(counts[i] for i in node.inputs)
            if isinstance(node.layer, Concat)
            else counts[node.inputs[0]]
            for node in self.nodes
        )

    @property
    def in_channels(self) -> int:
        """Channels of the input: as said, else those of the first convolution that reads it.

        Without one they are as many as splits of the input take; 1 without splits.
        """
        return self._read_channels or self._split_channels

    @cached_property
    def _read_channels(self) -> int | None:
        """Channels that the input must have; None where neither it nor a convolution says so."""
        if self.said_channels is not None:
            return need_whole("input channels of a network", self.said_channels, 1)
        same = {INPUT}
        for place, node in enumerate(self.nodes):
            if same.isdisjoint(node.inputs):
                continue
            if isinstance(node.layer, Weighted):
                return node.layer.in_channels
            if not isinstance(node.layer, Concat | Split):
                same.add(place)
        return None

    @cached_property
    def _split_channels(self) -> int:
        """Channels of the input that splits take; at least 1."""
        nodes = (node for node in self.nodes if node.inputs == (INPUT,))
        return max((n.layer.stop for n in nodes if isinstance(n.layer, Split)), default=1)

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        return self.channels[-1]

    @cached_property
    def label(self) -> str:
        """Its repr where that is short; else what it is, in a few words."""
        if len(self.nodes) <= _LONG and len(text := repr(self)) <= _LONG:
            return text
        ends = f"{self.in_channels} to {self.out_channels} channels"
        return f"<{type(self).__name__} of {len(self.nodes)} nodes, {ends}>"

    def place_of(self, name: str) -> int:
        """Place of a node among the nodes.

        A name without a node of its own is that of the last node whose name goes on behind it, so
        that "layer3.5" is where the block layer3.5 ends.

        Raises
        ------
        ErfTheoryError
            If there is none of that name; the message has names that are near.
        """
        for place, node in enumerate(self.nodes):
            if node.name == name:
                return place
        inside = [i for i, node in enumerate(self.nodes) if node.name.startswith(f"{name}.")]
        if name and inside:
            return inside[-1]
        near = get_close_matches(name, [node.name for node in self.nodes], 3, 0.0)
        raise ErfTheoryError(f"there is no node {name!r}: did you mean {', '.join(near)}?")

    def until(self, name: str) -> Network:
        """The network whose output is that of a node."""
        return Flat(
            self.nodes[: self.place_of(name) + 1], self.ndim, self.in_channels, self.remarks
        )

    def check(self) -> None:
        """Refuse what does not fit together, naming the node.

        A part of a network whose own layers do not say how many channels it reads is checked
        within that network.
        """
        ndim = self.ndim
        names = Counter(node.name for node in self.nodes)
        if len(names) < len(self.nodes):
            name = names.most_common(1)[0][0]
            raise ErfTheoryError(f"{names[name]} nodes have the name {name!r}: give them others")
        for node in self.nodes:
            _need_taps(node, ndim)
        if self._read_channels is None and any(_splits(node.layer) for node in self.nodes):
            return
        _ = self.channels
        for node in self.nodes:
            if isinstance(node.layer, Weighted):
                try:
                    node.layer.variances(ndim)
                except ErfTheoryError as error:
                    raise ErfTheoryError(f"node {node.name}: {error}") from None


Part = Layer | Network


def need_network(thing: object) -> None:
    """Refuse what is no network.

    Raises
    ------
    ErfTheoryError
        If it is something else; the message says what makes a network of it.
    """
    if not isinstance(thing, Network):
        raise ErfTheoryError(
            f"a Network is asked for, not {type(thing).__name__}: Chain makes one of layers, "
            "read_torch and read_onnx of a model"
        )


def remembered(
    function: Callable[Concatenate[Network, _P], _T],
) -> Callable[Concatenate[Network, _P], _T]:
    """A function of a network that is run once for each: a network never changes.

    Examples
    --------
    >>> @remembered
    ... def depth(network):
    ...     print("counting")
    ...     return len(network.nodes)
    >>> network = Flat((Node("a", Identity(), (INPUT,)),))
    >>> depth(network), depth(network)
    counting
    (1, 1)
    """
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def found(network: Network, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        known: dict[object, _T] = network.__dict__.setdefault(name, {})
        key = (*args, *kwargs.items())
        if key not in known:
            known[key] = function(network, *args, **kwargs)
        return known[key]

    return found


def _splits(layer: Layer) -> bool:
    """Whether what a layer does depends on the number of its channels."""
    return isinstance(layer, Split | ChannelShuffle | Norm | PReLU | Gate | Scale)


def _need_taps(node: Node, ndim: int) -> None:
    """Refuse windows and steps that this machine cannot hold."""
    steps: tuple[Steps, ...] = ()
    if isinstance(node.layer, Window):
        steps = (node.layer.size, node.layer.stride)
    elif isinstance(node.layer, Upsample):
        steps = (node.layer.scale,)
    taps = max((prod(per_axis(value, ndim)) for value in steps), default=1)
    if _BYTES * taps > (limit := physical_memory()):
        raise MapTooLargeError(
            f"node {node.name}: a window or step of {taps} places does not fit into the "
            f"{limit / 2**30:.3g} GiB of this machine: choose a smaller one"
        )


def _said(network: Part) -> set[int]:
    """What a network and its parts say about their axes."""
    if isinstance(network, Layer):
        return set()
    said = network.said_ndim
    own = set() if said is None else {need_whole("ndim of a network", said, 1)}
    return own.union(*(_said(part) for part in network.children))


@final
@dataclass(frozen=True)
class Flat(Network):
    """A network that is given by its nodes.

    Attributes
    ----------
    flat : tuple of Node
        All layers, none before what it reads; the last one is the output.
    said_ndim : int, optional
        Spatial axes.
    said_channels : int, optional
        Channels of the input. Default: as its layers say.
    remarks : tuple of str
        What is to be said of a network that was read from a model.
    """

    flat: tuple[Node, ...]
    said_ndim: int | None = None
    said_channels: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def children(self) -> tuple[Part, ...]:
        """Its layers."""
        return tuple(node.layer for node in self.flat)

    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append the nodes."""
        first = len(nodes)
        for node in self.flat:
            path = f"{name}.{node.name}" if name else node.name
            inputs = tuple(source if i == INPUT else first + i for i in node.inputs)
            nodes.append(replace(node, name=path, inputs=inputs))
        return len(nodes) - 1
