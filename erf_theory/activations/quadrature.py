"""Adaptive quadrature that announces its error: Clenshaw–Curtis panels, split where needed.

Every panel is a Chebyshev series of degree 20. Its last coefficients are small only where the
integrand is smooth, so a kink or a jump that nobody announced shows itself, and its panel is
split until it is too short to matter. What lies between two neighbouring nodes stays unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi
from typing import NamedTuple

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["Integral", "Sampled", "integrate", "panel_nodes", "panel_sums"]

_DEGREE = 20
_LAST = 4  # the sum of so many last coefficients,
_SAFETY = 4  # times this, is above the error for a jump or a kink at any place
_SPLIT = 8
_SHORT = 3  # a panel still bad after so many splits holds a kink
_ROUNDS = 18  # 8^-18 of a panel is below the spacing of doubles
_BLOCK = 2000  # panels; larger products start threads, which cost more than they bring
_SHARE = 0.01  # of the tolerance, for one panel

Sampled = tuple[FloatArray, FloatArray]


class Integral(NamedTuple):
    """An integral, what it may be off by, and where its integrand is not smooth.

    Attributes
    ----------
    value : float
        The integral.
    error : float
        Estimate of its error, meant to be above it.
    kinks : tuple of (float, float)
        Short intervals that hold kinks, jumps and steep slopes.
    """

    value: float
    error: float
    kinks: tuple[tuple[float, float], ...]


def _rule() -> tuple[FloatArray, FloatArray]:
    """Nodes on [−1, 1], and the matrix from values there to (integral, last coefficients)."""
    j = np.arange(_DEGREE + 1)
    halves = np.where((j == 0) | (j == _DEGREE), 0.5, 1.0)
    series = 2 / _DEGREE * np.cos(pi / _DEGREE * np.outer(j, j)) * np.outer(halves, halves)
    integrals = np.where(j % 2 == 0, 2 / (1.0 - j * j + j % 2), 0.0)
    return np.cos(pi / _DEGREE * j), np.vstack([integrals @ series, series[-_LAST:]]).T


_NODES, _SUMS = _rule()


def panel_nodes(low: FloatArray, high: FloatArray) -> FloatArray:
    """The 21 nodes of every panel, both ends among them: shape (panels, 21)."""
    return ((low + high) / 2)[:, None] + ((high - low) / 2)[:, None] * _NODES


def panel_sums(
    low: FloatArray, high: FloatArray, values: FloatArray, doubts: FloatArray, grain: float = 0.0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Integral over every panel, the error of its series, and what its values leave in doubt.

    Parameters
    ----------
    low, high : array, shape (panels,)
        Ends of the panels.
    values, doubts : array, shape (panels, 21)
        The integrand at ``panel_nodes``, and what each value may be off by.
    grain : float
        As in ``integrate``.

    Examples
    --------
    >>> low, high = np.array([0.0]), np.array([2.0])
    >>> cubes = panel_nodes(low, high) ** 3
    >>> value, error, doubt = panel_sums(low, high, cubes, 0.01 + 0 * cubes)
    >>> float(value[0]), bool(error[0] < 1e-14), round(float(doubt[0]), 12)
    (4.0, True, 0.02)
    """
    half = (high - low) / 2
    blocks = np.array_split(values, len(values) // _BLOCK + 1)
    sums = np.concatenate([block @ _SUMS for block in blocks])
    rough = _SAFETY * np.sum(np.abs(sums[:, 1:]), axis=1)
    return half * sums[:, 0], (half + grain / 2) * rough, half * (doubts @ _SUMS[:, 0])


def integrate(
    integrand: Callable[[FloatArray], Sampled],
    edges: FloatArray,
    tolerance: float,
    grain: float = 0.0,
    most: int = 20_000,
) -> Integral:
    """Integral of a function of one variable over the panels between ``edges``.

    Parameters
    ----------
    integrand : callable
        From nodes to two arrays of their shape: the values, and what each may be off by.
    edges : array, increasing
        Ends of the first panels. Known kinks should be among them.
    tolerance : float
        Aim for the error, relative to the integral of the magnitude. Where it is not reached
        the error says so.
    grain : float
        Places nearer to each other than this look the same to the integrand.
    most : int
        No more panels than this are evaluated together.

    Examples
    --------
    >>> def step(x):
    ...     return np.where(x > 1 / 3, 3.0, 0.0), 0 * x
    >>> result = integrate(step, np.array([0.0, 1.0]), 1e-12)
    >>> round(result.value, 12), result.error < 1e-12
    (2.0, True)
    """
    low, high = edges[:-1], edges[1:]
    total, off, size = 0.0, 0.0, 0.0
    kinks: list[tuple[float, float]] = []
    for depth in range(_ROUNDS):
        values, doubts = integrand(panel_nodes(low, high))
        value, error, doubt = panel_sums(low, high, values, doubts, grain)
        magnitude = (high - low) / 2 * (np.abs(values) @ _SUMS[:, 0])
        bad = error > doubt + tolerance * _SHARE * (size + float(np.sum(magnitude)))
        bad &= high - low > grain
        if depth == _ROUNDS - 1 or _SPLIT * np.count_nonzero(bad) > most:
            bad[:] = False
        total += float(np.sum(value[~bad]))
        off += float(np.sum((error + doubt)[~bad]))
        size += float(np.sum(magnitude[~bad]))
        if depth > _SHORT:
            whole = ~bad.reshape(-1, _SPLIT).any(axis=1)
            ends = low[::_SPLIT][whole].tolist(), high[_SPLIT - 1 :: _SPLIT][whole].tolist()
            kinks += zip(*ends, strict=True)
        if not bad.any():
            break
        low, high = _split(low[bad], high[bad])
    return Integral(total, off, tuple(kinks))


def _split(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Every panel in eight equal parts."""
    cuts = low[:, None] + (high - low)[:, None] * (np.arange(_SPLIT + 1) / _SPLIT)
    cuts[:, -1] = high
    return cuts[:, :-1].ravel(), cuts[:, 1:].ravel()
