"""Why a theory is only approximate, noted on the way through a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import final

from erf_theory.network.nodes import INPUT, Network, remembered

__all__ = ["FEW", "FEW_INPUTS", "GATES", "GUESSED", "NOT_NORMAL", "Notes"]

_SIZE = (
    "done to six post-activation blocks of a convolution and a layer norm it would make the mass "
    "low by a factor of 1.8, the std high by 6 %"
)
NOT_NORMAL = f"samples before an activation are taken as normal: {_SIZE}"
GATES = f"gates that one unit meets in a row are taken as independent: {_SIZE}"
FEW = (
    "sums of few samples, 9 in a depthwise convolution of 3×3, are taken as normal: in "
    "three blocks of ReLU, it, ReLU, a convolution of size 1 and a batch norm that makes the mass "
    "high by 22 ± 3 %"
)
FEW_INPUTS = (
    "sums of few samples of the input are taken as normal over the networks, before gates that one "
    "unit meets in a row: in a TCN, whose first convolution adds 7 and its shortcut 1, that makes "
    "the mass low by 3 %"
)
GUESSED = (
    "what two images share behind post-activation sums without batch norms is guessed: their "
    "variance is off by 4 to 11 % behind one to five"
)


@final
@dataclass(eq=False)
class Notes:
    """Why a result is only approximate: reasons, each with the nodes that it holds for.

    Attributes
    ----------
    field, signal : dict
        From the reason to the nodes where the field, or the signal, is approximate.
    needing : set of str
        Nodes whose rules depend on the signal before them: reasons of nodes that lead there count.

    Examples
    --------
    >>> from erf_theory.network import Chain, MaxPool
    >>> notes = Notes()
    >>> notes.add("a pool is taken as even", "stem.pool")
    >>> notes.texts(Chain({"stem.pool": MaxPool(3)}))
    ('a pool is taken as even (stem.pool)',)
    """

    field: dict[str, list[str]] = field_of(default_factory=dict)
    signal: dict[str, list[str]] = field_of(default_factory=dict)
    needing: set[str] = field_of(default_factory=set)

    def add(self, reason: str, node: str) -> None:
        """Note a reason why the field is approximate, at a node."""
        _enter(self.field, reason, node)

    def add_to_signal(self, reason: str, node: str) -> None:
        """Note a reason why the signal is approximate, at a node."""
        _enter(self.signal, reason, node)

    def texts(self, network: Network) -> tuple[str, ...]:
        """One sentence for every reason."""
        leading = _leading(network, frozenset(self.needing)) if self.signal else set()
        found = {reason: list(nodes) for reason, nodes in self.field.items()}
        for reason, nodes in self.signal.items():
            for node in nodes:
                if node in leading:
                    _enter(found, reason, node)
        return tuple(f"{reason} ({_some(nodes)})" for reason, nodes in found.items())


@remembered
def _leading(network: Network, needing: frozenset[str]) -> set[str]:
    """Names of the nodes that lead to one that needs the signal before it."""
    places: set[int] = set()
    for place in reversed(range(len(network.nodes))):
        node = network.nodes[place]
        if place in places or node.name in needing:
            places.update(node.inputs)
    return {network.nodes[place].name for place in places if place != INPUT}


def _enter(reasons: dict[str, list[str]], reason: str, node: str) -> None:
    nodes = reasons.setdefault(reason, [])
    if node not in nodes:
        nodes.append(node)


def _some(nodes: Sequence[str]) -> str:
    """The first names of a list."""
    return ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
