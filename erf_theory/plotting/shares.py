"""Shares of a variance, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import BLUE, GAUSSIAN, check_shape, house_style, style_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["shares_figure"]

_MOST_NAMES, _LONG = 40, 24


@house_style()
def shares_figure(
    layers: Sequence[str], shares: npt.ArrayLike, passing: npt.ArrayLike, *, title: str = ""
) -> Figure:
    """Draw what every layer has of a variance, and what part of the energy passes it.

    Parameters
    ----------
    layers : sequence of str
        Names of the layers from the input to the output, m of them.
    shares, passing : array_like, shape (m,)
        Shares of the variance and parts of the energy, as parts of 1.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Bars for the shares, below them points for the energy. Of long names the end is shown, and
        numbers where there are too many.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value per layer.

    Examples
    --------
    >>> figure = shares_figure(["a", "b"], [0.25, 0.75], [1, 1])
    >>> [float(bar.get_height()) for bar in figure.axes[0].patches]
    [25.0, 75.0]
    """
    from matplotlib.figure import Figure

    x = np.arange(len(layers), dtype=np.float64)
    bars, points = (100 * np.asarray(values, dtype=np.float64) for values in (shares, passing))
    for values in (bars, points):
        check_shape(values, (x,))
    figure = Figure(figsize=(7.0, 4.4), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[2, 1])
    top.bar(x, bars, width=0.7, color=BLUE)
    top.axhline(0, color="black", linewidth=0.6)
    bottom.plot(x, points, color=GAUSSIAN["color"], linestyle="none", marker="s", markersize=3.5)
    top.set(ylabel="share of the\nvariance (%)", xlim=(-0.6, len(layers) - 0.4))
    bottom.set(ylabel="energy that\npasses (%)", ylim=(0, 105))
    for ax in (top, bottom):
        style_ticks(ax)
    if len(layers) <= _MOST_NAMES:
        names = [name if len(name) <= _LONG else f"…{name[-_LONG:]}" for name in layers]
        bottom.set_xticks(x, names, rotation=90 if len(layers) > 6 else 0)
    else:
        bottom.set_xlabel("layer, from the input to the output")
    figure.suptitle(title, wrap=True)
    return figure
