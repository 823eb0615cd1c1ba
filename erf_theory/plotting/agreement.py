"""A measured profile or map beside its prediction, and how far off it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from erf_theory.exact import FloatArray
from erf_theory.plotting.style import (
    BLUE,
    GAUSSIAN,
    check_shape,
    edges,
    house_style,
    legend,
    style_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["agreement_figure", "agreement_maps"]

_MOST = 4.0
"""Standard errors at the ends of the colours."""


@house_style()
def agreement_figure(
    x: npt.ArrayLike,
    theory: npt.ArrayLike,
    measured: npt.ArrayLike,
    error: npt.ArrayLike,
    *,
    title: str = "",
) -> Figure:
    """Draw a predicted profile and a measured one, and their difference in standard errors.

    Parameters
    ----------
    x : array_like, shape (m,)
        Places, in input pixels.
    theory, measured, error : array_like, shape (m,)
        Predicted values, measured values and the standard errors of the latter.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The profiles above, the difference below.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value for every place.

    Examples
    --------
    >>> figure = agreement_figure([0, 1], [0.5, 0.5], [0.4, 0.6], [0.1, 0.1])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['energy / predicted mass', 'difference / error']
    """
    from matplotlib.figure import Figure

    places, *rows = (np.asarray(v, dtype=np.float64) for v in (x, theory, measured, error))
    for row in rows:
        check_shape(row, (places,))
    predicted, found, errors = rows
    figure = Figure(figsize=(4.5, 3.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot(places, predicted, label="theory", **GAUSSIAN)
    bars = {"color": BLUE, "linestyle": "none", "marker": "o", "markersize": 2.5}
    above.errorbar(
        places, found, 2 * errors, elinewidth=0.8, label="measured, ± 2 standard errors", **bars
    )
    off = np.divide(found - predicted, errors, out=np.full_like(found, np.nan), where=errors > 0)
    below.axhspan(-2, 2, color=BLUE, alpha=0.12, linewidth=0)
    below.plot(places, off, **bars)
    below.axhline(0, **GAUSSIAN)
    above.set_ylabel("energy / predicted mass")
    below.set(xlabel="input pixels from the unit", ylabel="difference / error")
    figure.align_ylabels()
    style_ticks(above)
    style_ticks(below, "x")
    legend(figure, above, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure


@house_style()
def agreement_maps(
    places: Sequence[npt.ArrayLike],
    theory: npt.ArrayLike,
    measured: npt.ArrayLike,
    error: npt.ArrayLike,
    *,
    title: str = "",
) -> Figure:
    """Draw a predicted map, a measured one in the same colours, and their difference in errors.

    Rows go downwards, as in images. The difference has white in its middle and darkens to both
    sides, orange below 0 and purple above, up to four standard errors.

    Parameters
    ----------
    places : two array_like, shapes (h,) and (w,)
        Places along y and x, in input pixels, ascending, 1 apart.
    theory, measured, error : array_like, shape (h, w)
        Predicted values, measured values and the standard errors of the latter.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Axes: theory, measurement, difference, and the two colour bars.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value for every place.

    Examples
    --------
    >>> row = np.array([[0.2, 0.6, 0.2]])
    >>> figure = agreement_maps(([0], [-1, 0, 1]), row, row + 0.01, 0 * row + 0.01)
    >>> [ax.get_title() for ax in figure.axes[:3]]
    ['theory', 'measured', 'difference / error']
    """
    from matplotlib.figure import Figure

    y, x = (np.asarray(axis, dtype=np.float64) for axis in places)
    maps = [np.asarray(values, dtype=np.float64) for values in (theory, measured, error)]
    for values in maps:
        check_shape(values, (y, x))
    predicted, found, errors = maps
    off = np.divide(found - predicted, errors, out=np.full_like(found, np.nan), where=errors > 0)
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    energies = {"cmap": "cividis", "vmin": 0.0, "vmax": float(np.max((predicted, found)))}
    signs = {"cmap": "PuOr", "vmin": -_MOST, "vmax": _MOST}
    _draw(panels[0], "theory", predicted, (y, x), energies)
    image = _draw(panels[1], "measured", found, (y, x), energies)
    difference = _draw(panels[2], "difference / error", off, (y, x), signs)
    panels[0].set_ylabel("y (px)")
    bars: dict[str, Any] = {"location": "bottom", "shrink": 0.7, "aspect": 30}
    figure.colorbar(image, ax=panels[:2], label="energy / predicted mass", **bars)
    figure.colorbar(difference, ax=panels[2], label="standard errors", extend="both", **bars)
    for bar in figure.axes[3:]:
        style_ticks(bar)
    figure.suptitle(title, wrap=True)
    return figure


def _draw(
    ax: Axes,
    name: str,
    values: FloatArray,
    places: tuple[FloatArray, FloatArray],
    colours: dict[str, Any],
) -> AxesImage:
    """Draw the pixels of one map."""
    y, x = map(edges, places)
    image = ax.imshow(values, extent=(x[0], x[-1], y[-1], y[0]), interpolation="nearest", **colours)
    ax.set(title=name, xlabel="x (px)")
    style_ticks(ax, "xy")
    return image
