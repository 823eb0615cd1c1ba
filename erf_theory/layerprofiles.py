"""Profiles of all layers of a network whose weights are given, in one pass through it.

The profile of a unit is what it makes of the input. One pass from the input on tells it for the
units of every layer, where one pass from each of them would take as many passes as there are
layers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import log
from typing import Any, NamedTuple, final

import numpy as np

from erf_theory.engines.convolution import Samples
from erf_theory.engines.lines import mean_lines
from erf_theory.engines.tape import Recorded, Tape
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray
from erf_theory.measures import LUO_LEVEL, count_above
from erf_theory.network.convolutions import is_given
from erf_theory.network.nodes import INPUT, Network
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.perchannel import Channelwise, given_reasons, has_given_weights
from erf_theory.propagation.walking import Question

__all__ = ["LayerProfile", "Measures", "by_profiles", "layer_profiles"]

_PROFILES = (
    "sizes are those of the product of the profiles, not of the map: within 2 % for MobileNetV2, "
    "7 % for ResNets, but 37 % too large where skips leave a peak on a wide map, as in U-Nets; "
    "whole_maps=True counts them on the maps"
)


class Measures(NamedTuple):
    """What an effective field is asked for: lengths in pixels on the table's axis."""

    std: float
    size: float
    log_mass: float
    is_exact: bool
    reasons: tuple[str, ...]


def by_profiles(network: Network, axis: int, wanted: Sequence[int]) -> dict[int, Measures]:
    """The measures of the layers whose profiles are found together: those with given weights."""
    lines = [layer_profiles(network, along, wanted) for along in range(network.ndim)]
    places = set(wanted).intersection(*lines)
    reasons = given_reasons(network) if places else ()
    reasons += (_PROFILES,) if places and network.ndim > 1 else ()
    found = {}
    for place in places:
        own = [line[place] for line in lines]
        count = count_above([line.values for line in own], 1 - LUO_LEVEL)
        size, line = count ** (1 / network.ndim), own[axis]
        found[place] = Measures(line.std, size, line.log_mass, is_exact=False, reasons=reasons)
    return found


@final
class LayerProfile(NamedTuple):
    """The energy of a layer's units on one axis, the mean over its channels.

    Attributes
    ----------
    values : ndarray
        Shares of the mass, place by place.
    log_mass : float
        Natural logarithm of the mass.
    """

    values: FloatArray
    log_mass: float

    @property
    def std(self) -> float:
        """Standard deviation in input pixels."""
        places = np.arange(len(self.values))
        return float(np.sqrt(self.values @ (places - self.values @ places) ** 2))


def layer_profiles(network: Network, axis: int, wanted: Collection[int]) -> dict[int, LayerProfile]:
    """The profiles of nodes at some places, for weights as given.

    Nodes are left out that no given weights lie before, that the output does not depend on, or
    whose fields are 0 or lost beside those of others; all of them where the units of one do not all
    see alike, or the sum over the other axes is no field of its own.

    Parameters
    ----------
    network : Network
        Its paddings in numbers.
    axis : int
        The axis that is not summed over.
    wanted : collection of int
        Places of the nodes.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> net = Chain([Conv(1, 2, 3, weights=[[[1, 1, 1]], [[1, 2, 1]]]), Conv(2, 1, 1)], 1)
    >>> layer_profiles(net, 0, {0})[0].values.round(2).tolist()
    [0.22, 0.56, 0.22]
    """
    asked = Channelwise(Question(network, (0,) * network.ndim), "energy")
    if not has_given_weights(network) or asked.is_single:
        return {}
    axes = Axes(network.ndim, axis, "full" if network.ndim == 1 else "marginal")
    weighed = _weighed(network) & set(wanted)
    steps: dict[int, int] = {}

    def seen(place: int, field: Any) -> Any:
        if place not in weighed:
            return field
        steps[place] = field.tape.append("sum", (field.step,), field.term(1))
        return Recorded(field.tape, steps[place], field.ndim)

    try:
        end = asked.program(axes, seen)(Recorded(Tape(), 0, 1)).placed()
        ends = np.full(network.in_channels, 1 / network.in_channels)
        found = mean_lines(end, network.out_channels, ends, {*steps.values()})
        profiles = {step: _profile(samples) for step, samples in found}
    except (EngineError, NoMarginalError):
        return {}
    known = {place: profiles.get(step) for place, step in steps.items()}
    return {place: profile for place, profile in known.items() if profile is not None}


def _weighed(network: Network) -> set[int]:
    """Places of the nodes that given weights lie before."""
    found: set[int] = set()
    for place, node in enumerate(network.nodes):
        if is_given(node.layer) or any(i in found for i in node.inputs if i != INPUT):
            found.add(place)
    return found


def _profile(samples: Samples) -> LayerProfile | None:
    """The shares of a line; None if it is 0."""
    line = samples.values
    total = float(line.sum())
    if total == 0:
        return None
    return LayerProfile(line / total, log(total) + samples.exponent * log(2))
