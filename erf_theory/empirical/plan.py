"""What an experiment looks at: the boxes of every node, wide enough for what norms measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import Region, regions
from erf_theory.network.nodes import Network
from erf_theory.network.pointwise import Norm

__all__ = ["INPUTS", "Boxes", "Plan", "is_calibrated", "plan"]

# The box of the input, then that of every node; None for what is not needed.
Boxes = tuple[Region | None, ...]
INPUTS = 4
"""Images that the statistics of a batch norm are taken over."""
_PLACES = 1024
"""Places of all images together, at least, that a norm takes its statistics over."""


@dataclass(frozen=True)
class Plan:
    """The boxes of an experiment, in the coordinates of an infinite image.

    Attributes
    ----------
    network : Network
        What is measured.
    unit : tuple of int
        The output unit.
    boxes : tuple of Region or None
        Of the run that is measured. Layer, group and instance norms take their statistics over
        their node's box: where there are any, the boxes are wide.
    wide : tuple of Region or None, optional
        Of the run before it, that calibrates batch norms; None where there are none.
    map : Region
        The part of the input that the unit depends on, other than by statistics.
    """

    network: Network
    unit: tuple[int, ...]
    boxes: Boxes
    wide: Boxes | None
    map: Region

    def needs(self, place: int) -> bool:
        """Whether a run goes through the node at a place."""
        wide = self.boxes if self.wide is None else self.wide
        return self.boxes[place + 1] is not None or wide[place + 1] is not None

    @property
    def numbers(self) -> int:
        """Numbers that one sample needs at once, about."""
        network = self.network
        channels = (network.in_channels, *network.channels)
        weights = [
            prod(node.layer.weight_shape(network.ndim))
            for node in network.nodes
            if isinstance(node.layer, Weighted)
        ]
        narrow = map(_numbers, self.boxes, channels)
        wide = map(_numbers, self.wide or (), channels)
        return sum(weights) + 2 * sum(narrow) + 4 * INPUTS * max(wide, default=0)


def plan(network: Network, unit: Steps = 0) -> Plan:
    """The boxes for one output unit.

    Raises
    ------
    ErfTheoryError
        If the unit depends on no input at all.
    """
    norms = [
        (place, node.layer)
        for place, node in enumerate(network.nodes)
        if isinstance(node.layer, Norm)
    ]
    at, narrow = per_axis(unit, network.ndim), regions(network, unit)
    if narrow[0] is None:
        raise ErfTheoryError(f"the output unit {at} depends on no input: choose another unit")
    moving = {place: _PLACES for place, layer in norms if layer.kind not in ("batch", "place")}
    calibrated = {place: _PLACES // INPUTS for place, layer in norms if is_calibrated(layer)}
    boxes = _wide(network, unit, moving) if moving else narrow
    wide = _wide(network, unit, moving | calibrated) if calibrated else None
    return Plan(network, at, boxes, wide, narrow[0])


def is_calibrated(layer: Norm) -> bool:
    """Whether a norm needs statistics from a run before."""
    return layer.kind == "batch" and (layer.mean is None or layer.variance is None)


def _wide(network: Network, unit: Steps, places: Mapping[int, int]) -> Boxes:
    """Boxes that have so many places, or more, at some nodes."""
    margin, boxes = 0, regions(network, unit)
    needed = {place: least for place, least in places.items() if boxes[place + 1] is not None}
    while any(_size(boxes[place + 1]) < least for place, least in needed.items()):
        margin += 1 + margin // 8
        boxes = regions(network, unit, margin)
    return boxes


def _numbers(region: Region | None, channels: int) -> int:
    return _size(region) * channels


def _size(region: Region | None) -> int:
    return 0 if region is None else prod(region.shape)
