"""Pictures in a page: figures, and maps as drawings that stay sharp at every size."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from erf_theory.erf import ERF
from erf_theory.exact import FloatArray
from erf_theory.report.smoothing import smoothed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["drawn_map", "figure_of", "picture"]

_BROAD = 6
"""Inches of a figure that narrow screens scroll, rather than shrink."""
_RINGS = ((0.5, "none"), (0.9, "1 4"))
"""Shares of the energy that discs hold, and how their rims are dashed."""


def picture(figure: Figure, alt: str, caption: str) -> str:
    """A figure of matplotlib in the page itself; its caption stands for its title."""
    from erf_theory import plotting

    figure.suptitle("")
    image = b64encode(plotting.png_bytes(figure, {})).decode("ascii")
    shown = f'<img alt="{escape(alt)}" src="data:image/png;base64,{image}">'
    if figure.get_figwidth() > _BROAD:
        shown = f'<div class="wide" tabindex="0">{shown}</div>'
    return figure_of(shown, escape(caption))


def figure_of(content: str, caption: str) -> str:
    """Something with a caption below it; both are HTML."""
    return f"<figure>{content}<figcaption>{caption}</figcaption></figure>\n"


def drawn_map(erf: ERF, alt: str, caption: str, cell: Sequence[int]) -> str:
    """A 2-D map in the frame of its theoretical receptive field, with discs of its energy.

    Parameters
    ----------
    erf : ERF
        The map.
    alt, caption : str
        What it shows, for those who do not see it, and below it.
    cell : sequence of int
        Distance of units, per axis, over which brightness is averaged.
    """
    (y, x), values = smoothed(erf.offsets, erf.values, cell)
    (top, bottom), (left, right) = erf.frame
    pad = 0.02 * max(bottom - top, right - left)
    box = f"{left - pad:g} {top - pad:g} {right - left + 2 * pad:g} {bottom - top + 2 * pad:g}"
    frame = f'x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}"'
    image = (
        f'<image x="{x[0] - 0.5:g}" y="{y[0] - 0.5:g}" width="{x.size}" height="{y.size}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{_coloured(values)}"/>'
    )
    shapes = [
        f'<rect {frame} class="zero"/>',
        f"{image}",
        *_discs(erf),
        f'<rect {frame} class="frame"/>',
    ]
    drawing = f'<svg viewBox="{box}" role="img" aria-label="{escape(alt)}">{"".join(shapes)}</svg>'
    return figure_of(drawing, escape(caption))


def _discs(erf: ERF) -> list[str]:
    """Rims of the discs around the mean that hold shares of the energy, dark on light."""
    cy, cx = erf.mean
    return [
        f'<circle cx="{cx:g}" cy="{cy:g}" r="{erf.radius(share, "disc", "mean"):g}" '
        f'class="{kind}" stroke-dasharray="{dashes}"/>'
        for share, dashes in _RINGS
        for kind in ("halo", "ring")
    ]


def _coloured(values: FloatArray) -> str:
    """A map as a PNG in the colours of cividis, in base 64."""
    from matplotlib import colormaps
    from PIL import Image

    levels = np.round(255 * values / values.max()).astype(np.uint8)
    image = Image.fromarray(levels)
    palette = colormaps["cividis"](np.arange(256), bytes=True)[:, :3]
    image.putpalette(palette.ravel().tolist())
    data = BytesIO()
    image.save(data, format="PNG")
    return b64encode(data.getvalue()).decode("ascii")
