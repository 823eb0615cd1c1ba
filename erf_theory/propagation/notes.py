"""Why a theory is only approximate, noted on the way through a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as field_of
from typing import final

__all__ = ["GATES", "GUESSED", "NOT_NORMAL", "Notes"]

_SIZE = (
    "done to six post-activation blocks in a row it would make the mass low by a factor of 2.1, "
    "the std high by 26 %"
)
NOT_NORMAL = f"samples before an activation are taken as normal: {_SIZE}"
GATES = f"gates that one unit meets in a row are taken as independent: {_SIZE}"
GUESSED = (
    "what two images share behind post-activation sums without batch norms is guessed: their "
    "variance is off by 4 to 11 % behind one to five"
)


@final
@dataclass
class Notes:
    """Why a result is only approximate: reasons, each with the nodes that it holds for.

    Attributes
    ----------
    field, signal : dict
        From the reason to the nodes where the field, or the signal, is approximate.
    needs_signal : bool
        Whether the field depends on the signal, whose reasons count only then.

    Examples
    --------
    >>> notes = Notes()
    >>> notes.add("a pool is taken as even", "stem.pool")
    >>> notes.texts()
    ('a pool is taken as even (stem.pool)',)
    """

    field: dict[str, list[str]] = field_of(default_factory=dict)
    signal: dict[str, list[str]] = field_of(default_factory=dict)
    needs_signal: bool = False

    def add(self, reason: str, node: str) -> None:
        """Note a reason why the field is approximate, at a node."""
        _enter(self.field, reason, node)

    def add_to_signal(self, reason: str, node: str) -> None:
        """Note a reason why the signal is approximate, at a node."""
        _enter(self.signal, reason, node)

    def texts(self) -> tuple[str, ...]:
        """One sentence for every reason."""
        every = [*self.field.items(), *(self.signal.items() if self.needs_signal else ())]
        return tuple(f"{reason} ({_some(nodes)})" for reason, nodes in every)


def _enter(reasons: dict[str, list[str]], reason: str, node: str) -> None:
    nodes = reasons.setdefault(reason, [])
    if node not in nodes:
        nodes.append(node)


def _some(nodes: Sequence[str]) -> str:
    """The first names of a list."""
    return ", ".join(nodes[:3]) + (f" and {len(nodes) - 3} more" if len(nodes) > 3 else "")
