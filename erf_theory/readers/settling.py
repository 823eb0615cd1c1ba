"""What an array of indices means: crops, every s-th place, channels elsewhere; or nothing known."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.network.base import Layer
from erf_theory.network.pooling import MaxPool
from erf_theory.network.routing import ChannelShuffle, Crop, Split
from erf_theory.readers.values import Refused, Value

__all__ = ["channel_layers", "is_spread", "pieces_of", "settled"]

_Index = npt.NDArray[np.int64]

_RUNS = 64
"""Pieces of channels, at most, that a tensor is put together from."""
_UNKNOWN = "samples come to places or channels where no layer brings them"


def is_spread(value: Value) -> bool:
    """Whether a tensor holds the only place of its node at every place of its own."""
    shape, base = value.shape, value.base
    return (
        value.is_spot
        and len(shape) == len(base) + 1
        and shape[1] == base[0]
        and prod(shape[2:]) > 1
        and bool(np.all(value.index == np.arange(base[0]).reshape(1, -1, *(1,) * (len(base) - 1))))
    )


def pieces_of(value: Value) -> list[_Index]:
    """A tensor as pieces, one behind the other in channels, each of which begins at one place.

    Raises
    ------
    Refused
        If it has not the axes of its node.
    """
    ndim, index = len(value.base) - 1, value.index
    if value.is_spot and index.size == prod(index.shape[:2]):
        index = index.reshape(*index.shape[:2], *(1,) * ndim)
    if index.ndim != ndim + 2 or index.shape[0] != 1:
        raise Refused(f"{_UNKNOWN}: a tensor of shape {index.shape} from one of {value.base}")
    firsts = index[0].reshape(index.shape[1], -1)[:, 0] % prod(value.base[1:])
    cuts = np.flatnonzero(np.diff(firsts)) + 1
    if len(cuts) >= _RUNS:
        raise Refused(_UNKNOWN)
    return np.split(index[0], cuts)


def settled(base: tuple[int, ...], index: _Index) -> tuple[list[Layer], _Index]:
    """The layers that bring places where a piece has them, and the channels that it has then.

    Raises
    ------
    Refused
        If no layers do that.
    """
    places = prod(base[1:])
    channels = index.reshape(len(index), -1)[:, 0] // places
    corner = np.unravel_index(index.flat[0] % places, base[1:])
    steps = [_step(index[0], axis, base) for axis in range(index.ndim - 1)]
    rows = zip(corner, steps, index.shape[1:], base[1:], strict=True)
    lines = [np.minimum(int(a) + s * np.arange(m), n - 1) for a, s, m, n in rows]
    at = np.ravel_multi_index(np.ix_(*lines), base[1:])
    if not np.array_equal(index, channels.reshape(-1, *(1,) * at.ndim) * places + at):
        raise Refused(_UNKNOWN)
    return _place_layers(lines, steps, base[1:]), channels


def _step(index: _Index, axis: int, base: tuple[int, ...]) -> int:
    """Distance of neighbouring places on an axis, as the first two of them are apart."""
    line = np.moveaxis(index, axis, 0).reshape(index.shape[axis], -1)[:2, 0]
    if len(line) == 1:
        return 1
    step, rest = divmod(int(line[1] - line[0]), prod(base[axis + 2 :]))
    if rest or step < 1:
        raise Refused(_UNKNOWN)
    return step


def _place_layers(lines: list[Any], steps: list[int], shape: tuple[int, ...]) -> list[Layer]:
    """A crop, then every s-th place."""
    ends = tuple(
        (int(line[0]), int(n - 1 - line[-1])) for line, n in zip(lines, shape, strict=True)
    )
    layers: list[Layer] = []
    if any(map(any, ends)):
        layers.append(Crop(ends))
    if any(step > 1 for step in steps):
        layers.append(MaxPool(1, tuple(steps)))
    return layers


def channel_layers(channels: _Index, count: int) -> list[Layer]:
    """Layers whose outputs, one behind the other, are those channels of so many; [] for all.

    Raises
    ------
    Refused
        If they are too many.
    """
    if np.array_equal(channels, np.arange(count)):
        return []
    if len(channels) == count:
        for groups in (g for g in range(2, count) if count % g == 0):
            dealt = np.arange(count).reshape(groups, -1).T.ravel()
            if np.array_equal(channels, dealt):
                return [ChannelShuffle(groups)]
    cuts = np.flatnonzero(np.diff(channels) != 1) + 1
    runs = np.split(channels, cuts)
    if len(runs) > _RUNS:
        raise Refused(f"channels are put together from {len(runs)} pieces, more than {_RUNS}")
    return [Split(int(run[0]), int(run[-1]) + 1) for run in runs]
