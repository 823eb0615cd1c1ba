"""A measured profile on its prediction, and how far off it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import BLUE, GAUSSIAN, check_shape, house_style, legend, style_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["agreement_figure"]


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
