"""One question, answered in two ways, and the time that each way takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

__all__ = ["Row", "Times", "measure"]


@dataclass(frozen=True)
class Row:
    """A question with two ways to its answer.

    Attributes
    ----------
    question : str
        What is asked, with its sizes.
    instead : str
        What a user would use instead.
    ours, theirs : callable
        The two ways.
    check : callable
        Called with both answers; it asserts that ours is right.
    """

    question: str
    instead: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    check: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Times:
    """The shortest time of each way, in seconds."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """How many times faster ours is."""
        return self.theirs / self.ours


def measure(row: Row, rounds: int) -> Times:
    """Check the answers, then time both ways in turns."""
    row.check(row.ours(), row.theirs())
    pairs = [(_seconds(row.ours), _seconds(row.theirs)) for _ in range(rounds)]
    return Times(*map(min, zip(*pairs, strict=True)))


def _seconds(way: Callable[[], Any]) -> float:
    begin = perf_counter()
    way()
    return perf_counter() - begin
