"""A network's energy before and after a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import (
    BLUE,
    GAUSSIAN,
    check_shape,
    house_style,
    legend,
    style_ticks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["changes_figure"]

_LOOKS: tuple[dict[str, Any], ...] = ({"color": BLUE, "linewidth": 1.2}, GAUSSIAN)


@house_style()
def changes_figure(
    profiles: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    names: Sequence[str],
    title: str = "",
) -> Figure:
    """Draw the cumulative sums of two profiles over each other, which strides leave smooth.

    Parameters
    ----------
    profiles : sequence of (array_like, array_like)
        Places, in pixels from the unit, and shares of two maps.
    names : sequence of str
        What they are.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes with a line each.

    Raises
    ------
    ErfTheoryError
        If there is not one value for every place.

    Examples
    --------
    >>> line = [-1, 0, 1], [0.25, 0.5, 0.25]
    >>> figure = changes_figure([line, line], names=("before", "after"))
    >>> len(figure.axes[0].lines)
    2
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0, 3.2), layout="constrained")
    ax = figure.subplots()
    for (places, values), name, look in zip(profiles, names, _LOOKS, strict=True):
        x, y = np.asarray(places, dtype=np.float64), np.asarray(values, dtype=np.float64)
        check_shape(y, (x,))
        ax.step(x, np.cumsum(y), **look, where="mid", label=name)
    ax.set(xlabel="pixels from the unit", ylabel="share of the energy up to there", ylim=(0, 1))
    style_ticks(ax, "x")
    legend(figure, ax, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure
