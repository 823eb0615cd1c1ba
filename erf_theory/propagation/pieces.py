"""What differs between channels: one thing for every range of them."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TypeVar

__all__ = ["Pieces"]

_T = TypeVar("_T")
_U = TypeVar("_U")
_V = TypeVar("_V")


class Pieces(tuple[tuple[int, int, _T], ...]):
    """Ranges of channels, ascending and apart, and what each of their channels holds.

    A tuple: of every range the first channel, the one behind the last, and the thing.

    Examples
    --------
    >>> low, high = Pieces.uniform(4, "a"), Pieces(((2, 8, "b"),))
    >>> low.joined(high, str.__add__).parts
    ((0, 2, 'a'), (2, 4, 'ab'), (4, 8, 'b'))
    """

    __slots__ = ()

    @property
    def parts(self) -> tuple[tuple[int, int, _T], ...]:
        """All ranges."""
        return self

    @classmethod
    def uniform(cls, channels: int, thing: _T) -> Pieces[_T]:
        """The same for all channels."""
        return cls(((0, channels, thing),))

    def each(self, change: Callable[[_T], _U]) -> Pieces[_U]:
        """Change every thing alike."""
        return Pieces([(a, b, change(thing)) for a, b, thing in self])

    def take(self, start: int, stop: int) -> Pieces[_T]:
        """Channels start to stop-1, counted from 0."""
        kept = ((max(a, start), min(b, stop), thing) for a, b, thing in self)
        return Pieces([(a - start, b - start, thing) for a, b, thing in kept if a < b])

    def moved(self, by: int) -> Pieces[_T]:
        """The same on channels ``by`` further on."""
        return Pieces([(a + by, b + by, thing) for a, b, thing in self])

    def joined(self, other: Pieces[_T], both: Callable[[_T, _T], _T]) -> Pieces[_T]:
        """Both on the union of their channels; where they meet, ``both`` of them."""
        if len(self) == len(other) == 1:
            ((a, b, one),), ((c, d, two),) = self, other
            if a == c and b == d:
                return Pieces(((a, b, both(one, two)),))
        if [part[:2] for part in self] == [part[:2] for part in other]:
            pairs = zip(self, other, strict=True)
            return Pieces([(a, b, both(one, two)) for (a, b, one), (_, _, two) in pairs])
        found: list[tuple[int, int, _T]] = []
        cuts = sorted({end for parts in (self, other) for a, b, _ in parts for end in (a, b)})
        for a, b in itertools.pairwise(cuts):
            things = [thing for piece in (self, other) for thing in piece.at(a)]
            if things:
                found.append((a, b, things[0] if len(things) == 1 else both(*things)))
        return Pieces(found)

    def met(self, other: Pieces[_U], both: Callable[[_T, _U], _V]) -> Pieces[_V]:
        """``both`` of what two hold, on the channels that both have."""
        if len(self) == len(other) == 1:
            ((a, b, one),), ((c, d, two),) = self, other
            if a == c and b == d:
                return Pieces(((a, b, both(one, two)),))
        found = [
            (max(a, c), min(b, d), both(one, two))
            for a, b, one in self
            for c, d, two in other
            if a < d and c < b
        ]
        return Pieces(found)

    def at(self, channel: int) -> list[_T]:
        """What a channel holds: one thing, or none."""
        place = bisect_right(self, channel, key=lambda part: part[0]) - 1
        if place < 0 or channel >= self[place][1]:
            return []
        return [self[place][2]]

    def dealt(self, groups: int, channels: int) -> Pieces[_T]:
        """Behind a shuffle to before it: channel i·groups + g comes from group g's i-th."""
        size = channels // groups
        found = []
        for group in range(groups):
            for a, b, thing in self:
                first, last = -(-(a - group) // groups), -(-(b - group) // groups)
                if first < last:
                    found.append((group * size + first, group * size + last, thing))
        return Pieces(found)

    def grouped(self, groups: int, size: int) -> Iterable[tuple[int, int, list[tuple[int, _T]]]]:
        """Runs of groups of ``size`` channels that hold the same.

        Yields
        ------
        tuple
            First group, the one behind the last, and the things of one of these groups, each with
            the number of its channels.
        """
        cuts = {0, groups}
        for a, b, _ in self:
            cuts |= {a // size, -(-a // size), b // size, -(-b // size)}
        ends = sorted(cuts)
        for first, last in itertools.pairwise(ends):
            inside = self.take(first * size, (first + 1) * size)
            yield first, last, [(b - a, thing) for a, b, thing in inside.parts]
