"""Maps that come from another map, or from a file: roots, marginals, magnitudes, samples.

They are known by their samples: no engine can make them exact. Only measures of magnitudes come
from exact integers, because rounding errors times powers of a distance would be all that is left.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Protocol, final

import numpy as np

from erf_theory import measures
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number, NumberArray
from erf_theory.kernel import Kernel
from erf_theory.maps import Map
from erf_theory.routes import Logs, Shares

__all__ = [
    "Magnitudes",
    "Marginal",
    "Profile",
    "Root",
    "Sampled",
    "Samples",
    "Stored",
    "mass_of",
    "measurable",
]


class _Samples(Protocol):
    @property
    def start(self) -> tuple[int, ...]: ...
    @property
    def shares(self) -> Shares: ...
    @property
    def logs(self) -> Logs: ...


class Sampled:
    """Measures that a map has from its samples: the base of what no engine can make exact."""

    @property
    def shape(self: _Samples) -> tuple[int, ...]:
        """Shape of the box."""
        return self.shares.values.shape

    @property
    def support_box(self: _Samples) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        return measures.support_box(self.logs.sign)

    @property
    def exact(self: _Samples) -> tuple[NumberArray, int]:
        """Refused: samples are not exact."""
        raise EngineError("this map is known by its samples: ask the ERF that it was made from")

    def cumulant(self: _Samples, order: int, axis: int) -> Number:
        """Cumulant along an axis, of the magnitudes, in absolute coordinates.

        A difference of sums over samples: right to about 1e-12 of E|x - mean|^order.
        """
        return measures.cumulant(_magnitudes(self), self.start[axis], order, axis)

    @property
    def covariance(self: _Samples) -> FloatArray:
        """Covariance matrix of the magnitudes."""
        weights = _magnitudes(self)
        peak = np.unravel_index(int(np.argmax(weights)), weights.shape)
        steps = zip(weights.shape, peak, strict=True)
        return measures.moments(weights, [np.arange(m, dtype=np.float64) - p for m, p in steps])[1]


@final
@dataclass(frozen=True)
class Stored(Sampled):
    """A map from a file."""

    start: tuple[int, ...]
    shares: Shares
    logs: Logs
    mass: Number | Decimal | None
    log_mass: float

    @property
    def nonnegative(self) -> bool:
        """Whether no sample is negative, also of those that underflow."""
        return bool(np.all(self.logs.sign >= 0))


@dataclass(frozen=True)
class _Derived(Sampled, ABC):
    """A map made from another one."""

    source: Map

    nonnegative = True

    @property
    @abstractmethod
    def shares(self) -> Shares:
        """The normalised map."""

    @property
    def mass(self) -> None:
        """Known by its logarithm only."""
        return

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample of the box on every axis."""
        return self.source.start

    @property
    def log_mass(self) -> float:
        """Logarithm of the mass."""
        return self.shares.log_norm


@final
@dataclass(frozen=True)
class Samples(_Derived):
    """A map whose moments no engine can tell: that of a network with borders, or with channels."""

    @property
    def shares(self) -> Shares:
        """The normalised map."""
        return self.source.shares

    @cached_property
    def logs(self) -> Logs:
        """Logarithms of the normalised map."""
        try:
            return self.source.logs
        except EngineError:
            return _plain_logs(self.shares)

    @cached_property
    def support_box(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        try:
            return self.source.support_box
        except EngineError:
            return measures.support_box(self.logs.sign)


@final
@dataclass(frozen=True)
class Magnitudes(_Derived):
    """The magnitudes of a map."""

    @cached_property
    def shares(self) -> Shares:
        """The normalised map."""
        found = self.source.shares
        return Shares(np.abs(found.values), found.log_norm, found.error, found.engine)

    @cached_property
    def logs(self) -> Logs:
        """Logarithms of the normalised map."""
        found = self.source.logs
        return Logs(found.values, np.abs(found.sign), found.error, found.engine)

    @cached_property
    def _measure(self) -> Kernel | None:
        """The exact magnitudes; None where integers do not fit, or are not known."""
        try:
            return Kernel(np.abs(self.source.exact[0]), self.start)
        except EngineError:
            return None

    def cumulant(self, order: int, axis: int) -> Number:
        """Cumulant along an axis, in absolute coordinates; a fraction where integers fit."""
        if self._measure is None:
            return super().cumulant(order, axis)
        return self._measure.cumulant(order, axis)

    @property
    def covariance(self) -> FloatArray:
        """Covariance matrix."""
        if self._measure is None:
            return super().covariance
        return np.array(self._measure.covariance, dtype=np.float64)


@final
@dataclass(frozen=True)
class Root(_Derived):
    """√g of a map g without signs."""

    @cached_property
    def shares(self) -> Shares:
        """The normalised map."""
        found = self.source.shares
        roots, lost = self._roots(found)
        total = float(np.sum(roots))
        error = max(float(np.sqrt(found.error)), lost) / total
        log_norm = found.log_norm / 2 + float(np.log(total))
        return Shares(roots / total, log_norm, error, found.engine)

    @cached_property
    def logs(self) -> Logs:
        """Logarithms of the normalised map."""
        found = self.source.logs
        values = found.values / 2
        return Logs(values - _log_sum(values.ravel()), found.sign, found.error, found.engine)

    def _roots(self, found: Shares) -> tuple[FloatArray, float]:
        """Square roots, those of values that underflow from logarithms; and what is lost."""
        roots, tiny = np.sqrt(found.values), float(np.finfo(np.float64).tiny)
        faint = found.values < tiny
        if found.error or not np.any(faint):
            return roots, 0.0
        try:
            return np.where(faint, np.exp(self.source.logs.values / 2), roots), 0.0
        except EngineError:
            return roots, tiny**0.5


@final
@dataclass(frozen=True)
class Marginal(_Derived):
    """Magnitudes of a map, summed over all axes but one."""

    axis: int

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample of the box on every axis."""
        return (self.source.start[self.axis],)

    @cached_property
    def shares(self) -> Shares:
        """The normalised map."""
        found = self.source.shares
        lines = self._lines(np.abs(found.values))
        error = found.error * lines.shape[1]
        return Shares(lines.sum(axis=1), found.log_norm, error, found.engine)

    @cached_property
    def logs(self) -> Logs:
        """Logarithms of the normalised map."""
        found = self.source.logs
        values = _log_sum(self._lines(found.values))
        return Logs(values, (values > -np.inf).astype(np.int8), found.error, found.engine)

    def cumulant(self, order: int, axis: int) -> Number:  # noqa: ARG002
        """Cumulant of the magnitudes along the axis that is left, in absolute coordinates."""
        return measurable(self.source).cumulant(order, self.axis)

    @property
    def covariance(self) -> FloatArray:
        """The variance on the axis that is left."""
        return np.array([[self.cumulant(2, 0)]], dtype=np.float64)

    def _lines(self, array: FloatArray) -> FloatArray:
        """One row per place of the axis."""
        return np.moveaxis(array, self.axis, 0).reshape(array.shape[self.axis], -1)


@final
@dataclass(frozen=True)
class Profile:
    """A line of a map: what it holds is the line's, its mass is that of the whole map.

    Parameters
    ----------
    line : Map
        The map on one axis.
    whole : tuple of Map
        Every factor of the map.
    """

    line: Map
    whole: tuple[Map, ...]

    @property
    def start(self) -> tuple[int, ...]:
        """Coordinate of the first sample of the box."""
        return self.line.start

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the box."""
        return self.line.shape

    @property
    def nonnegative(self) -> bool:
        """Whether the line is known to have no negative sample."""
        return self.line.nonnegative

    @property
    def support_box(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        return self.line.support_box

    @cached_property
    def shares(self) -> Shares:
        """The normalised line."""
        return replace(self.line.shares, log_norm=sum(part.shares.log_norm for part in self.whole))

    @property
    def logs(self) -> Logs:
        """Logarithms of the normalised line."""
        return self.line.logs

    @property
    def exact(self) -> tuple[NumberArray, int]:
        """Integer numerators and denominator of the normalised line."""
        return self.line.exact

    @property
    def mass(self) -> Number | Decimal | None:
        """Sum of the whole map before normalisation."""
        return mass_of(self.whole)

    @property
    def log_mass(self) -> float:
        """Logarithm of the whole map's mass."""
        return sum(part.log_mass for part in self.whole)

    def cumulant(self, order: int, axis: int) -> Number:
        """Cumulant of the line, in absolute coordinates."""
        return measurable(self.line).cumulant(order, axis)

    @property
    def covariance(self) -> FloatArray:
        """The line's variance."""
        return measurable(self.line).covariance


def measurable(source: Map) -> Map:
    """The map that the measures are of: the magnitudes where there are signs."""
    return source if source.nonnegative else Magnitudes(source)


def mass_of(factors: Sequence[Map]) -> Number | Decimal | None:
    """Mass of an outer product of maps: exact, to 60 digits, or None where one is not known."""
    from erf_theory.engines.cumulants import product_of

    total: int | Fraction | Decimal = 1
    for factor in factors:
        if (mass := factor.mass) is None:
            return None
        total = product_of(total, Decimal(mass) if isinstance(mass, float) else mass)
    return total


def _magnitudes(samples: _Samples) -> FloatArray:
    """The magnitudes of a map, each right relative to itself: of values or of logarithms."""
    if samples.shares.error == 0:
        return np.abs(samples.shares.values)
    return np.asarray(np.exp(samples.logs.values))


def _plain_logs(shares: Shares) -> Logs:
    """Logarithms of samples, if none can have been lost below the doubles."""
    values = np.abs(shares.values)
    if np.min(values[values > 0], initial=1.0) < _FAINT or shares.error > 0:
        raise EngineError("values this far apart are known as doubles only: ask for values")
    with np.errstate(divide="ignore"):
        logs = np.log(values)
    return Logs(logs, np.sign(shares.values).astype(np.int8), 1e-13, shares.engine)


_FAINT = 1e-200
"""Samples above it have lost nothing to underflow on the way."""


def _log_sum(logs: FloatArray) -> FloatArray:
    """Log of the sum of exponentials over the last axis."""
    return np.asarray(np.logaddexp.reduce(logs, axis=-1))
