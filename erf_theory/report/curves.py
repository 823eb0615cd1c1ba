"""The profile of a map as drawings that stay sharp at every size, on screens light and dark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from typing import final

import numpy as np

from erf_theory.erf import ERF
from erf_theory.exact import FloatArray
from erf_theory.report.smoothing import smoothed

__all__ = ["drawn_profile"]

_WIDTH, _HEIGHT = 360, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 38
_TICKS = 6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@final
@dataclass(frozen=True)
class _Panel:
    """A drawing with two axes.

    Attributes
    ----------
    x, y : tuple of float
        What the axes reach from and to.
    """

    x: tuple[float, float]
    y: tuple[float, float]

    def across(self, x: FloatArray | float) -> FloatArray:
        """Places from the left."""
        share = (np.asarray(x) - self.x[0]) / (self.x[1] - self.x[0])
        return np.asarray(_LEFT + share * (_WIDTH - _LEFT - _RIGHT))

    def down(self, y: FloatArray | float) -> FloatArray:
        """Places from the top."""
        share = (self.y[1] - np.asarray(y)) / (self.y[1] - self.y[0])
        return np.asarray(_TOP + share * (_HEIGHT - _TOP - _BOTTOM))

    def path(self, x: FloatArray, y: FloatArray, kind: str) -> str:
        """A line through points, as far as the axes reach."""
        inside = (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])
        points = zip(self.across(x[inside]), self.down(y[inside]), strict=True)
        text = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        return f'<polyline points="{text}" class="{kind}"/>'

    def edge(self, x: float) -> str:
        """An upright line."""
        at = f"{self.across(x):.1f}"
        return f'<line x1="{at}" x2="{at}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" class="frame"/>'

    def drawing(self, parts: Iterable[str], labels: dict[float, str], alt: str) -> str:
        """The whole; ``labels`` are those of the upright axis."""
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        lines = f'<path d="M{_LEFT},{_TOP}V{bottom}H{right}" class="axis"/>'
        below = "".join(
            f'<text x="{self.across(x):.1f}" y="{bottom + 16}" text-anchor="middle">{x:g}</text>'
            for x in _round_numbers(*self.x)
        )
        beside = "".join(
            f'<text x="{_LEFT - 6}" y="{self.down(y) + 4:.1f}" text-anchor="end">{text}</text>'
            for y, text in labels.items()
        )
        middle = (_LEFT + right) / 2
        name = (
            f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">pixels from the unit</text>'
        )
        content = "".join([lines, below, beside, name, *parts])
        box = f"0 0 {_WIDTH} {_HEIGHT}"
        return f'<svg viewBox="{box}" role="img" aria-label="{escape(alt)}">{content}</svg>'


def drawn_profile(erf: ERF, cell: int, alt: str) -> tuple[str, str]:
    """A profile beside its Gaussian, on a linear axis and on a logarithmic one.

    Parameters
    ----------
    erf : ERF
        An energy on one axis.
    cell : int
        Distance of units: the bold line is the mean over so many pixels, which takes the grid of
        strides away; the pale one are the pixels.
    alt : str
        What it shows, for those who do not see it.

    Returns
    -------
    tuple of str
        Two drawings.
    """
    pixels = erf.offsets[0], erf.values
    (line,), means = smoothed(erf.offsets, erf.values, [cell])
    mean, std = erf.mean[0], erf.std
    ((low, high),) = erf.frame
    over = np.linspace(low, high, 400)
    gaussian = np.exp(-(((over - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))
    curves = ((*pixels, "pixels"), (over, gaussian, "gaussian"), (line, means, "curve"))
    margin = 0.03 * (high - low)
    reach = low - margin, high + margin
    linear = _Panel(reach, (0.0, 1.05 * max(float(y.max()) for _, y, _ in curves)))
    least = min(float(y[y > 0].min()) for y in (erf.values, means))
    powers = floor(log10(least)), ceil(log10(linear.y[1]))
    tails = _Panel(reach, (float(powers[0]), float(powers[1])))
    edges = (low, high)
    upright = {y: f"{y:g}" for y in _round_numbers(*linear.y)}
    decades = range(powers[0], powers[1] + 1, ceil((powers[1] - powers[0]) / _TICKS))
    return (
        linear.drawing(
            [*map(linear.edge, edges), *(linear.path(*one) for one in curves)], upright, alt
        ),
        tails.drawing(
            [*map(tails.edge, edges), *(tails.path(x, _logs(y), kind) for x, y, kind in curves)],
            {float(power): f"10{str(power).translate(_SUPERSCRIPTS)}" for power in decades},
            f"{alt}, on a logarithmic axis",
        ),
    )


def _logs(values: FloatArray) -> FloatArray:
    """Logarithms to the base 10; of 0 minus infinity."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values))


def _round_numbers(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of 10 between two numbers: as many as have room.

    Examples
    --------
    >>> _round_numbers(-220, 220)
    [-200.0, -100.0, 0.0, 100.0, 200.0]
    """
    power = 10.0 ** floor(log10((high - low) / _TICKS))
    step = next(power * m for m in (1, 2, 5, 10) if (high - low) / (power * m) <= _TICKS)
    return [float(f"{step * i:.6g}") for i in range(ceil(low / step), floor(high / step) + 1)]
