"""Weights as given: fields with one line for every channel, kernels that are matrices.

Energy takes the signs of different paths as independent, so a kernel is the matrix of squared
weights; amplitude keeps the signs, in linear networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce, singledispatch
from math import isfinite, prod
from typing import Any, Literal, NamedTuple, final

import numpy as np

from erf_theory.engines.field import F
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.kernel import Kernel
from erf_theory.lattice import per_axis
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import Conv, ConvTranspose, Weighted
from erf_theory.network.gating import Gate, Scale
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.interpolation import interpolation

__all__ = ["Setting", "channelwise", "kernel_of", "scaled", "windowed"]


@final
class Setting(NamedTuple):
    """What a rule knows beside its layer and the field.

    Attributes
    ----------
    name : str
        The node's.
    axes : Axes
        Which axes the field has.
    channels : int
        Channels of the layer's input.
    kind : {"amplitude", "energy", "mean"}
        What the field is: a mean is the gradient averaged over all gates, its signs kept.
    gates : ndarray, optional
        E σ'² of an activation, or the factor of a norm, for every channel; E σ' for a mean.
    single : bool
        Whether every node has one channel, and the field no axis for it.
    """

    name: str
    axes: Axes
    channels: int
    kind: Literal["amplitude", "energy", "mean"]
    gates: FloatArray | None = None
    single: bool = False

    @property
    def power(self) -> int:
        """What a fixed weight is raised to."""
        return 2 if self.kind == "energy" else 1

    def refusal(self, reason: str) -> ErfTheoryError:
        """The error that names the node."""
        return ErfTheoryError(f"node {self.name}: {reason}")


def kernel_of(layer: Weighted, at: Setting) -> Kernel:
    """The matrix of a layer's weights, from its output's channels to its input's.

    Weights are those that are given, to the field's power, or for energies their variances.
    """
    matrix = _matrix(layer, at)
    return matrix[(0,) * len(matrix.channels)] if at.single else matrix


def scaled(field: F, factors: FloatArray, at: Setting) -> F:
    """The field with every channel times its factor."""
    if at.single:
        return field.scale(float(np.ravel(factors)[0]))
    return field.scale(np.broadcast_to(factors, (at.channels,)).copy())


def _matrix(layer: Weighted, at: Setting) -> Kernel:
    shape, largest = layer.weight_shape(at.axes.ndim), None
    if layer.given_weights is not None:
        weights: Any = layer.given_weights
        if at.kind == "energy":
            weights, largest = _squared(weights)
    elif at.kind == "energy":
        taps = layer.variances(at.axes.ndim).taps.astype(np.float64)
        weights = np.broadcast_to(taps, shape)
    else:
        raise at.refusal("an amplitude needs weights: give them, or ask for the energy")
    origin = (0,) * at.axes.ndim
    if isinstance(layer, ConvTranspose):
        weights = np.flip(weights, tuple(range(2, weights.ndim)))
    if layer.groups == layer.in_channels == layer.out_channels > 1:
        return Kernel.of(weights[:, 0], origin, largest)
    blocks = weights.reshape(layer.groups, shape[0] // layer.groups, *shape[1:])
    if isinstance(layer, ConvTranspose):
        blocks = blocks.swapaxes(1, 2)
    if layer.groups == 1:
        return Kernel.of(blocks[0], origin, largest)
    matrix = np.zeros((layer.out_channels, layer.in_channels, *shape[2:]))
    a, b = blocks[0].shape[:2]
    for group, block in enumerate(blocks):
        matrix[group * a : (group + 1) * a, group * b : (group + 1) * b] = block
    return Kernel.of(matrix, origin, largest)


def _squared(weights: FloatArray) -> tuple[FloatArray, float]:
    """Squares of weights, and the largest one."""
    with np.errstate(over="ignore"):
        squares = weights * weights
    largest = float(squares.max())
    if not isfinite(largest):
        raise ErfTheoryError("squares of weights are above the largest double: scale them down")
    return squares, largest


@singledispatch
def channelwise(layer: Layer, field: F, at: Setting) -> F:
    """The field by a layer's input from that by its output."""
    raise at.refusal(f"no rule is known for a layer of type {type(layer).__name__}")


@channelwise.register(Add)
@channelwise.register(Concat)
@channelwise.register(Identity)
def _(layer: Layer, field: F, at: Setting) -> F:
    return field


@channelwise.register
def _(layer: Conv, field: F, at: Setting) -> F:
    return windowed(layer, field, at.axes.kernel(kernel_of(layer, at)), at.axes)


@channelwise.register
def _(layer: ConvTranspose, field: F, at: Setting) -> F:
    ndim = at.axes.ndim
    stride, dilation = per_axis(layer.stride, ndim), per_axis(layer.dilation, ndim)
    kernel = at.axes.kernel(kernel_of(layer, at), stride, dilation)
    rows = zip(per_axis(layer.size, ndim), dilation, layer.pads(ndim), strict=True)
    shifts = [before - d * (k - 1) for k, d, (before, _) in rows]
    found = field.convolve(kernel, at.axes.steps(layer.dilation))
    return at.axes.moved(found, shifts).decimate(at.axes.steps(layer.stride))


@channelwise.register(AvgPool)
@channelwise.register(MaxPool)
def _(layer: AvgPool | MaxPool, field: F, at: Setting) -> F:
    size = per_axis(layer.size, at.axes.ndim)
    power = at.power if isinstance(layer, AvgPool) else 1
    if isinstance(layer, MaxPool) and at.kind == "amplitude":
        raise at.refusal("a max pool is not linear: ask for the energy")
    kernel = Kernel(np.full(size, prod(size) ** -float(power)))
    return windowed(layer, field, at.axes.kernel(kernel), at.axes)


def windowed(layer: Conv | AvgPool | MaxPool, field: F, kernel: Kernel, axes: Axes) -> F:
    """The field before a layer that reads windows, with a kernel on the field's axes."""
    found = field.expand(axes.steps(layer.stride)).convolve(kernel, axes.steps(layer.dilation))
    return axes.moved(found, [-before for before, _ in layer.pads(axes.ndim)])


@channelwise.register
def _(layer: Upsample, field: F, at: Setting) -> F:
    scale = per_axis(layer.scale, at.axes.ndim)
    lines = [interpolation(s, layer.mode) for s in scale]
    powers = [np.array(weights, dtype=np.float64) ** at.power for weights, _ in lines]
    kernel = at.axes.kernel(Kernel(reduce(np.multiply.outer, powers)), scale)
    shifted = at.axes.moved(field.convolve(kernel), [-last for _, last in lines])
    return shifted.decimate(at.axes.steps(layer.scale))


@channelwise.register
def _(layer: Activation, field: F, at: Setting) -> F:
    if at.kind != "amplitude":
        return field if at.gates is None else scaled(field, at.gates, at)
    if layer.nonlinearity.name != "identity":
        raise at.refusal("an amplitude needs a linear network: ask for the energy")
    return field


@channelwise.register
def _(layer: PReLU, field: F, at: Setting) -> F:
    if at.gates is None:
        raise at.refusal("an amplitude needs a linear network: ask for the energy")
    return scaled(field, at.gates, at)


@channelwise.register(Gate)
@channelwise.register(Scale)
def _(layer: Gate | Scale, field: F, at: Setting) -> F:
    return scaled(field, layer.factors(at.channels) ** at.power, at)


@channelwise.register
def _(layer: Norm, field: F, at: Setting) -> F:
    if at.kind != "energy":
        if layer.kind != "batch" or not isinstance(layer.variance, Given):
            raise at.refusal("an amplitude needs a batch norm with given statistics")
        scale = 1.0 if not isinstance(layer.scale, Given) else layer.scale.array
        return scaled(field, np.asarray(scale / np.sqrt(layer.variance.array + layer.eps)), at)
    return field if at.gates is None else scaled(field, at.gates, at)


@channelwise.register
def _(layer: Dropout, field: F, at: Setting) -> F:
    if not layer.training or at.kind != "energy":
        return field
    return field.scale(1 / (1 - layer.rate))


@channelwise.register
def _(layer: Pad, field: F, at: Setting) -> F:
    return at.axes.moved(field, [-before for before, _ in layer.per_axis(at.axes.ndim)])


@channelwise.register
def _(layer: Crop, field: F, at: Setting) -> F:
    return at.axes.moved(field, [before for before, _ in layer.per_axis(at.axes.ndim)])


@channelwise.register
def _(layer: Split, field: F, at: Setting) -> F:
    return _routed(field, range(layer.start, layer.stop), at)


@channelwise.register
def _(layer: ChannelShuffle, field: F, at: Setting) -> F:
    size = at.channels // layer.groups
    order = [place % layer.groups * size + place // layer.groups for place in range(at.channels)]
    return _routed(field, order, at)


def _routed(field: F, sources: Sequence[int], at: Setting) -> F:
    """The channels of a field brought to those that they were read from."""
    if at.single:
        return field
    matrix = np.zeros((len(sources), at.channels))
    matrix[np.arange(len(sources)), list(sources)] = 1.0
    axes = len(at.axes.kept)
    return field.convolve(Kernel(matrix.reshape(*matrix.shape, *(1,) * axes), (0,) * axes))
