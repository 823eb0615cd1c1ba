"""The covariance of a backward field between places: a field for every lag.

R(x, h) = E g(x) g(x + h). Random convolutions keep every lag to itself, fixed windows mix them, and
an activation weighs lag h by E σ'(z₀)σ'(z_h).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import product
from math import prod
from typing import Any, Generic, Self, cast, final

import numpy as np

from erf_theory.engines.field import Border, F, entered
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, NumberArray
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.network.nodes import Network
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.interpolation import interpolation
from erf_theory.propagation.lags import divided, divides

__all__ = [
    "Lag",
    "Lagged",
    "TooManyLagsError",
    "furthest",
    "gathered",
    "kept_within",
    "pooled_back",
    "spread",
    "upsampled_back",
    "weighed_by_lag",
]

Lag = tuple[int, ...]
_MOST = 32


class TooManyLagsError(ErfTheoryError):
    """More lags than are carried along."""


@final
@dataclass(frozen=True)
class Lagged(Generic[F]):
    """A field for every lag; as a field it does the same to each.

    Attributes
    ----------
    parts : dict
        From the lag to E g(x) g(x + lag) as a field in x.
    """

    parts: Mapping[Lag, F]

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Self:
        """Convolve every lag's field."""
        return self._alike(lambda field: field.convolve(kernel, step, times))

    def scale(self, factor: Number | FloatArray) -> Self:
        """Multiply every lag's field."""
        return self._alike(lambda field: field.scale(factor))

    def fold(self, size: Steps, border: Border) -> Self:
        """Fold every lag's field."""
        return self._alike(lambda field: field.fold(size, border))

    def take(self, a: int, b: int) -> Self:
        """Take channels of every lag's field."""
        return self._alike(lambda field: field.take(a, b))

    def __add__(self, other: Self) -> Self:
        """Add the fields lag by lag."""
        return type(self)(_summed([*self.parts.items(), *other.parts.items()]))

    def expand(self, s: Steps) -> Self:
        """Spread every lag's field."""
        return self._alike(lambda field: field.expand(s))

    def decimate(self, s: Steps) -> Self:
        """Keep every few places of every lag's field."""
        return self._alike(lambda field: field.decimate(s))

    def _alike(self, change: Callable[[F], F]) -> Self:
        return type(self)({lag: change(field) for lag, field in self.parts.items()})


@entered.register(Lagged)
def _(field: Lagged[Any], place: int) -> Lagged[Any]:
    return Lagged({lag: entered(part, place) for lag, part in field.parts.items()})


def spread(field: F, strides: Lag) -> F:
    """What is so many places apart behind a stride is that many strides apart before it."""
    return _on_lags(
        field,
        lambda parts: {_moved((0,) * len(lag), lag, strides): part for lag, part in parts.items()},
    )


def gathered(field: F, strides: Lag) -> F:
    """The lags of whole strides, in strides."""
    return _on_lags(
        field,
        lambda parts: {
            divided(lag, strides): part for lag, part in parts.items() if divides(lag, strides)
        },
    )


def weighed_by_lag(field: F, axes: Axes, here: Number, factor: Callable[[Lag], Number]) -> F:
    """A field times a number, and what lags it has times the factors of these."""
    if not isinstance(field, Lagged):
        return axes.scaled(field, here)
    return _on_lags(
        field,
        lambda parts: {
            lag: axes.scaled(part, factor(lag) if any(lag) else here) for lag, part in parts.items()
        },
    )


def pooled_back(field: F, layer: AvgPool | MaxPool, axes: Axes, furthest: Lag) -> F:
    """The lags by a pool's input from those by its output.

    R'(·, s m + d e) is the sum of R(·, m), spread, on the products of two taps at the distance e;
    two places of one window are never both the largest.
    """
    strides, dilation = (per_axis(x, axes.ndim) for x in (layer.stride, layer.dilation))
    size, pads = per_axis(layer.size, axes.ndim), layer.pads(axes.ndim)
    starts = tuple(-before for before, _ in pads)

    def parts(before: Mapping[Lag, Any]) -> Iterator[tuple[Lag, Any]]:
        for lag, part in before.items():
            alone = isinstance(layer, MaxPool) and not any(lag)
            for shift in product(*(range(1 - k, k) for k in size)):
                moved = _moved(lag, shift, dilation)
                if _is_near(moved, furthest) and not (alone and any(shift)):
                    share = Fraction(1, prod(size) ** (1 if alone else 2))
                    kernel = _pairs(size, shift, dilation, starts, share)
                    yield moved, part.convolve(axes.kernel(kernel))

    wide = spread(field, strides).expand(axes.steps(strides))
    return _on_lags(wide, lambda before: _summed(parts(before)))


def upsampled_back(field: F, layer: Upsample, axes: Axes, furthest: Lag) -> F:
    """The lags by an upsampling's input: R'(·, m) from R(·, s m + e) on products of two weights."""
    scale = per_axis(layer.scale, axes.ndim)
    lines = [interpolation(s, layer.mode) for s in scale]

    def parts(behind: Mapping[Lag, Any]) -> Iterator[tuple[Lag, Any]]:
        for lag, part in behind.items():
            for shift in product(*(range(1 - len(line), len(line)) for line, _ in lines)):
                moved = _moved(lag, shift, (-1,) * axes.ndim)
                if divides(moved, scale) and _is_near(divided(moved, scale), furthest):
                    rows = zip(lines, shift, strict=True)
                    taps = reduce(np.multiply.outer, [_products(line, e) for (line, _), e in rows])
                    kernel = Kernel(taps, tuple(-last for _, last in lines))
                    yield divided(moved, scale), part.convolve(axes.kernel(kernel, scale))

    return _on_lags(field, lambda behind: _summed(parts(behind))).decimate(axes.steps(scale))


def furthest(network: Network, source: int) -> list[Lag]:
    """The furthest lags before every node that count at the source."""
    behind: dict[int, Lag] = {}
    found: list[Lag] = []
    for node in network.nodes:
        reached = [behind.get(i, (0,) * network.ndim) for i in node.inputs]
        found.append(tuple(max(column) for column in zip(*reached, strict=True)))
        if len(found) - 1 > source:
            behind[len(found) - 1] = _reach(node.layer, found[-1])
    return found


def kept_within(field: F, furthest: Lag) -> F:
    """A field with the lags that are no further than these, if it has lags.

    Raises
    ------
    TooManyLagsError
        If they are more than 32.
    """

    def kept(parts: Mapping[Lag, Any]) -> Mapping[Lag, Any]:
        near = {lag: part for lag, part in parts.items() if _is_near(lag, furthest)}
        if len(near) > _MOST:
            raise TooManyLagsError(f"{len(near)} lags are more than {_MOST}")
        return near

    return _on_lags(field, kept)


def _on_lags(field: F, change: Callable[[Mapping[Lag, Any]], Mapping[Lag, Any]]) -> F:
    """A field with its lags changed, if it has lags."""
    return cast("F", Lagged(change(field.parts))) if isinstance(field, Lagged) else field


def _reach(layer: Layer, lag: Lag) -> Lag:
    """The furthest lags behind a layer that make those before it."""
    ndim = len(lag)
    if isinstance(layer, Conv | AvgPool | MaxPool):
        strides = per_axis(layer.stride, ndim)
        spans = [
            0 if isinstance(layer, Conv) else d * (k - 1)
            for k, d in zip(per_axis(layer.size, ndim), per_axis(layer.dilation, ndim), strict=True)
        ]
        return tuple((h + span) // s for h, span, s in zip(lag, spans, strides, strict=True))
    if isinstance(layer, ConvTranspose):
        return tuple(h * s for h, s in zip(lag, per_axis(layer.stride, ndim), strict=True))
    if isinstance(layer, Upsample):
        steps = per_axis(layer.scale, ndim)
        spans = [len(interpolation(s, layer.mode)[0]) - 1 for s in steps]
        return tuple(h * s + span for h, s, span in zip(lag, steps, spans, strict=True))
    return lag


def _summed(parts: Iterable[tuple[Lag, F]]) -> dict[Lag, F]:
    """The sum of the fields of every lag."""
    found: dict[Lag, F] = {}
    for lag, field in parts:
        found[lag] = found[lag] + field if lag in found else field
    return found


def _moved(lag: Lag, shift: Lag, dilation: Sequence[int]) -> Lag:
    return tuple(h + d * e for h, e, d in zip(lag, shift, dilation, strict=True))


def _is_near(lag: Lag, furthest: Lag) -> bool:
    return all(abs(h) <= most for h, most in zip(lag, furthest, strict=True))


@lru_cache(maxsize=4096)
def _pairs(size: Lag, shift: Lag, dilation: Lag, starts: Lag, share: Fraction) -> Kernel:
    """The places of a window whose neighbour at a distance is in it, too."""
    lines = [_products((1,) * k, -e) for k, e in zip(size, shift, strict=True)]
    outer = Kernel(reduce(np.multiply.outer, lines) * share)
    return Kernel(outer.dilate(dilation).taps, starts)


def _products(weights: tuple[Number, ...], shift: int) -> NumberArray:
    """Products of every weight and the one at a distance from it, turned; 0 where there is none.

    Fields of all lags so have one box.
    """
    places = range(len(weights))
    found = [weights[j] * weights[j + shift] if j + shift in places else 0 for j in places]
    return np.array(found[::-1], dtype=object)
