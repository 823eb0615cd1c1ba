"""Pools, means over places, resizings and pads."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from erf_theory.lattice import per_axis
from erf_theory.network.pooling import AvgPool, MaxPool, Pool, Upsample
from erf_theory.network.routing import Crop, Pad
from erf_theory.readers.building import FROZEN, Build, one_or_all, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Refused, Value, channel_axis, is_per_place

__all__: list[str] = []

_UNCOUNTED = (
    "means over windows that reach beyond the border count the zeros there; the model leaves them "
    "out"
)
_POOLS: dict[str, type[Pool]] = {"max": MaxPool, "mean": AvgPool, "avg": AvgPool, "sum": AvgPool}


@rule("max_pool", "avg_pool")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value, what = build.plain(inputs[0]), op.attributes
    size, dilation = (per_axis(what.get(k, 1), build.ndim) for k in ("size", "dilation"))
    stride = per_axis(what.get("stride") or size, build.ndim)
    pads = what.get("padding", ((0, 0),) * build.ndim)
    if op.shape is not None:
        reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
        rows = zip(value.base[1:], op.shape[2:], stride, reach, pads, strict=True)
        pads = [(a, max(b, (n - 1) * s + r + 1 - m - a)) for m, n, s, r, (a, b) in rows]
    kind = _POOLS[op.kind[:3]]
    if kind is AvgPool and any(map(any, pads)) and not what.get("counts_padding"):
        build.remark(_UNCOUNTED)
    steps = (one_or_all(size), one_or_all(stride), one_or_all(pads), one_or_all(dilation))
    found = build.add(kind(*steps), value)
    divisor = what.get("divisor") or prod(size)
    return found if divisor == prod(size) else build.add(build.affine(prod(size) / divisor), found)


@rule("adaptive_avg_pool", "adaptive_max_pool")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """A pool whose windows follow from the sizes of its input and its output."""
    value = build.plain(inputs[0])
    before, after = value.base[1:], tuple(op.attributes["size"])
    rows = [_window(m, n) for m, n in zip(before, after, strict=True)]
    size, stride = (one_or_all(part) for part in zip(*rows, strict=True))
    if prod(size if isinstance(size, tuple) else (size,)) == 1:
        return value
    build.remark(FROZEN)
    found = build.add(_POOLS[op.kind[9:12]](size, stride), value)
    return build.pool(found)


def _window(places: int, outputs: int) -> tuple[int, int]:
    """Size and stride of the windows of an adaptive pool."""
    rows = [(i * places // outputs, -(-(i + 1) * places // outputs)) for i in range(outputs)]
    sizes = {stop - start for start, stop in rows}
    steps = {after - before for (before, _), (after, _) in pairwise(rows)}
    if len(sizes) > 1 or len(steps) > 1:
        raise Refused(
            f"its windows differ: {places} places are pooled to {outputs}, which do not divide them"
        )
    return sizes.pop(), steps.pop() if steps else places


@rule("reduce")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """A mean, a sum or the largest over places."""
    (value,), function = inputs, op.attributes["function"]
    axes = sorted(axis % len(value.shape) for axis in op.attributes["axes"])
    rest = [axis for axis in range(1, len(value.shape)) if axis not in axes]
    if value.moved is not None and len(rest) == 1 and is_per_place(value, rest[0]):
        value, axes = value.unmoved(), list(range(2, build.ndim + 2))
    value = build.plain(value)
    if not axes or axes[0] < 2:
        raise Refused(f"it is a {function} over channels, which no layer is")
    build.remark(FROZEN)
    size = tuple(m if axis + 2 in axes else 1 for axis, m in enumerate(value.base[1:]))
    found = value if prod(size) == 1 else build.add(_POOLS[function](one_or_all(size)), value)
    if function == "sum":
        found = build.pointwise(build.affine(float(prod(size))), found, "sum")
    if op.shape is None:
        raise Refused("the model does not say the shape of its output")
    return build.pool(found).move(lambda index: index.reshape(op.shape), op.name)


@rule("resize")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value, mode = build.plain(inputs[0]), op.attributes["mode"]
    if op.shape is None:
        raise Refused("the model does not say the shape of its output")
    before, after = value.base[1:], op.shape[2:]
    if before == after:
        return value
    if value.node in build.pooled:
        return build.everywhere(value.base[0], after)
    rows = list(zip(before, after, strict=True))
    if mode == "nearest" and all(m % n == 0 for m, n in rows):
        return build.add(MaxPool(1, one_or_all([m // n for m, n in rows])), value)
    if any(n % m for m, n in rows):
        raise Refused(f"it resizes {before} to {after}, which is not by a whole number")
    if op.attributes.get("aligned") and prod(before) > 1:
        raise Refused("it aligns corners, so that its weights differ from place to place")
    if mode not in ("nearest", "linear"):
        raise Refused(f"it interpolates by the mode {mode!r}, and not nearest or linear")
    return build.add(Upsample(one_or_all([n // m for m, n in rows]), mode), value)


@rule("pad")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    if not any(map(any, op.attributes["ends"])):
        return inputs[0]
    axis = channel_axis(inputs[0])
    pairs = list(op.attributes["ends"])
    ends = [pairs[0], pairs.pop(axis), *pairs[1:]]
    front = inputs[0].move(lambda index: np.moveaxis(index, axis, 1), op.name)
    found = _padded(build, op, build.plain(front), ends)
    return found.move(lambda index: np.moveaxis(index, 1, axis), op.name)


def _padded(build: Build, op: Op, value: Value, pairs: list[tuple[int, int]]) -> Value:
    first, channels, *ends = pairs
    border = op.attributes.get("border", "zeros")
    if any(first) or any(channels):
        raise Refused("it pads channels, which no layer does")
    if border == "zeros" and op.attributes.get("value", 0) and any(map(any, ends)):
        raise Refused(f"it pads with {op.attributes['value']}: only padding with 0 is known")
    for layer, part in ((Crop, _cut(ends, -1)), (Pad, _cut(ends, 1))):
        if any(map(any, part)):
            extra: Any = {"border": border} if layer is Pad else {}
            value = build.add(layer(one_or_all(part), **extra), value)
    return value


def _cut(ends: list[tuple[int, int]], sign: int) -> list[tuple[int, int]]:
    """The ends with one sign."""
    return [(max(sign * a, 0), max(sign * b, 0)) for a, b in ends]
