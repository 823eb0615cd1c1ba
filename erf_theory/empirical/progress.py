"""How far a measurement is, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TextColumn

__all__ = ["Report", "Watcher", "watched"]

Report = Callable[[int, float], object]
"""Told the number of samples, and the relative error as it was last known, infinite at first."""
Watcher = bool | Callable[[int], object]
"""Whether to show a bar; or what is told the number of samples, or of what else is counted."""


@contextmanager
def watched(watcher: Watcher, total: int, what: str = "samples") -> Iterator[Report | None]:
    """What to report progress to; None where nobody sees it.

    A bar is drawn on standard error, and only if that is a terminal; it leaves no trace.
    """
    if callable(watcher):
        yield lambda *done_and_error: watcher(done_and_error[0])
    elif watcher and sys.stderr.isatty():
        with _bar(total, what) as report:
            yield report
    else:
        yield None


@contextmanager
def _bar(total: int, what: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import Progress

    columns = (*Progress.get_default_columns(), _error_column())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total, error="")

        def report(done: int, error: float) -> None:
            text = f"relative error {100 * error:.2g} %" if isfinite(error) else ""
            bar.update(task, completed=done, error=text)

        yield report


def _error_column() -> TextColumn:
    from rich.progress import TextColumn

    return TextColumn("{task.fields[error]}")
