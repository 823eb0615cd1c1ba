"""Where a network's stages end, and where its blocks do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from erf_theory.architectures import network_erf
from erf_theory.erf import ERF
from erf_theory.gaussian.limit import GaussianLimit, gaussian_limit
from erf_theory.network.geometry import image_sizes
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.receptive import receptive_field

__all__ = ["Stage", "block_ends", "stage_ends"]


@final
@dataclass(frozen=True, eq=False)
class Stage:
    """The last layer at a distance of units.

    Attributes
    ----------
    name : str
        Its node.
    erf : ERF
        Its map.
    """

    name: str
    erf: ERF

    @classmethod
    def of(cls, network: Network, name: str) -> Stage:
        """That of a node of a network whose paddings are numbers."""
        return cls(name, network_erf(network, layer=name))

    @cached_property
    def limit(self) -> GaussianLimit:
        """Whether the map is a Gaussian; that of its profile, where all of them are the same."""
        first, *others = (self.erf.profile(axis) for axis in range(self.erf.ndim))
        alike = all(_is_same(first, other) for other in others)
        return gaussian_limit(first if alike else self.erf)


def stage_ends(network: Network, image_size: Sequence[int] | None = None) -> list[str]:
    """Names of the last nodes at every distance of units, in their order; the output is the last.

    A node that all paths pass through comes before one that some go around.

    Parameters
    ----------
    network : Network
        The network, paddings in numbers.
    image_size : sequence of int, optional
        Size of its input: what has one unit on it is apart from what has several.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> stage_ends(zoo.resnet18())
    ['stem.act', 'stage1.1.relu', 'stage2.1.relu', 'stage3.1.relu', 'stage4.1.relu']
    """
    whole = _passed_by_all(network)
    one = (1,) * network.ndim
    sizes = None if image_size is None else image_sizes(network, tuple(image_size))
    last: dict[tuple[object, ...], int] = {}
    for place, row in enumerate(receptive_field(network).rows):
        key = (*(axis.jump for axis in row.axes), sizes is not None and sizes[place] == one)
        if place in whole or last.get(key) not in whole:
            last[key] = place
    ends = {*last.values(), len(network.nodes) - 1}
    return [network.nodes[place].name for place in sorted(ends)]


def block_ends(network: Network) -> list[str]:
    """Names of the nodes that see more than those before them, blocks taken as one; the output too.

    Of the nodes that all paths pass through and whose theoretical receptive fields are the same,
    the last one counts.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> block_ends(zoo.resnet18())[:4]
    ['stem.act', 'pool', 'stage1.0.relu', 'stage1.1.relu']
    """
    rows = receptive_field(network).rows
    last = {
        tuple((axis.size, axis.jump) for axis in rows[place].axes): place
        for place in sorted(_passed_by_all(network))
    }
    ends = {*last.values(), len(network.nodes) - 1}
    return [network.nodes[place].name for place in sorted(ends)]


def _is_same(one: ERF, other: ERF) -> bool:
    same_places = np.array_equal(one.offsets[0], other.offsets[0])
    return same_places and np.array_equal(one.values, other.values)


def _passed_by_all(network: Network) -> set[int]:
    """Places of the nodes that every path from the input to the output passes through."""
    nodes, needed = network.nodes, {len(network.nodes) - 1}
    for place in reversed(range(len(nodes))):
        if place in needed:
            needed.update(nodes[place].inputs)
    found, nearest = set(), len(nodes)
    for place in sorted(needed - {INPUT}, reverse=True):
        if nearest >= place:
            found.add(place)
        nearest = min(nearest, *nodes[place].inputs)
    return found
