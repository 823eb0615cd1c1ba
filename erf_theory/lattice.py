"""Arrays on the lattice Zᵈ: boxes, steps, and convolution by its definition.

An array holds its channel axes first (none, one, or a matrix's two) and its ``ndim`` spatial
axes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import NumberArray

__all__ = ["Steps", "box", "convolve", "per_axis", "union"]

Steps = int | Sequence[int] | npt.NDArray[np.integer[Any]]
"""A whole number for every axis, or one per axis."""
_SEVERAL = (tuple, list, np.ndarray)


def per_axis(value: Steps, ndim: int) -> tuple[int, ...]:
    """One integer per axis, from one for all or one for each.

    Examples
    --------
    >>> per_axis(2, 3), per_axis((1, 2), 2)
    ((2, 2, 2), (1, 2))
    """
    try:
        several = isinstance(value, _SEVERAL)
        values = tuple(map(index, value)) if several else (index(value),) * ndim  # type: ignore[arg-type]
    except TypeError:
        raise ErfTheoryError(f"{value!r} is no whole number, nor one per axis") from None
    if len(values) != ndim:
        raise ErfTheoryError(f"{value} has {len(values)} entries for {ndim} axes")
    return values


def box(start: Sequence[int], shape: Sequence[int], step: Sequence[int] | None = None) -> Any:
    """Index of the box of ``shape`` places, ``step`` apart, from ``start`` on the spatial axes."""
    steps = (1,) * len(shape) if step is None else step
    spans = zip(start, shape, steps, strict=True)
    return (..., *(slice(a, a + (size - 1) * d + 1, d) for a, size, d in spans))


def union(
    start: Sequence[int], shape: Sequence[int], other: Sequence[int], other_shape: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Start and shape of the smallest box that holds two boxes."""
    low = tuple(map(min, start, other))
    ends = zip(start, shape, other, other_shape, low, strict=True)
    return low, tuple(max(a + m, b + n) - c for a, m, b, n, c in ends)


def convolve(left: NumberArray, right: NumberArray, ndim: int) -> NumberArray:
    """Convolve over the spatial axes; channel axes multiply as matrices, or go side by side.

    The definition: one shifted copy of ``right`` per place of ``left``.
    """
    lead, tail = left.shape[: left.ndim - ndim], right.shape[: right.ndim - ndim]
    places, shape = left.shape[left.ndim - ndim :], right.shape[right.ndim - ndim :]
    if prod(places) == 1:
        _channels(lead, tail)
        return np.asarray(_times(left.reshape(lead)[()], right, len(lead), ndim))
    kind = np.result_type(left, right)
    size = tuple(a + b - 1 for a, b in zip(places, shape, strict=True))
    total = np.zeros((*_channels(lead, tail), *size), dtype=kind)
    if kind == np.float64 and not lead and (left == (tap := left.flat[0])).all():
        for at in np.ndindex(places):
            total[box(at, shape)] += right
        total *= tap
        return total
    product = None
    for at in np.ndindex(places):
        if (tap := left[(..., *at)]).any():
            product = _times(tap, right, len(lead), ndim, product)
            total[box(at, shape)] += product
    return total


def _channels(lead: tuple[int, ...], tail: tuple[int, ...]) -> tuple[int, ...]:
    inner, outer = lead[-1:], tail[:1]
    if inner and outer and inner != outer:
        raise ErfTheoryError(f"kernels with channels {lead} and {tail} do not multiply")
    if len(lead) == len(tail) == 2:
        return lead[:1] + tail[1:]
    return max(lead, tail, key=len)


def _times(
    tap: Any, array: NumberArray, lead: int, ndim: int, out: NumberArray | None = None
) -> Any:
    """One place of the left array, with its channels, times the whole right array.

    In ``out`` where that is the last such product.
    """
    tail = array.ndim - ndim
    if lead == tail == 2:
        return np.tensordot(tap, array, axes=(1, 0))
    if lead == 1 and tail == 2:
        tap = tap[:, None]
    return np.multiply(np.asarray(tap)[(..., *(None,) * ndim)], array, out=out)
