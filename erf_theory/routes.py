"""Routes to a map: how each engine's answer becomes shares or logarithms.

Every route takes a program and its geometry. It answers, or refuses with an `EngineError` that
names another one; it never gives a number that it does not trust.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, frexp, gcd, log

import numpy as np
import numpy.typing as npt

from erf_theory.engines.extent import Extent, need_memory
from erf_theory.engines.field import Program, refusal
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray, NumberArray

__all__ = ["LOGS", "SHARES", "Logs", "Shares", "SignArray", "integers"]

SignArray = npt.NDArray[np.int8]
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Shares:
    """A normalised map.

    Attributes
    ----------
    values : ndarray
        g/Σ|g|.
    log_norm : float
        log Σ|g|.
    error : float
        Estimate of the largest absolute error of a value; 0 where every normal double is right
        to 1e-10 of itself.
    engine : str
        The engine that read it.
    """

    values: FloatArray
    log_norm: float
    error: float
    engine: str


@dataclass(frozen=True)
class Logs:
    """Logarithms of a normalised map: ``log|g| - log Σ|g|``, the signs, and an error estimate."""

    values: FloatArray
    sign: SignArray
    error: float
    engine: str


def integers(program: Program, extent: Extent) -> tuple[NumberArray, int, float]:
    """Numerators of a map in lowest terms, the sum of their magnitudes, and log Σ|g|.

    Raises
    ------
    MapTooLargeError
        If they would not fit into memory.
    """
    from erf_theory.engines import multinomial

    need_memory(extent.size, 8)
    field = program(multinomial.impulse(len(extent.shape)))
    numerators = field.numerators
    flat = numerators.ravel().tolist()
    total = sum(map(abs, flat))
    _need_mass(total)
    log_norm = log(total) - log(field.denominator)
    if (common := gcd(*flat)) > 1:
        numerators, total = numerators // common, total // common
    return numerators, total, log_norm


def _by_convolution(program: Program, extent: Extent) -> Shares:
    from erf_theory.engines import convolution

    need_memory(extent.size)
    field = program(convolution.impulse(len(extent.shape)))
    samples = _mirrored(field.values, extent)
    total = float(np.abs(samples).sum())
    _need_mass(total)
    log_norm = log(total) + field.exponent * log(2)
    if extent.nonnegative:
        return Shares(samples / total, log_norm, 0.0, "convolution")
    lost = convolution.absolute_error(program, len(extent.shape))
    above = min((lost.exponent - field.exponent) * log(2), 300.0)
    error = float(np.max(lost.values)) / total * exp(above)
    return _judged(Shares(samples / total, log_norm, error, "convolution"))


def _by_dtft(program: Program, extent: Extent) -> Shares:
    from erf_theory.engines import dtft

    found = dtft.run(program, len(extent.shape))
    values = found.values
    _need_mass(float(np.max(np.abs(values))))
    if extent.nonnegative:
        values = np.where(values <= found.error, 0.0, values)
        if not np.any(values):
            raise _cancelled("dtft", found.error)
    total = float(np.sum(np.abs(values)))
    log_norm = found.log_scale + log(total)
    lost = 2 * found.error if extent.nonnegative else found.error
    return _judged(Shares(values / total, log_norm, lost / total, "dtft"))


def _by_contour(program: Program, extent: Extent) -> Shares:
    from erf_theory.engines import contour

    _need_line(extent)
    found = contour.run(program, floor=-746.0)
    values = np.exp(found.values - found.total)
    values /= np.sum(values)
    relative = found.error - _EPS * abs(found.total)
    error = 0.0 if relative <= 1e-10 else relative * float(np.max(values))
    return Shares(values, found.total, error, "contour")


def _by_integers(program: Program, extent: Extent) -> Shares:
    numerators, total, log_norm = integers(program, extent)
    values = np.array([n / total for n in numerators.flat], dtype=np.float64)
    return Shares(values.reshape(numerators.shape), log_norm, 0.0, "multinomial")


def _by_balls(program: Program, extent: Extent) -> Shares:
    found, log_norm = _ball_logs(program, extent)
    values = np.asarray(found.sign * np.exp(found.values), dtype=np.float64)
    return Shares(values, log_norm, 0.0, "balls")


def _logs_by_convolution(program: Program, extent: Extent) -> Logs:
    from erf_theory.engines import convolution, support

    if not extent.nonnegative:
        raise refusal("convolution", "give logarithms of a map with signs", "balls can")
    values = _mirrored(convolution.run(program, len(extent.shape)).values, extent)
    mask = program(support.impulse(len(extent.shape))).mask
    _need_mass(float(np.max(values)))
    if np.any(values[mask] < 2.0**-1000):
        raise refusal("convolution", "hold values this far apart", "contour (1-D) or balls can")
    mantissa, exponent = np.frexp(values)
    total, power = frexp(float(np.sum(values)))
    with np.errstate(divide="ignore"):
        logs = np.log(mantissa / total) + (exponent - power) * log(2)
    error = _EPS * (2 * extent.roundings + float(np.max(np.abs(logs[mask]))))
    return Logs(logs, mask.astype(np.int8), error, "convolution")


def _logs_by_contour(program: Program, extent: Extent) -> Logs:
    from erf_theory.engines import contour

    _need_line(extent)
    found = contour.run(program)
    sign = (found.values > -np.inf).astype(np.int8)
    return Logs(found.values - found.total, sign, found.error, "contour")


def _logs_by_integers(program: Program, extent: Extent) -> Logs:
    numerators, total, _ = integers(program, extent)
    logs = np.array([log(abs(n)) if n else -np.inf for n in numerators.flat]) - log(total)
    sign = np.array([(n > 0) - (n < 0) for n in numerators.flat], dtype=np.int8)
    shape = numerators.shape
    return Logs(logs.reshape(shape), sign.reshape(shape), 4 * _EPS * log(total), "multinomial")


def _logs_by_balls(program: Program, extent: Extent) -> Logs:
    return _ball_logs(program, extent)[0]


def _logs_by_dtft(_: Program, __: Extent) -> Logs:
    raise refusal("dtft", "see logarithms below its rounding", "contour, balls or auto can")


def _ball_logs(program: Program, extent: Extent) -> tuple[Logs, float]:
    """Logarithms of the shares, and log Σ|g|."""
    from erf_theory.engines import balls

    need_memory(extent.size, 32)
    found = balls.log_map(program, len(extent.shape))
    top = float(np.max(found.log_abs))
    if top == -np.inf:
        _need_mass(0)
    log_norm = top + log(float(np.sum(np.exp(found.log_abs - top))))
    error = found.error + 4 * _EPS * max(1.0, abs(log_norm))
    return Logs(found.log_abs - log_norm, found.sign, error, "balls"), log_norm


def _mirrored(values: FloatArray, extent: Extent) -> FloatArray:
    """Samples on one axis, both halves alike where the map is its own mirror image.

    In which order a processor adds up products, and so the last digit, is another one in each half.
    """
    if values.ndim > 1 or not extent.symmetric:
        return values
    return (values + values[::-1]) / 2


def _judged(shares: Shares) -> Shares:
    """The same, unless rounding may have reached the sixth digit of the largest value."""
    if shares.error > 1e-6 * float(np.max(np.abs(shares.values))):
        raise _cancelled(shares.engine, shares.error)
    return shares


def _cancelled(engine: str, error: float) -> EngineError:
    return EngineError(
        f"the {engine} engine loses this map to cancellation (estimated error {error:.1e}): the "
        "multinomial and balls engines do not"
    )


def _need_line(extent: Extent) -> None:
    if len(extent.shape) != 1:
        raise refusal(
            "contour", "read a map of several axes", "the convolution and dtft engines can"
        )


def _need_mass(total: float) -> None:
    if total == 0:
        raise ErfTheoryError("the map is 0 everywhere, so it cannot be normalised: check the taps")


SHARES: dict[str, Callable[[Program, Extent], Shares]] = {
    "convolution": _by_convolution,
    "dtft": _by_dtft,
    "contour": _by_contour,
    "multinomial": _by_integers,
    "balls": _by_balls,
}
LOGS: dict[str, Callable[[Program, Extent], Logs]] = {
    "convolution": _logs_by_convolution,
    "dtft": _logs_by_dtft,
    "contour": _logs_by_contour,
    "multinomial": _logs_by_integers,
    "balls": _logs_by_balls,
}
