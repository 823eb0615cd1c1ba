"""From a model's operations to a network: one rule for every kind, in the files beside this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer
from erf_theory.network.gating import Global, Scale
from erf_theory.network.geometry import shape_behind
from erf_theory.network.nodes import INPUT, Node
from erf_theory.network.routing import Concat
from erf_theory.readers.curves import GRID
from erf_theory.readers.settling import channel_layers, is_spread, pieces_of, settled
from erf_theory.readers.trace import Constant, Op
from erf_theory.readers.values import Refused, Value, is_per_place

__all__ = ["FROZEN", "RULES", "UNKNOWN_CURVE", "Build", "Operand", "Rule", "one_or_all", "rule"]

Operand = Value | Constant
Rule = Callable[["Build", Op, Any], Value]
"""From an operation and what it reads to what comes out of it."""
FROZEN = "frozen to the size of the example"
"""What is said of layers whose windows are as large as a map, or follow from its size."""
UNKNOWN_CURVE = "it acts on every sample, and is no activation that the package knows"
RULES: dict[str, Rule] = {}
"""What becomes of every kind of operation."""


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Enter the rule for some kinds of operations."""

    def enter(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return enter


@final
@dataclass(eq=False, repr=False)
class Build:
    """A network while it is built.

    Attributes
    ----------
    channels : int
        Of the network's input.
    places : tuple of int
        Spatial shape of the example.
    weights : str
        "given", or the name of the law that stands in their place; "law" for PyTorch's.
    nodes : list of Node
        What has been made; a node that nothing reads is left out at the end.
    shapes : list of tuple of int
        Channels and places behind every node.
    pooled : set of int
        Nodes with one place, that sees all places by a global pool or the like.
    remarks : dict
        What is to be said of the network, and the operations that it is said of.
    learned : dict
        Places of the nodes that have a law in place of one array of weights, by its identity.
    name : str
        Name of the operation that is read now.
    """

    channels: int
    places: tuple[int, ...]
    weights: str
    nodes: list[Node] = field(default_factory=list)
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    pooled: set[int] = field(default_factory=set)
    remarks: dict[str, list[str]] = field(default_factory=dict)
    learned: dict[int, list[int]] = field(default_factory=dict)
    name: str = ""
    _settled: dict[int, tuple[Value, Value]] = field(default_factory=dict)

    @property
    def ndim(self) -> int:
        """Spatial axes."""
        return len(self.places)

    def source(self) -> Value:
        """The network's input."""
        return Value(INPUT, (self.channels, *self.places), curves={INPUT: GRID})

    def remark(self, text: str) -> None:
        """Say something about the operation that is read now."""
        self.remarks.setdefault(text, []).append(self.name)

    def add(self, layer: Layer, *inputs: Value, part: str = "") -> Value:
        """Append a node behind others that hold their samples as they are, and give its output.

        ``part`` is the name of what is not the last node that an operation becomes.

        Raises
        ------
        Refused
            If the layer does not take them.
        """
        places = {value.base[1:] for value in inputs}
        if len(places) > 1:
            raise Refused(f"what it reads differs in size: {', '.join(map(str, places))}")
        sources = tuple(map(_node, inputs))
        try:
            channels = layer.out_of(*(value.base[0] for value in inputs))
            base = (channels, *shape_behind(layer, *places))
        except ErfTheoryError as error:
            raise Refused(str(error)) from None
        place = len(self.nodes)
        self.nodes.append(Node(f"{self.name}.{part}" if part else self.name, layer, sources))
        self.shapes.append(base)
        found = Value(place, base, None, self.name, {place: GRID})
        if found.is_spot and not self.pooled.isdisjoint(sources):
            self.pooled.add(place)
        return found

    def pool(self, value: Value) -> Value:
        """Note that a tensor with one place sees all places of the image."""
        if value.is_spot and value.node is not None:
            self.pooled.add(value.node)
        return value

    def pointwise(self, layer: Layer, value: Value, part: str = "") -> Value:
        """A layer that acts on every sample alike, wherever the samples are."""
        found = replace(self.add(layer, value.unmoved(), part=part), moved=value.moved)
        return replace(found, name=value.name) if value.moved is not None else found

    def plain(self, value: Value) -> Value:
        """The tensor as a node's output: what was moved is moved by layers.

        Raises
        ------
        Refused
            If no layers do that.
        """
        if value.moved is None:
            return value
        if id(value) not in self._settled:
            reader, self.name = self.name, value.name
            try:
                self._settled[id(value)] = (value, self._moved(value))
            finally:
                self.name = reader
        return self._settled[id(value)][1]

    def per_place(self, value: Value, axis: int) -> Value:
        """The tensor with an axis that is the channels of its node.

        Raises
        ------
        Refused
            If no layers bring it there.
        """
        if is_per_place(value, axis):
            return value
        front = self.plain(value.move(lambda index: np.moveaxis(index, axis, 1), value.name))
        return front.move(lambda index: np.moveaxis(index, 1, axis), value.name)

    def _moved(self, value: Value) -> Value:
        if is_spread(value):
            return self.everywhere(value.base[0], value.shape[2:])
        pieces = [self._piece(value, piece) for piece in pieces_of(value)]
        return self.add(Concat(), *pieces) if len(pieces) > 1 else pieces[0]

    def _piece(self, value: Value, index: Any) -> Value:
        found = value.unmoved()
        layers, channels = settled(value.base, index)
        for layer in layers:
            found = self.add(layer, found, part=type(layer).__name__.lower())
        routes = channel_layers(channels, found.base[0])
        if len(routes) < 2:
            return self.add(routes[0], found) if routes else found
        parts = [self.add(one, found, part=str(i)) for i, one in enumerate(routes)]
        return self.add(Concat(), *parts)

    def everywhere(self, channels: int, places: Sequence[int], part: str = "") -> Value:
        """Samples that see all places, and are the same at so many places.

        Raises
        ------
        Refused
            If there are no nodes of that size.
        """
        sizes = [(INPUT, self.places), *((i, shape[1:]) for i, shape in enumerate(self.shapes))]
        alike = [place for place, size in sizes if tuple(size) == tuple(places)]
        if not alike:
            raise Refused(f"nothing else in the model has {places} places")
        base = self.shapes[alike[-1]] if alike[-1] != INPUT else (self.channels, *self.places)
        return self.add(Global(channels), Value(alike[-1], base), part=part)

    def leads(self, first: Value, last: Value) -> bool:
        """Whether one tensor is computed from another one."""
        places = {last.node}
        for place in range(len(self.nodes) - 1, -1, -1):
            if place in places:
                places.update(self.nodes[place].inputs)
        return first.node in places and first.node != last.node

    def affine(self, factor: Any, shift: Any = 0.0) -> Scale:
        """The layer that multiplies by some numbers and adds others."""
        one, other = (float(part) if np.ndim(part) == 0 else part for part in (factor, shift))
        return Scale(one, other)


def _node(value: Value) -> int:
    if value.node is None:
        raise Refused(f"{UNKNOWN_CURVE}: {value.name}")
    return value.node


def one_or_all(values: Any) -> Any:
    """One number where all axes have the same; else a tuple of numbers and of pairs.

    Examples
    --------
    >>> one_or_all([3, 3]), one_or_all([(1, 1), (1, 1)]), one_or_all([(0, 1), (0, 1)])
    (3, 1, ((0, 1), (0, 1)))
    """
    if not isinstance(values, tuple | list):
        return values
    parts = [v[0] if isinstance(v, tuple | list) and v[0] == v[1] else v for v in values]
    if len(set(map(repr, parts))) == 1 and not isinstance(parts[0], tuple | list):
        return parts[0]
    return tuple(tuple(part) if isinstance(part, list) else part for part in parts)
