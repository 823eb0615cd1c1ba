"""Maps that come from another map, or from a file: roots, marginals, magnitudes, samples.

They are known by their samples: no engine can make them exact.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Protocol, final

import numpy as np

from erf_theory import measures
from erf_theory.errors import EngineError
from erf_theory.exact import FloatArray, Number, NumberArray
from erf_theory.maps import Map
from erf_theory.routes import Logs, Shares

__all__ = ["Magnitudes", "Marginal", "Root", "Sampled", "Samples", "Stored"]


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
    def nonnegative(self: _Samples) -> bool:
        """Whether no sample is negative."""
        return bool(np.all(self.shares.values >= 0))

    @property
    def support_box(self: _Samples) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Smallest box that holds the support: its first place, counted in the box, and shape."""
        return measures.support_box(self.logs.sign)

    @property
    def exact(self: _Samples) -> tuple[NumberArray, int]:
        """Refused: samples are not exact."""
        raise EngineError("this map is known by its samples: ask the ERF that it was made from")

    def cumulant(self: _Samples, order: int, axis: int) -> float:
        """Cumulant along an axis, of the magnitudes, in absolute coordinates."""
        return measures.cumulant(np.abs(self.shares.values), self.start[axis], order, axis)

    @property
    def covariance(self: _Samples) -> FloatArray:
        """Covariance matrix of the magnitudes."""
        axes = [np.arange(m, dtype=np.float64) for m in self.shares.values.shape]
        return measures.moments(np.abs(self.shares.values), axes)[1]


@final
@dataclass(frozen=True)
class Stored(Sampled):
    """A map from a file."""

    start: tuple[int, ...]
    shares: Shares
    logs: Logs
    mass: Number | Decimal | None
    log_mass: float


@dataclass(frozen=True)
class _Derived(Sampled, ABC):
    """A map made from another one."""

    source: Map

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

    def _lines(self, array: FloatArray) -> FloatArray:
        """One row per place of the axis."""
        return np.moveaxis(array, self.axis, 0).reshape(array.shape[self.axis], -1)


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
