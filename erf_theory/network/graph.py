"""How layers follow each other: chains, residuals, parallel branches, any acyclic graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Literal, final

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer
from erf_theory.network.nodes import Network, Node, Part
from erf_theory.network.pointwise import Identity
from erf_theory.network.routing import Add, Concat
from erf_theory.network.text import runs

__all__ = ["Chain", "Graph", "Parallel", "Residual"]

_NOTHING = Identity()


@final
@dataclass(frozen=True, init=False, repr=False)
class Chain(Network):
    """Layers and networks one after the other, from the input to the output.

    Parameters
    ----------
    parts : iterable or mapping
        At least one layer or network; a mapping names them.
    ndim : int, optional
        Spatial axes: 1, 2 or 3. Default: as the tuples of the layers have entries, else 2.

    Raises
    ------
    ErfTheoryError
        If the parts do not fit each other; the message names the node.

    Examples
    --------
    >>> from erf_theory.network import Activation, Conv
    >>> net = Chain([Conv(3, 8, 3), Activation("relu"), Conv(8, 8, 3)])
    >>> net.ndim, net.in_channels, net.out_channels
    (2, 3, 8)
    >>> [node.name for node in net.nodes]
    ['0', '1', '2']
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...]
    said_ndim: int | None

    def __init__(self, parts: Iterable[Part] | Mapping[str, Part], ndim: int | None = None) -> None:
        named = parts if isinstance(parts, Mapping) else None
        things = tuple(parts if named is None else named.values())
        object.__setattr__(self, "parts", things)
        object.__setattr__(self, "names", tuple(map(str, named or range(len(things)))))
        object.__setattr__(self, "said_ndim", ndim)
        if not things:
            raise ErfTheoryError("a chain has at least one layer: give it a list of them")
        _need_parts(things)
        self.check()

    @property
    def children(self) -> tuple[Part, ...]:
        """The parts."""
        return self.parts

    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append the parts, one behind the other."""
        for own, part in zip(self.names, self.parts, strict=True):
            source = _place(part, nodes, source, _path(name, own))
        return source

    def __repr__(self) -> str:
        return f"Chain({_members(self.names, self.parts)}{_ndim(self)})"


@final
@dataclass(frozen=True, init=False, repr=False)
class Parallel(Network):
    """Branches that read the same input, and are added or concatenated.

    Parameters
    ----------
    branches : iterable or mapping
        Two or more layers or networks; a mapping names them.
    merge : {"add", "concat"}
        What becomes of their outputs.
    ndim : int, optional
        As for `Chain`.

    Examples
    --------
    >>> from erf_theory.network import Conv
    >>> Parallel([Conv(8, 4, 1), Conv(8, 12, 3, padding=1)], "concat").out_channels
    16
    """

    branches: tuple[Part, ...]
    names: tuple[str, ...]
    merge: Literal["add", "concat"]
    said_ndim: int | None

    def __init__(
        self,
        branches: Iterable[Part] | Mapping[str, Part],
        merge: Literal["add", "concat"] = "add",
        ndim: int | None = None,
    ) -> None:
        named = branches if isinstance(branches, Mapping) else None
        things = tuple(branches if named is None else named.values())
        object.__setattr__(self, "branches", things)
        object.__setattr__(self, "names", tuple(map(str, named or range(len(things)))))
        object.__setattr__(self, "merge", merge)
        object.__setattr__(self, "said_ndim", ndim)
        if len(things) < 2:
            raise ErfTheoryError("parallel branches are two or more")
        if merge not in _MERGES:
            raise ErfTheoryError(f"branches merge by {' or '.join(_MERGES)}, not {merge!r}")
        _need_parts(things)
        self.check()

    @property
    def children(self) -> tuple[Part, ...]:
        """The branches."""
        return self.branches

    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append every branch behind the same source, then their merge."""
        ends = [
            _place(branch, nodes, source, _path(name, own))
            for own, branch in zip(self.names, self.branches, strict=True)
        ]
        nodes.append(Node(_path(name, self.merge), _MERGES[self.merge], tuple(ends)))
        return len(nodes) - 1

    def __repr__(self) -> str:
        merge = "" if self.merge == "add" else f", {self.merge!r}"
        return f"Parallel({_members(self.names, self.branches)}{merge}{_ndim(self)})"


@final
@dataclass(frozen=True, init=False, repr=False)
class Residual(Network):
    """A body beside a shortcut, added.

    Parameters
    ----------
    body : Layer or Network
        The branch that does something.
    shortcut : Layer or Network, optional
        The branch beside it. Default: the identity.
    ndim : int, optional
        As for `Chain`.

    Examples
    --------
    >>> from erf_theory.network import Conv
    >>> [node.name for node in Residual(Conv(8, 8, 3, padding=1)).nodes]
    ['body', 'add']
    """

    body: Part
    shortcut: Part
    said_ndim: int | None

    def __init__(
        self,
        body: Part,
        shortcut: Part = _NOTHING,
        ndim: int | None = None,
    ) -> None:
        object.__setattr__(self, "body", body)
        object.__setattr__(self, "shortcut", shortcut)
        object.__setattr__(self, "said_ndim", ndim)
        _need_parts(self.children)
        self.check()

    @property
    def children(self) -> tuple[Part, ...]:
        """Body and shortcut."""
        return (self.body, self.shortcut)

    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append both branches and their sum."""
        body = _place(self.body, nodes, source, _path(name, "body"))
        beside = source
        if not isinstance(self.shortcut, Identity):
            beside = _place(self.shortcut, nodes, source, _path(name, "shortcut"))
        nodes.append(Node(_path(name, "add"), Add(), (body, beside)))
        return len(nodes) - 1

    def __repr__(self) -> str:
        beside = "" if isinstance(self.shortcut, Identity) else f", {self.shortcut!r}"
        return f"Residual({self.body!r}{beside}{_ndim(self)})"


@final
@dataclass(frozen=True, init=False, repr=False)
class Graph(Network):
    """Any directed acyclic graph of layers and networks.

    Parameters
    ----------
    parts : mapping
        From the name of a node to its layer or network, and the names of what it reads: one name,
        or for `Add` and `Concat` several; "input" is the network's input.
    output : str, optional
        Name of the output. Default: the last one.
    ndim : int, optional
        As for `Chain`.

    Raises
    ------
    ErfTheoryError
        If a name is unknown, or nodes that the output needs read each other in a circle.

    Examples
    --------
    >>> from erf_theory.network import Add, Conv
    >>> net = Graph({
    ...     "a": (Conv(4, 4, 3, padding=1), "input"),
    ...     "b": (Conv(4, 4, 5, padding=2), "a"),
    ...     "sum": (Add(), "a", "b"),
    ... })
    >>> [node.inputs for node in net.nodes]
    [(-1,), (0,), (0, 1)]
    """

    parts: Mapping[str, tuple[Part, tuple[str, ...]]]
    output: str
    said_ndim: int | None

    def __init__(
        self,
        parts: Mapping[str, Sequence[Part | str]],
        output: str | None = None,
        ndim: int | None = None,
    ) -> None:
        if not isinstance(parts, Mapping):
            raise ErfTheoryError(
                "a graph is a mapping from names to a part and the names of what it reads, as "
                '{"a": (Conv(4, 4, 3), "input")}, not ' + type(parts).__name__
            )
        read = {name: _read(name, part) for name, part in parts.items()}
        if not read:
            raise ErfTheoryError("a graph has at least one node")
        if "input" in read:
            raise ErfTheoryError('"input" is the network\'s input: give that node another name')
        object.__setattr__(self, "parts", read)
        object.__setattr__(self, "output", next(reversed(read)) if output is None else output)
        object.__setattr__(self, "said_ndim", ndim)
        _need_parts([part for part, _ in read.values()])
        self.check()

    @property
    def children(self) -> tuple[Part, ...]:
        """The layers and networks of its nodes."""
        return tuple(part for part, _ in self.parts.values())

    def place(self, nodes: list[Node], source: int, name: str) -> int:
        """Append the nodes, each behind what it reads."""
        places = {"input": source}
        for own in _sorted(self.parts, self.output):
            part, reads = self.parts[own]
            before = tuple(places[other] for other in reads)
            if isinstance(part, Layer):
                nodes.append(Node(_path(name, own), part, before))
                places[own] = len(nodes) - 1
            else:
                if len(before) != 1:
                    raise ErfTheoryError(f"node {own}: a network reads one input")
                places[own] = part.place(nodes, before[0], _path(name, own))
        return places[self.output]

    def __hash__(self) -> int:
        return hash((frozenset(self.parts.items()), self.output, self.said_ndim))

    def __repr__(self) -> str:
        rows = (
            f"{name!r}: ({', '.join([repr(part), *map(repr, reads)])})"
            for name, (part, reads) in self.parts.items()
        )
        last = "" if self.output == list(self.parts)[-1] else f", output={self.output!r}"
        return f"Graph({{{', '.join(rows)}}}{last}{_ndim(self)})"


_MERGES: dict[str, Layer] = {"add": Add(), "concat": Concat()}


def _path(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def _place(part: Part, nodes: list[Node], source: int, name: str) -> int:
    """Append a layer or a network, and give the place of its output."""
    if isinstance(part, Network):
        return part.place(nodes, source, name)
    nodes.append(Node(name, part, (source,)))
    return len(nodes) - 1


def _need_parts(parts: Iterable[object]) -> None:
    for part in parts:
        if not isinstance(part, Layer | Network):
            raise ErfTheoryError(
                f"a network is made of layers such as Conv, and of networks, not of {part!r}"
            )


def _read(name: str, row: Sequence[Part | str]) -> tuple[Part, tuple[str, ...]]:
    """A node's layer and the names of what it reads."""
    part, *reads = row
    if isinstance(part, str) or not all(isinstance(other, str) for other in reads) or not reads:
        raise ErfTheoryError(
            f"node {name}: give its layer, then the names of what it reads, not {row!r}"
        )
    return part, tuple(map(str, reads))


def _sorted(parts: Mapping[str, tuple[Part, tuple[str, ...]]], output: str) -> list[str]:
    """The names that the output needs, each behind what it reads."""
    needed: dict[str, tuple[str, ...]] = {}
    open_ = [("the output", output)]
    while open_:
        reader, name = open_.pop()
        if name == "input" or name in needed:
            continue
        if name not in parts:
            raise ErfTheoryError(f"{reader} reads {name!r}, and there is no such node")
        needed[name] = parts[name][1]
        open_.extend((f"node {name}", other) for other in needed[name])
    try:
        return [name for name in TopologicalSorter(needed).static_order() if name != "input"]
    except CycleError as error:
        raise ErfTheoryError(
            f"nodes read each other in a circle: {' → '.join(error.args[1])}"
        ) from None


def _members(names: Sequence[str], parts: Sequence[Part]) -> str:
    """A list of parts, or a mapping if they have names."""
    texts = [repr(part) for part in parts]
    if list(names) == [str(place) for place in range(len(parts))]:
        return f"[{', '.join(runs(texts))}]"
    rows = zip(names, texts, strict=True)
    return f"{{{', '.join(f'{name!r}: {text}' for name, text in rows)}}}"


def _ndim(network: Network) -> str:
    """The end of a network's repr."""
    return "" if network.said_ndim is None else f", ndim={network.said_ndim}"
