"""Figures as files and bytes, with their provenance, the same every time."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from json import dumps
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting.style import house_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["need_suffix", "png_bytes", "save_figure"]

_PRINT_DPI, _SCREEN_DPI = 200, 120
_METADATA: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("Description", {"Software": "erf_theory"}),
    ".svg": ("Description", {"Creator": "erf_theory", "Date": None}),
    ".pdf": ("Subject", {"Creator": "erf_theory", "CreationDate": None}),
}


@house_style()
def save_figure(
    figure: Figure, path: str | PathLike[str], provenance: str | Mapping[str, Any]
) -> None:
    """Save a figure as PNG, SVG or PDF, with its provenance in the file's metadata.

    The same figure gives the same bytes every time: no dates, no random names.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    path : str or path-like
        Where to save it; the suffix ``.png``, ``.svg`` or ``.pdf`` says how.
    provenance : str or mapping
        What made the figure: package version, call, definition used. A mapping, of what JSON
        knows, is written as JSON. PNG and SVG keep it as Description, PDF as Subject.

    Raises
    ------
    ErfTheoryError
        If the suffix is none of the three.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> save_figure(Figure(), "erf.gif", "k = 3, n = 20")
    Traceback (most recent call last):
    erf_theory.errors.ErfTheoryError: figures are .png, .svg or .pdf, not '.gif': rename erf.gif
    """
    suffix = need_suffix(path)
    figure.savefig(
        Path(path), format=suffix[1:], dpi=_PRINT_DPI, metadata=_metadata(suffix, provenance)
    )


def need_suffix(path: str | PathLike[str]) -> str:
    """The suffix of a picture's name, in small letters.

    Raises
    ------
    ErfTheoryError
        If figures are not saved as that.
    """
    target = Path(path)
    if (suffix := target.suffix.lower()) not in _METADATA:
        raise ErfTheoryError(
            f"figures are .png, .svg or .pdf, not {target.suffix!r}: rename {target}"
        )
    return suffix


@house_style()
def png_bytes(figure: Figure, provenance: str | Mapping[str, Any]) -> bytes:
    r"""The figure as a PNG, for a notebook's ``_repr_png_``.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    provenance : str or mapping
        What made the figure, as in :func:`save_figure`.

    Returns
    -------
    bytes
        A PNG file, the same for the same figure.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> png_bytes(Figure(), "k = 3, n = 20")[:4]
    b'\x89PNG'
    """
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=_SCREEN_DPI, metadata=_metadata(".png", provenance))
    return buffer.getvalue()


def _metadata(suffix: str, provenance: str | Mapping[str, Any]) -> dict[str, Any]:
    key, fixed = _METADATA[suffix]
    text = provenance if isinstance(provenance, str) else dumps(dict(provenance))
    return {key: text, **fixed}
