"""A map in one piece, read by whichever engine fits: values, logarithms, exact integers.

This is the automatic choice of engine. Each route to a number has a name that a user can ask for;
"auto" takes the fastest one whose answer is right, and goes on to the next where one refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from erf_theory import measures
from erf_theory.engines.extent import Extent, extent_of, support_extent_of
from erf_theory.engines.field import Program
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray, Number, NumberArray, log_of
from erf_theory.kernel import Kernel
from erf_theory.routes import LOGS, SHARES, Logs, Shares, integers

if TYPE_CHECKING:
    from erf_theory.engines.cumulants import Cumulants

__all__ = ["ENGINES", "Map", "ProgramMap"]

_T = TypeVar("_T")


class Map(Protocol):
    """One factor of an effective receptive field."""

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample of the box on every axis."""
        ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the box."""
        ...

    @property
    def nonnegative(self) -> bool:
        """Whether the map is known to have no negative sample."""
        ...

    @property
    def support_box(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        ...

    @property
    def shares(self) -> Shares:
        """The normalised map."""
        ...

    @property
    def logs(self) -> Logs:
        """Logarithms of the normalised map."""
        ...

    @property
    def exact(self) -> tuple[NumberArray, int]:
        """Integer numerators and denominator of the normalised map."""
        ...

    @property
    def mass(self) -> Number | Decimal | None:
        """Sum of the map before normalisation; None where only its logarithm is known."""
        ...

    @property
    def log_mass(self) -> float:
        """log|mass|; -inf where the mass is 0."""
        ...

    def cumulant(self, order: int, axis: int) -> Number:
        """Cumulant along an axis, of the normalised map, in absolute coordinates."""
        ...

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix of the normalised map."""
        ...


@dataclass(frozen=True)
class ProgramMap:
    """What a program makes of the unit impulse, computed when asked for.

    Parameters
    ----------
    program : Program
        From the output unit to the input.
    ndim : int
        Spatial axes.
    engine : str
        One of `ENGINES`.
    factor, times : number and int
        The map is ``factor**times`` of what the program makes; factor is above 0.

    Raises
    ------
    ErfTheoryError
        If there is no such engine.
    """

    program: Program
    ndim: int
    engine: str = "auto"
    factor: Number = 1
    times: int = 0

    def __post_init__(self) -> None:
        if instead := _OTHERS.get(str(self.engine)):
            raise EngineError(f"the {self.engine} engine gives no map: {instead}")
        if self.engine not in ENGINES:
            raise ErfTheoryError(
                f"there is no engine {self.engine!r}: choose one of {', '.join(ENGINES)}"
            )

    @cached_property
    def extent(self) -> Extent:
        """Geometry of the map."""
        return extent_of(self.program, self.ndim)

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample of the box on every axis."""
        return self.extent.start

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the nominal box: what the kernels' sizes say."""
        return self.extent.shape

    @property
    def nonnegative(self) -> bool:
        """Whether no kernel was negative."""
        return self.extent.nonnegative

    @cached_property
    def support_box(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        if not self.nonnegative:
            return measures.support_box(self.logs.sign)
        from erf_theory.engines import support

        trimmed: Extent | support.Support
        try:
            trimmed = support_extent_of(self.program, self.ndim)
        except EngineError:
            trimmed = self.program(support.impulse(self.ndim)).trim()
        first = tuple(a - b for a, b in zip(trimmed.start, self.start, strict=True))
        return first, trimmed.shape

    @cached_property
    def shares(self) -> Shares:
        """The normalised map, by the first engine that can."""
        routes = [SHARES[engine] for engine in self._value_engines()]
        found = _first(routes, self.program, self.extent)
        if not self.times:
            return found
        return replace(found, log_norm=found.log_norm + self.times * log_of(self.factor))

    @cached_property
    def logs(self) -> Logs:
        """Logarithms of the normalised map, by the first engine that can."""
        return _first([LOGS[e] for e in self._log_engines()], self.program, self.extent)

    @cached_property
    def exact(self) -> tuple[NumberArray, int]:
        """Integer numerators and denominator of the normalised map, by the multinomial engine."""
        return integers(self.program, self.extent)[:2]

    @property
    def mass(self) -> Number | Decimal | None:
        """Sum of the map before normalisation."""
        return self._moments(0).mass

    @property
    def log_mass(self) -> float:
        """log|mass|; -inf where the mass is 0."""
        return self._moments(0).log_mass

    def cumulant(self, order: int, axis: int) -> Number:
        """Cumulant along an axis, of the normalised map, in absolute coordinates."""
        return self._moments(order).cumulant(order, axis)

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix of the normalised map."""
        try:
            return np.array(self._moments(2).covariance, dtype=np.float64)
        except OverflowError:
            raise ErfTheoryError(
                "no double holds the covariance of this map: ask for cumulant(2), which is exact"
            ) from None

    def _moments(self, order: int) -> Cumulants:
        """Moments up to an order or a higher one, which is found once."""
        known = [found for found in self._found_moments if found >= order]
        if known:
            return self._found_moments[min(known)]
        from erf_theory.engines import cumulants

        point = Kernel(np.full((1,) * self.ndim, self.factor, dtype=object))
        field = self.program(cumulants.impulse(self.ndim, order=order))
        return self._found_moments.setdefault(order, field.convolve(point, 1, self.times))

    @cached_property
    def _found_moments(self) -> dict[int, Cumulants]:
        return {}

    def _value_engines(self) -> list[str]:
        """Names of the routes to values, in the order to be tried."""
        if self.engine != "auto":
            return [self.engine]
        if not self.nonnegative:
            return ["dtft", "convolution", "balls"]
        if self._is_small:
            return ["convolution", "balls"]
        return ["contour", "convolution", "balls"] if self.ndim == 1 else ["dtft", "convolution"]

    def _log_engines(self) -> list[str]:
        """Names of the routes to logarithms, in the order to be tried."""
        if self.engine != "auto":
            return [self.engine]
        if not self.nonnegative:
            return ["balls"]
        near = ["convolution"] if self._is_small else []
        return [*near, *(["contour"] if self.ndim == 1 else []), "balls"]

    @property
    def _is_small(self) -> bool:
        """Whether convolving sample by sample is a matter of milliseconds (seconds in d-D)."""
        if self.ndim > 1:
            return self.extent.work <= 2**31
        return self.extent.size <= 4096 or self.extent.work <= 2**27


ENGINES = ("auto", *SHARES)
"""Names of the routes that a user can ask for."""
_OTHERS = {
    "symbolic": "it gives formulas, see symbolic_erf",
    "cumulants": "it gives moments, see std, covariance and cumulant of an ERF",
    "support": "it gives the theoretical receptive field, see theoretical_rf of an ERF",
    "saddle": "it gives the saddle points that the contour engine uses",
}


def _first(
    routes: Sequence[Callable[[Program, Extent], _T]], program: Program, extent: Extent
) -> _T:
    """The answer of the first route that does not refuse."""
    *others, last = routes
    for route in others:
        try:
            return route(program, extent)
        except EngineError:
            continue
    return last(program, extent)
