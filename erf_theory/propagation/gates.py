"""Gates in a row on one unit: along identity shortcuts they are not independent.

In a post-activation residual network x ← σ(x + z) a unit that is open stays open more often than
not. The energy that follows the shortcut meets the gates of one unit; what comes out of a branch
meets those of others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial, reduce
from typing import Generic, TypeVar, final

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Weighted
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Add, Crop, Pad
from erf_theory.propagation.branches import coherent_sums
from erf_theory.propagation.forward import Signals, behind
from erf_theory.propagation.laws import law_of
from erf_theory.propagation.tabled import Tabled

__all__ = ["Labelled", "Runs", "leaves_samples", "opened", "squared_slope"]

_T = TypeVar("_T")


@final
@dataclass(frozen=True)
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
        first, *others = self.parts.values()
        for other in others:
            first = join(first, other)
        return first

    def each(self, change: Callable[[_T], _T]) -> Labelled[_T]:
        """Every part changed alike."""
        return Labelled({label: change(part) for label, part in self.parts.items()})

    def relabelled(self, place: int, join: Callable[[_T, _T], _T]) -> Labelled[_T]:
        """What has no label yet gets that of a gate."""
        named: dict[int | None, _T] = {
            label: part for label, part in self.parts.items() if label is not None
        }
        fresh: dict[int | None, _T] = {place: self.parts[None]} if None in self.parts else {}
        return Labelled(named).joined(Labelled(fresh), join)

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
        Places of what lies between two of them: sums, what only moves samples, and the pools that
        gates act with.
    gates : dict
        From the place of every gate in a run to E of the products of squared slopes of it alone,
        it and the next one, and so on to the end of the run.
    loose : frozenset of int
        Places of gates whose unit has met others before, of which no run knows.
    """

    following: Mapping[int, int]
    links: frozenset[int]
    gates: Mapping[int, tuple[float, ...]]
    loose: frozenset[int]

    @classmethod
    def of(cls, network: Network, before: Sequence[Signals], pools: Sequence[int]) -> Runs:
        """The runs of a network.

        Parameters
        ----------
        network : Network
            The network.
        before : sequence of Pieces of Signal
            The signal before every node.
        pools : sequence of int
            Places of the max pool that alone reads a node; 1 where there is none.
        """
        links = _links(network, before, pools)
        following = {gate: link.gate for gate, link in links.items()}
        gates: dict[int, tuple[float, ...]] = {}
        for place in {*following, *following.values()}:
            chain = _chain(place, following)
            layers = [network.nodes[i].layer for i in chain]
            functions = tuple(x.nonlinearity for x in layers if isinstance(x, Activation))
            added = tuple(links[i].added for i in chain[:-1])
            law = law_of(before[place].parts[0][2])
            if law is not None:
                gates[place] = opened(law, functions, added, tuple(pools[i] for i in chain))
        between = frozenset(place for link in links.values() for place in link.between)
        return cls(following, between, gates, _loose(network, links))

    def pooled(self, pools: Sequence[int]) -> frozenset[int]:
        """Places of the last gates of runs that a max pool alone reads, no other gate unknown."""
        known = {gate for gate in self.gates if pools[gate] > 1}
        return frozenset(gate for gate in known if not self.loose & set(self._before(gate)))

    def _before(self, place: int) -> list[int]:
        """A gate and those before it in its run."""
        earlier = {after: gate for gate, after in self.following.items()}
        found = [place]
        while found[-1] in earlier:
            found.append(earlier[found[-1]])
        return found

    def ratio(self, place: int, label: int | None) -> float:
        """How much more open a gate is where the gates up to ``label`` behind it are open.

        The factor beside the gate's own, for what came to the unit through the gate ``label``.
        """
        own, chain = self.gates[place], _chain(place, self.following)
        if label == place or label not in chain:
            return 1.0
        steps = chain.index(label)
        behind = self.gates[self.following[place]][steps - 1]
        return own[steps] / (own[0] * behind) if own[0] * behind else 0.0


@final
@dataclass(frozen=True)
class _Link:
    """What a unit meets behind a gate: things added, and the next gate.

    Attributes
    ----------
    gate : int
        Place of the next gate.
    between : tuple of int
        Places between the two.
    added : Tabled
        Law of what is added.
    """

    gate: int
    between: tuple[int, ...]
    added: Tabled


def _links(network: Network, before: Sequence[Signals], pools: Sequence[int]) -> dict[int, _Link]:
    """From every gate that a shortcut joins with a next one to what lies between them."""
    coherent = coherent_sums(network)
    found: dict[int, list[_Link]] = {}
    for place, node in enumerate(network.nodes):
        source = node.inputs[0]
        if not isinstance(node.layer, Activation) or source == INPUT:
            continue
        total = network.nodes[source]
        if isinstance(total.layer, Add) and total.name not in coherent:
            for way, added in _added(network, before, source):
                *moved, gate = _way(network, way)
                is_gate = gate >= 0 and isinstance(network.nodes[gate].layer, Activation)
                pooled = [i for i in moved if _is_pool(network, i)]
                if is_gate and (not pooled or (pooled == moved and pools[gate] > 1)):
                    found.setdefault(gate, []).append(_Link(place, (source, *moved), added))
    return {gate: links[0] for gate, links in found.items() if len(links) == 1}


def _way(network: Network, place: int) -> list[int]:
    """From an input of a sum back over what only moves samples, or a pool, to what is before."""
    way = [place]
    if _is_pool(network, place):
        return [place, network.nodes[place].inputs[0]]
    while way[-1] >= 0 and leaves_samples(network.nodes[way[-1]].layer, network.ndim):
        way.append(network.nodes[way[-1]].inputs[0])
    return way


def leaves_samples(layer: Layer, ndim: int) -> bool:
    """Whether a layer moves or leaves out samples, and changes none."""
    if isinstance(layer, Dropout):
        return not layer.training or layer.rate == 0
    if isinstance(layer, MaxPool):
        return max(per_axis(layer.size, ndim)) == 1
    return isinstance(layer, Crop | Identity | Pad)


def _is_pool(network: Network, place: int) -> bool:
    layer = network.nodes[place].layer
    return place >= 0 and isinstance(layer, MaxPool) and not leaves_samples(layer, network.ndim)


def _added(network: Network, before: Sequence[Signals], place: int) -> Iterator[tuple[int, Tabled]]:
    """For every input of a sum, the law of all others, if all channels have the same one."""
    inputs = network.nodes[place].inputs
    if INPUT in inputs or len(before[place].parts) > 1:
        return
    laws = [law_of(behind(network, before, i).parts[0][2]) for i in inputs]
    known = [law for law in laws if law is not None]
    if len(known) == len(inputs) > 1:
        for i, way in enumerate(inputs):
            yield way, reduce(Tabled.plus, (*known[:i], *known[i + 1 :]))


def _loose(network: Network, links: Mapping[int, _Link]) -> frozenset[int]:
    """Places of gates whose unit has met gates that are not joined with them."""
    pairs = {(place, link.gate) for place, link in links.items()}
    gated: dict[int, bool] = {INPUT: False}
    found = set()
    for place, node in enumerate(network.nodes):
        gated[place] = not isinstance(node.layer, Weighted) and any(
            gated[source] for source in node.inputs
        )
        if isinstance(node.layer, Activation):
            nearest = _ways(network, node.inputs[0])
            if any(gated[way] and (gate, place) not in pairs for way, gate in nearest):
                found.add(place)
            gated[place] = True
    return frozenset(found)


def _ways(network: Network, source: int) -> Iterator[tuple[int, int]]:
    """What comes to a sum, or to a gate without one, and the gates that pools act with there."""
    is_sum = source >= 0 and isinstance(network.nodes[source].layer, Add)
    for way in network.nodes[source].inputs if is_sum else (source,):
        yield way, _way(network, way)[-1]


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
    product, any_ = 1.0, law
    for gate, after, places in zip(gates, (*added, None), pools, strict=True):
        wins = places * any_.below(law.places) ** (places - 1)
        weights = wins * law.halved(partial(squared_slope, gate))
        share = float(law.shares @ weights)
        product *= share
        found.append(product)
        if after is None or share == 0:
            break
        passed = Tabled(law.low, law.step, law.shares * weights / share)
        any_ = any_ if places == 1 else any_.largest(places)
        law, any_ = (x.mapped(partial(gate.value, xp=np)).plus(after) for x in (passed, any_))
    return (*found, *[0.0] * (len(gates) - len(found)))


def squared_slope(gate: Nonlinearity, z: FloatArray) -> FloatArray:
    """σ'² at some samples."""
    return np.asarray(gate.slope(z, np) ** 2)
