"""A map without the grid that strides leave in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["smoothed"]


def smoothed(
    offsets: Sequence[FloatArray], values: FloatArray, widths: Sequence[int]
) -> tuple[list[FloatArray], FloatArray]:
    """The mean of the maps of all shifts within a cell, and its places; its sum is the map's.

    Strides make some pixels brighter than their neighbours, and which ones depends on the unit's
    place. Over a cell as wide as the distance of units this averages out.

    Parameters
    ----------
    offsets : sequence of ndarray
        Pixels from the unit, per axis, 1 apart.
    values : ndarray
        The map.
    widths : sequence of int
        Sides of the cell, per axis.

    Examples
    --------
    >>> (x,), line = smoothed([np.arange(3.0)], np.array([1.0, 0.0, 1.0]), [2])
    >>> x.tolist(), line.tolist()
    ([-0.5, 0.5, 1.5, 2.5], [0.5, 0.5, 0.5, 0.5])
    """
    places = []
    for axis, (line, width) in enumerate(zip(offsets, widths, strict=True)):
        places.append(line[0] - (width - 1) / 2 + np.arange(line.size + width - 1))
        values = np.apply_along_axis(np.convolve, axis, values, np.full(width, 1 / width))
    return places, values
