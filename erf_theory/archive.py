"""Effective receptive fields as JSON: what a map needs to come back, with its provenance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from os import PathLike
from typing import Any, Self

import numpy as np

from erf_theory.derived import Stored
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray, Number, number
from erf_theory.maps import Map
from erf_theory.records import DEFINITIONS, provenance, read, write
from erf_theory.routes import Logs, Shares

__all__ = [
    "FORMAT",
    "Archived",
    "map_from_dict",
    "map_to_dict",
    "parts_from_dict",
]

_LONGEST = 10_000
"""Bits of the longest integers that are written: about 3000 digits."""
FORMAT = "erf_theory.ERF/1"


class Archived(ABC):
    """A result made of maps: how it is saved and comes back."""

    factors: tuple[Map, ...]
    kind: Any
    call: str
    reasons: tuple[str, ...]

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Measures at a glance, as plain numbers."""

    def to_dict(self) -> dict[str, Any]:
        """The map, its measures and its provenance, as JSON knows them."""
        return {
            "format": FORMAT,
            **provenance(self.kind, self.call),
            "exactness": "approximate" if self.reasons else "exact",
            "reasons": list(self.reasons),
            "measures": self.summary(),
            "factors": [map_to_dict(factor) for factor in self.factors],
        }

    @classmethod
    @abstractmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """The result of `to_dict`: the same values, logarithms and measures, known by samples."""

    def save(self, path: str | PathLike[str]) -> None:
        """Save as JSON: `to_dict` in a file."""
        write(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Load what `save` wrote.

        Raises
        ------
        ErfTheoryError
            If the file holds no saved result.
        """
        return cls.from_dict(read(path, FORMAT, "ERF"))


def map_to_dict(map_: Map) -> dict[str, Any]:
    """A map as plain numbers; a logarithm of 0 is null."""
    shares, logs = map_.shares, map_.logs
    flat = logs.values.ravel().tolist()
    return {
        "start": list(map_.start),
        "shape": list(map_.shape),
        "values": shares.values.ravel().tolist(),
        "log_values": [None if v == -np.inf else v for v in flat],
        "sign": logs.sign.ravel().tolist(),
        "log_norm": shares.log_norm,
        "mass": _mass_to_text(map_),
        "log_mass": None if map_.log_mass == -np.inf else map_.log_mass,
        "error": shares.error,
        "log_error": logs.error,
        "engines": [shares.engine, logs.engine],
    }


def map_from_dict(record: Mapping[str, Any]) -> Stored:
    """The map of `map_to_dict`.

    Raises
    ------
    ErfTheoryError
        If the record is not complete.
    """
    try:
        shape = tuple(record["shape"])
        values, logs = (_array(record[name], shape) for name in ("values", "log_values"))
        sign = np.array(record["sign"], dtype=np.int8).reshape(shape)
        log_mass, (engine, log_engine) = record["log_mass"], record["engines"]
        shares = Shares(values, record["log_norm"], record["error"], engine)
        return Stored(
            start=tuple(record["start"]),
            shares=shares,
            logs=Logs(logs, sign, record["log_error"], log_engine),
            mass=_mass_from_text(record["mass"]),
            log_mass=-np.inf if log_mass is None else log_mass,
        )
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise ErfTheoryError(f"this is not a saved map of {FORMAT}: {error!r}") from error


def parts_from_dict(
    record: Mapping[str, Any],
) -> tuple[tuple[Stored, ...], Any, str, tuple[str, ...]]:
    """Maps, kind, call and reasons of a saved ERF.

    Raises
    ------
    ErfTheoryError
        If one of them is missing or makes no sense.
    """
    try:
        factors = tuple(map_from_dict(part) for part in record["factors"])
        kind, call, reasons = record["kind"], record["call"], tuple(record["reasons"])
    except (KeyError, TypeError) as error:
        raise ErfTheoryError(f"this is not a saved ERF of {FORMAT}: {error!r}") from error
    if not factors or kind not in DEFINITIONS:
        raise ErfTheoryError(
            f"this is not a saved ERF of {FORMAT}: {len(factors)} maps of kind {kind!r}"
        )
    return factors, kind, call, reasons


def _mass_to_text(map_: Map) -> str | None:
    """A mass as text, exact; None if it is unknown or has thousands of digits."""
    try:
        mass = map_.mass
    except EngineError:
        return None
    if isinstance(mass, int | Fraction):
        ratio = Fraction(mass)
        long = max(abs(ratio.numerator), ratio.denominator).bit_length() > _LONGEST
        return None if long else str(mass)
    return None if mass is None else f"{mass:E}"


def _mass_from_text(text: str | None) -> Number | Decimal | None:
    if text is None:
        return None
    return Decimal(text) if "E" in text else number(Fraction(text))


def _array(numbers: list[float | None], shape: tuple[int, ...]) -> FloatArray:
    flat = [-np.inf if v is None else v for v in numbers]
    return np.array(flat, dtype=np.float64).reshape(shape)
