"""Gates in a row on one unit: along identity shortcuts they are not independent.

In a post-activation residual network x ← σ(x + z) a unit that is open stays open more often than
not. The energy that follows the shortcut meets the gates of one unit; what comes out of a branch
meets those of others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from math import prod
from typing import Generic, NamedTuple, TypeVar, final

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.convolutions import Weighted
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.network.pointwise import Activation
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Add
from erf_theory.propagation.forward import Signals, behind
from erf_theory.propagation.laws import law_of
from erf_theory.propagation.shortcuts import Way, joins, way_back
from erf_theory.propagation.tabled import Tabled

__all__ = ["Labelled", "Runs", "gated", "opened", "squared_slope"]

_T = TypeVar("_T")


@final
@dataclass(slots=True)
class Labelled(Generic[_T]):
    """What is at a node, apart by the gate through which it came to the unit.

    Attributes
    ----------
    parts : dict
        From the place of that gate to the thing; None for what has met no gate of the unit yet.
    """

    parts: Mapping[int | None, _T]

    def total(self, join: Callable[[_T, _T], _T]) -> _T:
        """The sum of all parts."""
        return reduce(join, self.parts.values())

    def each(self, change: Callable[[_T], _T]) -> Labelled[_T]:
        """Every part changed alike."""
        return Labelled({label: change(part) for label, part in self.parts.items()})

    def relabelled(self, place: int, join: Callable[[_T, _T], _T]) -> Labelled[_T]:
        """What has no label yet gets that of a gate."""
        named = dict(self.parts)
        if None in named:
            fresh = named.pop(None)
            named[place] = join(named[place], fresh) if place in named else fresh
        return Labelled(named)

    def joined(self, other: Labelled[_T], join: Callable[[_T, _T], _T]) -> Labelled[_T]:
        """Both, label by label."""
        parts = dict(self.parts)
        for label, part in other.parts.items():
            parts[label] = join(parts[label], part) if label in parts else part
        return Labelled(parts)


@final
@dataclass(frozen=True)
class Runs:
    """Gates that identity shortcuts join, in runs from the input to the output.

    Attributes
    ----------
    following : dict
        From the place of a gate to that of the next one that its unit meets.
    links : frozenset of int
        Places of what lies between two of them: sums, pools, and what only moves samples.
    gates : dict
        From the place of every gate in a run, and from that of itself and every later gate of the
        run, to E of the product of squared slopes from the one to the other.
    loose : frozenset of int
        Places of gates whose unit has met others before, of which no run knows.
    pooled : frozenset of int
        Places of gates that a max pool alone reads, whose run knows of its winner.
    """

    following: Mapping[int, int]
    links: frozenset[int]
    gates: Mapping[int, Mapping[int | None, float]]
    loose: frozenset[int]
    pooled: frozenset[int]

    @classmethod
    def of(cls, network: Network, before: Sequence[Signals], source: int) -> Runs:
        """The runs of a network.

        Parameters
        ----------
        network : Network
            The network.
        before : sequence of Pieces of Signal
            The signal before every node.
        source : int
            Place of the node whose output the gradient is taken by: gates up to it do not count.
        """
        links = _links(network, before)
        following = {gate: link.gate for gate, link in links.items()}
        alone, every = _pools(network), _functions(network)
        pools = alone | {gate: link.way.pool for gate, link in links.items()}
        gates: dict[int, dict[int | None, float]] = {}
        for place in {*following, *following.values()}:
            chain = _chain(place, following)
            law = law_of(before[place][0][2])
            if law is not None:
                sizes = tuple([pools.get(i, 1) for i in chain])
                added = tuple([links[i].added for i in chain[:-1]])
                functions = tuple([every[i] for i in chain])
                gates[place] = dict(zip(chain, opened(law, functions, added, sizes), strict=True))
        between = frozenset(at for link in links.values() for at in (link.total, *link.way.past))
        loose = _loose(network, links, source)
        known = _known(following, gates, loose)
        return cls(following, between, gates, loose, known.intersection(alone))

    def ratio(self, place: int, label: int | None) -> float:
        """How much more open a gate is where the gates up to ``label`` behind it are open.

        The factor beside the gate's own, for what came to the unit through the gate ``label``.
        """
        own = self.gates[place]
        if label == place or label not in own:
            return 1.0
        apart = own[place] * self.gates[self.following[place]][label]
        return own[label] / apart if apart else 0.0


class _Link(NamedTuple):
    """What a unit meets behind a gate: the way to a sum, things added there, the next gate."""

    gate: int
    total: int
    way: Way
    added: Tabled


def _links(network: Network, before: Sequence[Signals]) -> dict[int, _Link]:
    """From every gate that a shortcut joins with a next one to what lies between them."""
    found: dict[int, list[_Link]] = {}
    for place, total, branch, way in joins(network):
        if way.pool == 1 or _is_white(before[way.gate]):
            added = _added(network, before, total, branch)
            if added is not None:
                found.setdefault(way.gate, []).append(_Link(place, total, way, added))
    return {gate: links[0] for gate, links in found.items() if len(links) == 1}


def _is_white(signals: Signals) -> bool:
    """Whether the samples of a window are independent."""
    return all(signal.is_independent and not signal.lags for _, _, signal in signals.parts)


def _added(network: Network, before: Sequence[Signals], total: int, branch: int) -> Tabled | None:
    """The law of all inputs of a sum but one, if all channels have the same one."""
    inputs = network.nodes[total].inputs
    if INPUT in inputs or len(before[total]) > 1:
        return None
    laws = [law_of(behind(network, before, i)[0][2]) for i in inputs]
    others = [law for law in (*laws[:branch], *laws[branch + 1 :]) if law is not None]
    is_known = laws[branch] is not None and len(others) == len(inputs) - 1 > 0
    return reduce(Tabled.plus, others) if is_known else None


@remembered
def gated(network: Network, source: int) -> list[bool]:
    """Whether samples behind every node have met a gate behind the source since any weights.

    The last entry is the input's.
    """
    found = [False] * (len(network.nodes) + 1)
    for place, node in enumerate(network.nodes):
        if place > source:
            stays = any(found[i] for i in node.inputs) and not isinstance(node.layer, Weighted)
            found[place] = stays or isinstance(node.layer, Activation)
    return found


@remembered
def _met(network: Network, source: int) -> list[tuple[int, int | None]]:
    """Gates whose samples have met gates behind the source, with those that a way leads back to."""
    met = gated(network, source)
    found = []
    for place, node in enumerate(network.nodes):
        if place > source and isinstance(node.layer, Activation):
            before = node.inputs[0]
            is_sum = before >= 0 and isinstance(network.nodes[before].layer, Add)
            for at in network.nodes[before].inputs if is_sum else (before,):
                if met[at]:
                    way = way_back(network, at)
                    found.append((place, None if way is None else way.gate))
    return found


def _loose(network: Network, links: Mapping[int, _Link], source: int) -> frozenset[int]:
    """Places of gates whose unit has met gates that are not joined with them."""
    pairs = {(link.gate, gate) for gate, link in links.items()}
    return frozenset(place for place, gate in _met(network, source) if (place, gate) not in pairs)


@remembered
def _functions(network: Network) -> dict[int, Nonlinearity]:
    """The function of every gate."""
    layers = enumerate(node.layer for node in network.nodes)
    return {i: layer.nonlinearity for i, layer in layers if isinstance(layer, Activation)}


@remembered
def _pools(network: Network) -> dict[int, int]:
    """From nodes that a max pool alone reads to the places of its window."""
    nodes = network.nodes
    readers = Counter(i for node in nodes for i in node.inputs)
    return {
        node.inputs[0]: prod(per_axis(node.layer.size, network.ndim))
        for node in nodes
        if isinstance(node.layer, MaxPool) and readers[node.inputs[0]] == 1
    }


def _known(
    following: Mapping[int, int], gates: Mapping[int, object], loose: frozenset[int]
) -> frozenset[int]:
    """Places of gates in runs that know of all gates that their units have met before."""
    earlier: dict[int, set[int]] = {}
    for gate, after in following.items():
        earlier.setdefault(after, set()).add(gate)
    found: set[int] = set()
    for place in sorted(gates):
        if place not in loose and found >= earlier.get(place, set()):
            found.add(place)
    return frozenset(found)


def _chain(place: int, following: Mapping[int, int]) -> list[int]:
    """A gate and those after it in its run."""
    found = [place]
    while found[-1] in following:
        found.append(following[found[-1]])
    return found


@lru_cache(maxsize=4096)
def opened(
    law: Tabled,
    gates: tuple[Nonlinearity, ...],
    added: tuple[Tabled, ...],
    pools: tuple[int, ...],
) -> tuple[float, ...]:
    """E of the product of the squared slopes of the first gate, the first two, and so on.

    Parameters
    ----------
    law : Tabled
        Law before the first gate, over weights and images.
    gates : tuple of Nonlinearity
        The gates of one unit, in the order in which a sample meets them.
    added : tuple of Tabled
        Law of what is added between two of them.
    pools : tuple of int
        Places of the max pool behind every gate, whose winner it is; 1 without one.

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> from erf_theory.propagation.tabled import tabled_normal
    >>> relu = nonlinearity("relu")
    >>> one, both = opened(tabled_normal(1.0), (relu, relu), (tabled_normal(1.0),), (1, 1))
    >>> round(one, 6), round(both, 4)
    (0.5, 0.375)
    """
    found = []
    product, every = 1.0, law
    for i, (gate, after, places) in enumerate(zip(gates, (*added, None), pools, strict=True)):
        weights = law.halved(partial(squared_slope, gate))
        if places > 1:
            weights = weights * every.winning(places, law)
        share = float(law.shares @ weights)
        product *= share
        found.append(product)
        if after is None or share == 0:
            break
        passed = Tabled(law.low, law.step, law.shares * weights / share)
        law = passed.mapped(partial(gate.value, xp=np)).plus(after)
        if max(pools[i + 1 :]) > 1:
            every = every.largest(places).mapped(partial(gate.value, xp=np)).plus(after)
    return (*found, *[0.0] * (len(gates) - len(found)))


def squared_slope(gate: Nonlinearity, z: FloatArray) -> FloatArray:
    """σ'² at some samples."""
    return np.asarray(gate.slope(z, np) ** 2)
