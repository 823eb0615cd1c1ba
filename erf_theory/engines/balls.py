"""The ball engine: every sample with a proof of how accurate it is.

A sample is a ball of Arb, a midpoint with an error bound, at a precision that is raised until
each sample is known to 60 bits. Its exponent has no limit, so logarithms far below the smallest
double come out right; signs and cancellation cost only precision. What no precision tells from
zero is decided with exact integers, or with a support that the caller knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log2, prod
from typing import Any, NamedTuple, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines import multinomial
from erf_theory.engines.field import Program
from erf_theory.engines.packed import Packed, Run
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import BoolArray, FloatArray, NumberArray

__all__ = ["Balls", "LogMap", "impulse", "log_map"]

_ACCURATE = 60
"""Bits to which every sample is to be known."""
_PRECISIONS = tuple(96 * 2**doublings for doublings in range(8))
"""Working precisions in bits, tried in turn: 96 to 12288."""
_MOST_WORK = 2**35
"""Most of size times bits in one field: about a minute."""


@final
@dataclass(frozen=True, eq=False)
class Balls(Packed):
    """A field of enclosures: balls of Arb over one exact denominator.

    Attributes
    ----------
    precision : int
        Working precision in bits. FLINT keeps the precision in force in a global context, so
        threads must not share it; it is set for each operation and put back.

    Raises
    ------
    EngineError
        By `enclosures` and wherever samples are needed, if they would take more than about a
        minute; by borders and channels, which need the convolution engine.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from erf_theory.kernel import Kernel
    >>> field = impulse(1).convolve(Kernel([Fraction(1, 3), 1]), 1, 400)
    >>> field.enclosures[1].rel_accuracy_bits() > 80
    True
    """

    precision: int = _PRECISIONS[0]

    engine = "balls"

    @cached_property
    def enclosures(self) -> NumberArray:
        """The samples as ``flint.arb``, in the shape of the box."""
        return _quotients(self, self.precision)

    def _ring(self, coefficients: Sequence[Any]) -> Any:
        from flint import arb_poly

        return arb_poly(coefficients)

    def _spread(self, polynomial: Any, gap: int) -> Any:
        spread = [0] * ((len(polynomial) - 1) * gap + 1)
        spread[::gap] = polynomial.coeffs()
        return self._ring(spread)

    def _working(self) -> AbstractContextManager[object]:
        from flint import ctx

        return ctx.workprec(self.precision)

    def _need_room(self, shape: tuple[int, ...]) -> None:
        bits = self.precision + ceil(sum(run.times * _range(run) for run in self.runs))
        size = prod(shape)
        if size * bits > _MOST_WORK:
            raise EngineError(
                f"{size} balls over a range of {bits} bits are more than a minute's work: ask for "
                "values instead of logarithms, or choose a smaller n or k"
            )


def impulse(ndim: int, precision: int = _PRECISIONS[0]) -> Balls:
    """The unit impulse at 0, to be worked on with ``precision`` bits.

    Examples
    --------
    >>> impulse(1).enclosures.tolist()
    [1.00000000000000]
    """
    from flint import arb_poly

    return Balls(arb_poly([1]), (0,) * ndim, (1,) * ndim, precision=precision)


class LogMap(NamedTuple):
    """Natural logarithms of a map on its box, with a proven error bound.

    Attributes
    ----------
    start : tuple of int
        Coordinate of the first sample on every axis.
    log_abs : ndarray of float64
        log|g(x)|; -inf exactly where g is 0.
    sign : ndarray of int8
        -1, 0 or 1.
    error : float
        No finite logarithm is off by more than this.
    """

    start: tuple[int, ...]
    log_abs: FloatArray
    sign: npt.NDArray[np.int8]
    error: float


def log_map(program: Program, ndim: int, support: BoolArray | None = None) -> LogMap:
    """Logarithms and signs of the map that a program makes of the unit impulse.

    The program runs at 96 bits and then at twice as many each time, until every sample is zero
    or known to 60 bits. If doubling settles nothing more, or ends, exact integers decide.

    Parameters
    ----------
    program : Program
        Without borders and channels. Integers, fractions and doubles are exact inputs.
    ndim : int
        Number of spatial axes.
    support : ndarray of bool, optional
        In the shape of the map's box: False where the map is known to be 0. Without it, zeros
        that come from cancellation cost a run with exact integers.

    Raises
    ------
    EngineError
        If the map is too large, or if samples stay in doubt at 12288 bits and exact integers
        would take more than 1 GiB.
    ErfTheoryError
        If ``support`` has another shape, or is False where the map is certainly not 0.

    Examples
    --------
    >>> from erf_theory.kernel import Kernel
    >>> logs = log_map(lambda f: f.convolve(Kernel([1, -1], origin=(-1,)), 1, 3), 1)
    >>> logs.start, np.exp(logs.log_abs).round(12).tolist(), logs.sign.tolist()
    ((-3,), [1.0, 3.0, 3.0, 1.0], [1, -1, 1, -1])
    >>> log_map(lambda f: f.convolve(Kernel.uniform(3), 1, 5000), 1).error < 1e-12
    True
    """
    before, doubts = 0, 0
    for precision in _PRECISIONS:
        balls = program(impulse(ndim, precision))
        values = _known(balls.enclosures, support)
        before, doubts = doubts, sum(map(_is_doubtful, values.flat))
        if not doubts:
            return _logarithms(values, balls.start)
        if doubts == before or precision == _PRECISIONS[-1]:
            exact = _exact(program, ndim)
            if exact is not None:
                return _logarithms(_known(exact, support), balls.start)
    raise EngineError(
        f"{doubts} samples cannot be told from 0 with {_PRECISIONS[-1]} bits, and exact integers "
        "do not fit: give the support of the map, or choose a smaller n"
    )


def _exact(program: Program, ndim: int) -> NumberArray | None:
    """The samples from exact integers, as balls; None if the integers would not fit."""
    try:
        return _quotients(program(multinomial.impulse(ndim)), _PRECISIONS[0])
    except EngineError:
        return None


def _known(values: NumberArray, support: BoolArray | None) -> NumberArray:
    """The balls, with the zeros that the support knows."""
    if support is None:
        return values
    if support.shape != values.shape:
        raise ErfTheoryError(
            f"the support has shape {support.shape} and the map {values.shape}: they must agree"
        )
    wrong = sum(not ball.contains(0) for ball in values[~support])
    if wrong:
        raise ErfTheoryError(
            f"the support is False at {wrong} samples that are certainly not 0: give the "
            "support of this program, on the box of its map"
        )
    return np.where(support, values, 0 * values)


def _is_doubtful(ball: Any) -> bool:
    return not ball.is_zero() and ball.rel_accuracy_bits() < _ACCURATE


def _quotients(field: Packed, precision: int) -> NumberArray:
    """Numerators over the denominator, as balls."""
    from flint import arb, ctx, fmpz

    numerators = field.coefficients
    quotients = np.empty(numerators.size, dtype=object)
    with ctx.workprec(precision):
        divisor = fmpz(field.denominator)
        quotients[:] = [arb(c) / divisor for c in numerators.flat]
    return quotients.reshape(numerators.shape)


def _logarithms(values: NumberArray, start: tuple[int, ...]) -> LogMap:
    """Logarithms of balls that are zero or far from it, and what rounding them costs."""
    from flint import ctx

    log_abs = np.full(values.shape, -np.inf)
    sign = np.zeros(values.shape, dtype=np.int8)
    error = 0.0
    with ctx.workprec(_PRECISIONS[0]):
        for at, ball in np.ndenumerate(values):
            if ball.is_zero():
                continue
            exact = abs(ball).log()
            log_abs[at] = rounded = float(exact)
            sign[at] = 1 if ball > 0 else -1
            error = max(error, float(exact.rad()) + float(np.spacing(abs(rounded))))
    return LogMap(start, log_abs, sign, error)


def _range(run: Run) -> float:
    """Bits between the smallest and the largest sample that one convolution may add."""
    sizes = [abs(numerator) for numerator in run.numerators if numerator]
    return log2(sum(sizes)) - log2(min(sizes)) if sizes else 0.0
