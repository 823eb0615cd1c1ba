"""What designs cost, beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting.style import BLUE, GAUSSIAN, GREEN, ORANGE, house_style, legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Point", "front_figure"]

_LOOKS = [(BLUE, "o"), (GAUSSIAN["color"], "s"), (GREEN, "^"), (ORANGE, "D")]


_OFFSETS = [(0, 9), (0, -9)]
"""Where numbers stand beside their points, in turns, so that neighbours do not collide."""


class Point(NamedTuple):
    """One design: its family, its costs, its label, and whether no other one beats it."""

    family: str
    parameters: float
    multiply_adds: float
    label: str
    is_best: bool


@house_style()
def front_figure(points: Sequence[Point], *, title: str = "") -> Figure:
    r"""Draw the costs of designs on logarithmic axes, those that no other one beats filled.

    Parameters
    ----------
    points : sequence of Point
        At least one design, of up to four families.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One pair of axes, with a marker and a colour for each family; numbers lead from the points
        to their labels.

    Raises
    ------
    ErfTheoryError
        If there is no point.

    Examples
    --------
    >>> figure = front_figure([Point("deep", 9, 9, "one", True), Point("large", 4, 4, "two", True)])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['2', '1', '1  one\n2  two']
    """
    from matplotlib.figure import Figure

    if not points:
        raise ErfTheoryError("a front has at least one design")
    figure = Figure(figsize=(7.2, 4.0), layout="constrained")
    ax = figure.subplots()
    families = list(dict.fromkeys(point.family for point in points))
    for family, (color, marker) in zip(families, _LOOKS, strict=False):
        own = [point for point in points if point.family == family]
        for is_best in (True, False):
            some = [point for point in own if point.is_best == is_best]
            ax.plot(
                [point.parameters for point in some],
                [point.multiply_adds for point in some],
                linestyle="none",
                marker=marker,
                markersize=6,
                color=color,
                markerfacecolor=color if is_best else "none",
                label=f"{family}{'' if is_best else ', beaten'}" if some else None,
            )
    ranks = sorted(range(len(points)), key=lambda i: (points[i].parameters, i))
    for rank, i in enumerate(ranks):
        place, offset = points[i][1:3], _OFFSETS[rank % len(_OFFSETS)]
        text = ax.annotate(str(i + 1), place, offset, textcoords="offset points", fontsize=7)
        text.set(ha="center", va="center")
    key = "\n".join(f"{i}  {point.label}" for i, point in enumerate(points, 1))
    ax.text(1.04, 1, key, transform=ax.transAxes, va="top", fontsize=7, linespacing=1.5)
    ax.set(xscale="log", yscale="log")
    ax.set(xlabel="parameters", ylabel="multiply-adds per place of the input")
    ax.margins(0.12)
    legend(figure, ax, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure
