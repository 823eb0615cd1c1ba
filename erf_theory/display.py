"""How results show themselves: figures, lines of text, cards in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from math import nan, prod
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from erf_theory import records
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, text_of
from erf_theory.maps import Map
from erf_theory.routes import SignArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Card", "Shown"]

_THRESHOLD = 1 - 0.9545
"""Pixels above this fraction of the maximum are the ERF of [Luo16]."""
_MOST_PIXELS = 2000


class Card(ABC):
    """A result that has lines of text and a figure: how it shows them."""

    kind: str
    call: str

    @abstractmethod
    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""

    @abstractmethod
    def plot(self) -> Figure:
        """Draw it."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What it is, its numbers and its provenance, as JSON knows them."""

    def save_figure(self, path: str | PathLike[str]) -> None:
        """Save the figure as PNG, SVG or PDF, with its provenance in the file."""
        from erf_theory import plotting

        plotting.save_figure(self.plot(), path, records.provenance(self.kind, self.call))

    def _repr_png_(self) -> bytes:
        from erf_theory import plotting

        return plotting.png_bytes(self.plot(), records.provenance(self.kind, self.call))

    def _repr_html_(self) -> str:
        title, *rows = self.lines()
        columns = max(map(len, rows))
        table = "".join(_html_row(row, columns) for row in rows)
        image = b64encode(self._repr_png_()).decode("ascii")
        return (
            f"<p><b>{escape(title[1])}</b></p><table>{table}</table>"
            f"<img alt='{escape(repr(self))}' src='data:image/png;base64,{image}'>"
        )


class Shown(Card):
    """What an effective receptive field has to show, and how it shows it."""

    factors: tuple[Map, ...]
    reasons: tuple[str, ...]

    @property
    @abstractmethod
    def offsets(self) -> tuple[FloatArray, ...]:
        """Pixels from the unit's centre, per axis."""

    @property
    @abstractmethod
    def values(self) -> FloatArray:
        """The map."""

    @property
    @abstractmethod
    def log_values(self) -> FloatArray:
        """Logarithms of its magnitudes."""

    @property
    @abstractmethod
    def sign(self) -> SignArray:
        """Its signs."""

    @property
    @abstractmethod
    def frame(self) -> tuple[tuple[float, float], ...]:
        """Edges of the theoretical receptive field, per axis."""

    @property
    @abstractmethod
    def mean(self) -> tuple[float, ...]:
        """Mean per axis."""

    @property
    @abstractmethod
    def covariance(self) -> FloatArray:
        """Covariance matrix."""

    @property
    @abstractmethod
    def is_nonnegative(self) -> bool:
        """Whether the map has no signs."""

    @property
    @abstractmethod
    def error(self) -> float:
        """Rounding error of the values."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Measures at a glance."""

    @abstractmethod
    def _measures(self) -> Mapping[str, Callable[[], Any]]:
        """The measures of the summary, each to be asked for."""

    @abstractmethod
    def profile(self, axis: int = 0) -> Shown:
        """The 1-D map along an axis."""

    def lines(self) -> list[tuple[str, str]]:
        """Names and texts of what there is to say, the title first."""
        return [("", _title(self)), *self._rows()]

    def _rows(self) -> list[tuple[str, str]]:
        """Names and texts of the measures; then those that are refused, with the reason."""
        rows: list[tuple[str, str]] = []
        refused: dict[str, list[str]] = {}
        ask = self._measures()
        for measure, (name, written) in _MEASURES.items():
            try:
                rows.append((name, written(ask[measure]())))
            except ErfTheoryError as error:
                refused.setdefault(str(error), []).append(name)
        rows.append(("theory", "approximate" if self.reasons else "exact"))
        if not refused and self.error:
            rows.append(("rounding error", f"{self.error:.1e}"))
        rows += [("because", reason) for reason in self.reasons]
        return rows + [(", ".join(names), f"refused: {why}") for why, names in refused.items()]

    def plot(self) -> Figure:
        """Draw the map: profile and tails (1-D), heat map (2-D), three projections (3-D).

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        return _FIGURES[len(self.offsets)](self)

    def __repr__(self) -> str:
        return f"{_title(self)}\n  {', '.join(f'{name} {text}' for name, text in self._rows())}"


def _html_row(row: tuple[str, ...], columns: int) -> str:
    """A row of a table; the last cell of a short one reaches to the table's edge."""
    first, *cells = map(escape, row)
    missing = columns - len(row)
    wide = f" colspan='{missing + 1}'" if missing else ""
    middle = "".join(f"<td>{cell}</td>" for cell in cells[:-1])
    return f"<tr><th style='text-align:left'>{first}</th>{middle}<td{wide}>{cells[-1]}</td></tr>"


def _pixels(length: float) -> str:
    return f"{length:.4g} px"


_MEASURES: dict[str, tuple[str, Callable[[Any], str]]] = {
    "theoretical_rf": (
        "theoretical receptive field",
        lambda sides: " × ".join(map(text_of, sides)) + " px",
    ),
    "std": ("std", _pixels),
    "size": ("size", _pixels),
    "half_width": ("half width", _pixels),
    "log_mass": ("log mass", lambda log: "-inf" if log is None else f"{log:.6g}"),
}
"""Measures with their names and how they are written."""


def _title(erf: Shown) -> str:
    ndim = sum(len(factor.start) for factor in erf.factors)
    return f"{ndim}-D {erf.kind} ERF of {erf.call}"


def _stds(erf: Shown) -> list[float]:
    return [float(v) for v in np.sqrt(np.diag(erf.covariance))]


def _gaussian_stds(erf: Shown) -> list[float]:
    """Standard deviations of the Gaussian to compare with; a map with signs has none."""
    return _stds(erf) if erf.is_nonnegative else [nan] * len(erf.offsets)


def _profile_figure(erf: Shown) -> Figure:
    from erf_theory import plotting

    return plotting.profile_figure(
        erf.offsets[0],
        erf.values,
        mean=erf.mean[0],
        std=_gaussian_stds(erf)[0],
        extent=erf.frame[0],
        threshold=_THRESHOLD,
        log_values=erf.log_values,
        sign=erf.sign,
        title=_title(erf),
    )


def _map_figure(erf: Shown) -> Figure:
    from erf_theory import plotting

    windows = _windows(erf)
    profiles = [erf.profile(axis).values[w] for axis, w in enumerate(windows)]
    facts = erf.summary()
    return plotting.map_figure(
        [x[w] for x, w in zip(erf.offsets, windows, strict=True)],
        _plane(erf, (0, 1), windows),
        profiles=profiles,
        mean=erf.mean,
        std=_gaussian_stds(erf),
        extent=erf.frame,
        threshold=_THRESHOLD,
        title=_title(erf),
        note=f"std {facts['std']:.4g} px\nsize {facts['size']:.4g} px",
    )


def _volume_figure(erf: Shown) -> Figure:
    from erf_theory import plotting

    windows = _windows(erf)
    return plotting.volume_figure(
        [x[w] for x, w in zip(erf.offsets, windows, strict=True)],
        [_plane(erf, pair, windows) for pair in ((1, 2), (0, 2), (0, 1))],
        extent=erf.frame,
        threshold=_THRESHOLD,
        title=_title(erf),
    )


def _windows(erf: Shown) -> list[slice]:
    """The whole of each axis, or where the map is larger than a picture, twelve std of it."""
    windows = []
    for x, mean, std in zip(erf.offsets, erf.mean, _stds(erf), strict=True):
        reach = np.inf if len(x) <= _MOST_PIXELS else max(12 * std, 20.0)
        kept = np.flatnonzero(np.abs(x - mean) <= reach)
        windows.append(slice(int(kept[0]), int(kept[-1]) + 1))
    return windows


def _plane(erf: Shown, pair: tuple[int, int], windows: Sequence[slice]) -> FloatArray:
    """The map on two axes, summed over a third."""
    first, second = (windows[axis] for axis in pair)
    if len(erf.factors) > 1:
        lines = [factor.shares.values for factor in erf.factors]
        rest = prod(float(np.sum(line)) for axis, line in enumerate(lines) if axis not in pair)
        return np.multiply.outer(lines[pair[0]][first], lines[pair[1]][second]) * rest
    others = tuple(axis for axis in range(len(erf.offsets)) if axis not in pair)
    return np.asarray(erf.values.sum(axis=others)[first, second])


_FIGURES: dict[int, Callable[[Shown], Figure]] = {
    1: _profile_figure,
    2: _map_figure,
    3: _volume_figure,
}
