"""The contour engine: logarithms of a non-negative 1-D map, far below the smallest double.

The inverse DTFT is moved from the unit circle to circles of radius e^θ through saddle points. On
a circle the map is tilted by e^{θx}; the bulk of the tilted map is a short piece of the original,
read off by a short transform; its logarithm is then untilted. About √n circles cover n layers.
Each half of the map is read counted from its own end, so that no large numbers cancel there.

Every logarithm comes with an error estimate. Where the coefficients are far from log-concave a
piece drowns in the rounding of its neighbours: the estimate says so, and the engine refuses.
Exact zeros come from the exact support.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines import cumulants, dtft, saddle, support
from erf_theory.engines.extent import Extent, extent_of, need_memory
from erf_theory.engines.field import Border, F, Program
from erf_theory.errors import EngineError
from erf_theory.exact import BoolArray, FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps

__all__ = ["Logarithms", "run"]

_IntArray = npt.NDArray[np.int64]

_EPS = float(np.finfo(np.float64).eps)
_ARC = 2.0
"""Distance of neighbouring circles, in standard deviations of the tilted map."""
_OUTSIDE = 41.0
"""A window leaves out less than e^-41 of the tilted mass."""
_BATCH = 2**17
"""Samples transformed at a time."""


@dataclass(frozen=True)
class Logarithms:
    """Natural logarithms of a map on its nominal box.

    Attributes
    ----------
    values : ndarray
        log g(x) from ``start`` on; -inf exactly where g is 0.
    start : int
        Coordinate of the first value.
    total : float
        log Σ g.
    error : float
        Estimate of the largest absolute error of a logarithm of a share, ``values - total``.
    """

    values: FloatArray
    start: int
    total: float
    error: float


def run(program: Program, floor: float = -np.inf) -> Logarithms:
    """Logarithms of a non-negative 1-D map, each with its error judged.

    Parameters
    ----------
    program : Program
        1-D, without negative kernels, borders, channels or upsampling.
    floor : float
        Logarithms (of the share of the total) below it are not needed: they come back as -inf.

    Raises
    ------
    EngineError
        If the map is not one for this engine, or if an estimated error is above
        1e-9 + 1e-14·abs(log share): then the coefficients are too far from log-concave.
    MapTooLargeError
        If the map would not fit into memory.

    Examples
    --------
    >>> logs = run(lambda f: f.convolve(Kernel.uniform(3), 1, 10_000)).values
    >>> bool(abs(logs[0]) < 1e-9), bool(abs(logs[1] - np.log(10_000)) < 1e-9)
    (True, True)
    """
    extent = extent_of(program, 1)
    if not extent.nonnegative:
        raise EngineError("the contour engine needs non-negative kernels: ask dtft or multinomial")
    need_memory(extent.size, 6)
    mask = program(support.impulse(1)).mask
    saddle.run(program, np.zeros(1))  # refuses what no circle can hold
    total = program(cumulants.impulse(1, order=0)).log_mass
    if np.count_nonzero(mask) == 1:
        logs = np.where(mask, total, -np.inf)
        return Logarithms(logs, extent.start[0], total, _EPS * (2 + 4 * abs(total)))
    lower, errors = _half(program, extent, floor)
    upper, other = (lower, errors) if extent.symmetric else _half(_mirror(program), extent, floor)
    rest = extent.size - len(lower)
    logs = np.where(mask, np.concatenate([lower, upper[:rest][::-1]]), -np.inf)
    errors = np.where(mask, np.concatenate([errors, other[:rest][::-1]]), 0.0)
    errors += np.where(mask, _EPS * abs(total), 0.0)
    _check(logs - total, errors, mask, floor)
    return Logarithms(logs, extent.start[0], total, float(np.max(errors)))


@dataclass(frozen=True)
class _Circles:
    """Circles, each with the piece of the map that it serves and the window that holds it.

    ``theta`` falls; piece j is ``first[j] <= t < last[j]``; all counted from the start of the box.
    """

    theta: FloatArray
    first: _IntArray
    last: _IntArray
    low: _IntArray
    width: _IntArray

    def only(self, chosen: BoolArray | _IntArray) -> _Circles:
        """Some of the circles."""
        return _Circles(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def _half(program: Program, extent: Extent, floor: float) -> tuple[FloatArray, FloatArray]:
    """Logarithms and their errors from the start of the box to the mean."""
    jump = int(extent.rate[0])
    circles = _circles(program, jump, extent.size, floor)
    logs = np.full(int(circles.last[0]), -np.inf)
    errors = np.zeros_like(logs)
    widths, group = np.unique(circles.width, return_inverse=True)
    for index, width in enumerate(widths):
        members = np.flatnonzero(group == index)
        rows = max(1, _BATCH // int(width))
        for at in range(0, len(members), rows):
            some = circles.only(members[at : at + rows])
            places, found, error = _read(program, some, jump)
            logs[places], errors[places] = found, error
    return logs, errors


def _circles(program: Program, jump: int, size: int, floor: float) -> _Circles:
    """Circles ``_ARC`` standard deviations apart, from θ = 0 down to the end of the support."""
    theta = _spaced(program, jump)
    at = saddle.run(program, theta, jump)
    between = np.floor((at.mean[:-1] + at.mean[1:]) / 2).astype(np.int64) + 1
    top = min(int(np.ceil(at.mean[0])) + 1, size)
    last = np.minimum(np.concatenate([[top], between]), top)
    first = np.append(last[1:], 0)
    best = at.value - at.value[0] - theta * (last - 1)
    wanted = (first < last) & (best >= floor)
    low, high = _window(program, at, theta, jump, size)
    width = _lengths(high - low + 1, jump)
    return _Circles(theta, first, last, low, width).only(wanted)


def _spaced(program: Program, jump: int) -> FloatArray:
    """The circles' θ, falling from 0; short in binary, so that products with places are exact."""
    spread = float(np.sqrt(saddle.run(program, np.zeros(1), jump).variance[0]))
    if spread < 1e-6:
        return np.zeros(1)
    reach = 1 / spread
    while saddle.run(program, np.array([-reach]), jump).variance[0] > 1e-2:
        reach *= 1.5
    steps = int(np.log(20 * reach * spread) / 0.03) + 2
    grid = np.concatenate([[0.0], np.geomspace(0.05 / spread, reach, steps)])
    width = np.sqrt(saddle.run(program, -grid, jump).variance)
    arc = np.concatenate([[0.0], np.cumsum(np.diff(grid) * (width[1:] + width[:-1]) / 2)])
    chosen = np.interp(np.arange(0, arc[-1] + _ARC, _ARC), arc, grid)
    return -np.asarray(chosen, dtype=np.float32).astype(np.float64)


def _window(
    program: Program, at: saddle.Saddle, theta: FloatArray, jump: int, size: int
) -> tuple[_IntArray, _IntArray]:
    """Places beyond which Chernoff's bound leaves less than e^-_OUTSIDE, below and above."""
    typical = np.sqrt(2 * _OUTSIDE / np.maximum(at.variance, 1e-2))
    delta = typical[:, None] * 2.0 ** np.arange(-6, 3)
    ends = []
    for sign in (-1, 1):
        there = saddle.run(program, theta[:, None] + sign * delta, jump).value
        with np.errstate(invalid="ignore"):
            bound = (there - at.value[:, None] + _OUTSIDE) / delta
        ends.append(sign * np.min(bound, axis=1))
    low, high = (np.clip(end, 0, size - 1) for end in ends)
    return np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64)


def _lengths(width: _IntArray, jump: int) -> _IntArray:
    """Transform lengths: multiples of the jump, few different ones, quick to transform."""
    points = np.maximum(-(-width // jump), 4)
    octave = 2 ** (np.frexp(points - 1)[1] - 3).clip(0)
    return np.asarray(-(-points // octave) * octave * jump, dtype=np.int64)


def _read(
    program: Program, circles: _Circles, jump: int
) -> tuple[_IntArray, FloatArray, FloatArray]:
    """Places of some circles of equal width, the logarithms there and their errors."""
    width = int(circles.width[0])
    field = program(dtft.impulse(1, (width // jump,), circles.theta[:, None] * jump))
    count = circles.last - circles.first
    row = np.repeat(np.arange(len(count)), count)
    places = np.arange(len(row)) + np.repeat(circles.first - np.cumsum(count) + count, count)
    share = field.samples()[row, places % width]
    beyond = (places < circles.low[row]) | (places >= circles.low[row] + width)
    share[beyond] = 0.0
    untilt = circles.theta[row] * places
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = field.log_scale[row] + np.log(share) - untilt
    lost = field.error() + np.exp(-_OUTSIDE)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        error = lost[row] / np.maximum(share, 0)
    return places, logs, error + _EPS * (2 + np.abs(field.log_scale[row]) + np.abs(untilt))


def _check(shares: FloatArray, errors: FloatArray, mask: BoolArray, floor: float) -> None:
    """Refuse a map with a logarithm that is not good enough."""
    limit = 1e-9 + 1e-14 * np.abs(np.where(shares > -np.inf, shares, 0.0))
    bad = mask & ~(errors <= limit)
    if floor == -np.inf:
        bad |= mask & (shares == -np.inf)
    if np.any(bad):
        worst = int(np.argmax(np.where(bad, errors, -1.0)))
        raise EngineError(
            f"the contour engine cannot give {np.count_nonzero(bad)} of {bad.size} logarithms to "
            f"1e-9 (estimated error {errors[worst]:.1e} at place {worst}): the map is too far "
            "from log-concave; the balls engine can"
        )


def _mirror(program: Program) -> Program:
    """The program whose map is the other way round."""

    def mirrored(field: F, /) -> F:
        back: F = program(_Mirrored(field)).field
        return back

    return mirrored


@final
@dataclass(frozen=True)
class _Mirrored:
    """A field on which every kernel acts the other way round."""

    field: Any

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> _Mirrored:
        return _Mirrored(self.field.convolve(_flipped(kernel), step, times))

    def scale(self, factor: Number | FloatArray) -> _Mirrored:
        return _Mirrored(self.field.scale(factor))

    def __add__(self, other: _Mirrored) -> _Mirrored:
        return _Mirrored(self.field + other.field)

    def expand(self, s: Steps) -> _Mirrored:
        return _Mirrored(self.field.expand(s))

    def decimate(self, s: Steps) -> _Mirrored:
        return _Mirrored(self.field.decimate(s))

    def fold(self, size: Steps, border: Border) -> _Mirrored:
        return _Mirrored(self.field.fold(size, border))

    def take(self, a: int, b: int) -> _Mirrored:
        return _Mirrored(self.field.take(a, b))


def _flipped(kernel: Kernel) -> Kernel:
    """The 1-D kernel the other way round, about 0."""
    return Kernel(kernel.taps[::-1], (1 - kernel.origin[0] - kernel.shape[0],))
