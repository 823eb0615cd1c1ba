"""Where a resizing takes its samples: ONNX's rules for coordinates, and which layer they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.readers.calls import Found
from erf_theory.readers.values import Refused

__all__ = ["sampled"]

_Floats = npt.NDArray[np.float64]
_Shapes = tuple[tuple[int, ...], tuple[int, ...]]


def _half_pixel(i: _Floats, scale: float, before: int, after: int) -> _Floats:
    return (i + 0.5) / scale - 0.5


def _pytorch(i: _Floats, scale: float, before: int, after: int) -> _Floats:
    return _half_pixel(i, scale, before, after) if after > 1 else 0 * i


def _symmetric(i: _Floats, scale: float, before: int, after: int) -> _Floats:
    middle = before / 2 * (1 - after / (scale * before))
    return middle + (i + 0.5) / scale - 0.5


def _asymmetric(i: _Floats, scale: float, before: int, after: int) -> _Floats:
    return i / scale


def _aligned(i: _Floats, scale: float, before: int, after: int) -> _Floats:
    return i * (before - 1) / max(after - 1, 1)


_COORDINATES: dict[str, Callable[[_Floats, float, int, int], _Floats]] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": _pytorch,
    "asymmetric": _asymmetric,
    "align_corners": _aligned,
}
_ROUNDINGS: dict[str, Callable[[_Floats], _Floats]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
}


def sampled(
    source: Any,
    shapes: _Shapes,
    scales: tuple[float, ...],
    *,
    mode: str,
    coordinates: str,
    rounding: str,
) -> Found:
    """What a resizing is, by the places that its samples come from.

    Raises
    ------
    Refused
        If no layer takes its samples from there.
    """
    if shapes[0] == shapes[1] and set(scales) == {1.0}:
        return Found("identity", (source,))
    if coordinates not in _COORDINATES:
        raise Refused(f"it takes its samples by coordinate_transformation_mode={coordinates}")
    rows = list(zip(*shapes, scales, strict=True))
    places = [_COORDINATES[coordinates](np.arange(float(b)), s, a, b) for a, b, s in rows]
    if mode == "nearest":
        return _nearest(source, shapes, [_ROUNDINGS[rounding](at) for at in places])
    if mode != "linear":
        raise Refused(f"it interpolates by the mode {mode}")
    for (before, after, _), at in zip(rows, places, strict=True):
        plain = _half_pixel(np.arange(float(after)), after / before, before, after)
        if before > 1 and not _same(at, plain, before):
            raise Refused(
                f"it interpolates by coordinate_transformation_mode={coordinates}, whose weights "
                "differ from place to place"
            )
    return Found("resize", (source,), {"mode": "linear"})


def _same(one: _Floats, other: _Floats, places: int) -> bool:
    """Whether coordinates are the same, beyond the border too."""
    ours, theirs = (np.clip(at, 0, places - 1) for at in (one, other))
    return bool(np.allclose(ours, theirs, rtol=0, atol=1e-6))


def _nearest(source: Any, shapes: _Shapes, places: list[_Floats]) -> Found:
    """Copies of every sample, or whatever samples it takes."""
    ends = list(zip(*shapes, strict=True))
    lines = [
        np.clip(at, 0, m - 1).astype(np.int64) for at, (m, _) in zip(places, ends, strict=True)
    ]
    copies = [np.arange(b) * a // b for a, b in ends]
    if all(map(np.array_equal, lines, copies)) and all(b % a == 0 for a, b in ends):
        return Found("resize", (source,), {"mode": "nearest"})
    return Found("move", (source,), {"move": lambda index: index[np.ix_(*lines)]})
