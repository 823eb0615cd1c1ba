"""Bounded functions of the place whose mean under a theory is 0: what a shape is tested by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from typing import final

import numpy as np

from erf_theory.erf import ERF
from erf_theory.exact import FloatArray

__all__ = ["Grid", "shape_functions", "start_of"]

_DEGREES = 4
"""Cosines of every axis: the first sees a shift, the second another width, then skewness, tails."""


@final
@dataclass(frozen=True)
class Grid:
    """A box of input places.

    Attributes
    ----------
    start : tuple of int
        Coordinate of the first place on every axis.
    shape : tuple of int
        Places on every axis.
    """

    start: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def coordinates(self) -> list[FloatArray]:
        """Of the places, per axis."""
        spans = zip(self.start, self.shape, strict=True)
        return [np.arange(a, a + m, dtype=np.float64) for a, m in spans]

    def values_of(self, erf: ERF) -> FloatArray:
        """The values of a map at these places; 0 where it has none."""
        grid = np.zeros(self.shape)
        there: list[slice] = []
        here: list[slice] = []
        for axis, (a, b) in enumerate(zip(self.start, start_of(erf), strict=True)):
            low = max(a, b)
            high = max(low, min(a + grid.shape[axis], b + erf.shape[axis]))
            there.append(slice(low - a, high - a))
            here.append(slice(low - b, high - b))
        grid[tuple(there)] = erf.values[tuple(here)]
        return grid


def start_of(erf: ERF) -> tuple[int, ...]:
    """Input coordinate of a map's first place, for the output unit at 0."""
    return sum((tuple(factor.start) for factor in erf.factors), ())


def shape_functions(theory: ERF, grid: Grid) -> FloatArray:
    """Cosines of the theory's distribution function, their mean under the theory taken off.

    With u the share of the energy below a place, half of its own included, along an axis: cos(πju)
    for j = 1 to 4, and for every two axes the products of their first and of their second ones.
    They are bounded, so that a far place with little energy but large noise does not rule them.

    Parameters
    ----------
    theory : ERF
        A map without signs.
    grid : Grid
        Where to take them.

    Returns
    -------
    ndarray, shape (places, functions)

    References
    ----------
    .. [1] J. Neyman, "'Smooth' test for goodness of fit", Scand. Actuar. J. 1937.

    Examples
    --------
    >>> from erf_theory.architectures import network_erf
    >>> from erf_theory.network import Chain, Conv
    >>> flat = network_erf(Chain([Conv(1, 1, 2)], ndim=1))
    >>> shape_functions(flat, Grid((0,), (2,))).round(3).tolist()
    [[0.707], [-0.707]]
    """
    here, there = [], []
    own = Grid(start_of(theory), theory.shape).coordinates
    for axis, (places, wanted) in enumerate(zip(own, grid.coordinates, strict=True)):
        line = theory.profile(axis).values
        below = np.concatenate([[0.0], np.cumsum(line) - line / 2, [1.0]])
        most = min(_DEGREES, int(np.count_nonzero(line)) - 1)
        inside = np.clip(wanted - places[0] + 1, 0, len(line) + 1).astype(np.intp)
        here.append(_cosines(below[inside], most))
        there.append(_cosines(below[1:-1], most))
    functions = [
        mine - np.sum(theory.values * its)
        for mine, its in zip(_products(here), _products(there), strict=True)
    ]
    return np.reshape(functions, (-1, int(np.prod(grid.shape)))).T


def _cosines(below: FloatArray, most: int) -> list[FloatArray]:
    """1 and the cosines along an axis."""
    return [np.cos(np.pi * degree * below) for degree in range(most + 1)]


def _products(axes: Sequence[list[FloatArray]]) -> Iterator[FloatArray]:
    """The cosines of every axis, then the products of two axes, on the whole grid."""
    degrees = [len(cosines) - 1 for cosines in axes]
    unit = np.eye(len(axes), dtype=int)
    chosen = [j * unit[i] for i, most in enumerate(degrees) for j in range(1, most + 1)]
    for a, b in combinations(range(len(axes)), 2):
        chosen += [j * (unit[a] + unit[b]) for j in (1, 2) if j <= min(degrees[a], degrees[b])]
    for powers in chosen:
        yield reduce(np.multiply.outer, [line[j] for line, j in zip(axes, powers, strict=True)])
