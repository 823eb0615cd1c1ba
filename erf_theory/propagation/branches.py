"""Branches that are added although they depend on each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from heapq import heappop, heappush

from erf_theory.network.convolutions import Weighted
from erf_theory.network.gating import Global
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.network.routing import Add

__all__ = ["COHERENT", "coherent_sums"]

COHERENT = (
    "branches without weights of their own are added as if they were independent: x + x then has "
    "half of its energy, x + relu(x) three fifths"
)


@remembered
def coherent_sums(network: Network) -> tuple[str, ...]:
    """Names of the sums that two branches without weights reach from one node.

    Examples
    --------
    >>> from erf_theory.network import Activation, Conv, Residual
    >>> coherent_sums(Residual(Activation("relu")))
    ('add',)
    >>> coherent_sums(Residual(Conv(4, 4, 3, padding=1)))
    ()

    What sees all places hands nothing back to one, so that it is no branch.
    """
    nodes = network.nodes
    readers: dict[int, list[int]] = {place: [] for place in range(INPUT, len(nodes))}
    for place, node in enumerate(nodes):
        for source in node.inputs:
            readers[source].append(place)
    met = [_met(network, readers, fork) for fork in readers if len(readers[fork]) > 1]
    return tuple(nodes[place].name for place in sorted(set().union(*met)))


def _met(network: Network, readers: Mapping[int, list[int]], fork: int) -> set[int]:
    """Places of the sums that paths without weights from a fork reach twice.

    Once all of them pass through one node, what follows is that node's own affair.
    """
    arrived: Counter[int] = Counter()
    alive: list[int] = []

    def pass_on(place: int) -> None:
        for reader in readers[place]:
            if not isinstance(network.nodes[reader].layer, Weighted | Global):
                if reader not in arrived:
                    heappush(alive, reader)
                arrived[reader] += 1

    pass_on(fork)
    while len(alive) > 1:
        pass_on(heappop(alive))
    return {
        place
        for place, times in arrived.items()
        if times > 1 and isinstance(network.nodes[place].layer, Add)
    }
