"""Results that are a table with one row per depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import index
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory import records
from erf_theory.display import Card
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.gaussian.powerlaw import CONFIDENCE, PowerLaw

__all__ = ["DepthTable", "depths_of", "fit_to_dict", "read_only", "shortened"]


class DepthTable(Card):
    """A card whose lines of more than two cells are rows of a table, the first their names."""

    def __repr__(self) -> str:
        title, *rows = self.lines()
        table = [row for row in rows if len(row) > 2]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        texts = [_aligned(row, widths) if len(row) > 2 else ": ".join(row) for row in rows]
        return "\n  ".join([title[1], *texts])

    def save(self, path: str | PathLike[str]) -> None:
        """Save as JSON: `to_dict` in a file."""
        records.write(self.to_dict(), path)


def fit_to_dict(law: PowerLaw, exponent: float | None) -> dict[str, Any]:
    """A fitted power beside the predicted one, as JSON knows them."""
    interval = None if law.interval is None else list(law.interval)
    return {
        "exponent": law.exponent,
        "interval": interval,
        "confidence": CONFIDENCE,
        "law": exponent,
    }


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))


def depths_of(depths: Iterable[int]) -> list[int]:
    """Different depths, ascending."""
    try:
        layers = sorted({index(n) for n in depths})
    except TypeError:
        raise ErfTheoryError(f"depths are a list of whole numbers, not {depths!r}") from None
    if len(layers) < 2 or layers[0] < 1:
        raise ErfTheoryError(
            f"a law of growth needs at least two different depths of 1 layer or more, not {layers}"
        )
    return layers


def read_only(numbers: Sequence[Number]) -> npt.NDArray[Any]:
    """An array that stays as it is."""
    array = np.array(numbers)
    array.flags.writeable = False
    return array


def shortened(numbers: Sequence[Number]) -> str:
    """A list as one would write it; a long one is cut."""
    text = f"[{', '.join(map(str, numbers))}]"
    return text if len(text) <= 60 else f"{text[:56]} …"
