"""Measures of a normalised map: sizes, radii, ratios. Arrays in, numbers out.

A map is a tuple of factors, one array of any dimension each; the map is their outer product. A
separable map is measured from its profiles, without making the outer product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.exact import FloatArray
from erf_theory.moments import cumulants

__all__ = [
    "LUO_LEVEL",
    "block_diagonal",
    "central_square",
    "count_above",
    "cumulant",
    "half_width",
    "moments",
    "outer",
    "participation",
    "radius",
    "support_box",
]

_Factors = Sequence[FloatArray]

LUO_LEVEL = 0.9545
"""Level of [Luo16]'s size: pixels above 1 - 0.9545 of the maximum count."""


def outer(factors: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """The map itself: the outer product of its factors."""
    return reduce(np.multiply.outer, factors)


def count_above(factors: _Factors, threshold: float) -> int:
    """Number of pixels above ``threshold`` times the map's maximum, by more than rounding.

    Examples
    --------
    >>> count_above([np.array([1.0, 2.0, 1.0])] * 2, 0.3)
    5
    """
    least = threshold * (1 + _SLACK)
    lines = [np.abs(f).ravel() / np.max(np.abs(f)) for f in factors]
    lines = [line[line > least] for line in lines]
    *rest, last = sorted(lines, key=len)
    last = np.sort(last)
    if not rest:
        return len(last)
    need = least / outer(rest).ravel()
    return int(np.sum(len(last) - np.searchsorted(last, need, side="right")))


def participation(factors: _Factors) -> float:
    """Participation (Σp)²/Σp²: the number of pixels of a flat map that is as spread.

    Examples
    --------
    >>> participation([np.ones(5)])
    5.0
    """
    return float(prod(np.sum(f) ** 2 / np.sum(np.square(f)) for f in factors))


def moments(values: FloatArray, axes: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance matrix of a non-negative array over coordinates ``axes``."""
    total, ndim = float(np.sum(values)), len(axes)
    grids = np.meshgrid(*axes, indexing="ij", sparse=True)
    mean = np.array([np.sum(values * g) / total for g in grids])
    centred = [g - m for g, m in zip(grids, mean, strict=True)]
    covariance = np.empty((ndim, ndim))
    for i in range(ndim):
        for j in range(ndim):
            covariance[i, j] = np.sum(values * centred[i] * centred[j]) / total
    return mean, covariance


def cumulant(values: FloatArray, start: int, order: int, axis: int = 0) -> float:
    """Cumulant along one axis of a non-negative array, normalised.

    Distances are counted from the peak, so that a narrow map far from ``start`` loses nothing.
    """
    line = values.sum(axis=tuple(i for i in range(values.ndim) if i != axis))
    line = line / np.sum(line)
    peak = int(np.argmax(line))
    places = np.arange(len(line), dtype=np.float64) - peak
    mean = float(line @ places)
    if order == 1:
        return start + peak + mean
    return float(cumulants([float(line @ (places - mean) ** r) for r in range(order + 1)])[order])


def radius(
    factors: _Factors, axes: Sequence[FloatArray], mass: float, shape: str = "square"
) -> float:
    """Half side of the square, or radius of the disc, about 0 that holds a share of the map.

    The smallest one, in pixels, whose closed square (disc) of pixel centres holds at least
    ``mass`` of the total.

    Examples
    --------
    >>> radius([np.array([1.0, 2.0, 1.0])], [np.arange(-1, 2)], 0.5)
    0.0
    """
    distance, weight = _by_distance(factors, axes, shape)
    cumulative = np.cumsum(weight)
    enough = cumulative >= (mass - _SLACK) * cumulative[-1]
    return float(distance[np.argmax(enough)])


def central_square(factors: _Factors, axes: Sequence[FloatArray], mass: float) -> int:
    """Side, in pixels, of the smallest square about 0 that holds more than a share ``mass``.

    Examples
    --------
    >>> central_square([np.array([1.0, 2.0, 1.0]) / 4], [np.arange(-1, 2)], 0.5)
    3
    """
    distance, weight = _by_distance(factors, axes, "square")
    cumulative = np.cumsum(weight)
    more = cumulative > (mass + _SLACK) * cumulative[-1]
    more[-1] = True
    return round(2 * float(distance[np.argmax(more)])) + 1


def block_diagonal(blocks: Sequence[FloatArray]) -> FloatArray:
    """The matrix with these square blocks on its diagonal, 0 elsewhere.

    Examples
    --------
    >>> block_diagonal([np.array([[2.0]]), np.array([[3.0]])]).tolist()
    [[2.0, 0.0], [0.0, 3.0]]
    """
    ends = np.cumsum([len(block) for block in blocks])
    matrix = np.zeros((ends[-1], ends[-1]))
    for block, end in zip(blocks, ends, strict=True):
        matrix[end - len(block) : end, end - len(block) : end] = block
    return matrix


def support_box(array: npt.NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """First index and shape of the smallest box that holds what is not 0."""
    places = np.nonzero(array)
    if not places[0].size:
        return (0,) * array.ndim, (0,) * array.ndim
    low = tuple(int(axis.min()) for axis in places)
    return low, tuple(int(axis.max()) - a + 1 for axis, a in zip(places, low, strict=True))


def half_width(line: FloatArray, axis: FloatArray) -> float:
    """Half of the full width at half maximum of a profile, linear between pixels.

    Examples
    --------
    >>> half_width(np.array([0.0, 1.0, 2.0, 1.0, 0.0]), np.arange(5.0))
    1.0
    """
    half = np.max(line) / 2
    above = np.flatnonzero(line >= half)
    padded = np.concatenate([[0.0], line, [0.0]])
    places = np.concatenate([[axis[0] - 1], axis, [axis[-1] + 1]])
    ends = []
    for inside, step in ((above[0] + 1, -1), (above[-1] + 1, 1)):
        a, b = padded[inside], padded[inside + step]
        ends.append(places[inside] + step * (a - half) / (a - b))
    return float(ends[1] - ends[0]) / 2


_SLACK = 1e-13
"""Shares of the total, and values, that are equal but for rounding are equal."""


def _by_distance(
    factors: _Factors, axes: Sequence[FloatArray], shape: str
) -> tuple[FloatArray, FloatArray]:
    """Distances from 0, ascending, and the mass at each."""
    if shape == "square" and len(factors) == len(axes):
        return _square_shells(factors, axes)
    weight, kept = _significant(factors, axes)
    grids = np.meshgrid(*kept, indexing="ij", sparse=True)
    norm: Callable[..., FloatArray] = _NORMS[shape]
    distance = np.broadcast_to(norm(*grids), weight.shape).ravel()
    order = np.argsort(distance, kind="stable")
    return distance[order], weight.ravel()[order]


def _square_shells(factors: _Factors, axes: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Mass of a separable map on each square shell: shares of lines multiply."""
    distance = np.unique(np.concatenate([np.abs(axis) for axis in axes]))
    inside = np.ones(len(distance))
    for line, axis in zip(factors, axes, strict=True):
        order = np.argsort(np.abs(axis), kind="stable")
        cumulative = np.concatenate([[0.0], np.cumsum(line[order])])
        count = np.searchsorted(np.abs(axis)[order], distance, side="right")
        inside *= cumulative[count]
    return distance, np.diff(inside, prepend=0.0)


def _significant(
    factors: _Factors, axes: Sequence[FloatArray]
) -> tuple[FloatArray, Sequence[FloatArray]]:
    """The map on the box that holds all but 1e-18 of each line, and the box's axes."""
    if len(factors) != len(axes):
        return factors[0], axes
    boxes = []
    for line in factors:
        kept = np.flatnonzero(line > 1e-18 * np.max(line) / len(line))
        boxes.append(slice(kept[0], kept[-1] + 1))
    lines = [line[box] for line, box in zip(factors, boxes, strict=True)]
    return outer(lines), [axis[box] for axis, box in zip(axes, boxes, strict=True)]


def _disc(*grids: FloatArray) -> FloatArray:
    return np.sqrt(sum(g**2 for g in grids))


def _square(*grids: FloatArray) -> FloatArray:
    return reduce(np.maximum, [np.abs(g) for g in grids])


_NORMS: dict[str, Callable[..., FloatArray]] = {"square": _square, "disc": _disc}
