"""The 1-D map beside its Gaussian, on a linear and on a logarithmic axis."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log10, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from erf_theory.exact import BoolArray, FloatArray
from erf_theory.plotting.style import (
    BLUE,
    FRAME,
    GAUSSIAN,
    SKY,
    Extent,
    check_shape,
    edges,
    house_style,
    legend,
    padded,
    style_ticks,
    threshold_name,
    width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Profile", "draw_gaussian", "profile_figure"]

_FEW = 80


@dataclass(frozen=True)
class Profile:
    """A 1-D map as it is drawn, with the mean and standard deviation of its Gaussian.

    ``height`` is log10 of the magnitudes, NaN where the map is exactly 0.
    """

    x: FloatArray
    y: FloatArray
    height: FloatArray
    negative: BoolArray
    mean: float
    std: float

    @classmethod
    def of(
        cls, x: Any, y: Any, mean: float, std: float, *, logs: Any = None, sign: Any = None
    ) -> Profile:
        """Check the shapes and fill in what is not given from the values."""
        place, value = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        signs = np.sign(value) if sign is None else np.asarray(sign)
        with np.errstate(divide="ignore"):
            natural = np.log(abs(value)) if logs is None else np.asarray(logs, dtype=np.float64)
        for array in (value, natural, signs):
            check_shape(array, (place,))
        height = np.where(np.isneginf(natural), np.nan, natural / log(10))
        return cls(place, value, height, signs < 0, float(mean), float(std))

    @property
    def is_signed(self) -> bool:
        """Whether any value is negative."""
        return bool(self.negative.any())

    def gaussian(self, low: float, high: float) -> tuple[FloatArray, FloatArray] | None:
        """Places and log10 of the Gaussian on [low, high]; None if it has no width or no mass.

        Its mass is the sum of the magnitudes, which is 1 for a whole normalised map.
        """
        total = float(abs(self.y).sum())
        if not (self.std > 0 and total > 0):
            return None
        near = np.clip(self.mean + self.std * np.linspace(-6, 6, 301), low, high)
        x = np.unique(np.concatenate([np.linspace(low, high, 301), near]))
        z = (x - self.mean) / self.std
        return x, log10(total / (self.std * sqrt(2 * pi))) - z * z / (2 * log(10))

    def window(self, extent: Extent) -> Extent:
        """The part above 1/1000 of the maximum; the whole extent if that is not much wider."""
        size = abs(self.y)
        seen = self.x[size >= 1e-3 * size.max()]
        pad = 0.15 * (seen[-1] - seen[0] + 1)
        low, high = float(seen[0] - 0.5 - pad), float(seen[-1] + 0.5 + pad)
        return extent if extent[1] - extent[0] <= 1.6 * (high - low) else (low, high)


@house_style()
def profile_figure(
    offsets: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    mean: float,
    std: float,
    extent: Extent,
    threshold: float | None = None,
    log_values: npt.ArrayLike | None = None,
    sign: npt.ArrayLike | None = None,
    title: str = "",
    label: str = "ERF",
) -> Figure:
    """Draw a 1-D map beside its Gaussian: on a linear axis, and its tails on a logarithmic one.

    Parameters
    ----------
    offsets : array_like, shape (m,)
        Distances from the unit's centre in input pixels, ascending, 1 apart.
    values : array_like, shape (m,)
        The normalised map; negative values make it a signed one.
    mean, std : float
        Mean and standard deviation of the magnitudes, in input pixels: those of the Gaussian,
        which is drawn on both sides of 0 beside a signed map, and not if ``std`` is 0 or NaN.
    extent : tuple of float
        Both edges of the theoretical receptive field, in input pixels.
    threshold : float, optional
        Fraction of the largest magnitude: the pixels above it are shaded and counted.
    log_values : array_like, shape (m,), optional
        Natural logarithms of the magnitudes, -inf for exact zeros, which are left as gaps.
        Default: those of ``values``, which end at the smallest double.
    sign : array_like, shape (m,), optional
        Signs of the map, for places where ``values`` underflow. Default: those of ``values``.
    title, label : str
        Title of the figure, and name of the map in the legend.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes: linear and logarithmic.

    Raises
    ------
    ErfTheoryError
        If there is not exactly one value per offset.

    Examples
    --------
    >>> figure = profile_figure([-1, 0, 1], [.25, .5, .25], mean=0, std=.5**.5, extent=(-1.5, 1.5))
    >>> [ax.get_title() for ax in figure.axes]
    ['linear axis', 'logarithmic axis']
    """
    from matplotlib.figure import Figure

    profile = Profile.of(offsets, values, mean, std, logs=log_values, sign=sign)
    figure = Figure(figsize=(7.0, 3.1), layout="constrained")
    linear, tails = figure.subplots(1, 2)
    _draw_linear(linear, profile, extent, threshold, label)
    _draw_tails(tails, profile, extent)
    for ax in (linear, tails):
        for edge in extent:
            ax.axvline(edge, zorder=0.5, **FRAME)
        ax.set_xlabel("offset from the unit's centre (input pixels)")
        style_ticks(ax, "x")
    linear.lines[-1].set_label(f"theoretical receptive field ({width(extent)} px)")
    legend(figure, linear, loc="outside lower center")
    figure.suptitle(title, wrap=True)
    return figure


def _draw_linear(
    ax: Axes, profile: Profile, extent: Extent, threshold: float | None, label: str
) -> None:
    """The map where it is large, as stems if its samples can be told apart, else as a line."""
    window = profile.window(extent)
    seen = (profile.x >= window[0]) & (profile.x <= window[1])
    if seen.sum() <= _FEW:
        ax.vlines(profile.x[seen], 0, profile.y[seen], color=BLUE, linewidth=0.8)
        _markers(ax, profile, profile.y, seen, label)
    else:
        ax.plot(profile.x, profile.y, color=BLUE, linewidth=1.2, label=label)
    draw_gaussian(ax, profile, window, f"Gaussian (std {profile.std:.4g} px)")
    if threshold is not None:
        _shade(ax, profile, threshold)
    part = "" if window == extent else f", {width(window)} of {width(extent)} px"
    ax.set(title=f"linear axis{part}", ylabel="normalised map")
    ax.set_xlim(padded(window, 0.03 * (window[1] - window[0])))
    if profile.is_signed:
        ax.axhline(0, color="black", linewidth=0.6)
    else:
        ax.set_ylim(bottom=0)


def draw_gaussian(
    ax: Axes, profile: Profile, span: Extent, name: str, *, is_lying: bool = False
) -> None:
    """Draw the Gaussian on a linear axis; on both sides of 0 beside a signed map."""
    if (curve := profile.gaussian(*span)) is None:
        return
    for sign in (1, -1) if profile.is_signed else (1,):
        x, y = curve[0], sign * 10 ** curve[1]
        label = name if sign > 0 else None
        ax.plot(*((y, x) if is_lying else (x, y)), label=label, **GAUSSIAN)


def _draw_tails(ax: Axes, profile: Profile, extent: Extent) -> None:
    """The whole map as log10, however small; isolated samples and signs as markers."""
    height, known = profile.height, np.isfinite(profile.height)
    if profile.is_signed or not known.all() or known.sum() <= _FEW:
        _markers(ax, profile, height, known, "")
    if not profile.is_signed:
        ax.plot(profile.x, height, color=BLUE, linewidth=1.2)
    if (curve := profile.gaussian(*extent)) is not None:
        ax.plot(*curve, **GAUSSIAN)
    low, high = (float(height[known].min()), float(height[known].max())) if known.any() else (0, 0)
    limits = padded((low, high), 0.06 * (high - low) or 1.0)
    name = "normalised map (magnitude)" if profile.is_signed else "normalised map"
    ax.set(title="logarithmic axis", ylabel=name, ylim=limits)
    ax.set_xlim(padded(extent, 0.03 * (extent[1] - extent[0])))
    _powers_of_ten(ax, limits)


def _powers_of_ten(ax: Axes, limits: Extent) -> None:
    """Ticks of a logarithmic axis for heights that are log10 already."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
    decades = range(int(np.floor(limits[0])), int(np.ceil(limits[1])))
    if len(decades) <= 6:
        between = [p + log10(digit) for p in decades for digit in range(2, 10)]
        ax.yaxis.set_minor_locator(FixedLocator(between))
    if limits[1] - limits[0] < 1.5:
        ax.yaxis.set_minor_formatter(FuncFormatter(_times_power))


def _times_power(height: float, _: int) -> str:
    """``2 × 10^p`` and ``5 × 10^p``; nothing at the other digits."""
    power = int(np.floor(height))
    digit = round(10 ** (height - power))
    return rf"${digit}\times10^{{{power}}}$" if digit in {2, 5} else ""


def _markers(ax: Axes, profile: Profile, height: FloatArray, shown: BoolArray, label: str) -> None:
    """One marker per sample: filled discs for positive, open squares for negative ones."""
    size = float(np.clip(120 / max(shown.sum(), 1), 0.8, 3.2))
    common: dict[str, Any] = {"linestyle": "none", "color": BLUE, "markersize": size}
    positive, negative = shown & ~profile.negative, shown & profile.negative
    parts = [(positive, "o", BLUE, label)]
    if profile.is_signed:
        parts = [(positive, "o", BLUE, f"{label}, positive")]
        parts.append((negative, "s", "white", f"{label}, negative"))
    for part, marker, face, name in parts:
        x, y = profile.x[part], height[part]
        ax.plot(x, y, marker=marker, mfc=face, mew=0.8, label=name, **common)


def _shade(ax: Axes, profile: Profile, threshold: float) -> None:
    """Shade the pixels whose magnitude is above the threshold times the largest one."""
    size = abs(profile.y)
    above = size > threshold * size.max()
    cells = np.where(above, profile.y, np.nan)
    name = threshold_name(threshold, f"the maximum ({above.sum()} px)")
    ax.stairs(cells, edges(profile.x), fill=True, color=SKY, alpha=0.35, lw=0, label=name)
