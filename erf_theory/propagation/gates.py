"""Gates in a row on one unit: along identity shortcuts they are not independent.

In a post-activation residual network x ← σ(x + z) a unit that is open stays open more often than
not. The energy that follows the shortcut meets the gates of one unit; what comes out of a branch
meets those of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Generic, NamedTuple, TypeVar, final

import numpy as np

from erf_theory.activations import Nonlinearity
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Weighted
from erf_theory.network.nodes import Network
from erf_theory.network.pointwise import Activation, Dropout, Identity
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import Add, Crop, Pad
from erf_theory.propagation.forward import Signals, behind
from erf_theory.propagation.signal import Signal
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = [
    "GATES_ALONE",
    "Labelled",
    "Runs",
    "law_before",
    "leaves_samples",
    "meets_gate",
    "opened",
    "squared_slope",
]

GATES_ALONE = (
    "gates that one sample meets without weights between them are taken as independent: a ReLU "
    "behind a max pool of two ReLUs makes the mass low by 12 %, a tanh behind a normalised tanh "
    "by half"
)

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


class _Joint(NamedTuple):
    """A gate, the places between it and the one that follows it, and the variance added there."""

    gate: int
    between: tuple[int, ...]
    variance: float


@final
@dataclass(frozen=True)
class Runs:
    """Gates that identity shortcuts join, in runs from the input to the output.

    Attributes
    ----------
    following : dict
        From the place of a gate to that of the next one in its run.
    between : frozenset of int
        Places of what is between two of them on one unit: a sum, and what only moves samples.
    gates : dict
        From the place of every gate in a run to E of the products of squared slopes of it alone,
        it and the next one, and so on to the end of the run.
    """

    following: Mapping[int, int]
    between: frozenset[int]
    gates: Mapping[int, tuple[float, ...]]

    @classmethod
    def of(cls, network: Network, before: Sequence[Signals]) -> Runs:
        """The runs of a network, from the signals before its nodes."""
        following: dict[int, int] = {}
        joints: dict[int, _Joint] = {}
        for place, node in enumerate(network.nodes):
            joint = _joint(network, before, place) if isinstance(node.layer, Activation) else None
            if joint is not None and joint.gate not in following:
                following[joint.gate] = place
                joints[joint.gate] = joint
        gates: dict[int, tuple[float, ...]] = {}
        for place in {*following, *following.values()}:
            chain = _chain(place, following)
            law = law_before(before[place].parts[0][2])
            layers = [network.nodes[i].layer for i in chain]
            functions = tuple(x.nonlinearity for x in layers if isinstance(x, Activation))
            added = tuple(joints[i].variance for i in chain[:-1])
            gates[place] = () if law is None else opened(law, functions, added)
        between = frozenset(place for joint in joints.values() for place in joint.between)
        return cls(following, between, gates)

    def alone(self, network: Network, before: Sequence[Signals], source: int) -> tuple[str, ...]:
        """Names of the gates that meet samples of other gates again, and are in no run with them.

        Gates whose samples have no law are left out: they are taken as normal, and noted.
        """
        joined = set(self.following.values())
        return tuple(
            node.name
            for place, node in enumerate(network.nodes)
            if place > source
            and place not in joined
            and isinstance(node.layer, Activation)
            and any(signal.law is not None for _, _, signal in before[place].parts)
            and meets_gate(network, place, source)
        )

    def ratio(self, place: int, label: int | None) -> float:
        """How much more open a gate is where the gates up to ``label`` behind it are open.

        The factor beside the gate's own, for what came to the unit through the gate ``label``.
        """
        own = self.gates[place]
        if label is None or label == place or not own:
            return 1.0
        steps = len(_chain(place, self.following)) - len(_chain(label, self.following))
        behind = self.gates[self.following[place]][steps - 1]
        return own[steps] / (own[0] * behind) if own[0] * behind else 0.0


def _joint(network: Network, before: Sequence[Signals], place: int) -> _Joint | None:
    """The gate whose samples a gate meets again."""
    source = network.nodes[place].inputs[0]
    if source < 0 or not isinstance(network.nodes[source].layer, Add):
        return None
    inputs = network.nodes[source].inputs
    ways = [way for i in inputs if (way := _untouched(network, i)) is not None]
    others = [i for i in inputs if i >= 0 and not any(i in way for way in ways)]
    if len(ways) != 1 or len(others) != len(inputs) - 1:
        return None
    (way,) = ways
    added = [behind(network, before, i) for i in others]
    if not all(map(_is_noise, added)):
        return None
    if any(len(before[i].parts) > 1 for i in (place, way[-1])):
        return None
    if law_before(before[way[-1]].parts[0][2]) is None:
        return None
    variance = sum(signals.parts[0][2].second for signals in added)
    return _Joint(way[-1], (source, *way[:-1]), variance)


def _untouched(network: Network, place: int) -> list[int] | None:
    """The way from a node back to a gate, if nothing but places changes on it."""
    way = [place]
    while place >= 0 and leaves_samples(network.nodes[place].layer, network.ndim):
        place = network.nodes[place].inputs[0]
        way.append(place)
    is_gate = place >= 0 and isinstance(network.nodes[place].layer, Activation)
    return way if is_gate else None


def leaves_samples(layer: Layer, ndim: int) -> bool:
    """Whether a layer moves or leaves out samples, and changes none."""
    if isinstance(layer, Dropout):
        return not layer.training or layer.rate == 0
    if isinstance(layer, MaxPool):
        return max(per_axis(layer.size, ndim)) == 1
    return isinstance(layer, Crop | Identity | Pad)


def meets_gate(network: Network, place: int, source: int) -> bool:
    """Whether a way without weights leads from a node back to a gate behind the source."""
    open_, seen = [place], {place}
    while open_:
        for other in network.nodes[open_.pop()].inputs:
            if other <= source or other in seen:
                continue
            layer = network.nodes[other].layer
            if isinstance(layer, Activation):
                return True
            if not isinstance(layer, Weighted):
                seen.add(other)
                open_.append(other)
    return False


def _chain(place: int, following: Mapping[int, int]) -> list[int]:
    """A gate and those after it in its run."""
    found = [place]
    while found[-1] in following:
        found.append(following[found[-1]])
    return found


def _is_noise(signals: Signals) -> bool:
    """Whether samples are normal, and independent from one image to another."""
    if len(signals.parts) > 1:
        return False
    signal = signals.parts[0][2]
    return signal.is_normal and signal.shared <= 1e-12 * signal.second


def law_before(signal: Signal) -> Tabled | None:
    """The law of a sample before an activation, if all channels have the same one."""
    if signal.law is not None:
        return signal.law
    if signal.is_normal and signal.shared <= 1e-12 * signal.second:
        return tabled_normal(signal.second)
    return None


@lru_cache(maxsize=4096)
def opened(
    law: Tabled, gates: tuple[Nonlinearity, ...], variances: tuple[float, ...]
) -> tuple[float, ...]:
    """E of the product of the squared slopes of the first gate, the first two, and so on.

    Parameters
    ----------
    law : Tabled
        Law before the first gate.
    gates : tuple of Nonlinearity
        The gates of one unit, in the order in which a sample meets them.
    variances : tuple of float
        Variance of what is added between two of them.

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> relu = nonlinearity("relu")
    >>> one, both = opened(tabled_normal(1.0), (relu, relu), (1.0,))
    >>> round(one, 6), round(both, 4)
    (0.5, 0.375)
    """
    found = []
    product = 1.0
    for gate, variance in zip(gates, (*variances, None), strict=True):
        weights = law.halved(partial(squared_slope, gate))
        share = float(law.shares @ weights)
        product *= share
        found.append(product)
        if variance is None or share == 0:
            break
        passed = Tabled(law.low, law.step, law.shares * weights / share)
        law = passed.mapped(partial(gate.value, xp=np)).plus_normal(variance)
    return (*found, *[0.0] * (len(gates) - len(found)))


def squared_slope(gate: Nonlinearity, z: FloatArray) -> FloatArray:
    """σ'² at some samples."""
    return np.asarray(gate.slope(z, np) ** 2)
