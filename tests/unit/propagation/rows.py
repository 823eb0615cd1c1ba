"""Energies by their definition, place by place: matrices by place, signs kept in linear rows.

A field is a dict from a place to an array whose last axis are channels.
"""

from dataclasses import dataclass

import numpy as np

from erf_theory.lattice import per_axis
from erf_theory.network import Activation, Add, Conv, Dropout, Identity, Norm, Scale
from erf_theory.network.nodes import INPUT


@dataclass
class Row:
    """Energies behind its last layer, the gradient by what is before it, and places for one."""

    end: dict
    gradient: dict
    jump: tuple

    def squared(self):
        """The energies before it."""
        found = {}
        for at, energies in self.end.items():
            for tap, matrix in self.gradient.items():
                place = tuple(a * j + t for a, j, t in zip(at, self.jump, tap, strict=True))
                grow(found, {place: energies @ matrix**2})
        return found


def grow(total, more):
    for place, values in more.items():
        total[place] = total.get(place, 0) + values


def mixes(layer):
    is_dense = isinstance(layer, Conv) and layer.groups == 1
    return is_dense and max(layer.in_channels, layer.out_channels) > 1


def is_diagonal(layer):
    named = isinstance(layer, Activation) and layer.nonlinearity.name == "identity"
    return named or isinstance(layer, Norm | Dropout | Add | Identity | Scale)


def back(layer, field, power, gates, ndim):
    """A field before a layer: a gradient (power 1) or energies (2)."""
    if isinstance(layer, Conv):
        blocks = np.split(layer.given_weights**power, layer.groups)
        found, count = {}, layer.in_channels // layer.groups
        matrix = np.zeros((layer.out_channels, layer.in_channels, *blocks[0].shape[2:]))
        for i, block in enumerate(blocks):
            rows = slice(i * len(block), (i + 1) * len(block))
            matrix[rows, i * count : (i + 1) * count] = block
        steps = [per_axis(v, ndim) for v in (layer.stride, layer.dilation)]
        for at, values in field.items():
            for tap in np.ndindex(matrix.shape[2:]):
                rows = zip(at, *steps, tap, layer.pads(ndim), strict=True)
                place = tuple(x * s + d * t - before for x, s, d, t, (before, _) in rows)
                grow(found, {place: values @ matrix[(..., *tap)]})
        return found
    factors = 1.0
    if isinstance(layer, Scale):
        factors = layer.factors(len(next(iter(field.values())).T)) ** power
    elif isinstance(layer, Norm):
        factors = (layer.scale.array / np.sqrt(layer.variance.array + layer.eps)) ** power
    elif isinstance(layer, Activation) and gates is not None:
        factors = gates
    return {place: values * factors for place, values in field.items()}


def energies(network, gates, source=INPUT, channel=None):
    """The energy of every channel of a node's output, by place, for the unit at 0."""
    ndim, nodes = network.ndim, network.nodes
    mixed, goes_on = {INPUT: False}, []
    for place, node in enumerate(nodes):
        before = any(mixed[i] for i in node.inputs)
        goes_on.append(before and mixes(node.layer))
        mixed[place] = mixes(node.layer) or (before and is_diagonal(node.layer))
    count = network.out_channels
    start = np.full(count, 1 / count) if channel is None else np.eye(count)[channel]
    found = {len(nodes) - 1: ({(0,) * ndim: start}, {})}
    for place in range(len(nodes) - 1, source, -1):
        field, rows = found.pop(place, ({}, {}))
        layer = nodes[place].layer
        if not (mixes(layer) or is_diagonal(layer)):
            field, rows = squared(field, rows), {}
        step = per_axis(layer.stride, ndim) if mixes(layer) else (1,) * ndim
        rows = {
            last: Row(
                row.end,
                back(layer, row.gradient, 1, None, ndim),
                tuple(j * s for j, s in zip(row.jump, step, strict=True)),
            )
            for last, row in rows.items()
        }
        if goes_on[place] and field:
            alone = {(0,) * ndim: np.eye(layer.out_channels)}
            rows[place] = Row(field, back(layer, alone, 1, None, ndim), step)
            field = {}
        field = back(layer, field, 2, gates[place], ndim) if field else {}
        if mixes(layer) and not goes_on[place]:
            field, rows = squared(field, rows), {}
        for i in nodes[place].inputs:
            known = found.setdefault(i, ({}, {}))
            grow(known[0], field)
            for last, row in rows.items():
                one = known[1].setdefault(last, Row(row.end, {}, row.jump))
                grow(one.gradient, row.gradient)
    return squared(*found[source])


def squared(field, rows):
    total = dict(field)
    for row in rows.values():
        grow(total, row.squared())
    return total
