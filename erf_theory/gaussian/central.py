"""The middle of a law from its exact cumulants, where logarithms run out of digits.

What a logarithm of a share can be known to grows with the depth, and what it differs by from the
normal law falls. Edgeworth's series gives the difference itself.
"""

from __future__ import annotations

from dataclasses import replace
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.gaussian.hermite import Series, series_of
from erf_theory.gaussian.laws import REACH, ROUNDING
from erf_theory.gaussian.line import Line
from erf_theory.gaussian.steps import steps_of

if TYPE_CHECKING:
    from erf_theory.engines.summands import Summand
    from erf_theory.erf import ERF

__all__ = ["refined"]

_ENOUGH = 3e-6
"""Errors of logarithms, beside what they tell, that need no other route."""
_ORDER = 8
"""Terms through n^(-4)."""
_LARGEST = 0.5
"""Relative differences for which the series is asked."""
_FINE = 16
"""Places per width of a peak of a transfer function."""
_MOST = 2**24
"""Most frequencies times taps that are looked at."""


def refined(line: Line, erf: ERF) -> Line:
    """The law with its middle from the series, if that knows it better and both agree.

    The series is right up to the next term, which is counted twice, and up to what the transfer
    function has beside its peak at 0. Maps that are no sum of independent steps are left alone.
    """
    told = float(line.p @ np.abs(line.excess))
    if line.unsure <= _ENOUGH * told or line.step * REACH >= pi:
        return line
    try:
        leak = _beside_the_peak(steps_of(erf), line)
    except ErfTheoryError:
        return line
    series = series_of(erf.cumulant, _ORDER)
    x = replace(series, terms=series.terms[1:])(line.z)
    following = Series((series.following,), series.order, {}, series.variance, 0)(line.z)
    errors = 2 * np.abs(following) + 2 * leak / line.density + ROUNDING * np.abs(x)
    better = (errors < line.errors) & (np.abs(x) + errors < _LARGEST)
    excess = np.where(better, np.log1p(np.where(better, x, 0.0)), line.excess)
    off = np.abs(excess - line.excess)[better]
    if np.any(off > line.errors[better] + 2 * errors[better]):
        return line
    log_p = np.where(better, line.log_density + excess, line.log_p)
    return replace(line, log_p=log_p, excess=excess, errors=np.where(better, errors, line.errors))


def _beside_the_peak(steps: tuple[Summand, ...], line: Line) -> float:
    """Mean magnitude of the transfer function from `REACH`/s to half its period.

    No share can have more than that from there, whatever the phases.
    """
    count = int(_FINE * pi / line.step) + 1
    if count * max(part.kernel.taps.size for part in steps) > _MOST:
        raise ErfTheoryError(f"transfer functions at {count} frequencies are too much work")
    omega = np.linspace(REACH / line.std, pi / line.span, count)
    logs = np.zeros(count)
    for part in steps:
        logs += part.times * _log_magnitude(part, omega)
    return float(np.mean(np.exp(logs)))


def _log_magnitude(part: Summand, omega: FloatArray) -> FloatArray:
    """Of the transfer function of one step."""
    taps = part.kernel.taps.astype(np.float64)
    phases = np.exp(1j * np.outer(omega * part.step[0], np.arange(taps.size)))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.abs(phases @ (taps / taps.sum()))))
