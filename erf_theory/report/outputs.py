"""A report's files: all of them, or none."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from erf_theory import records
from erf_theory.errors import ErfTheoryError

if TYPE_CHECKING:
    from erf_theory.display import Card
    from erf_theory.report.document import Report

__all__ = ["need_places", "plots", "save_all"]


def plots(report: Report) -> dict[str, bytes]:
    """The report's pictures as PNG files, by name."""
    cards: dict[str, Card] = {f"map-{stage.name}": stage.erf for stage in report.stages}
    cards["profile"] = report.main.erf.profile(0)
    if report.training is not None:
        cards["training"] = report.training
    return {f"{name}.png": _png(card, report) for name, card in cards.items()}


def _png(card: Card, report: Report) -> bytes:
    from erf_theory import plotting

    return plotting.png_bytes(card.plot(), records.provenance(card.kind, report.call))


def need_places(paths: Sequence[Path]) -> None:
    """Refuse paths that cannot be saved in, before any work is done.

    Raises
    ------
    ErfTheoryError
        If there is no such folder, or two of the paths are one.
    """
    if len({path.resolve() for path in paths}) < len(paths):
        raise ErfTheoryError(
            f"two outputs cannot be saved in one place: {', '.join(map(str, paths))}"
        )
    for path in paths:
        if not path.parent.is_dir():
            raise ErfTheoryError(f"there is no folder {path.parent} to save {path.name} in")


def save_all(files: Mapping[Path, str | bytes]) -> None:
    """Write files; a failure leaves none of them half written.

    Each is written beside its place under another name, and once all are, they are moved.
    """
    written: list[tuple[str, Path]] = []
    try:
        for path, content in files.items():
            path.parent.mkdir(exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
                written.append((file.name, path))
                file.write(data)
        for name, path in written:
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
    finally:
        for name, _ in written:
            Path(name).unlink(missing_ok=True)


def _umask() -> int:
    """The rights that new files do not have here."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
