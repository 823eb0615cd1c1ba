"""Results as JSON files: their provenance, how they are written, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from erf_theory.errors import ErfTheoryError

__all__ = ["DEFINITIONS", "provenance", "read", "write"]

DEFINITIONS = {
    "amplitude": "E g, g the gradient of one output unit by the input; Luo et al. 2016",
    "energy": "E g², over random zero-mean weights (as given: by their squares); Luo et al. 2016",
    "rms": "√(E g²), normalised",
    "magnitude": "E|g|, averaged over samples and the input's channels",
    "relu": "E max(g, 0), averaged over samples and channels; the sum in RepLKNet's script",
    "log10": "log10(1 + E max(g, 0)), as RepLKNet's script draws it; it depends on g's scale",
}


def provenance(kind: str, call: str) -> dict[str, str]:
    """What made a result: package version, call and definition used."""
    from importlib.metadata import version

    return {
        "package": f"erf_theory {version('erf-theory')}",
        "call": call,
        "kind": kind,
        "definition": DEFINITIONS[kind],
    }


def write(record: Mapping[str, Any], path: str | PathLike[str]) -> None:
    """Write a record as JSON."""
    import json
    from pathlib import Path

    Path(path).write_text(json.dumps(record, allow_nan=False), encoding="utf-8")


def read(path: str | PathLike[str], form: str, what: str) -> dict[str, Any]:
    """Read a record.

    Parameters
    ----------
    path : path
        The file.
    form : str
        The record's "format".
    what : str
        What has this format, for the error.

    Raises
    ------
    ErfTheoryError
        If the file holds no record of that format.
    """
    import json
    from pathlib import Path

    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ErfTheoryError(f"{path} is no JSON: {error}") from error
    if not isinstance(record, dict) or record.get("format") != form:
        raise ErfTheoryError(f"{path} holds no saved {what}: its format is not {form!r}")
    return record
