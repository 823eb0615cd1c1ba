"""The law of a map on several axes that is no outer product, place by place."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, prod, sqrt
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines.extent import need_memory
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import BoolArray, FloatArray
from erf_theory.gaussian.laws import (
    REACH,
    ROUNDING,
    Law,
    excess_of,
    logs_of,
    need_law,
    relevant,
    single_point,
)

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Plane", "basis_of", "plane_of"]

_SOME = 200
"""Places from which a lattice is guessed before all others are asked."""
_FLAT = 1e-9
"""Relative determinant of covariances below which a map lies on a line or a plane."""
_Integers = npt.NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Plane(Law):
    """The law of a map on several axes, at the places of its lattice in any order.

    Attributes
    ----------
    span : int
        Pixels per place.
    """

    span: int


def plane_of(erf: ERF) -> Plane:
    """The law of a map of one factor, where it and its normal law are not negligible.

    Raises
    ------
    ErfTheoryError
        If the map is no law, or lies on a line or a plane.
    MapTooLargeError
        If the places do not fit into memory.
    """
    need_law(erf)
    covariance = erf.covariance
    if not np.all(np.diag(covariance)):
        raise single_point()
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    if np.linalg.det(correlation) < _FLAT:
        raise ErfTheoryError(
            "the map lies on a line or a plane: its covariance is singular, and its normal law "
            "has no density: ask for one axis with axis=0"
        )
    logs, relative = logs_of(erf.factors[0])
    wide, first = _widened(logs, np.sqrt(np.diag(covariance)), erf.mean)
    basis = basis_of(np.argwhere(wide > -np.inf))
    span = abs(prod(int(basis[i, i]) for i in range(erf.ndim)))
    far = _squares(first, wide.shape, np.asarray(np.linalg.inv(covariance), dtype=np.float64))
    some = relevant(wide, far / 2) | (far < REACH * REACH)
    if span > 1:
        some &= _on_lattice(wide > -np.inf, basis)
    step = span / sqrt(np.linalg.det(covariance))
    log_density = log(step) - erf.ndim / 2 * log(2 * pi) - far[some] / 2
    log_p = wide[some]
    log_p = log_p - log(float(np.sum(np.exp(log_p))))
    error = 2 * relative + ROUNDING * float(np.linalg.cond(correlation))
    errors = np.full(log_p.size, error)
    return Plane(log_p, log_density, excess_of(log_p, log_density), errors, step, span)


def _widened(
    logs: FloatArray, stds: FloatArray, mean: tuple[float, ...]
) -> tuple[FloatArray, list[float]]:
    """The logarithms on a box within reach of the normal law; its first place from the mean."""
    middles = [(size - 1) / 2 + m for size, m in zip(logs.shape, mean, strict=True)]
    reaches = [int(REACH * s) + 1 for s in stds]
    low = [max(0, r - int(m)) for r, m in zip(reaches, middles, strict=True)]
    rest = zip(reaches, middles, logs.shape, strict=True)
    high = [max(0, int(m) + 2 + r - size) for r, m, size in rest]
    shape = [a + size + b for a, size, b in zip(low, logs.shape, high, strict=True)]
    need_memory(prod(shape), 12)
    pads = list(zip(low, high, strict=True))
    return np.pad(logs, pads, constant_values=-np.inf), [
        -m - a for m, a in zip(middles, low, strict=True)
    ]


def _squares(first: list[float], shape: tuple[int, ...], inverse: FloatArray) -> FloatArray:
    """Squared distance from the mean in standard deviations, (x − μ)ᵀ Σ⁻¹ (x − μ)."""
    axes = [a + np.arange(m, dtype=np.float64) for a, m in zip(first, shape, strict=True)]
    grid = np.meshgrid(*axes, indexing="ij", sparse=True)
    pairs = [(i, j) for i in range(len(shape)) for j in range(len(shape))]
    return np.asarray(sum(inverse[i, j] * grid[i] * grid[j] for i, j in pairs))


def basis_of(places: _Integers) -> _Integers:
    """Basis of the lattice that differences of places generate, upper triangular.

    Examples
    --------
    >>> basis_of(np.array([[0, 0], [1, 1], [2, 0], [1, -1]])).tolist()
    [[1, 1], [0, 2]]
    """
    steps = places[1:] - places[0]
    basis = _hermite(steps[:: max(1, len(steps) // _SOME)])
    if not np.all(np.diag(basis)):
        basis = _hermite(steps)
    while len(outside := steps[np.any(_rest(steps, basis) != 0, axis=1)]):
        basis = _hermite(np.concatenate([basis, outside[:_SOME]]))
    return basis


def _hermite(rows: _Integers) -> _Integers:
    """The first rows of the Hermite normal form, as many as there are axes."""
    from flint import fmpz_mat

    ndim = rows.shape[1]
    padded = np.concatenate([rows, np.zeros((ndim, ndim), dtype=np.int64)])
    found: Any = fmpz_mat(padded.tolist()).hnf().tolist()[:ndim]
    return np.array([[int(c) for c in row] for row in found], dtype=np.int64)


def _rest(steps: _Integers, basis: _Integers) -> _Integers:
    """What is left of steps after whole rows of a basis; 0 for steps of its lattice."""
    rest = steps.copy()
    for i, row in enumerate(basis):
        rest -= np.multiply.outer(rest[:, i] // row[i], row)
    return rest


def _on_lattice(support: BoolArray, basis: _Integers) -> BoolArray:
    """Which places lie on the lattice of a support."""
    places = np.indices(support.shape).reshape(support.ndim, -1).T
    steps = places - np.argwhere(support)[0]
    return np.asarray(np.all(_rest(steps, basis) == 0, axis=1)).reshape(support.shape)
