"""ONNX's operators that only bring samples elsewhere."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from erf_theory.readers.calls import Found
from erf_theory.readers.onnx_node import Seen, becomes, moved

__all__: list[str] = []


@becomes("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def _(seen: Seen) -> Found:
    after = seen.after[0]
    return moved(seen.inputs[0], lambda index: index.reshape(after))


@becomes("Transpose")
def _(seen: Seen) -> Found:
    order = seen.get("perm") or range(len(seen.shape))[::-1]
    return moved(seen.inputs[0], lambda index: index.transpose(order))


@becomes("Expand")
def _(seen: Seen) -> Found:
    after = seen.after[0]
    return moved(seen.inputs[0], lambda index: np.broadcast_to(index, after))


@becomes("Tile")
def _(seen: Seen) -> Found:
    times: Any = seen.numbers(1, "number of copies")
    return moved(seen.inputs[0], lambda index: np.tile(index, times))


@becomes("Slice")
def _(seen: Seen) -> Found:
    starts, ends = (_listed(seen.numbers(i, "range")) for i in (1, 2))
    steps = seen.numbers(4, "step")
    axes = seen.axes(3) or range(len(starts))
    cuts = [slice(None)] * len(seen.shape)
    by = [1] * len(starts) if steps is None else _listed(steps)
    for axis, start, end, step in zip(axes, starts, ends, by, strict=True):
        last = None if step < 0 and end < -seen.shape[axis] else end
        cuts[axis] = slice(start, last, step)
    return moved(seen.inputs[0], lambda index: index[tuple(cuts)])


@becomes("Split")
def _(seen: Seen) -> tuple[Found, ...]:
    axis = seen.get("axis", 0) % len(seen.shape)
    ends = list(accumulate((shape[axis] for shape in seen.after), initial=0))
    before = (slice(None),) * axis
    return tuple(_part(seen.inputs[0], (*before, slice(a, b))) for a, b in pairwise(ends))


def _part(source: Any, cut: tuple[slice, ...]) -> Found:
    return moved(source, lambda index: index[cut])


def _listed(numbers: Any) -> list[int]:
    found: list[int] = np.ravel(numbers).tolist()
    return found


@becomes("Gather")
def _(seen: Seen) -> Found:
    axis = seen.get("axis", 0)
    at: Any = seen.numbers(1, "choice of samples")
    return moved(seen.inputs[0], lambda index: index.take(at, axis))


@becomes("DepthToSpace")
def _(seen: Seen) -> Found:
    """Channels become blocks of places: PyTorch's pixel shuffle for the mode CRD."""
    size, is_crd = seen.get("blocksize"), seen.get("mode", "DCR") == "CRD"
    n, c, h, w = seen.shape
    part = c // size**2
    split = (n, part, size, size, h, w) if is_crd else (n, size, size, part, h, w)
    order = (0, 1, 4, 2, 5, 3) if is_crd else (0, 3, 4, 1, 5, 2)
    after = seen.after[0]
    return moved(seen.inputs[0], lambda index: index.reshape(split).transpose(order).reshape(after))


@becomes("SpaceToDepth")
def _(seen: Seen) -> Found:
    size = seen.get("blocksize")
    n, c, h, w = seen.shape
    split, after = (n, c, h // size, size, w // size, size), seen.after[0]
    return moved(
        seen.inputs[0],
        lambda index: index.reshape(split).transpose(0, 3, 5, 1, 2, 4).reshape(after),
    )
