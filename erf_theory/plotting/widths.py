"""Predicted and measured widths, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from erf_theory.plotting.style import BLUE, GAUSSIAN, check_shape, house_style, legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["widths_figure"]

_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": GAUSSIAN["color"], "marker": "s", "linestyle": "--"},
)


@house_style()
def widths_figure(
    layers: Sequence[str],
    predicted: Mapping[str, npt.ArrayLike],
    measured: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]],
    *,
    title: str = "",
) -> Figure:
    """Draw standard deviations of several states of a network beside each other.

    Parameters
    ----------
    layers : sequence of str
        Names of the layers, m of them.
    predicted : mapping
        From the name of one or two states to its predicted widths, shape (m,).
    measured : mapping
        From the same names to the measured widths and their standard errors, shape (m,) each.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes; predictions are lines, measurements points with their standard errors.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value per layer.

    Examples
    --------
    >>> figure = widths_figure(["a", "b"], {"now": [1, 2]}, {"now": ([1.1, 2], [0.1, 0.1])})
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()]
    ['a', 'b']
    """
    from matplotlib.figure import Figure

    x = np.arange(len(layers), dtype=np.float64)
    figure = Figure(figsize=(7.0, 3.3), layout="constrained")
    ax = figure.subplots()
    for shift, look, name in zip((-0.06, 0.06), _LOOKS, predicted, strict=False):
        line, (points, errors) = np.asarray(predicted[name]), map(np.asarray, measured[name])
        for values in (line, points, errors):
            check_shape(values, (x,))
        drawn = {"color": look["color"], "linestyle": look["linestyle"], "linewidth": 0.9}
        ax.plot(x, line, **drawn, label=f"{name}, predicted")
        ax.errorbar(
            x + shift,
            points,
            errors,
            **{**look, "linestyle": "none"},
            markersize=3.5,
            linewidth=0.9,
            label=f"{name}, measured ± standard error",
        )
    ax.set(ylabel="std (input pixels)", xticks=x, ylim=(0, None))
    ax.set_xticks(x, layers, rotation=30 if len(layers) > 6 else 0, ha="center")
    legend(figure, ax, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure
