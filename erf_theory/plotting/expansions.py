"""A map beside its approximations, from the centre to the last pixel, and their relative errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import (
    BLUE,
    GAUSSIAN,
    GREEN,
    ORANGE,
    PURPLE,
    check_shape,
    house_style,
    legend,
    style_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Approximation", "expansions_figure"]

_ROOM = 3.0
"""Factor by which axes reach beyond what they show."""
_STYLES: tuple[dict[str, Any], ...] = (
    {**GAUSSIAN, "marker": "x"},
    {"color": ORANGE, "linestyle": (0, (6, 1.5, 1, 1.5)), "linewidth": 1.1, "marker": "s"},
    {"color": GREEN, "linestyle": (0, (1, 1)), "linewidth": 1.3, "marker": "^"},
    {"color": PURPLE, "linestyle": "-", "linewidth": 1.1, "marker": "D"},
)


@final
@dataclass(frozen=True, eq=False)
class Approximation:
    """One approximation of a map.

    Attributes
    ----------
    name : str
        Its name in the legend.
    log_values : array_like, shape (m,)
        Natural logarithms of its values; NaN where they are not positive, which leaves a gap.
    error : array_like, shape (m,)
        Magnitudes of its relative errors.
    """

    name: str
    log_values: npt.ArrayLike
    error: npt.ArrayLike


@house_style()
def expansions_figure(
    offsets: npt.ArrayLike,
    log_values: npt.ArrayLike,
    approximations: Sequence[Approximation],
    *,
    title: str = "",
) -> Figure:
    """Draw a map and up to four approximations, and below them their relative errors.

    Parameters
    ----------
    offsets : array_like, shape (m,)
        Places in input pixels, ascending.
    log_values : array_like, shape (m,)
        Natural logarithms of the map, which are those of normal doubles.
    approximations : sequence of Approximation
        The first is drawn as Gaussians are in all figures.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes: values and relative errors.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value per place.

    Examples
    --------
    >>> one = Approximation("Gaussian", [-0.7, -1.5], [0.01, 0.1])
    >>> figure = expansions_figure([0, 1], [-0.69, -1.39], [one])
    >>> [ax.get_ylabel() for ax in figure.axes]
    ['normalised map', 'relative error']
    """
    from matplotlib.figure import Figure

    x, exact = np.asarray(offsets), np.asarray(log_values)
    figure = Figure(figsize=(7.0, 6.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    _scale(top, "normalised map", np.exp(exact))
    _scale(bottom, "relative error", *(np.asarray(one.error) for one in approximations))
    top.plot(x, np.exp(exact), color=BLUE, linestyle="none", marker="o", ms=4.5, label="exact map")
    for approximation, style in zip(approximations, _STYLES, strict=False):
        _draw(top, bottom, x, approximation, style)
    bottom.set_xlabel("offset from the unit's centre (input pixels)")
    for ax in (top, bottom):
        style_ticks(ax, "x")
    legend(figure, top, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure


def _scale(ax: Axes, name: str, *values: npt.NDArray[Any]) -> None:
    """A logarithmic axis with room for all that is positive."""
    ax.set(yscale="log", ylabel=name)
    positive = np.concatenate(values)
    positive = positive[positive > 0]
    if positive.size:
        ax.set_ylim(positive.min() / _ROOM, positive.max() * _ROOM)


def _draw(
    top: Axes,
    bottom: Axes,
    x: npt.NDArray[Any],
    approximation: Approximation,
    style: dict[str, Any],
) -> None:
    """One approximation on both axes; where it is exact, its error is off the logarithmic axis."""
    logs, error = (np.asarray(v) for v in (approximation.log_values, approximation.error))
    for values in (logs, error):
        check_shape(values, (x,))
    line = {**style, "marker": "none"}
    top.plot(x, np.exp(logs), **line)
    bottom.plot(x, np.where(error > 0, error, np.nan), markersize=3.2, **style)
    top.plot([], [], label=approximation.name, markersize=3.2, **style)
