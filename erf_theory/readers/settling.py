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

__all__ = ["channel_layers", "is_spread", "settled"]

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


def settled(value: Value) -> tuple[list[Layer], npt.NDArray[np.int64]]:
    """The layers that bring places where a tensor has them, and the channels that it has then.

    Raises
    ------
    Refused
        If no layers do that.
    """
    ndim, index = len(value.base) - 1, value.index
    if value.is_spot and index.size == prod(index.shape[:2]):
        index = index.reshape(*index.shape[:2], *(1,) * ndim)
    if index.ndim != ndim + 2 or index.shape[0] != 1:
        raise Refused(f"{_UNKNOWN}: a tensor of shape {index.shape} from one of {value.base}")
    places = prod(value.base[1:])
    channels = index[0].reshape(index.shape[1], -1)[:, 0] // places
    corner = np.unravel_index(index.flat[0] % places, value.base[1:]) if ndim else ()
    steps = [_step(index, axis, value.base) for axis in range(ndim)]
    lines = [
        int(a) + s * np.arange(m) for a, s, m in zip(corner, steps, index.shape[2:], strict=True)
    ]
    if any(line[0] < 0 or line[-1] >= n for line, n in zip(lines, value.base[1:], strict=True)):
        raise Refused(_UNKNOWN)
    at = np.ravel_multi_index(np.ix_(*lines), value.base[1:])
    if not np.array_equal(index[0], channels.reshape(-1, *(1,) * ndim) * places + at):
        raise Refused(_UNKNOWN)
    return _place_layers(lines, steps, value.base[1:]), channels


def _step(index: npt.NDArray[np.int64], axis: int, base: tuple[int, ...]) -> int:
    """Distance of neighbouring places on an axis, as the first two of them are apart."""
    if index.shape[axis + 2] == 1:
        return 1
    first, second = (
        np.take(index, [0, 1], axis + 2).reshape(index.shape[1], 2, -1)[0, :, 0]
        if 0
        else (np.moveaxis(index, axis + 2, 0).reshape(index.shape[axis + 2], -1)[:2, 0])
    )
    step, rest = divmod(int(second - first), prod(base[axis + 2 :]))
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


def channel_layers(channels: npt.NDArray[np.int64], count: int) -> list[Layer]:
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
