"""One row of the table: some work, what stands beside it, and the ratio to be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

__all__ = ["FULL", "SMOKE", "Bound", "Effort", "Exponent", "Outcome", "Ratio", "Row", "timed"]


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes
    ----------
    seconds : float
        A row's rounds go on for so long.
    rounds : int
        Fewest rounds of a row.
    processes : int
        New processes per statement.
    """

    seconds: float
    rounds: int
    processes: int


FULL = Effort(seconds=1.0, rounds=5, processes=11)
SMOKE = Effort(seconds=0.0, rounds=1, processes=1)


@dataclass(frozen=True)
class Outcome:
    """What a row found, as the table says it."""

    work: str
    beside: str
    ours: str
    theirs: str
    found: str
    reach: str
    reached: bool


class Row(Protocol):
    """Some work to be measured."""

    @property
    def work(self) -> str:
        """What is done."""
        ...

    def outcome(self, effort: Effort) -> Outcome:
        """Assert the answer, then measure."""
        ...


@dataclass(frozen=True)
class Ratio:
    """Two ways to one answer: the time of ours, divided by the time of theirs.

    Attributes
    ----------
    work, beside : str
        What is done, with its sizes; what a user would do instead.
    reach : float
        The ratio to reach.
    ours, theirs : callable
        The two ways.
    check : callable
        Called with both answers; it asserts that ours is right.
    """

    work: str
    beside: str
    reach: float
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    check: Callable[[Any, Any], None]

    def outcome(self, effort: Effort) -> Outcome:
        """The shortest time of each way, measured in turns."""
        self.check(self.ours(), self.theirs())
        pairs: list[tuple[float, float]] = []
        end = perf_counter() + effort.seconds
        while len(pairs) < effort.rounds or perf_counter() < end:
            pairs.append((_seconds(self.ours), _seconds(self.theirs)))
        ours, theirs = map(min, zip(*pairs, strict=True))
        ratio = ours / theirs
        return Outcome(
            self.work,
            self.beside,
            timed(ours),
            timed(theirs),
            _multiple(ratio),
            f"≤ {_multiple(self.reach, digits='g')}",
            reached=ratio <= self.reach,
        )


@dataclass(frozen=True)
class Bound:
    """A time that is to be reached, beside nothing.

    Attributes
    ----------
    work : str
        What is done, with its sizes.
    reach : float
        Seconds to stay below.
    ours : callable
        The way.
    check : callable
        Called with the answer; it asserts that it is right.
    """

    work: str
    reach: float
    ours: Callable[[], Any]
    check: Callable[[Any], None]

    def outcome(self, effort: Effort) -> Outcome:
        """The shortest time."""
        self.check(self.ours())
        times: list[float] = []
        end = perf_counter() + effort.seconds
        while len(times) < effort.rounds or perf_counter() < end:
            times.append(_seconds(self.ours))
        best = min(times)
        found = timed(best)
        return Outcome(
            self.work, "–", found, "–", found, f"< {timed(self.reach)}", best < self.reach
        )


@dataclass(frozen=True)
class Exponent:
    """A power of the work that the time is to grow with at most.

    Attributes
    ----------
    work : str
        What is done, with its sizes.
    reach : float
        The largest power.
    ours : callable
        Gives the power that was measured.
    """

    work: str
    reach: float
    ours: Callable[[], float]

    def outcome(self, effort: Effort) -> Outcome:  # noqa: ARG002
        """The power, of layers times places."""
        power = self.ours()
        found = f"power {power:.2f}"
        reach = f"≤ {self.reach:g}"
        return Outcome(self.work, "layers × places", found, "–", found, reach, power <= self.reach)


def timed(seconds: float) -> str:
    """A time in milliseconds, to three digits."""
    milliseconds = 1e3 * seconds
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds:.0f} ms"


def _multiple(ratio: float, digits: str = ".2f") -> str:
    """A ratio as one reads it: 1.5×, or 1/40."""
    return f"1/{1 / ratio:.0f}" if ratio < _SMALL else f"{ratio:{digits}}×"


_SMALL = 0.1


def _seconds(way: Callable[[], Any]) -> float:
    begin = perf_counter()
    way()
    return perf_counter() - begin
