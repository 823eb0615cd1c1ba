"""Pools, means over places, resizings and pads."""

from __future__ import annotations

from math import prod
from typing import Any

from erf_theory.lattice import per_axis
from erf_theory.network.pooling import AvgPool, MaxPool, Pool, Upsample
from erf_theory.network.routing import Crop, Pad
from erf_theory.readers.building import Build, one_or_all, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Refused, Value, is_per_place

__all__: list[str] = []

_POOLS: dict[str, type[Pool]] = {"max": MaxPool, "mean": AvgPool, "avg": AvgPool, "sum": AvgPool}


@rule("max_pool", "avg_pool")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value, what = build.plain(inputs[0]), op.attributes
    size, dilation = (per_axis(what.get(k, 1), build.ndim) for k in ("size", "dilation"))
    stride = per_axis(what.get("stride") or size, build.ndim)
    pads = what.get("padding", ((0, 0),) * build.ndim)
    if op.shape is not None:
        rows = zip(value.base[1:], op.shape[2:], size, stride, dilation, pads, strict=True)
        pads = [(a, max(b, _behind(m, n, k, s, d, a))) for m, n, k, s, d, (a, b) in rows]
    kind = _POOLS[op.kind[:3]]
    steps = (one_or_all(size), one_or_all(stride), one_or_all(pads), one_or_all(dilation))
    return build.add(kind(*steps), value)


def _behind(places: int, outputs: int, size: int, stride: int, dilation: int, before: int) -> int:
    """Padding behind the last place that the last window needs."""
    return (outputs - 1) * stride + dilation * (size - 1) + 1 - places - before


@rule("adaptive_avg_pool", "adaptive_max_pool")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """A pool whose windows follow from the sizes of its input and its output."""
    value = build.plain(inputs[0])
    before, after = value.base[1:], tuple(op.attributes["size"])
    rows = [_window(m, n) for m, n in zip(before, after, strict=True)]
    size, stride = (one_or_all(part) for part in zip(*rows, strict=True))
    if prod(size if isinstance(size, tuple) else (size,)) == 1:
        return value
    found = build.add(_POOLS[op.kind[9:12]](size, stride), value)
    return build.pool(found)


def _window(places: int, outputs: int) -> tuple[int, int]:
    """Size and stride of the windows of an adaptive pool."""
    ends = [(i * places // outputs, -(-(i + 1) * places // outputs)) for i in range(outputs)]
    sizes, steps = {b - a for a, b in ends}, {b[0] - a[0] for a, b in zip(ends, ends[1:])}
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
    size = tuple(m if axis + 2 in axes else 1 for axis, m in enumerate(value.base[1:]))
    found = value if prod(size) == 1 else build.add(_POOLS[function](one_or_all(size)), value)
    if function == "sum":
        found = build.pointwise(build.affine(float(prod(size))), found, "sum")
    if op.shape is None:
        raise Refused("the model does not say the shape of its output")
    return build.pool(found).move(lambda index: index.reshape(op.shape), op.name)


@rule("resize")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value = build.plain(inputs[0])
    if op.shape is None:
        raise Refused("the model does not say the shape of its output")
    before, after = value.base[1:], op.shape[2:]
    if before == after:
        return value
    if value.node in build.pooled:
        return build.everywhere(value, after)
    if (
        all(m % n == 0 for m, n in zip(before, after, strict=True))
        and op.attributes["mode"] == "nearest"
    ):
        return build.add(
            MaxPool(1, one_or_all([m // n for m, n in zip(before, after, strict=True)])), value
        )
    if any(n % m for m, n in zip(before, after, strict=True)):
        raise Refused(f"it resizes {before} to {after}, which is not by a whole number")
    if op.attributes.get("aligned") and before != (1,) * build.ndim:
        raise Refused(
            "it aligns corners (align_corners=True), so that its weights differ from place to place"
        )
    mode = op.attributes["mode"]
    if mode not in ("nearest", "linear"):
        raise Refused(f"it interpolates by the mode {mode}")
    scale = one_or_all([n // m for m, n in zip(before, after, strict=True)])
    return build.add(Upsample(scale, mode), value)


@rule("pad")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    value = build.plain(inputs[0])
    first, channels, *ends = op.attributes["ends"]
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
