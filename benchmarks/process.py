"""New processes: how long the package takes to start, what it loads, how much memory it needs."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.row import Effort, Outcome, Row, timed

__all__ = ["Command", "Extra", "Growth", "Peak", "Start", "rows"]

_HEAVY = {"flint", "matplotlib", "scipy", "sympy", "torch"}
_BESIDE = "import numpy"
_MEGABYTE = 2**20
_SHOW = "from erf_theory.cli import main; main(['show', '-k', '3', '-n', '20'])"
_PEAK = """
import resource, sys

def peak():
    if sys.platform == "linux":
        with open("/proc/self/status") as lines:
            return 1024 * next(int(line.split()[1]) for line in lines if "VmHWM" in line)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
"""
"""The largest resident memory so far, in bytes; what Linux says of ``ru_maxrss`` is no less than
the parent's."""


def rows(*, smoke: bool) -> list[Row]:
    """All rows."""
    deep = 10_000 if smoke else 1_000_000
    sample = "erf_theory.theoretical_erf(3, 20).values"
    right = f"assert abs(3**20 * {sample}[0] - 1) < 1e-12"
    return [
        Start("import erf_theory", "assert 'theoretical_erf' in dir(erf_theory)", 0.040),
        Start(f"import erf_theory; {sample}", right, 0.060),
        Command("new process: `erf-theory show -k 3 -n 20`", _SHOW, " 41 px"),
        Peak(f"theoretical_erf(3, {deep}).log_values", 500),
    ]


@dataclass(frozen=True)
class Start:
    """How much longer than `import numpy` a new process takes for a statement.

    Attributes
    ----------
    statement, assertion : str
        What is timed; what must hold after it.
    reach : float
        Seconds that it may take more.
    """

    statement: str
    assertion: str
    reach: float

    @property
    def work(self) -> str:
        """What is done."""
        return f"new process: `{self.statement}`"

    def outcome(self, effort: Effort) -> Outcome:
        """The difference of medians."""
        loaded = _printed(f"{self.statement}; {self.assertion}; import sys; print(*sys.modules)")
        assert not _HEAVY & set(loaded.split())
        ours, theirs = _medians([self.statement, _BESIDE], effort.processes)
        return _later(self.work, f"new process: `{_BESIDE}`", ours, theirs, self.reach)


@dataclass(frozen=True)
class Extra:
    """How much longer than other code a new process takes for some.

    Attributes
    ----------
    work, code : str
        What is done, and how.
    beside, other : str
        What stands beside it, and its code.
    shown : str
        What the first one prints.
    reach : float
        Seconds that it may take more.
    """

    work: str
    code: str
    beside: str
    other: str
    shown: str
    reach: float

    def outcome(self, effort: Effort) -> Outcome:
        """The difference of medians."""
        assert self.shown in _printed(self.code)
        ours, theirs = _medians([self.code, self.other], effort.processes)
        return _later(self.work, self.beside, ours, theirs, self.reach)


@dataclass(frozen=True)
class Command:
    """The time of code in a new process, reported beside nothing.

    Attributes
    ----------
    work, code : str
        What is done, and how.
    shown : str
        What it prints.
    """

    work: str
    code: str
    shown: str

    def outcome(self, effort: Effort) -> Outcome:
        """The median."""
        assert self.shown in _printed(self.code)
        (seconds,) = _medians([self.code], effort.processes)
        return Outcome(
            self.work, "–", timed(seconds), "–", timed(seconds), "< 1000 ms", reached=seconds < 1
        )


@dataclass(frozen=True)
class Peak:
    """The largest resident memory of a new process.

    Attributes
    ----------
    expression : str
        What it computes.
    reach : float
        Megabytes (2²⁰ bytes) that it stays below.
    imports : str
        What it needs.
    """

    expression: str
    reach: float
    imports: str = "from erf_theory import theoretical_erf"

    @property
    def work(self) -> str:
        """What is done."""
        return f"peak memory of `{self.expression}` in a new process"

    def outcome(self, effort: Effort) -> Outcome:  # noqa: ARG002
        """What the system says at the end."""
        (megabytes,) = _peaks([self.imports, self.expression, "print(peak())"])
        found = f"{megabytes:.0f} MB"
        return Outcome(
            self.work, "–", found, "–", found, f"< {self.reach:g} MB", megabytes < self.reach
        )


@dataclass(frozen=True)
class Growth:
    """How much more memory a new process needs at its peak for more work.

    Attributes
    ----------
    expression : str
        What it computes, with braces in the place of the number.
    numbers : pair of int
        The work, first a little and then more.
    reach : float
        Megabytes (2²⁰ bytes) that it may grow by.
    imports : str
        What it needs.
    check : str
        What must hold of what was ``found``.
    """

    expression: str
    numbers: tuple[int, int]
    reach: float
    imports: str
    check: str

    @property
    def work(self) -> str:
        """What is done."""
        few, many = self.numbers
        return f"peak memory of `{self.expression.format('N')}` at N = {many}, beside N = {few}"

    def outcome(self, effort: Effort) -> Outcome:  # noqa: ARG002
        """The difference of two peaks of one process."""
        lines = [self.imports]
        for number in self.numbers:
            found = f"found = {self.expression.format(number)}"
            lines += [found, f"assert {self.check}", "print(peak())", "del found"]
        little, much = _peaks(lines)
        grown = much - little
        return Outcome(
            self.work,
            "–",
            f"{much:.0f} MB",
            f"{little:.0f} MB",
            f"{grown:+.1f} MB",
            f"≤ {self.reach:+g} MB",
            reached=grown <= self.reach,
        )


def _later(work: str, beside: str, ours: float, theirs: float, reach: float) -> Outcome:
    """The outcome of a difference of seconds."""
    return Outcome(
        work,
        beside,
        timed(ours),
        timed(theirs),
        f"{1e3 * (ours - theirs):+.0f} ms",
        f"≤ {1e3 * reach:+.0f} ms",
        reached=ours - theirs <= reach,
    )


def _peaks(lines: list[str]) -> list[float]:
    """Megabytes that a new process prints by ``print(peak())``."""
    return [int(text) / _MEGABYTE for text in _printed("\n".join([_PEAK, *lines])).split()]


def _medians(statements: list[str], times: int) -> list[float]:
    """Median seconds of new processes, run in turns after one that fills the bytecode cache."""
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        runs = [[_seconds(s, environment) for s in statements] for _ in range(times + 1)]
    return [median(column) for column in zip(*runs[1:], strict=True)]


def _seconds(statement: str, environment: dict[str, str]) -> float:
    begin = perf_counter()
    subprocess.run(
        [sys.executable, "-c", statement], check=True, env=environment, stdout=subprocess.DEVNULL
    )
    return perf_counter() - begin


def _printed(statement: str) -> str:
    """What a new process prints."""
    command = [sys.executable, "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
