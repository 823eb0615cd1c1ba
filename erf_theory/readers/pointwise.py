"""What acts on every sample, or on every place, alike: activations, norms, factors and shifts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from erf_theory.activations import nonlinearity
from erf_theory.network.pointwise import Activation, Norm, PReLU
from erf_theory.readers.building import Build, rule
from erf_theory.readers.curves import named
from erf_theory.readers.trace import Constant, Op
from erf_theory.readers.values import Refused, Value

__all__ = ["Curves", "curved", "written_out"]

Curves = dict[int, Any]


@rule("identity")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    return inputs[0]


@rule("activation")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value, function = _routed(build, inputs[0]), op.attributes.get("function")
    if function is not None and value.node is not None:
        layer = Activation(function)
        curves = curved(lambda x: layer.nonlinearity.value(x, np), value)
        return build.pointwise(layer, value).knowing(curves)
    curve = op.attributes.get("curve")
    if function is not None:
        what = nonlinearity(function)
        curve = lambda x: what.value(x, np)  # noqa: E731
    curves = curved(curve, value)
    found = written_out(build, value, curves)
    return replace(value, node=None, name=op.name, curves=curves) if found is None else found


@rule("prelu")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """Slopes that are learned have PyTorch's start where laws stand for weights."""
    slopes = op.arrays["slopes"]
    if build.weights != "given" and slopes.is_learned:
        return build.pointwise(Activation("prelu(0.25)"), _routed(build, inputs[0]))
    array = slopes.array.ravel()
    if np.all(array == array[0]):
        name = f"prelu({float(array[0])!r})"
        return build.pointwise(Activation(name), _routed(build, inputs[0]))
    return build.pointwise(PReLU(array), build.per_place(inputs[0], 1))


def curved(function: Any, *values: Value) -> Curves:
    """What a function of tensors is of the nodes that all of them are functions of."""
    roots = set.intersection(*(set(value.curves) for value in values))
    with np.errstate(all="ignore"):
        found = {root: function(*(value.curves[root] for value in values)) for root in roots}
    return {root: curve for root, curve in found.items() if np.all(np.isfinite(curve))}


def written_out(
    build: Build, like: Value, curves: Curves, *, exactly: bool = False
) -> Value | None:
    """An activation that several operations are together, or exactly one, not a multiple of it.

    None if they are none that is known.
    """
    for root in sorted(curves):
        match = named(curves[root])
        if match is not None and (match[1] == 1 or not exactly):
            name, factor = match
            start = replace(like, node=root, curves={})
            found = build.pointwise(Activation(name), start)
            if factor != 1:
                found = build.pointwise(build.affine(factor), found, "scale")
            return found.knowing(curves)
    return None


def _routed(build: Build, value: Value) -> Value:
    """The tensor as a node's output, if its samples can be brought there; else as it is."""
    try:
        found = build.plain(value)
    except Refused:
        return value
    return found if found.shape == value.shape else value


@rule("norm")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    (value,), what = inputs, op.attributes
    kind = what["norm"]
    options: dict[str, Any] = {"eps": what.get("eps", 1e-5)}
    axis = 1
    if kind == "layer":
        axes = what["axes"]
        axis = what.get("axis", len(value.shape) - 1)
        if axes == len(value.shape) - 1 and axes > 1:
            value = build.plain(value)
        elif axes == 1:
            value, kind = build.per_place(value, axis), "place"
        else:
            raise Refused("it takes its mean over axes that are not the channels")
    else:
        value = build.per_place(value, axis)
    if kind == "group":
        options["groups"] = what["groups"]
    for name in ("scale", "shift", "mean", "variance"):
        if name in op.arrays and (build.weights == "given"):
            options[name] = _per_channel(op.arrays[name], value.base)
    return build.pointwise(Norm(kind, **options), value)


def _per_channel(numbers: Constant, base: tuple[int, ...]) -> Any:
    array = numbers.array
    if array.ndim > 1:
        rows = array.reshape(base[0], -1)
        if np.any(rows != rows[:, :1]):
            raise Refused("its scale differs from place to place")
        return rows[:, 0]
    return array
