"""The 2-D map with its marginal profiles, and three planes of a 3-D map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy.typing as npt

from erf_theory.plotting.heat import Heat, draw_heat, draw_inset, heats
from erf_theory.plotting.profiles import Profile, draw_gaussian
from erf_theory.plotting.style import (
    BLUE,
    FRAME,
    SKY,
    Extent,
    edges,
    house_style,
    legend,
    style_ticks,
    threshold_name,
    width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["map_figure", "volume_figure"]

# Inches: the long side of a map and of a plane, a marginal profile, the space between axes, the
# colour bar, the margins for labels, and the least width of a figure with a legend.
_MAP, _PLANE, _SIDE, _GAP, _BAR = 3.0, 1.7, 0.7, 0.1, 0.12
_MARGIN, _TOP, _BELOW_MAP, _BELOW_PLANES, _LEAST_WIDTH = 0.65, 0.4, 0.9, 0.75, 4.9


@house_style()
def map_figure(
    offsets: Sequence[npt.ArrayLike],
    values: npt.ArrayLike,
    *,
    profiles: Sequence[npt.ArrayLike],
    mean: Sequence[float],
    std: Sequence[float],
    extent: Sequence[Extent],
    threshold: float,
    title: str = "",
    note: str = "",
) -> Figure:
    """Draw a 2-D map as a heat map with its marginal profiles and their Gaussians.

    The whole theoretical receptive field is shown in its frame, y downwards as in images. A
    line goes around the pixels above the threshold, or around all of them where they have many
    gaps, as strides make them; an inset shows them larger where they are
    small. A signed map has a diverging colour map with 0 in its middle.

    Parameters
    ----------
    offsets : two array_like, shapes (h,) and (w,)
        Distances along y and x from the unit's centre in input pixels, ascending, 1 apart.
        They may leave out a rim of the theoretical receptive field, which is drawn as zeros.
    values : array_like, shape (h, w)
        The normalised map.
    profiles : two array_like, shapes (h,) and (w,)
        The marginal profiles along y and x.
    mean, std : two floats each
        Mean and standard deviation of the profiles' magnitudes, in input pixels: those of the
        Gaussians. None is drawn along an axis whose ``std`` is 0 or NaN.
    extent : two pairs of floats
        Edges of the theoretical receptive field along y and x, in input pixels.
    threshold : float
        Fraction of the largest magnitude: the line goes around the pixels above it.
    title, note : str
        Title of the figure, and a few short lines for its corner.

    Returns
    -------
    matplotlib.figure.Figure
        Axes: the map, its profile along x above it and along y beside it, the colour bar.

    Raises
    ------
    ErfTheoryError
        If the shapes do not agree.

    Examples
    --------
    >>> import numpy as np
    >>> line, x = [.25, .5, .25], [-1, 0, 1]
    >>> figure = map_figure((x, x), np.outer(line, line), profiles=(line, line), mean=(0, 0),
    ...     std=(.7, .7), extent=((-1.5, 1.5),) * 2, threshold=0.0455)
    >>> figure.axes[0].get_xlabel()
    'x offset (px)'
    """
    (heat,) = heats(offsets, [values], [(0, 1)], extent, threshold)
    along_y, along_x = (
        Profile.of(*line) for line in zip(offsets, profiles, mean, std, strict=True)
    )
    high, wide = (_MAP * size / max(heat.sizes) for size in heat.sizes)
    beside, over = _MARGIN + wide + _GAP, _BELOW_MAP + high + _GAP
    figure = _figure(beside + _SIDE + 2 * _GAP + _BAR + _MARGIN, over + _SIDE + _TOP, title)
    main = _place(figure, _MARGIN, _BELOW_MAP, wide, high)
    image = draw_heat(main, heat, "y", "x")
    upper = _place(figure, _MARGIN, over, wide, _SIDE, sharex=main)
    right = _place(figure, beside, _BELOW_MAP, _SIDE, high, sharey=main)
    _draw_side(upper, along_x, "vertical")
    _draw_side(right, along_y, "horizontal")
    _draw_colour_bar(_place(figure, beside + _SIDE + 2 * _GAP, _BELOW_MAP, _BAR, high), image)
    _write_note(figure, beside, over + _GAP, note)
    _label_lines(main, heat, f"the maximum ({heat.above.sum()} px)", heat.extent)
    draw_inset(main, heat)
    legend(figure, main, upper, right, loc="lower center")
    return figure


@house_style()
def volume_figure(
    offsets: Sequence[npt.ArrayLike],
    planes: Sequence[npt.ArrayLike],
    *,
    extent: Sequence[Extent],
    threshold: float,
    names: Sequence[str] = ("sum over z", "sum over y", "sum over x"),
    title: str = "",
) -> Figure:
    """Draw three planes of a 3-D map, marginal or central ones, as heat maps of one scale.

    Parameters
    ----------
    offsets : three array_like, shapes (d,), (h,) and (w,)
        Distances along z, y and x from the unit's centre in input pixels, ascending, 1 apart.
        They may leave out a rim of the theoretical receptive field, which is drawn as zeros.
    planes : three array_like, shapes (h, w), (d, w) and (d, h)
        The planes without z, without y and without x.
    extent : three pairs of floats
        Edges of the theoretical receptive field along z, y and x, in input pixels.
    threshold : float
        Fraction of each plane's largest magnitude: lines go around the pixels above it.
    names : three str
        What the planes are: titles of the panels.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Axes: the three planes and the colour bar.

    Raises
    ------
    ErfTheoryError
        If the shapes do not agree.

    Examples
    --------
    >>> import numpy as np
    >>> plane, x = np.full((3, 3), 1 / 9), [-1, 0, 1]
    >>> figure = volume_figure((x, x, x), (plane,) * 3, extent=((-1.5, 1.5),) * 3, threshold=0.0455)
    >>> [ax.get_title() for ax in figure.axes]
    ['sum over z', 'sum over y', 'sum over x', '']
    """
    pairs = ((1, 2), (0, 2), (0, 1))
    drawn = heats(offsets, planes, pairs, extent, threshold)
    inch = _PLANE / max(size for heat in drawn for size in heat.sizes)
    tallest = inch * max(heat.sizes[0] for heat in drawn)
    room = sum(_MARGIN + inch * heat.sizes[1] for heat in drawn) + 2 * _GAP
    figure = _figure(room + _BAR + _MARGIN, _BELOW_PLANES + tallest + _GAP + _TOP, title)
    left = _MARGIN
    for heat, pair, name in zip(drawn, pairs, names, strict=True):
        high, wide = (inch * size for size in heat.sizes)
        ax = _place(figure, left, _BELOW_PLANES, wide, high, title=name)
        image = draw_heat(ax, heat, *("zyx"[axis] for axis in pair))
        left += wide + _MARGIN
    _draw_colour_bar(_place(figure, room, _BELOW_PLANES, _BAR, tallest), image)
    _label_lines(ax, heat, "the panel's maximum", extent)
    legend(figure, ax, loc="lower center")
    return figure


def _figure(wide: float, high: float, title: str) -> Figure:
    """An empty figure of a size in inches, with its title at the top."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(wide, _LEAST_WIDTH), high))
    figure.suptitle(title, y=1 - _GAP / high, va="top", wrap=True)
    return figure


def _place(
    figure: Figure, left: float, bottom: float, wide: float, high: float, **given: Any
) -> Axes:
    """Axes at a place given in inches."""
    figure_width, figure_height = figure.get_size_inches()
    across, up = (
        (left / figure_width, wide / figure_width),
        (bottom / figure_height, high / figure_height),
    )
    return figure.add_axes((across[0], up[0], across[1], up[1]), **given)


def _draw_side(ax: Axes, profile: Profile, orientation: Literal["horizontal", "vertical"]) -> None:
    """A marginal profile beside the map: steps as wide as the pixels, and the Gaussian."""
    is_lying = orientation == "horizontal"
    steps = profile.y, edges(profile.x)
    ax.stairs(*steps, orientation=orientation, fill=True, color=SKY, alpha=0.35, linewidth=0)
    ax.stairs(*steps, orientation=orientation, color=BLUE, linewidth=0.9, label="marginal profile")
    span = float(steps[1][0]), float(steps[1][-1])
    draw_gaussian(ax, profile, span, "Gaussian, same mean and std", is_lying=is_lying)
    style_ticks(ax)
    ax.tick_params(labelleft=False, labelbottom=False)
    ax.set(**{"xticks" if is_lying else "yticks": []})
    ax.spines["bottom" if is_lying else "left"].set_visible(False)


def _draw_colour_bar(ax: Axes, image: AxesImage) -> None:
    ax.figure.colorbar(image, cax=ax, label="normalised map")
    style_ticks(ax)


def _write_note(figure: Figure, left: float, bottom: float, note: str) -> None:
    """Small text at a place given in inches."""
    inches = figure.dpi_scale_trans
    figure.text(left, bottom, note, transform=inches, fontsize=7, linespacing=1.3)


def _label_lines(ax: Axes, heat: Heat, maximum: str, extent: Sequence[Extent]) -> None:
    """Empty lines that carry the legend entries of the outline and of the frame."""
    above = threshold_name(heat.threshold, maximum)
    if heat.around is not None:
        above = f"around those {above}"
    ax.plot([], [], color=heat.outline_colour, linewidth=1.0, label=above)
    frame = " × ".join(width(edge) for edge in extent)
    ax.plot([], [], label=f"theoretical receptive field ({frame} px)", **FRAME)
