"""Measured points beside a fitted and a predicted power law, on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import (
    BLUE,
    FRAME,
    GAUSSIAN,
    check_shape,
    house_style,
    legend,
    style_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Panel", "scaling_figure"]

_FEW, _MANY = 10, 300
"""Axes that span less have evenly spaced ticks; those that span more only powers of ten."""


@final
@dataclass(frozen=True, eq=False)
class Panel:
    """What one panel shows: points, the power law fitted to them, and the predicted law.

    Attributes
    ----------
    title, ylabel : str
        Title of the panel and name of its values.
    points, fit, law : array_like, shape (m,)
        Positive values at every depth.
    fit_name, law_name : str
        Names of the fitted and the predicted law in the legend.
    bound : array_like, shape (m,), optional
        What no point may be above.
    """

    title: str
    ylabel: str
    points: npt.ArrayLike
    fit: npt.ArrayLike
    law: npt.ArrayLike
    fit_name: str
    law_name: str
    bound: npt.ArrayLike | None = None


@house_style()
def scaling_figure(depths: npt.ArrayLike, panels: Sequence[Panel], *, title: str = "") -> Figure:
    """Draw how values change with depth, side by side, on logarithmic axes.

    Parameters
    ----------
    depths : array_like, shape (m,)
        Numbers of layers, ascending and positive.
    panels : sequence of Panel
        What to draw, from left to right.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes per panel.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value per depth.

    Examples
    --------
    >>> panel = Panel("growth", "std", [1, 2.1], [1, 2.1], [1, 2], "fitted", "√n law")
    >>> [ax.get_title() for ax in scaling_figure([1, 4], [panel]).axes]
    ['growth']
    """
    from matplotlib.figure import Figure

    x = np.asarray(depths)
    figure = Figure(figsize=(7.0, 3.3), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw(ax, x, panel)
    legend(figure, *axes, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure


def _draw(ax: Axes, x: npt.NDArray[Any], panel: Panel) -> None:
    """Points and both laws of one panel."""
    points, fit, law = (np.asarray(v) for v in (panel.points, panel.fit, panel.law))
    for values in (points, fit, law):
        check_shape(values, (x,))
    ax.set(xscale="log", yscale="log", title=panel.title, xlabel="layers", ylabel=panel.ylabel)
    ax.plot(x, law, label=panel.law_name, **GAUSSIAN)
    ax.plot(x, fit, color=BLUE, linewidth=0.9, zorder=1.5)
    ax.plot([], [], color=BLUE, linewidth=0.9, marker="o", markersize=3.2, label=panel.fit_name)
    ax.plot(x, points, color=BLUE, linestyle="none", marker="o", markersize=3.2)
    shown = [points, fit, law]
    if panel.bound is not None:
        check_shape(bound := np.asarray(panel.bound), (x,))
        ax.plot(x, bound, label="bound", **FRAME)
        shown.append(bound)
    style_ticks(ax)
    _readable_ticks(ax.xaxis, x, integer=True)
    _readable_ticks(ax.yaxis, np.concatenate(shown), integer=False)


def _readable_ticks(axis: Any, values: npt.NDArray[Any], *, integer: bool) -> None:
    """Plain numbers where they are easy to read: 1, 2, 5, 10 on an axis of a few decades."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

    span = values.max() / values.min()
    if span >= _MANY:
        return
    near = MaxNLocator(nbins=5, integer=integer, steps=[1, 2, 5, 10], min_n_ticks=2)
    axis.set_major_locator(near if span < _FEW else LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_locator(NullLocator())
