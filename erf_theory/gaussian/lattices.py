"""The lattice that a map lives on: where it can be anything but 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines.summands import Summand
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import BoolArray, FloatArray
from erf_theory.gaussian.laws import single_point
from erf_theory.gaussian.steps import need_map, steps_of

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["Lattice", "lattice_of", "middle_of", "places_of", "support_lattice"]


@final
@dataclass(frozen=True)
class Lattice:
    """The coarsest lattice that holds the support of a map on one axis.

    Attributes
    ----------
    span : int
        Distance of its points in pixels: above 1, the map has holes between them.
    first, last : Fraction
        Ends of the support, in pixels from the unit's centre.

    Examples
    --------
    >>> lattice = Lattice(2, Fraction(-4), Fraction(4))
    >>> lattice.count(np.array([-4.0, -3.5, 0.0])).tolist()
    [0.0, 0.25, 2.0]
    """

    span: int
    first: Fraction
    last: Fraction

    def count(self, t: FloatArray) -> FloatArray:
        """Places as numbers of spans from the first point: whole numbers on the lattice."""
        return (t - float(self.first)) / self.span

    def holds(self, t: FloatArray) -> BoolArray:
        """Which places are points of the lattice."""
        counted = self.count(t)
        return np.equal(counted, np.rint(counted))


def lattice_of(erf: ERF, axis: int = 0) -> Lattice:
    """The lattice of a map on one axis, from its steps; from its samples where it has none.

    Raises
    ------
    ErfTheoryError
        If it is no map, has signs, or lies on one point.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> lattice_of(theoretical_erf(3, 5, dilation=2))
    Lattice(span=2, first=Fraction(-10, 1), last=Fraction(10, 1))
    """
    need_map(erf)
    if not erf.is_nonnegative:
        raise ErfTheoryError(
            f"{erf.call} has signs, so that it is no probability law: ask variance_erf or "
            "network_erf for the energy, which has none"
        )
    line = erf.profile(axis)
    try:
        steps = steps_of(line)
    except ErfTheoryError:
        lattice = _of_places(line.offsets[0], line.sign != 0)
    else:
        lattice = _of_steps(steps, middle_of(line))
    if lattice.span == 0:
        raise ErfTheoryError(
            f"{erf.call} lies on one point of axis {axis}, which no limit theorem is about: give "
            "layers with two taps or more"
        )
    return lattice


def middle_of(line: ERF) -> Fraction:
    """The unit's centre on a 1-D map, in the coordinates that its steps count in."""
    (factor,) = line.factors
    return Fraction(2 * factor.start[0] + factor.shape[0] - 1, 2)


def places_of(t: npt.ArrayLike) -> FloatArray:
    """Places in pixels from the unit's centre, as doubles.

    Raises
    ------
    ErfTheoryError
        If one of them is no number.
    """
    try:
        places = np.asarray(t, dtype=np.float64)
    except (TypeError, ValueError):
        raise _no_places(t) from None
    if np.any(np.isnan(places)):
        raise _no_places(t)
    return places


def _no_places(t: object) -> ErfTheoryError:
    return ErfTheoryError(
        f"places are numbers of pixels from the unit's centre, none of them NaN, not {t!r}: "
        "erf.offsets[axis] are those of a map"
    )


def support_lattice(support: BoolArray) -> tuple[int, int, int]:
    """First place, span and number of places of the lattice that a support lies on.

    Raises
    ------
    ErfTheoryError
        If it is a single point.

    Examples
    --------
    >>> support_lattice(np.array([0, 1, 0, 1, 0, 0, 0, 1]) > 0)
    (1, 2, 4)
    """
    if support.size > 1 and np.all(support):
        return 0, 1, support.size
    places = np.flatnonzero(support)
    if places.size < 2:
        raise single_point()
    gaps = np.diff(places)
    span = 1 if np.min(gaps) == 1 else int(np.gcd.reduce(gaps))
    return int(places[0]), span, int(places[-1] - places[0]) // span + 1


def _of_places(offsets: FloatArray, support: BoolArray) -> Lattice:
    """The lattice of the places where a map is not 0."""
    first, span, size = support_lattice(support)
    ends = offsets[[first, first + span * (size - 1)]].tolist()
    return Lattice(span, *map(Fraction, ends))


def _of_steps(steps: tuple[Summand, ...], middle: Fraction) -> Lattice:
    """The lattice of a sum of steps, counted from the middle of its box."""
    first, last, span = -middle, -middle, 0
    for part in steps:
        (step,), (origin,) = part.step, part.kernel.origin
        places = [step * (origin + int(m)) for m in np.flatnonzero(part.kernel.taps)]
        if not places:
            raise ErfTheoryError("a kernel with mass 0 is no probability law: give it a tap")
        first, last = first + part.times * places[0], last + part.times * places[-1]
        span = gcd(span, *(place - places[0] for place in places))
    return Lattice(span, first, last)
