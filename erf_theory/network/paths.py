"""What the units of every node see over single paths from the input, and whether paths agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple, final

from erf_theory.network.geometry import sights
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.sight import Sight, sight

__all__ = ["Paths", "paths"]

_ZERO = Fraction(0)


@final
class Paths(NamedTuple):
    """What the units of one node see, on one axis.

    Attributes
    ----------
    union : Sight
        Over all paths together.
    inner, outer : tuple of Sight
        Of single paths: those that hold no other path's, and those that no other path's holds.
    shift : Fraction
        By how many input places the centres of the node's own inputs differ.
    aligned : bool
        Whether all paths to the node have one centre.
    """

    union: Sight
    inner: tuple[Sight, ...]
    outer: tuple[Sight, ...]
    shift: Fraction
    aligned: bool

    @property
    def is_one(self) -> bool:
        """Whether all paths see the same."""
        return self.inner == self.outer == (self.union,)

    @property
    def smallest(self) -> int:
        """Size of the smallest receptive field over one path, of any unit."""
        return min(size for one in self.inner for size in one.sizes)

    @property
    def largest(self) -> int:
        """Size of the largest receptive field over one path, of any unit."""
        return max(size for one in self.outer for size in one.sizes)


def paths(network: Network, axis: int) -> tuple[Paths, ...]:
    """What the units of every node see of the input, over all paths and over single ones.

    What one path sees within what another sees stays within it behind any layer, so the innermost
    and the outermost ones are carried on, and no others.

    Raises
    ------
    ErfTheoryError
        As `erf_theory.network.geometry.sights`.

    Examples
    --------
    >>> from erf_theory.network import Conv, Residual
    >>> net = Residual(Conv(4, 4, 5, padding=1))
    >>> last = paths(net, 0)[-1]
    >>> last.smallest, last.largest, last.shift
    (1, 5, Fraction(1, 1))
    """
    whole = Sight(1, ((0, 0),))
    found: list[Paths] = []
    start = Paths(whole, (whole,), (whole,), _ZERO, aligned=True)
    for node, union in zip(network.nodes, sights(network, axis), strict=True):
        before = [start if i == INPUT else found[i] for i in node.inputs]
        shift = _spread(one.union.centre for one in before) if len(before) > 1 else _ZERO
        aligned = not shift and all(one.aligned for one in before)
        inner: tuple[Sight, ...] = (union,)
        outer = inner
        if len(before) > 1 or not before[0].is_one:
            own = sight(node.layer, network.ndim, axis)
            inner = _innermost(own.through(seen) for one in before for seen in one.inner)
            outer = _outermost(own.through(seen) for one in before for seen in one.outer)
        found.append(Paths(union, inner, outer, shift, aligned))
    return tuple(found)


def _spread(centres: Iterable[Fraction | None]) -> Fraction:
    """The largest difference."""
    known = [centre for centre in centres if centre is not None]
    return max(known) - min(known) if known else _ZERO


def _innermost(many: Iterable[Sight]) -> tuple[Sight, ...]:
    """Those that hold no other one."""
    return _extremes(many, lambda one, other: (one | other).shortest() == other)


def _outermost(many: Iterable[Sight]) -> tuple[Sight, ...]:
    """Those that no other one holds."""
    return _extremes(many, lambda one, other: (one | other).shortest() == one)


def _extremes(many: Iterable[Sight], beats: Callable[[Sight, Sight], bool]) -> tuple[Sight, ...]:
    """Those that no other one beats."""
    kept: list[Sight] = []
    for one in dict.fromkeys(many):
        if not any(beats(other, one) for other in kept):
            kept = [other for other in kept if not beats(one, other)] + [one]
    return tuple(kept)
