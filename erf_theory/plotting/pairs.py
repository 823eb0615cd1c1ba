"""Many pairs of maps, measured beside predicted, in rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.plotting.style import house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["pairs_figure"]

_SIDE = 0.95
"""Inches of one map."""


@house_style()
def pairs_figure(
    rows: Mapping[str, Sequence[tuple[FloatArray, FloatArray]]],
    columns: Sequence[str],
    *,
    title: str = "",
) -> Figure:
    """Draw pairs of 2-D maps, the measured one to the left; each map has its own colour scale.

    Parameters
    ----------
    rows : mapping from str to sequence of (ndarray, ndarray)
        A name for every row, and for every column a measured map and a predicted one.
    columns : sequence of str
        Names of the columns.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ErfTheoryError
        If a row has not one pair of 2-D maps for every column.

    Examples
    --------
    >>> import numpy as np
    >>> figure = pairs_figure({"relu": [(np.eye(3), np.ones((3, 3)))]}, ["5 layers"])
    >>> len(figure.axes)
    2
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    for name, pairs in rows.items():
        if len(pairs) != len(columns) or any(np.ndim(m) != 2 for pair in pairs for m in pair):
            raise ErfTheoryError(f"row {name!r} has not one pair of 2-D maps for every column")
    size = (_SIDE * (2 * len(columns) + 0.8), _SIDE * (len(rows) + 0.9))
    layout = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.0, hspace=0.0)
    figure = Figure(figsize=size, layout=layout)
    grid = figure.subplots(len(rows), 2 * len(columns), squeeze=False)
    for line, (name, pairs) in zip(grid, rows.items(), strict=True):
        for axes, one in zip(line, [one for pair in pairs for one in pair], strict=True):
            _draw(axes, one)
        line[0].set_ylabel(name)
    for axes, column in zip(grid[0][::2], columns, strict=True):
        axes.set_title(f"{column}\nmeasured")
    for axes in grid[0][1::2]:
        axes.set_title("\ntheory")
    figure.suptitle(title)
    return figure


def _draw(axes: Axes, values: FloatArray) -> None:
    """One map, from 0 to its maximum."""
    axes.imshow(values, cmap="cividis", vmin=0, vmax=float(np.max(values)), interpolation="none")
    axes.set(xticks=[], yticks=[])
    for side in axes.spines.values():
        side.set_visible(True)
