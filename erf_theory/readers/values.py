"""What is known of a tensor while a network is built: which samples of which node it holds.

A tensor is a node's output, whose samples have been brought elsewhere by views, permutations,
slices, and whatever else moves samples. That is one array of indices, and all these operations act
on it as they are. What an array of indices means is looked at only when a layer reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, final

import numpy as np
import numpy.typing as npt

__all__ = ["Refused", "Value", "channel_axis", "is_per_place", "laid_out"]

_Index = npt.NDArray[np.int64]


class Refused(Exception):  # noqa: N818
    """Why an operation cannot be read."""


@final
@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of a model.

    Attributes
    ----------
    node : int or None
        Place of the node whose samples it holds. None for a function that is no layer.
    base : tuple of int
        Channels and places of that node's output.
    moved : ndarray of int, optional
        Which of the node's samples, counted channel by channel, it holds; the array has the
        tensor's shape. None if it is the node's output, (1, channels, places…).
    name : str
        Name of the operation that it comes from.
    curves : mapping from int to ndarray
        For nodes of which every sample is a function: that function on a grid.
    """

    node: int | None
    base: tuple[int, ...]
    moved: _Index | None = None
    name: str = ""
    curves: Mapping[int, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return (1, *self.base) if self.moved is None else self.moved.shape

    @property
    def index(self) -> _Index:
        """Which of the node's samples it holds."""
        if self.moved is None:
            return np.arange(prod(self.base)).reshape(1, *self.base)
        return self.moved

    @property
    def is_spot(self) -> bool:
        """Whether its node has one place only."""
        return prod(self.base[1:]) == 1

    def move(self, function: Callable[[_Index], _Index], name: str) -> Value:
        """The tensor after a function that brings samples elsewhere."""
        found = function(self.index)
        if found.shape == self.shape and np.array_equal(found, self.index):
            return self
        return replace(self.at(found), name=name)

    def at(self, index: _Index) -> Value:
        """The tensor that holds these samples of its node."""
        plain = index.shape == (1, *self.base) and _counts(index)
        return replace(self, moved=None if plain else index)

    def unmoved(self) -> Value:
        """The node's output as it is."""
        return replace(self, moved=None)

    def knowing(self, curves: Mapping[int, npt.NDArray[Any]]) -> Value:
        """The tensor with more that is known of what it is a function of."""
        return replace(self, curves={**self.curves, **curves})

    def alike(self, other: Value) -> bool:
        """Whether two tensors hold the same samples of their nodes."""
        if self.base != other.base:
            return False
        return self.moved is other.moved or (
            self.shape == other.shape and np.array_equal(self.index, other.index)
        )


def _counts(index: _Index) -> bool:
    """Whether an array counts up from 0."""
    return bool(np.array_equal(index.ravel(), np.arange(index.size)))


def is_per_place(value: Value, axis: int) -> bool:
    """Whether an axis of a tensor is the channels of its node, the same places for all of them.

    The others are then its places, each once, in any order: a layer that acts on every place
    alike can be put behind the node.
    """
    channels, places = value.base[0], prod(value.base[1:])
    if value.moved is None and axis % len(value.shape) == 1:
        return True
    if value.shape[axis] != channels or value.index.size != channels * places:
        return False
    rows = np.moveaxis(value.index, axis, 0).reshape(channels, -1)
    steps = np.arange(channels)[:, None] * places
    return bool(np.array_equal(rows, rows[:1] + steps) and len({*rows[0].tolist()}) == places)


def channel_axis(value: Value) -> int:
    """The axis of a tensor that is the channels of its node; 1 if none is."""
    axes = range(1, len(value.shape))
    return next((axis for axis in axes if is_per_place(value, axis)), 1)


def laid_out(value: Value, axis: int, channels: int) -> _Index:
    """Indices of a tensor like one `is_per_place`, whose node has so many channels."""
    first = np.take(value.index, [0], axis)
    shape = [1] * first.ndim
    shape[axis] = channels
    return np.asarray(first + (np.arange(channels) * prod(value.base[1:])).reshape(shape))
