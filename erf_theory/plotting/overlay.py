"""A field over the picture that a network is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from erf_theory.exact import FloatArray
from erf_theory.plotting.style import FRAME, Extent, check_shape, house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["overlay_figure"]

_SHARES = (0.99, 0.9, 0.5)
_INKS = (("black", 2.6), ("white", 1.1))
"""Lines that are seen on every picture: light ones in the middle of dark ones."""


@house_style()
def overlay_figure(
    image: FloatArray,
    centre: Sequence[float],
    offsets: Sequence[FloatArray],
    values: FloatArray,
    frame: Sequence[Extent],
) -> Figure:
    """Draw contours of a field over an image.

    Parameters
    ----------
    image : ndarray, shape (rows, columns, 3)
        Numbers from 0 to 1.
    centre : sequence of float
        Where the unit has its centre, per axis: the image begins at 0 and its pixels are 1 apart.
    offsets : sequence of ndarray
        Pixels from the unit, per axis.
    values : ndarray
        The map, free of the grid that strides leave in it.
    frame : sequence of tuple of float
        Edges of the theoretical receptive field, per axis.

    Returns
    -------
    matplotlib.figure.Figure
        Contours hold 50, 90 and 99 % of the mass.

    Raises
    ------
    ErfTheoryError
        If there is not one value for every offset.

    Examples
    --------
    >>> x = np.arange(-4.0, 5.0)
    >>> bell = np.exp(-(x[:, None] ** 2 + x**2) / 4)
    >>> picture = np.zeros((20, 30, 3))
    >>> len(overlay_figure(picture, (10, 15), (x, x), bell, [(-4.5, 4.5)] * 2).axes)
    1
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    check_shape(values, offsets)
    rows, columns = image.shape[:2]
    y, x = (line + middle for line, middle in zip(offsets, centre, strict=True))
    figure = Figure(figsize=(4.5, 4.5 * rows / columns), layout="constrained")
    ax = figure.subplots()
    ax.imshow(np.clip(image, 0, 1), extent=(0, columns, rows, 0))
    levels = [_level(values, share) for share in _SHARES]
    for colour, width in _INKS:
        lines = ax.contour(x, y, values, levels=levels, colors=colour, linewidths=width)
        ax.plot(*centre[::-1], marker="+", color=colour, markersize=8, markeredgewidth=width)
    texts = dict(zip(levels, [f"{100 * share:.0f} %" for share in _SHARES], strict=True))
    for text in ax.clabel(lines, fmt=texts, colors="black"):
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.8})
    (top, bottom), (left, right) = frame
    corner = (left + centre[1], top + centre[0])
    ax.add_patch(
        Rectangle(corner, right - left, bottom - top, fill=False, **{**FRAME, "color": "white"})
    )
    ax.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
    return figure


def _level(values: FloatArray, share: float) -> float:
    """The value above which the largest pixels hold a share of the mass."""
    ordered = np.sort(values, axis=None)[::-1]
    return float(ordered[np.searchsorted(np.cumsum(ordered), share * ordered.sum())])
