"""Linear layers in a row, for weights as given: multiplied out before they are squared.

Between two gates the signs of weights are known. A convolution that mixes channels and reads what
others have mixed, with norms, factors and sums at most between them, makes one convolution with
each of them, and what is squared are its weights. So the energy of a network with linear
bottlenecks goes from gate to gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import gcd, prod
from operator import add
from typing import Generic, NamedTuple, final

import numpy as np

from erf_theory.engines.field import F
from erf_theory.exact import FloatArray
from erf_theory.lattice import box, per_axis
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import Conv
from erf_theory.network.gating import Scale
from erf_theory.network.nodes import Network, Node, remembered
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.routing import Add
from erf_theory.propagation.channelwise import Setting, channelwise

__all__ = ["Stretch", "Stretches", "Unsquared", "product_of"]

_MOST = 2**31
"""Multiplications of a product: layers whose product takes more are squared apart."""
_MANY = 64
"""Rows of layers at one node: where more come together, as behind linear branches, all end."""
_FAR = 100
"""Powers of 2 up to this one, up or down, are left to the weights of a product."""


class Stretch(NamedTuple, Generic[F]):
    """Linear layers that are still to be squared.

    Attributes
    ----------
    place : int
        Place of the first of them, whose input it ends at.
    end : Field
        Energies behind that one.
    layer : Conv
        All that mix channels, as one.
    factors : ndarray
        What its input is multiplied by, channel by channel.
    """

    place: int
    end: F
    layer: Conv
    factors: FloatArray

    @classmethod
    def of(cls, place: int, end: F, layer: Conv) -> Stretch[F]:
        """A stretch of one layer, or of several that are one."""
        return cls(place, end, layer, np.ones(layer.in_channels))

    @classmethod
    def near_one(cls, place: int, end: F, layer: Conv) -> Stretch[F]:
        """The same with the size of very large and small weights in the energies."""
        weights = _weights(layer)
        power = int(np.frexp(np.max(np.abs(weights)))[1])
        if abs(power) > _FAR:
            layer = replace(layer, weights=Given(np.ldexp(weights, -power)))
            end = end.scale(2.0**power).scale(2.0**power)
        return cls.of(place, end, layer)

    @property
    def key(self) -> tuple[int, int]:
        """What is the same for what one layer hands on in several ways."""
        return self.place, id(self.layer)

    @property
    def whole(self) -> Conv:
        """The layer, the factors in its weights."""
        weights = _weights(self.layer)
        column = self.factors.reshape(-1, *(1,) * (weights.ndim - 2))
        return replace(self.layer, weights=Given(weights * column), bias=None)


@final
@dataclass(frozen=True)
class Unsquared(Generic[F]):
    """What is at a node: energies, and stretches of linear layers behind it.

    Attributes
    ----------
    field : Field, optional
        Energies; None for none.
    stretches : tuple of Stretch
        Layers that are not squared yet.
    """

    field: F | None
    stretches: tuple[Stretch[F], ...] = ()

    def joined(self, other: Unsquared[F]) -> Unsquared[F]:
        """Both; what one layer hands on in two ways adds up before it is squared."""
        found = {stretch.key: stretch for stretch in self.stretches}
        for stretch in other.stretches:
            known = found.get(stretch.key)
            factors = stretch.factors if known is None else known.factors + stretch.factors
            found[stretch.key] = stretch._replace(factors=factors)
        return Unsquared(_total(self.field, other.field), tuple(found.values()))

    def each(self, change: Callable[[F], F]) -> Unsquared[F]:
        """The same with its energies changed."""
        return self if self.field is None else replace(self, field=change(self.field))


@final
@dataclass(frozen=True)
class Stretches:
    """Energies on their way back through a network with weights as given.

    Attributes
    ----------
    network : Network
        The network.
    settings : sequence of Setting
        What the rules know, by node.
    edge : callable
        What the borders of an image leave of energies before a node.
    has_borders : bool
        Whether there are any.
    """

    network: Network
    settings: Sequence[Setting]
    edge: Callable[[F, Node], F]
    has_borders: bool

    def before(self, place: int, thing: Unsquared[F]) -> Unsquared[F]:
        """What is before a node, from what is behind it."""
        layer, at = self.network.nodes[place].layer, self.settings[place]
        if thing.stretches and is_diagonal(layer):
            factors = _linear_factors(layer, at)
            stretches = [s._replace(factors=s.factors * factors) for s in thing.stretches]
            scaled = thing.each(lambda field: self._back(place, field))
            return replace(scaled, stretches=tuple(stretches))
        if isinstance(layer, Conv) and mixes(layer) and at.kind == "energy":
            return self._mixed(place, layer, thing)
        return Unsquared(self._back(place, self.squared(thing)))

    def squared(self, thing: Unsquared[F]) -> F:
        """The energies of all that is at a node."""
        found = _total(thing.field, *map(self._squared, thing.stretches))
        assert found is not None  # noqa: S101
        return found

    def _mixed(self, place: int, layer: Conv, thing: Unsquared[F]) -> Unsquared[F]:
        """What is before a layer that mixes channels: products with all that come to it."""
        if len(thing.stretches) > _MANY:
            thing = Unsquared(self.squared(thing))
        field, found = thing.field, []
        for stretch in thing.stretches:
            whole = stretch.whole
            product = product_of(whole, layer, self.network.ndim, borders=self.has_borders)
            if product is None:
                field = _total(field, self._back(stretch.place, stretch.end, whole))
            else:
                found.append(Stretch.near_one(place, stretch.end, product))
        if mixed_before(self.network)[place]:
            own = () if field is None else (Stretch.of(place, field, layer),)
            return Unsquared(None, (*found, *own))
        parts = [self._back(place, stretch.end, stretch.layer) for stretch in found]
        return Unsquared(_total(None if field is None else self._back(place, field), *parts))

    def _squared(self, stretch: Stretch[F]) -> F:
        return self._back(stretch.place, stretch.end, stretch.whole)

    def _back(self, place: int, field: F, layer: Layer | None = None) -> F:
        """Energies before a node, or before a layer that stands for it."""
        node, at = self.network.nodes[place], self.settings[place]
        if isinstance(layer, Conv):
            at = replace(at, channels=layer.in_channels)
        return self.edge(channelwise(layer or node.layer, field, at), node)


@remembered
def mixed_before(network: Network) -> list[bool]:
    """Whether every node mixes what others have mixed, linear layers of one channel between."""
    mixed, found = [False] * (len(network.nodes) + 1), []
    for place, node in enumerate(network.nodes):
        before = any(mixed[i] for i in node.inputs)
        found.append(before and mixes(node.layer))
        mixed[place] = mixes(node.layer) or (before and is_diagonal(node.layer))
    return found


def mixes(layer: Layer) -> bool:
    """Whether every output of a layer adds up all channels, each with a weight that is given."""
    if not isinstance(layer, Conv) or layer.given_weights is None or layer.groups > 1:
        return False
    return max(layer.in_channels, layer.out_channels) > 1


def is_diagonal(layer: Layer) -> bool:
    """Whether a layer multiplies every channel by a number and leaves places alone."""
    if isinstance(layer, Norm):
        return layer.kind == "batch"
    if isinstance(layer, Dropout):
        return not layer.training
    if isinstance(layer, Activation):
        return layer.nonlinearity.name == "identity"
    return isinstance(layer, Add | Identity | Scale)


def _linear_factors(layer: Layer, at: Setting) -> FloatArray:
    """What such a layer multiplies its channels by, signs kept."""
    if isinstance(layer, Scale):
        return layer.factors(at.channels)
    if not isinstance(layer, Norm) or at.gates is None:
        return np.ones(1)
    sign = np.sign(layer.scale.array) if isinstance(layer.scale, Given) else 1.0
    return np.asarray(sign * np.sqrt(at.gates))


def product_of(last: Conv, first: Conv, ndim: int, *, borders: bool = False) -> Conv | None:
    """Two convolutions with given weights as one; None where that is too much, or not the same.

    Near a border it is not the same if the last one reads beyond it and the first one has several
    taps: what that finds from there on the image is not read.

    Parameters
    ----------
    last, first : Conv
        The layer at the output, and the one that it reads.
    ndim : int
        Spatial axes.
    borders : bool
        Whether there is an image with borders.

    Examples
    --------
    >>> one = Conv(1, 1, 2, weights=[[[1, 2]]])
    >>> other = Conv(1, 1, 2, stride=2, weights=[[[1, -1]]])
    >>> both = product_of(one, other, 1)
    >>> both.stride, both.given_weights.tolist()
    ((2,), [[[1.0, -1.0, 2.0, -2.0]]])
    """
    outer, inner = _weights(last), _weights(first)
    shapes = outer.shape[2:], inner.shape[2:]
    work = prod(outer.shape) * prod(inner.shape) // last.in_channels
    beyond = prod(shapes[0]) > 1 or any(map(any, last.pads(ndim)))
    if work > _MOST or (borders and beyond and prod(shapes[1]) > 1):
        return None
    strides, spread = per_axis(first.stride, ndim), per_axis(last.stride, ndim)
    far = [s * d for s, d in zip(strides, per_axis(last.dilation, ndim), strict=True)]
    near = per_axis(first.dilation, ndim)
    rows = [(a * (m > 1), b * (n > 1)) for a, b, m, n in zip(far, near, *shapes, strict=True)]
    grid = [gcd(a, b) or 1 for a, b in rows]
    steps = [(a // g, b // g) for (a, b), g in zip(rows, grid, strict=True)]
    size = tuple(a * (m - 1) + b * (n - 1) + 1 for (a, b), m, n in zip(steps, *shapes, strict=True))
    if prod(shapes[0]) == 1:
        weights = np.tensordot(outer.reshape(outer.shape[:2]), inner, 1)
    else:
        weights = np.zeros((last.out_channels, first.in_channels, *size))
        for tap in np.ndindex(shapes[0]):
            start = [i * a for i, (a, _) in zip(tap, steps, strict=True)]
            inside = box(start, shapes[1], [b or 1 for _, b in steps])
            weights[inside] += np.tensordot(outer[(..., *tap)], inner, 1)
    ends = zip(strides, last.pads(ndim), first.pads(ndim), strict=True)
    return Conv(
        first.in_channels,
        last.out_channels,
        size,
        stride=tuple(s * t for s, t in zip(strides, spread, strict=True)),
        padding=tuple((s * a + c, s * b + d) for s, (a, b), (c, d) in ends),
        dilation=tuple(grid),
        weights=Given(weights),
    )


def _weights(layer: Conv) -> FloatArray:
    weights = layer.given_weights
    assert weights is not None  # noqa: S101
    return weights


def _total(*fields: F | None) -> F | None:
    known = [field for field in fields if field is not None]
    return reduce(add, known) if known else None
