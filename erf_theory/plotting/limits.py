"""A map beside the limit that it tends to, and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import BLUE, GAUSSIAN, check_shape, house_style, legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["limit_figure"]


@house_style()
def limit_figure(
    x: npt.ArrayLike,
    values: npt.ArrayLike,
    limit: npt.ArrayLike,
    names: tuple[str, str],
    *,
    title: str = "",
) -> Figure:
    """Draw a map and its limit above, their difference below.

    Parameters
    ----------
    x : array_like, shape (m,)
        Places.
    values, limit : array_like, shape (m,)
        The map and what it tends to.
    names : tuple of str
        What to call the two.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value for every place.

    Examples
    --------
    >>> figure = limit_figure([0, 1], [0.5, 0.5], [0.4, 0.6], ("map", "limit"))
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['value', 'difference']
    """
    from matplotlib.figure import Figure

    places, found, expected = (np.asarray(v, dtype=np.float64) for v in (x, values, limit))
    for row in (found, expected):
        check_shape(row, (places,))
    figure = Figure(figsize=(4.5, 3.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot(places, found, "o", color=BLUE, markersize=2.2, label=names[0])
    above.plot(places, expected, label=names[1], **GAUSSIAN)
    legend(figure, above, loc="outside lower center")
    below.plot(places, found - expected, color=BLUE, linewidth=0.9)
    above.set(ylabel="value", title=title)
    below.set(xlabel="place (input pixels)", ylabel="difference")
    return figure
