"""What layers are asked for in a table, measured on maps, no more of them than are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import log

import numpy as np

from erf_theory.architectures import network_erf
from erf_theory.erf import ERF
from erf_theory.layerprofiles import Measures
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import is_given
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.routing import ChannelShuffle
from erf_theory.propagation.forward import signals
from erf_theory.propagation.gates import Runs
from erf_theory.propagation.notes import Notes

__all__ = ["measured"]


def measured(
    network: Network, axis: int, wanted: Sequence[int], known: Mapping[int, Measures]
) -> Iterator[tuple[int, Measures]]:
    """The measures of layers; from those of the layer before it where the shape is the same.

    The last layer is always asked for itself: its reasons are the table's.
    """
    same = _same_shapes(network)
    done: dict[int, Measures] = {}
    for place in wanted:
        node, is_last = network.nodes[place], place == len(network.nodes) - 1
        before = node.inputs[0]
        if place in known:
            done[place] = known[place]
        elif place in same and before in done and not is_last:
            base, name = done[before], network.nodes[before].name
            step = network_erf(network, layer=node.name, source=name, ndim=1)
            log_mass = base.log_mass + step.log_mass + log(network.channels[before])
            is_exact = base.is_exact and step.exactness == "exact"
            done[place] = base._replace(log_mass=log_mass, is_exact=is_exact)
        else:
            erf = network_erf(network, layer=node.name)
            is_exact = erf.exactness == "exact"
            done[place] = Measures(_std(erf, axis), erf.size(), erf.log_norm, is_exact, erf.reasons)
        yield place, done[place]


def _same_shapes(network: Network) -> set[int]:
    """Places of the nodes whose units see what the units before them see, but for a factor.

    A gate or a norm weighs channels that are not alike by themselves, and the gate of a unit may
    depend on one that the unit's samples have met before.
    """
    if any(is_given(node.layer) for node in network.nodes):
        return {place for place, node in enumerate(network.nodes) if _keeps_shape(node.layer)}
    before = signals(network, Notes())
    run = Runs.of(network, before, INPUT)
    met_before = run.loose.union(run.following.values())
    found = set()
    for place, (node, signal) in enumerate(zip(network.nodes, before, strict=True)):
        weighs_alike = len(signal.parts) == 1 and place not in met_before
        if _keeps_shape(node.layer) or (weighs_alike and _has_one_factor(node.layer)):
            found.add(place)
    return found


def _keeps_shape(layer: Layer) -> bool:
    """Whether a unit sees what one unit before it sees, whatever that is."""
    return isinstance(layer, ChannelShuffle | Dropout | Identity)


def _has_one_factor(layer: Layer) -> bool:
    """Whether channels whose samples are alike have one factor."""
    is_plain = isinstance(layer, Norm) and layer.scale is None and layer.variance is None
    return is_plain or isinstance(layer, Activation)


def _std(erf: ERF, axis: int) -> float:
    """Standard deviation along an axis, from the samples that the size is counted on."""
    line = erf.profile(axis)
    shares, places = line.values, line.offsets[0]
    mean = shares @ places
    return float(np.sqrt(shares @ (places - mean) ** 2))
