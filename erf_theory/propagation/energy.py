"""The energy E g² on its way back: one rule per layer, fields in, fields out.

Weights are random, independent and of mean 0, so the weights of [Luo16]'s backward formula become
their variances, an activation becomes E σ'², and a fixed weight its square. Fields are energies
per channel, one for every range of channels that are alike.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial, reduce, singledispatch
from math import prod
from typing import NamedTuple, final

import numpy as np

from erf_theory.engines.field import F
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import per_axis
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import Conv, ConvTranspose, Weighted
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample, overlaps
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.forward import Signals
from erf_theory.propagation.interpolation import interpolation
from erf_theory.propagation.lagged import (
    Lag,
    gathered,
    pooled_back,
    spread,
    upsampled_back,
    weighed_by_lag,
)
from erf_theory.propagation.lags import slope_of_pair
from erf_theory.propagation.laws import seen
from erf_theory.propagation.local import gate_map, varies
from erf_theory.propagation.norms import divisors
from erf_theory.propagation.notes import FEW, GUESSED, NOT_NORMAL, Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import Signal

__all__ = ["CORRELATED", "Context", "correlates", "energy"]

CORRELATED = (
    "what several fixed windows correlate, at too many lags or near a border, is dropped: with "
    "three average pools the mass is low by a factor of 2 to 27, with bilinear upsamplings, 2, 3, "
    "4 of them on one axis, by 1.5, 2.3, 3.6, and a U-Net's std by up to 28 %"
)
_APART = (
    "windows of a max pool that overlap are taken to choose apart: before one average pool that "
    "makes the mass low by 7 to 11 %; with the lags that are dropped behind such a pool, the std "
    "of DenseNet-121 to its first average pool is high by 3 %"
)
_PAIRS = (
    "where the field is correlated between places, their gates are taken as those of normal "
    "samples: beside one post-activation sum that makes the mass low by a factor of 1.1 to 1.5"
)
_WINNER = (
    "a max pool's winner is taken to be anywhere in its window alike: the middle one of three is "
    "it in 0.32 of cases on white noise, in 0.26 behind another pool"
)


class Context(NamedTuple):
    """What a rule knows beside its layer and the field.

    Attributes
    ----------
    name : str
        The node's.
    axes : Axes
        Which axes of the network the field has, and what becomes of the others.
    channels : int
        Channels of the layer's input.
    signals : Pieces of Signal
        The forward signal before the layer.
    notes : Notes
        Where to note why the result is only approximate.
    correlated : bool
        Whether the field's samples are correlated between places.
    winners : Pieces of float, optional
        How much more open the gate before a max pool is for the largest sample of a window.
    furthest : tuple of int, optional
        The lags that fields by the node's input still need, if they have lags.
    seconds : ndarray, optional
        E x² before the layer at every place of an image, where it is known.
    """

    name: str
    axes: Axes
    channels: int
    signals: Signals
    notes: Notes
    correlated: bool
    winners: Pieces[float] | None = None
    furthest: Lag | None = None
    seconds: FloatArray | None = None

    @property
    def drops_lags(self) -> bool:
        """Whether the field is correlated and this is not carried along."""
        return self.correlated and self.furthest is None

    def note(self, reason: str) -> None:
        """Note why the result is only approximate."""
        self.notes.add(reason, self.name)

    def need_signal(self) -> None:
        """Note that the result depends on the signal before the node."""
        self.notes.needing.add(self.name)


def correlates(layer: Layer, ndim: int) -> bool:
    """Whether a layer leaves a white field correlated between places: fixed taps, several."""
    if isinstance(layer, AvgPool):
        return prod(per_axis(layer.size, ndim)) > 1
    return isinstance(layer, Upsample) and layer.mode == "linear"


@singledispatch
def energy(layer: Layer, fields: Pieces[F], at: Context) -> Pieces[F]:
    """The energy by a layer's input from that by its output, both per channel."""
    raise ErfTheoryError(
        f"node {at.name}: no energy is known for a layer of type {type(layer).__name__}"
    )


@energy.register(Add)
@energy.register(Concat)
@energy.register(Identity)
def _(layer: Layer, fields: Pieces[F], at: Context) -> Pieces[F]:
    return fields


@energy.register
def _(layer: Conv, fields: Pieces[F], at: Context) -> Pieces[F]:
    return _mixed(layer, fields, at, _conv_plan(layer, at.axes).back)


@energy.register
def _(layer: ConvTranspose, fields: Pieces[F], at: Context) -> Pieces[F]:
    ndim = at.axes.ndim
    stride, dilation = per_axis(layer.stride, ndim), per_axis(layer.dilation, ndim)
    kernel = at.axes.kernel(_flipped(_group_variances(layer, ndim)), stride, dilation)
    rows = zip(per_axis(layer.size, ndim), dilation, layer.pads(ndim), strict=True)
    shifts = [before - d * (k - 1) for k, d, (before, _) in rows]

    def back(field: F) -> F:
        found = gathered(field, stride).convolve(kernel, at.axes.steps(layer.dilation))
        return at.axes.moved(found, shifts).decimate(at.axes.steps(layer.stride))

    return _mixed(layer, fields, at, back)


@energy.register
def _(layer: AvgPool, fields: Pieces[F], at: Context) -> Pieces[F]:
    return _pool_back(layer, fields, at)


@energy.register
def _(layer: MaxPool, fields: Pieces[F], at: Context) -> Pieces[F]:
    size = per_axis(layer.size, at.axes.ndim)
    if max(size) > 2:
        at.note(_WINNER)
    found = _pool_back(layer, fields, at)
    if at.winners is None:
        return found
    if any(ratio != 1 for _, _, ratio in at.winners.parts):
        at.need_signal()
    return found.met(at.winners, partial(_won, at))


@energy.register
def _(layer: Upsample, fields: Pieces[F], at: Context) -> Pieces[F]:
    scale = per_axis(layer.scale, at.axes.ndim)
    if at.drops_lags and prod(scale) > 1:
        at.note(CORRELATED)
    furthest = at.furthest
    if furthest is not None:
        return fields.each(lambda field: upsampled_back(field, layer, at.axes, furthest))
    lines = [interpolation(s, layer.mode) for s in scale]
    squares = [np.array(weights, dtype=object) ** 2 for weights, _ in lines]
    kernel = at.axes.kernel(Kernel(reduce(np.multiply.outer, squares)), scale)
    shifts = [-last for _, last in lines]

    def back(field: F) -> F:
        return at.axes.moved(field.convolve(kernel), shifts).decimate(at.axes.steps(layer.scale))

    return fields.each(back)


@energy.register
def _(layer: Activation, fields: Pieces[F], at: Context) -> Pieces[F]:
    gate = layer.nonlinearity
    if at.seconds is not None and varies(gate, float(np.max(at.seconds))):
        if len(at.axes.kept) < at.axes.ndim:
            raise NoMarginalError("gates near a border are no product of axes")
        if not all(signal.is_normal for _, _, signal in at.signals.parts):
            at.note(NOT_NORMAL)
        at.need_signal()
        weights = gate_map(gate, at.seconds)
        return fields.each(lambda field: field.scale(weights))

    return fields.met(at.signals, partial(_weighed, layer, at))


@energy.register
def _(layer: Norm, fields: Pieces[F], at: Context) -> Pieces[F]:
    at.need_signal()
    factors, reasons = divisors(layer, at.signals, at.channels)
    for reason in reasons:
        at.note(reason)
    return fields.met(factors, at.axes.scaled)


@energy.register
def _(layer: Dropout, fields: Pieces[F], at: Context) -> Pieces[F]:
    if not layer.training:
        return fields
    kept = 1 / (1 - layer.rate)
    return fields.each(lambda field: weighed_by_lag(field, at.axes, kept, lambda _: 1))


@energy.register
def _(layer: Pad, fields: Pieces[F], at: Context) -> Pieces[F]:
    shifts = [-before for before, _ in layer.per_axis(at.axes.ndim)]
    return fields.each(lambda field: at.axes.moved(field, shifts))


@energy.register
def _(layer: Crop, fields: Pieces[F], at: Context) -> Pieces[F]:
    shifts = [before for before, _ in layer.per_axis(at.axes.ndim)]
    return fields.each(lambda field: at.axes.moved(field, shifts))


@energy.register
def _(layer: Split, fields: Pieces[F], at: Context) -> Pieces[F]:
    return fields.moved(layer.start)


@energy.register
def _(layer: ChannelShuffle, fields: Pieces[F], at: Context) -> Pieces[F]:
    return fields.dealt(layer.groups, at.channels)


def _mixed(layer: Weighted, fields: Pieces[F], at: Context, back: Callable[[F], F]) -> Pieces[F]:
    """What a layer makes of the mean over the channels of every group."""
    if len(fields) == 1:
        ((first, last, field),) = fields
        if first == 0 and last == layer.out_channels:
            return Pieces(((0, layer.in_channels, back(field)),))
    groups, size = layer.groups, layer.in_channels // layer.groups
    outputs = layer.out_channels // groups
    found: list[tuple[int, int, F]] = []
    for first, last, inside in fields.grouped(groups, outputs):
        if inside:
            parts = [at.axes.scaled(f, Fraction(count, outputs)) for count, f in inside]
            found.append((first * size, last * size, back(at.axes.total(parts))))
    return Pieces(tuple(found))


def _group_variances(layer: Weighted, ndim: int) -> Kernel:
    """The variances of the weights, summed over the output's channels of a group."""
    return layer.variances(ndim) * (layer.out_channels // layer.groups)


@final
class _Plan(NamedTuple):
    """What a window does to a field: spread, convolve, move; None for what it does not do.

    ``strides`` are those on all axes, ``steps`` those on the field's.
    """

    strides: tuple[int, ...] | None
    steps: tuple[int, ...]
    kernel: Kernel | None
    gain: Number
    dilation: tuple[int, ...]
    moved: Kernel | None

    def back(self, field: F) -> F:
        """The field before the window; one tap is a factor."""
        if self.strides is not None:
            field = spread(field, self.strides).expand(self.steps)
        if self.kernel is None:
            field = field.scale(self.gain)
        else:
            field = field.convolve(self.kernel, self.dilation)
        return field if self.moved is None else field.convolve(self.moved)


@lru_cache(maxsize=4096)
def _conv_plan(layer: Conv, axes: Axes) -> _Plan:
    return _plan(layer, _group_variances(layer, axes.ndim), axes)


@lru_cache(maxsize=4096)
def _pool_plan(layer: AvgPool | MaxPool, axes: Axes) -> _Plan:
    size = per_axis(layer.size, axes.ndim)
    share = Fraction(1, prod(size) ** (2 if isinstance(layer, AvgPool) else 1))
    return _plan(layer, Kernel(np.full(size, share, dtype=object)), axes)


def _plan(layer: Conv | AvgPool | MaxPool, kernel: Kernel, axes: Axes) -> _Plan:
    pads = layer.pads(axes.ndim)
    shift = tuple(-pads[axis][0] for axis in axes.kept)
    strides, taps = per_axis(layer.stride, axes.ndim), axes.kernel(kernel)
    return _Plan(
        strides=strides if max(strides) > 1 else None,
        steps=axes.steps(strides),
        kernel=taps if taps.taps.size > 1 else None,
        gain=taps.taps.ravel().tolist()[0],
        dilation=axes.steps(layer.dilation),
        moved=Kernel(Kernel.delta(len(shift)).taps, shift) if any(shift) else None,
    )


def _pool_back(layer: AvgPool | MaxPool, fields: Pieces[F], at: Context) -> Pieces[F]:
    if at.drops_lags and overlaps(layer, at.axes.ndim):
        at.note(CORRELATED)
    plan, furthest = _pool_plan(layer, at.axes), at.furthest
    if furthest is not None:
        if isinstance(layer, MaxPool) and overlaps(layer, at.axes.ndim):
            at.note(_APART)
        return fields.each(lambda field: pooled_back(field, layer, at.axes, furthest))
    return fields.each(plan.back)


def _weighed(layer: Activation, at: Context, field: F, signal: Signal) -> F:
    """A field times the gate of its samples, or of two samples at the distance of its lag."""
    slope, depends, reason = _gate(layer, signal)
    if reason is not None:
        at.note(reason)
    if depends:
        at.need_signal()
    if at.furthest is None:
        return at.axes.scaled(field, slope)

    def of(lag: Lag) -> Number:
        if not signal.is_normal:
            at.note(_PAIRS)
        if signal.is_guessed:
            at.note(GUESSED)
        pair_slope = slope_of_pair(layer.nonlinearity, signal, lag)
        if pair_slope != slope:
            at.need_signal()
        return pair_slope

    return weighed_by_lag(field, at.axes, slope, of)


def _won(at: Context, field: F, ratio: float) -> F:
    """What went through a pool times how much more open the gates of its winners are."""

    def of(_: Lag) -> Number:
        if ratio != 1:
            at.note(_PAIRS)
        return 1

    return weighed_by_lag(field, at.axes, ratio, of)


@lru_cache(maxsize=65536)
def _gate(layer: Activation, signal: Signal) -> tuple[float, bool, str | None]:
    """E σ'² of the samples, whether it depends on their scale, and why it is only approximate."""
    gate = layer.nonlinearity
    slope, of_half = (gate.slope_second_moment(signal.second / k).value for k in (1, 2))
    depends, law = slope != of_half, seen(signal)
    if signal.is_symmetric and not depends:
        return slope, depends, None
    if law is not None:
        weights = law.halved(lambda x: gate.slope(x, np) ** 2)
        return float(law.shares @ weights), True, None
    if signal.is_normal:
        return slope, depends, None
    return slope, depends, NOT_NORMAL if signal.sums is None else FEW


def _flipped(kernel: Kernel) -> Kernel:
    return Kernel(np.flip(kernel.taps))
