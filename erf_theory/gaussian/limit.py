"""The Gaussian that a map is near to, whether it is, and what the limit is if not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch
from math import nan, sqrt
from os import PathLike
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.display import Card
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.gaussian.axislimit import Answer, AxisLimit, axis_limit
from erf_theory.gaussian.lattices import Lattice
from erf_theory.gaussian.verdicts import verdict
from erf_theory.network.nodes import Network
from erf_theory.propagation.perchannel import has_given_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GaussianLimit", "gaussian_limit"]

_ANSWERS: tuple[Answer, ...] = ("yes", "not yet", "no")


@final
@dataclass(frozen=True, eq=False, repr=False)
class GaussianLimit(Card):
    """The Gaussian limit of a map: the result of `gaussian_limit`, not made by hand.

    Attributes
    ----------
    erf : ERF
        The map.
    mean : tuple of float
        Of the Gaussian, in pixels from the unit's centre; NaN where taps have signs and another
        limit.
    covariance : ndarray
        Its covariance matrix, in pixels squared; NaN likewise.
    axes : tuple of AxisLimit
        What is known of every axis.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> limit = gaussian_limit(theoretical_erf(3, 20))
    >>> limit.verdict
    'yes: 20 equal steps; its distribution function is off by 0.11 % at most'
    >>> limit.density([0.0]).round(4).tolist(), limit.cdf([0.0]).tolist()
    ([0.1093], [0.5])
    """

    erf: ERF
    mean: tuple[float, ...]
    covariance: FloatArray
    axes: tuple[AxisLimit, ...]

    @property
    def kind(self) -> str:  # type: ignore[override]
        """What map it is of."""
        return self.erf.kind

    @property
    def call(self) -> str:  # type: ignore[override]
        """The call that made it."""
        return f"gaussian_limit({self.erf.call})"

    @property
    def answer(self) -> Answer:
        """That of the axis that is farthest from a Gaussian: "yes", "not yet" or "no"."""
        return max((axis.answer for axis in self.axes), key=_ANSWERS.index)

    @property
    def applies(self) -> bool:
        """Whether the map is near the Gaussian, as `AxisLimit.answer` says it."""
        return self.answer == "yes"

    @property
    def verdict(self) -> str:
        """The answer and the reason, in words; of all axes, if they differ."""
        texts = [verdict(axis) for axis in self.axes]
        if len(set(texts)) == 1:
            return texts[0]
        return "; ".join(f"axis {i}: {text}" for i, text in enumerate(texts))

    @property
    def lattice(self) -> tuple[Lattice, ...]:
        """Where the map lives, per axis."""
        return tuple(axis.lattice for axis in self.axes)

    def density(self, x: npt.ArrayLike) -> FloatArray:
        """The Gaussian density, per pixel (per pixel to the power of ``ndim``).

        On a lattice of span h the map tends to h times it, and to 0 between.

        Parameters
        ----------
        x : array_like
            Places in pixels from the unit's centre; in d dimensions the last axis has length d.

        Raises
        ------
        ErfTheoryError
            If the map has signs and another limit; or if the shape does not fit.
        """
        from scipy.stats import multivariate_normal

        found = multivariate_normal(self.mean, self._spread).pdf(self._places(x))
        return np.asarray(found, dtype=np.float64).reshape(self._shape(x))

    def cdf(self, x: npt.ArrayLike) -> FloatArray:
        """The Gaussian's distribution function: the share at or below x on every axis.

        Parameters and errors are those of `density`. In d dimensions it is a numerical integral,
        right to about 1e-5.
        """
        places = self._places(x)
        if len(self.mean) == 1:
            from scipy.special import ndtr

            std = sqrt(self._spread[0, 0])
            return np.asarray(ndtr((np.asarray(x, dtype=np.float64) - self.mean[0]) / std))
        from scipy.stats import multivariate_normal

        found = multivariate_normal(self.mean, self._spread).cdf(places)
        return np.asarray(found, dtype=np.float64).reshape(self._shape(x))

    @property
    def _spread(self) -> FloatArray:
        if np.isnan(self.covariance).any():
            raise ErfTheoryError(f"there is no Gaussian: {self.verdict}")
        return self.covariance

    def _places(self, x: npt.ArrayLike) -> FloatArray:
        """One row of coordinates per place."""
        places, ndim = np.asarray(x, dtype=np.float64), len(self.mean)
        if ndim > 1 and (places.ndim == 0 or places.shape[-1] != ndim):
            raise ErfTheoryError(
                f"places of shape {places.shape} do not fit {ndim} axes: the last one has length "
                f"{ndim}"
            )
        return places.reshape(-1, ndim)

    def _shape(self, x: npt.ArrayLike) -> tuple[int, ...]:
        shape = np.shape(x)
        return shape if len(self.mean) == 1 else shape[:-1]

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        rows = [("", f"Gaussian limit of {self.erf.call}"), ("verdict", self.verdict)]
        if not np.isnan(self.covariance).any():
            stds = " × ".join(f"{sqrt(v):.4g}" for v in np.diag(self.covariance))
            means = ", ".join(f"{m:.4g}" for m in self.mean)
            rows += [("mean", f"{means} px from the unit's centre"), ("std", f"{stds} px")]
        for i, axis in enumerate(self.axes if self._differ else self.axes[:1]):
            prefix = f"axis {i}, " if self._differ else ""
            rows += [(prefix + name, text) for name, text in _rows(axis)]
        return rows

    @property
    def _differ(self) -> bool:
        first, *others = (axis.to_dict() for axis in self.axes)
        return any(other != first for other in others)

    def __repr__(self) -> str:
        title, *rows = self.lines()
        return "\n  ".join([title[1], *(f"{name}: {text}" for name, text in rows)])

    def plot(self) -> Figure:
        """Draw the map beside its Gaussian; of taps with signs, beside their attractor."""
        found = self.axes[0].attractor
        return self.erf.plot() if found is None else found.plot()

    def to_dict(self) -> dict[str, Any]:
        """The verdict, its numbers and the provenance, as JSON knows them."""
        lost = bool(np.isnan(self.covariance).any())
        return {
            "format": "erf_theory.GaussianLimit/1",
            **records.provenance(self.kind, self.call),
            "answer": self.answer,
            "verdict": self.verdict,
            "mean": None if lost else list(self.mean),
            "covariance": None if lost else self.covariance.tolist(),
            "axes": [axis.to_dict() for axis in self.axes],
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Save as JSON: `to_dict` in a file."""
        records.write(self.to_dict(), path)


def gaussian_limit(of: ERF | Network) -> GaussianLimit:
    """The Gaussian limit of a map: its mean and covariance, and whether the map is near it.

    Parameters
    ----------
    of : ERF or Network
        A map; or a network, of which it is the amplitude where all weights are given and no layer
        is nonlinear, and else the energy.

    Returns
    -------
    GaussianLimit
        With a verdict in words: whether the limit applies, why, and which it is if not.

    Raises
    ------
    ErfTheoryError
        If the map does not spread on an axis; or if layers with signs are not all equal, or are no
        products of one kernel per axis.

    Notes
    -----
    The map of layers in a row is the law of a sum of independent steps, and Lindeberg's theorem
    makes it Gaussian if no step carries a share of the variance that lasts. Ladders of geometric
    dilations or strides break that condition, whatever their length: their limits are uniform
    (WaveNet) or another self-similar law. Skips whose paths meet again are steps; those that meet
    only at the end make a mixture, of which no such theorem speaks. Whether a map of finite depth
    is near its Gaussian is measured: see `erf_theory.gaussian.axislimit.NEAR`.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> gaussian_limit(theoretical_erf(2, 10, stride=2)).axes[0].ladder.name
    'uniform'
    >>> gaussian_limit(theoretical_erf(None, 300, kernel=[3, 6, -1])).axes[0].attractor.name
    'Airy'
    """
    return _limit(of)


@singledispatch
def _limit(of: object) -> GaussianLimit:
    raise ErfTheoryError(
        f"a Gaussian limit is that of an ERF or of a network, not of {type(of).__name__}: see "
        "theoretical_erf and network_erf"
    )


@_limit.register
def _(of: ERF) -> GaussianLimit:
    axes = _axes(of)
    if of.is_nonnegative:
        return GaussianLimit(of, of.mean, of.covariance, axes)
    if all(axis.attractor and axis.attractor.is_gaussian for axis in axes):
        return GaussianLimit(of, *_signed_moments(of), axes)
    lost = (nan,) * of.ndim
    return GaussianLimit(of, lost, np.full((of.ndim, of.ndim), nan), axes)


@_limit.register
def _(of: Network) -> GaussianLimit:
    return _limit(_map(of))


def _map(network: Network) -> ERF:
    """Its amplitude, if all weights are given and no layer is nonlinear; else its energy."""
    if has_given_weights(network):
        with suppress(ErfTheoryError):
            return network_erf(network, kind="amplitude")
    return network_erf(network)


def _axes(erf: ERF) -> tuple[AxisLimit, ...]:
    """What is known of every axis; of axes with the same factor once."""
    found: dict[tuple[int, int], AxisLimit] = {}
    keys = [(id(part), i) for part in erf.factors for i in range(len(part.start))]
    for axis, key in enumerate(keys):
        if key not in found:
            found[key] = axis_limit(erf, axis)
    return tuple(found[key] for key in keys)


def _signed_moments(erf: ERF) -> tuple[tuple[float, ...], FloatArray]:
    """Mean and covariance with signs: a factor per axis, because its transform is one."""
    means = []
    for part in erf.factors:
        middle = Fraction(2 * part.start[0] + part.shape[0] - 1, 2)
        means.append(float(Fraction(part.cumulant(1, 0)) - middle))
    return tuple(means), np.diag([float(part.cumulant(2, 0)) for part in erf.factors])


def _rows(axis: AxisLimit) -> list[tuple[str, str]]:
    """What there is to say of an axis, beside its verdict."""
    rows = [("lattice", f"span {axis.lattice.span} px, offset {axis.offset:.4g} px")]
    if axis.weights:
        weights = axis.weights
        rows += [
            ("steps that spread", str(weights.steps)),
            ("Lyapunov number", f"{weights.lyapunov:.4g}"),
            ("share of the largest", f"{weights.largest:.4g}"),
        ]
    if axis.excess_kurtosis is not None:
        rows.append(("excess kurtosis", f"{axis.excess_kurtosis:.4g}"))
    if axis.distance is not None:
        rows.append(("distance", f"{axis.distance:.4g}"))
    return rows
