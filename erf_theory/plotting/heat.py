"""One heat map: its pixels, the outline of the ERF, the frame of the theoretical field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from erf_theory.exact import BoolArray, FloatArray
from erf_theory.plotting.style import (
    FRAME,
    ORANGE,
    Extent,
    check_shape,
    edges,
    padded,
    style_ticks,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["Heat", "draw_heat", "draw_inset", "heats"]

_LEAST_ASPECT = 0.3
_SMALL, _INSET, _AROUND = 1 / 7, 0.34, 1.4


@dataclass(frozen=True)
class Heat:
    """A 2-D map as it is drawn: rows along y, columns along x.

    ``extent`` has the edges of the theoretical receptive field along y and x, the pixels of the
    ERF are above ``threshold`` times the largest magnitude, and the colours end at ``top``.
    """

    y: FloatArray
    x: FloatArray
    values: FloatArray
    extent: tuple[Extent, Extent]
    threshold: float
    top: float
    is_signed: bool

    @property
    def level(self) -> float:
        """Threshold times the largest magnitude."""
        return self.threshold * float(abs(self.values).max())

    @cached_property
    def above(self) -> BoolArray:
        """The pixels of the ERF."""
        return abs(self.values) > self.level

    @cached_property
    def around(self) -> BoolArray | None:
        """What the pixels of the ERF fill with the gaps between them, if there are many gaps.

        Strides leave a grid of brighter pixels: a line around each of them would hide the map.
        """
        filled = _without_gaps(self.above)
        return filled if _sides(self.above) > 2 * _sides(filled) else None

    @property
    def window(self) -> tuple[Extent, Extent]:
        """What is shown: the theoretical receptive field, its short side not too thin."""
        sizes = [high - low for low, high in self.extent]
        least = _LEAST_ASPECT * max(sizes)
        pads = [max(0.03 * max(sizes), (least - size) / 2) for size in sizes]
        y, x = (padded(extent, pad) for extent, pad in zip(self.extent, pads, strict=True))
        return y, x

    @property
    def sizes(self) -> tuple[float, float]:
        """Height and width of the window, in pixels."""
        (top, bottom), (left, right) = self.window
        return bottom - top, right - left

    @property
    def outline_colour(self) -> str:
        """A colour that is seen on the zero of the colour map and on its ends."""
        return "black" if self.is_signed else ORANGE


def heats(
    offsets: Sequence[npt.ArrayLike],
    planes: Sequence[npt.ArrayLike],
    pairs: Sequence[tuple[int, int]],
    extent: Sequence[Extent],
    threshold: float,
) -> list[Heat]:
    """Planes on their pairs of axes, with one colour scale for all."""
    places = [np.asarray(axis, dtype=np.float64) for axis in offsets]
    arrays = [np.asarray(plane, dtype=np.float64) for plane in planes]
    for array, (i, j) in zip(arrays, pairs, strict=True):
        check_shape(array, (places[i], places[j]))
    top = max(float(abs(array).max()) for array in arrays)
    is_signed = any(bool((array < 0).any()) for array in arrays)
    return [
        Heat(places[i], places[j], array, (extent[i], extent[j]), threshold, top, is_signed)
        for array, (i, j) in zip(arrays, pairs, strict=True)
    ]


def draw_heat(ax: Axes, heat: Heat, rows: str, columns: str) -> AxesImage:
    """Draw the pixels, the outline of the ERF and the frame; rows downwards as in images."""
    from matplotlib.patches import Rectangle

    image = _draw_pixels(ax, heat)
    (top, bottom), (left, right) = heat.extent
    field, zero = ((left, top), right - left, bottom - top), image.to_rgba(np.zeros(1))[0]
    ax.add_patch(Rectangle(*field, facecolor=zero, zorder=-1))
    ax.add_patch(Rectangle(*field, fill=False, **FRAME))
    (top, bottom), (left, right) = heat.window
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set(xlabel=f"{columns} offset (px)", ylabel=f"{rows} offset (px)")
    style_ticks(ax, "xy")
    return image


def _draw_pixels(ax: Axes, heat: Heat) -> AxesImage:
    """Draw the pixels, and the outline of those of the ERF."""
    x, y = edges(heat.x), edges(heat.y)
    image = ax.imshow(
        heat.values,
        extent=(x[0], x[-1], y[-1], y[0]),
        cmap="PuOr" if heat.is_signed else "cividis",
        vmin=-heat.top if heat.is_signed else 0,
        vmax=heat.top,
    )
    if heat.above.any():
        _draw_outline(ax, heat)
    return image


def _draw_outline(ax: Axes, heat: Heat) -> None:
    """Draw the contour along the sides of the pixels: each is flat, with zeros around all."""
    rows, columns = _part_above(heat)
    pixels = abs(heat.values) if heat.around is None else 2 * heat.level * heat.around
    cells = np.pad(pixels[rows, columns].repeat(2, axis=0).repeat(2, axis=1), 1)
    y, x = edges(heat.y[rows]).repeat(2), edges(heat.x[columns]).repeat(2)
    ax.contour(x, y, cells, levels=[heat.level], colors=heat.outline_colour, linewidths=1.0)


def _without_gaps(pixels: BoolArray) -> BoolArray:
    """The smallest set that holds some pixels and has no gap in any row or column."""
    filled, count = pixels, -1
    while count != (count := int(filled.sum())):
        for axis in (0, 1):
            before = np.logical_or.accumulate(filled, axis=axis)
            behind = np.logical_or.accumulate(np.flip(filled, axis), axis=axis)
            filled = before & np.flip(behind, axis)
    return filled


def _sides(pixels: BoolArray) -> int:
    """Sides of pixels that the outline of some of them goes along."""
    padded_pixels = np.pad(pixels, 1)
    return sum(int(np.diff(padded_pixels, axis=axis).sum()) for axis in (0, 1))


def _part_above(heat: Heat) -> tuple[slice, slice]:
    """The rows and columns that hold the ERF."""
    first, last = np.flatnonzero(heat.above.any(axis=1))[[0, -1]]
    left, right = np.flatnonzero(heat.above.any(axis=0))[[0, -1]]
    return slice(first, last + 1), slice(left, right + 1)


def draw_inset(ax: Axes, heat: Heat) -> None:
    """Draw the ERF larger, in the emptiest corner, where it fills little of the window."""
    if not heat.above.any():
        return
    y, x = (axis[part] for axis, part in zip((heat.y, heat.x), _part_above(heat), strict=True))
    size, short = max(y.size, x.size), min(heat.sizes)
    if size > _SMALL * short:
        return
    middle = (y[0] + y[-1]) / 2, (x[0] + x[-1]) / 2
    tall, broad = (_INSET * short / whole for whole in heat.sizes)
    is_low, is_right = (c > np.mean(e) for c, e in zip(middle, heat.extent, strict=True))
    corner = 0.05 if is_right else 0.95 - broad, 0.95 - tall if is_low else 0.05
    _zoom(ax, ax.inset_axes((*corner, broad, tall)), heat, middle, _AROUND * size)


def _zoom(ax: Axes, inset: Axes, heat: Heat, middle: tuple[float, float], side: float) -> None:
    """Show a square of the map in an inset, and mark it on the map."""
    from matplotlib.patches import Rectangle

    ink = "black" if heat.is_signed else "white"
    (top, bottom), (left, right) = (padded((c, c), side / 2) for c in middle)
    _draw_pixels(inset, heat)
    inset.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    inset.spines[:].set(visible=True, color=ink)
    words: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": 6, "color": ink}
    inset.text(0.5, 0.97, f"zoom: {side:.0f} px wide", transform=inset.transAxes, **words)
    ax.add_patch(Rectangle((left, top), side, side, fill=False, edgecolor=ink, linewidth=0.6))
