"""How networks and tables are written."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["runs", "table"]

_LONGEST = 24
"""Texts in a block that is looked for."""


def runs(texts: list[str]) -> list[str]:
    """The texts, with what is repeated written once.

    Examples
    --------
    >>> runs(["A", "B", "A", "B", "C"])
    ['*[A, B] * 2', 'C']
    """
    found: list[str] = []
    while texts:
        block, times = max(
            (
                (texts[:size], _times(texts, size))
                for size in range(1, min(len(texts) // 2, _LONGEST) + 1)
            ),
            key=lambda run: (len(run[0]) * run[1] * (run[1] > 1), -len(run[0])),
            default=(texts[:1], 1),
        )
        if times == 1:
            block = texts[:1]
        found.append(f"*[{', '.join(block)}] * {times}" if times > 1 else block[0])
        texts = texts[len(block) * times :]
    return found


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, with columns one below the other.

    Examples
    --------
    >>> table([["a", "long"], ["second", "b"]])
    ['a       long', 'second  b']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _times(texts: list[str], size: int) -> int:
    """How often the first ``size`` texts stand one after the other at the start."""
    times = 1
    while texts[times * size : (times + 1) * size] == texts[:size]:
        times += 1
    return times
