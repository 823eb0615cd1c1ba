"""The table as a page of the documentation: what was measured, on what, and what falls short."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.row import Outcome

__all__ = ["line", "machine", "page", "verdict"]

_HEAD = """# Benchmarks

`python -m benchmarks --write docs/reference/benchmarks.md` wrote this page.
Every row asserted its answer before it was timed: values to 10⁻¹⁰ of themselves wherever they are
normal doubles, and all logarithms to max(10⁻⁹, 10⁻¹⁴·|log|), against trinomial coefficients from a
recurrence in ball arithmetic; integers against FLINT's. Backends of experiments agree sample by
sample up to rounding, and with the theory within the measurement's error.

Times are the shortest of interleaved rounds; those of new processes are the median of several, with
their bytecode cached. *Found* is our time divided by the time of what stands beside it, or the
difference; it is to stay within the *goal*. v holds the three taps, n is the number of layers, and
N is `scipy.fft.next_fast_len(2*n + 1, real=True)`.
"""


def line(o: Outcome) -> str:
    """One outcome as plain text."""
    return f"{o.work}: {o.found} (goal {o.reach})\n    {o.ours} beside {o.theirs}, {o.beside}"


def machine() -> str:
    """Versions, and the processor."""
    names = ("erf-theory", "numpy", "scipy", "python-flint")
    packages = [f"{name} {version(name)}" for name in names]
    return (
        f"{', '.join(packages)}, Python {platform.python_version()}; "
        f"{_processor()}, {os.cpu_count()} cores."
    )


def verdict(outcomes: Sequence[Outcome]) -> str:
    """Which rows fall short of their goal."""
    short = [outcome for outcome in outcomes if not outcome.reached]
    if not short:
        return f"All {len(outcomes)} goals are reached."
    rows = "; ".join(f"{o.work}: {o.found}, the goal is {o.reach}" for o in short)
    return f"{len(short)} of {len(outcomes)} rows fall short: {rows}."


def page(outcomes: Sequence[Outcome]) -> str:
    """The page, in Markdown."""
    lines = [
        "| work | beside | ours | theirs | found | goal | reached |",
        "|---|---|---|---|---|---|---|",
        *(_cells(outcome) for outcome in outcomes),
    ]
    return "\n\n".join([_HEAD.rstrip(), machine(), "\n".join(lines), verdict(outcomes)]) + "\n"


def _cells(o: Outcome) -> str:
    reached = "yes" if o.reached else "**no**"
    cells = (o.work, o.beside, o.ours, o.theirs, o.found, o.reach, reached)
    return f"| {' | '.join(cells)} |"


def _processor() -> str:
    """The processor's name as Linux has it, else its architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return next(iter(names), platform.machine())
