"""PyTorch's operators that only bring numbers elsewhere, as what they do to an array of indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from erf_theory.readers.calls import Call, Found, Translation

__all__ = ["MOVES", "PIECES", "piece", "with_new_axis"]

_Move = Callable[[Any], Any]
PIECES = ("chunk", "split", "split_with_sizes", "tensor_split", "unbind", "unsafe_split")
"""Operators that cut a tensor into several."""


def piece(name: str, call: Call, number: int, shapes: Sequence[tuple[int, ...]]) -> Found:
    """One of the tensors, of known shapes, that an operator cuts another one into."""
    axis = call.axis()
    if name == "unbind":
        return _found(call, lambda index: index.take(number, axis))
    start = sum(shape[axis] for shape in shapes[:number])
    return _found(call, _cut(axis, slice(start, start + shapes[number][axis])))


def with_new_axis(name: str, axis: int) -> Found:
    """A tensor with one more axis, of length 1."""
    return Found("move", (name,), {"move": lambda index: np.expand_dims(index, axis)})


def _found(call: Call, move: _Move) -> Found:
    return Found("move", (call.data,), {"move": move})


def _cut(axis: int, part: slice) -> _Move:
    return lambda index: index[(slice(None),) * axis + (part,)]


def _reshaped(call: Call) -> Found:
    return _found(call, lambda index: index.reshape(call.after))


def _permuted(call: Call) -> Found:
    return _found(call, lambda index: index.transpose(call["dims"]))


def _turned(call: Call) -> Found:
    return _found(call, np.transpose)


def _swapped(one: str, other: str, call: Call) -> Found:
    return _found(call, lambda index: index.swapaxes(call[one], call[other]))


def _axes_moved(call: Call) -> Found:
    return _found(call, lambda index: np.moveaxis(index, call["source"], call["destination"]))


def _expanded(call: Call) -> Found:
    return _found(call, lambda index: np.broadcast_to(index, call.after))


def _repeated(call: Call) -> Found:
    return _found(call, lambda index: np.tile(index, call["repeats"]))


def _flipped(call: Call) -> Found:
    return _found(call, lambda index: np.flip(index, call["dims"]))


def _rolled(call: Call) -> Found:
    return _found(call, lambda index: np.roll(index, call["shifts"], call["dims"] or None))


def _sliced(call: Call) -> Found:
    part = slice(call.get("start"), call.get("end"), call.get("step"))
    return _found(call, _cut(call.axis(), part))


def _narrowed(call: Call) -> Found:
    start = call["start"]
    return _found(call, _cut(call.axis(), slice(start, start + call["length"])))


def _selected(call: Call) -> Found:
    return _found(call, lambda index: index.take(call["index"], call["dim"]))


def _shuffled(call: Call) -> Found:
    def move(index: Any) -> Any:
        groups = index.reshape(1, call["groups"], -1, *index.shape[2:])
        return groups.swapaxes(1, 2).reshape(index.shape)

    return _found(call, move)


def _pixels_shuffled(call: Call) -> Found:
    r = call["upscale_factor"]

    def move(index: Any) -> Any:
        blocks = index.reshape(1, -1, r, r, *index.shape[2:])
        return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(call.after)

    return _found(call, move)


def _pixels_unshuffled(call: Call) -> Found:
    r = call["downscale_factor"]

    def move(index: Any) -> Any:
        _, c, h, w = index.shape
        blocks = index.reshape(1, c, h // r, r, w // r, r)
        return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(call.after)

    return _found(call, move)


_RESHAPES = ("view", "reshape", "_unsafe_view", "flatten", "squeeze", "unsqueeze", "unflatten")
MOVES: Mapping[str, Translation] = {
    **dict.fromkeys(_RESHAPES, _reshaped),
    "permute": _permuted,
    "t": _turned,
    "numpy_T": _turned,
    "transpose": partial(_swapped, "dim0", "dim1"),
    "swapaxes": partial(_swapped, "axis0", "axis1"),
    "movedim": _axes_moved,
    "expand": _expanded,
    "expand_as": _expanded,
    "repeat": _repeated,
    "flip": _flipped,
    "roll": _rolled,
    "slice": _sliced,
    "narrow": _narrowed,
    "select": _selected,
    "channel_shuffle": _shuffled,
    "pixel_shuffle": _pixels_shuffled,
    "pixel_unshuffle": _pixels_unshuffled,
}
"""By an operator's name without its overload."""
