"""How the figures look: colours, lines, ticks and words, the same in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "FRAME",
    "GAUSSIAN",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "SKY",
    "Extent",
    "check_shape",
    "edges",
    "house_style",
    "legend",
    "padded",
    "style_ticks",
    "threshold_name",
    "width",
]

Extent = tuple[float, float]

BLUE, SKY, ORANGE, _VERMILLION, _GREY = "#0072B2", "#56B4E9", "#E69F00", "#D55E00", "#555555"
GREEN, PURPLE = "#009E73", "#CC79A7"
GAUSSIAN: dict[str, Any] = {"color": _VERMILLION, "linestyle": (0, (4, 1.5)), "linewidth": 1.1}
FRAME: dict[str, Any] = {"color": _GREY, "linestyle": (0, (4, 1.5, 1, 1.5)), "linewidth": 0.9}
_STYLE: dict[str, Any] = {
    "font.size": 8.0,
    "axes.linewidth": 0.6,
    "axes.titlesize": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.limits": (-2, 3),
    "axes.formatter.use_mathtext": True,
    "figure.titlesize": 9.0,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "legend.columnspacing": 1.6,
    "legend.handletextpad": 0.6,
    "svg.hashsalt": "erf_theory",
}


@contextmanager
def house_style() -> Iterator[None]:
    """The style of all figures, whatever the user's settings are; these come back after it."""
    import matplotlib.style

    with matplotlib.style.context(["default", _STYLE]):
        yield


def check_shape(values: npt.NDArray[Any], offsets: Sequence[npt.NDArray[Any]]) -> None:
    """Refuse a map that has not one value for every offset, and at least one."""
    expected = tuple(axis.size for axis in offsets)
    if values.shape != expected or 0 in expected:
        raise ErfTheoryError(
            f"a map of shape {values.shape} does not fit offsets of shape {expected}: "
            "give one value for every offset, and at least one"
        )


def edges(x: FloatArray) -> FloatArray:
    """The sides of pixels that are 1 apart."""
    return np.append(x - 0.5, x[-1] + 0.5)


def padded(extent: Extent, pad: float) -> Extent:
    """An interval with ``pad`` more on both sides."""
    return extent[0] - pad, extent[1] + pad


def width(extent: Extent) -> str:
    """The number of pixels between two edges, in full."""
    return f"{extent[1] - extent[0]:.0f}"


def threshold_name(threshold: float, of: str) -> str:
    """Legend entry of the pixels above a threshold, and of what it is a fraction."""
    return f"above {100 * threshold:.3g} % of {of}"


def style_ticks(ax: Axes, axes: str = "") -> None:
    """Thin outward ticks; the named axes ("x", "y", "xy") count pixels, in whole numbers."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    ax.tick_params(which="both", width=0.6, labelsize=7.5)
    ax.tick_params(length=2.5)
    ax.tick_params(which="minor", length=1.5)
    for name in axes:
        axis = getattr(ax, f"{name}axis")
        steps = [1, 2, 5, 10]
        axis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=steps, min_n_ticks=1))
        axis.set_major_formatter(StrMethodFormatter("{x:.0f}"))


def legend(
    figure: Figure, *axes: Axes, loc: Literal["lower center", "outside lower center"]
) -> None:
    """One legend for the figure: what is labelled on these axes, each name once."""
    named = {
        name: handle
        for ax in axes
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles=list(named.values()), loc=loc, ncols=2)
