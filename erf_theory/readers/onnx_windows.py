"""ONNX's operators that see several places: convolutions, pools, means, pads and resizings."""

from __future__ import annotations

from typing import Any

import numpy as np

from erf_theory.readers.calls import Found
from erf_theory.readers.onnx_node import Seen, becomes
from erf_theory.readers.resizing import sampled
from erf_theory.readers.values import Refused

__all__: list[str] = []

_BORDERS = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
_MEANS = {"Mean": "mean", "Sum": "sum", "Max": "max"}

_Pairs = list[tuple[int, int]]


def _pads(seen: Seen, size: tuple[int, ...]) -> _Pairs:
    """Padding before and behind on every axis, as the file says it or by its rule."""
    rule = seen.get("auto_pad", "NOTSET")
    if rule == "NOTSET":
        return _explicit(seen)
    if rule == "VALID":
        return [(0, 0)] * seen.ndim
    rows = zip(
        seen.shape[2:], size, seen.per_axis("strides"), seen.per_axis("dilations"), strict=True
    )
    totals = [max(0, (-(-m // s) - 1) * s + d * (k - 1) + 1 - m) for m, k, s, d in rows]
    return _shared(totals, rule)


def _explicit(seen: Seen) -> _Pairs:
    flat = seen.get("pads") or [0] * (2 * seen.ndim)
    if min(flat) < 0:
        raise Refused(f"its padding {flat} is below 0")
    return list(zip(flat[: seen.ndim], flat[seen.ndim :], strict=True))


def _shared(totals: list[int], rule: str) -> _Pairs:
    """Paddings in two halves; the larger one behind for SAME_UPPER, and before for SAME_LOWER."""
    halves = [(t // 2, t - t // 2) for t in totals]
    return [pair[::-1] for pair in halves] if rule == "SAME_LOWER" else halves


@becomes("Conv")
def _(seen: Seen) -> Found:
    what = {
        "stride": seen.per_axis("strides"),
        "padding": _pads(seen, seen.shapes[1][2:]),
        "dilation": seen.per_axis("dilations"),
        "groups": seen.get("group", 1),
    }
    return Found("conv", seen.inputs[:1], what, seen.arrays(weight=1, bias=2))


@becomes("ConvTranspose")
def _(seen: Seen) -> Found:
    more = seen.per_axis("output_padding", 0)
    what = {
        "stride": seen.per_axis("strides"),
        "padding": _transposed_pads(seen, more),
        "dilation": seen.per_axis("dilations"),
        "groups": seen.get("group", 1),
        "output_padding": more,
    }
    return Found("conv_transpose", seen.inputs[:1], what, seen.arrays(weight=1, bias=2))


def _transposed_pads(seen: Seen, more: tuple[int, ...]) -> _Pairs:
    """Places that are cut off at the ends, so that the output has the shape that it has."""
    rule = seen.get("auto_pad", "NOTSET")
    if rule == "NOTSET" and seen.get("output_shape") is None:
        return _explicit(seen)
    if rule == "VALID":
        return [(0, 0)] * seen.ndim
    steps = (seen.per_axis("strides"), seen.per_axis("dilations"), seen.shapes[1][2:])
    rows = zip(seen.shape[2:], seen.after[0][2:], *steps, more, strict=True)
    totals = [(m - 1) * s + d * (k - 1) + 1 + o - n for m, n, s, d, k, o in rows]
    if min(totals) < 0:
        raise Refused(f"its output of {seen.after[0][2:]} places is larger than what it computes")
    return _shared(totals, "SAME_UPPER" if rule == "SAME_UPPER" else "SAME_LOWER")


@becomes("MaxPool", "AveragePool")
def _(seen: Seen) -> Found:
    size = tuple(seen.get("kernel_shape"))
    if {*size, *seen.per_axis("strides")} == {1} and seen.shape == seen.after[0]:
        return Found("identity", seen.inputs[:1])
    what = {
        "size": size,
        "stride": seen.per_axis("strides"),
        "padding": _pads(seen, size),
        "dilation": seen.per_axis("dilations"),
        "counts_padding": bool(seen.get("count_include_pad")) and not seen.get("ceil_mode"),
    }
    return Found("max_pool" if seen.op == "MaxPool" else "avg_pool", seen.inputs[:1], what)


@becomes("GlobalAveragePool", "GlobalMaxPool")
def _(seen: Seen) -> Found:
    function = "mean" if seen.op == "GlobalAveragePool" else "max"
    axes = tuple(range(2, len(seen.shape)))
    return Found("reduce", seen.inputs[:1], {"function": function, "axes": axes})


@becomes("ReduceMean", "ReduceSum", "ReduceMax")
def _(seen: Seen) -> Found:
    axes = seen.axes()
    if not axes:
        if seen.get("noop_with_empty_axes"):
            return Found("identity", seen.inputs[:1])
        axes = tuple(range(len(seen.shape)))
    function = _MEANS[seen.op.removeprefix("Reduce")]
    return Found("reduce", seen.inputs[:1], {"function": function, "axes": axes})


@becomes("Pad")
def _(seen: Seen) -> Found:
    flat = seen.numbers(1, "padding")
    assert flat is not None  # noqa: S101
    axes = seen.axes(3)
    if axes is None:
        axes = tuple(range(len(seen.shape)))
    ends: Any = [(0, 0)] * len(seen.shape)
    for place, axis in enumerate(axes):
        ends[axis] = (int(flat[place]), int(flat[place + len(axes)]))
    value = seen.numbers(2, "value")
    border = _BORDERS[seen.get("mode", "constant")]
    what = {"ends": ends, "border": border, "value": 0.0 if value is None else float(value)}
    return Found("pad", seen.inputs[:1], what)


@becomes("Resize")
def _(seen: Seen) -> Found:
    if seen.get("antialias") and any(a < b for a, b in zip(seen.after[0], seen.shape, strict=True)):
        raise Refused("it smooths while it makes the image smaller (antialias)")
    if seen.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise Refused(f"it keeps the ratio of the axes ({seen.get('keep_aspect_ratio_policy')})")
    return sampled(
        seen.inputs[0],
        (seen.shape, seen.after[0]),
        _scales(seen),
        mode=seen.get("mode", "nearest"),
        coordinates=seen.get("coordinate_transformation_mode", "half_pixel"),
        rounding=seen.get("nearest_mode", "round_prefer_floor"),
    )


def _scales(seen: Seen) -> tuple[float, ...]:
    """How much longer every axis becomes, as the file says it."""
    ratios = [b / a for a, b in zip(seen.shape, seen.after[0], strict=True)]
    said = seen.numbers(2, "scales")
    if said is not None and said.size:
        axes = seen.axes(4) or tuple(range(len(seen.shape)))
        for axis, scale in zip(axes, np.ravel(said), strict=True):
            ratios[axis] = float(scale)
    return tuple(ratios)
