"""What depends on the whole input alike, which no map has."""

from __future__ import annotations

from erf_theory.network.base import Layer
from erf_theory.network.gating import Gate, Global
from erf_theory.network.nodes import INPUT, Network, remembered
from erf_theory.propagation.notes import Notes

__all__ = ["GATED", "GLOBAL", "needed", "note_global", "transmits"]

GATED = (
    "a gate depends on all places of the image: its factor is taken at rest, and its own "
    "influence, by which every pixel counts a little, is not in the map"
)
GLOBAL = "what sees all places of the image alike is not in the map"


def transmits(layer: Layer) -> bool:
    """Whether a layer hands on anything that has a place."""
    return not isinstance(layer, Global)


def needed(network: Network) -> set[int]:
    """Places of the nodes that the output depends on, as far as that has places."""
    found = {len(network.nodes) - 1}
    for place in range(len(network.nodes) - 1, INPUT, -1):
        if place in found and transmits(network.nodes[place].layer):
            found.update(network.nodes[place].inputs)
    return found


def note_global(network: Network, notes: Notes) -> None:
    """Note the nodes by which the whole input has an influence that is not in the map."""
    for name, layer in _global(network):
        notes.add(GATED if isinstance(layer, Gate) else GLOBAL, name)


@remembered
def _global(network: Network) -> list[tuple[str, Layer]]:
    """The nodes that the output depends on and that see all places of the image."""
    nodes = [network.nodes[place] for place in sorted(needed(network) - {INPUT})]
    return [(node.name, node.layer) for node in nodes if isinstance(node.layer, Gate | Global)]
