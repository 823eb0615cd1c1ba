"""What a gate is at rest: where what it pools is 0, its biases alone."""

from __future__ import annotations

from functools import singledispatch

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import Conv
from erf_theory.network.gating import Scale
from erf_theory.network.nodes import INPUT
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.routing import Add
from erf_theory.readers.building import Build
from erf_theory.readers.values import Refused, Value

__all__ = ["at_rest"]


def at_rest(build: Build, gate: Value) -> FloatArray:
    """The expected samples of a node with one place, where the maps before it are 0.

    Weights and norms that have a law are of mean 0.

    Raises
    ------
    Refused
        If a layer between is none that gates are made of.
    """
    assert gate.node is not None  # noqa: S101
    return _rest(build, gate.node)


def _rest(build: Build, place: int) -> FloatArray:
    node, channels = build.nodes[place], build.shapes[place][0]
    if any(i == INPUT or np.prod(build.shapes[i][1:]) > 1 for i in node.inputs):
        return np.zeros(channels)
    return _through(node.layer, *(_rest(build, i) for i in node.inputs))


@singledispatch
def _through(layer: Layer, *before: FloatArray) -> FloatArray:
    raise Refused(f"it multiplies by a gate with {layer} in it, whose mean is not known")


@_through.register(Dropout)
@_through.register(Identity)
def _(layer: Layer, *before: FloatArray) -> FloatArray:
    return before[0]


@_through.register
def _(layer: Activation, *before: FloatArray) -> FloatArray:
    return np.asarray(layer.nonlinearity.value(before[0], np))


@_through.register
def _(layer: Add, *before: FloatArray) -> FloatArray:
    return np.asarray(np.sum(before, axis=0))


@_through.register
def _(layer: Scale, *before: FloatArray) -> FloatArray:
    channels = len(before[0])
    return layer.factors(channels) * before[0] + layer.shifts(channels)


@_through.register
def _(layer: Conv, *before: FloatArray) -> FloatArray:
    weights = layer.given_weights
    if weights is None:
        return np.zeros(layer.out_channels)
    grouped = before[0].reshape(layer.groups, -1)
    middle = weights[(..., *((k - 1) // 2 for k in weights.shape[2:]))]
    rows = middle.reshape(layer.groups, -1, middle.shape[1])
    bias = 0.0 if layer.given_bias is None else layer.given_bias
    return np.asarray(np.einsum("gok,gk->go", rows, grouped).ravel() + bias)


@_through.register
def _(layer: Norm, *before: FloatArray) -> FloatArray:
    channels = len(before[0])

    def numbers(name: str, default: float) -> FloatArray:
        found = getattr(layer, name)
        return found.array if isinstance(found, Given) else np.full(channels, default)

    unit = (before[0] - numbers("mean", 0)) / np.sqrt(numbers("variance", 1) + layer.eps)
    return numbers("scale", 1) * unit + numbers("shift", 0)
