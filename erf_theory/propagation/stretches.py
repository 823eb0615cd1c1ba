"""Linear layers in a row, for weights as given: multiplied out before they are squared.

Between two gates the signs of weights are known. A convolution that mixes channels and reads what
others have mixed, with norms, factors and sums at most between them, makes one convolution with
each of them, and what is squared are its weights. So the energy of a network with linear
bottlenecks goes from gate to gate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from math import frexp, isfinite, ldexp
from operator import add
from typing import Generic, NamedTuple, final

import numpy as np

from erf_theory.engines.field import F
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.kernel import Kernel
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import Conv
from erf_theory.network.gating import Scale
from erf_theory.network.nodes import Network, Node, remembered
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm
from erf_theory.network.routing import Add
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.channelwise import Setting, channelwise, windowed
from erf_theory.propagation.products import product_of, sum_of, weights_of

__all__ = ["Stretch", "Stretches", "Unsquared", "mixed_before", "nothing"]

_KEPT, _KEPT_ALONE = 2**23, 2**21
"""Squares that a network keeps, of products and of single layers: 64 and 16 MB."""
_MOST_POWER = 1000
"""Powers of 2 up to this one are doubles, and so are their squares in two steps."""
_FAR = 100
"""Powers of 2 about up to this one, up or down, are left to the weights of a product."""


_Key = tuple[int, int, bool]
"""Places of the last layer and of the first, the same for one alone, and if there are borders."""


class _Squares(NamedTuple):
    """Layers as one, squared: their geometry, and a kernel over 4**power."""

    layer: Conv
    kernel: Kernel
    power: int

    @classmethod
    def of(cls, layer: Conv, ndim: int, *, is_fresh: bool) -> _Squares:
        """A layer without its weights; those of a fresh one become their squares in place."""
        weights = weights_of(layer)
        largest = _largest(weights)
        if power := _power(largest):
            squares = np.square(np.ldexp(weights, -power))
            if np.count_nonzero(squares) < np.count_nonzero(weights):
                raise EngineError("the squares of a layer's weights are too far apart for doubles")
        else:
            squares = np.square(weights, out=weights if is_fresh else None)
        kernel = Kernel.of(squares, (0,) * ndim, ldexp(largest, -power) ** 2)
        return cls(replace(layer, weights=None, bias=None), kernel, power)

    def back(self, end: F, axes: Axes) -> F:
        """Energies before the layers."""
        return windowed(self.layer, _times_square(end, self.power), self.kernel, axes)


_Known = dict[tuple[_Key, Axes | None], _Squares | None]
"""Squares by their layers and by the field's axes; None for all axes of the network."""


class Stretch(NamedTuple, Generic[F]):
    """Linear layers that are still to be squared.

    Attributes
    ----------
    start, place : int
        Places of the last of them, and of the first, which is as far as it got.
    end : Field
        Energies behind the last one.
    layer : Conv
        All that mix channels, as one.
    factors : ndarray
        What its input is multiplied by, channel by channel.
    power : int
        The power of 2 that it leaves out, so that products are far from both ends of doubles.
    """

    start: int
    place: int
    end: F
    layer: Conv
    factors: FloatArray
    power: int = 0

    @classmethod
    def of(cls, place: int, end: F, layer: Conv) -> Stretch[F]:
        """A stretch of one layer."""
        return cls(place, place, end, layer, np.ones(layer.in_channels))

    def onwards(self, place: int, layer: Conv) -> Stretch[F]:
        """The same with one more layer in it: a product with ``whole``."""
        power = _power(_largest(weights_of(layer)))
        ones = np.ones(layer.in_channels)
        return Stretch(self.start, place, self.end, _times(layer, -power), ones, self.power + power)

    def plus(self, other: Stretch[F]) -> Stretch[F]:
        """What one layer hands on in two ways."""
        if self.layer is other.layer:
            return self._replace(factors=self.factors + other.factors)
        power = max(self.power, other.power)
        parts = (_times(stretch.whole, stretch.power - power) for stretch in (self, other))
        both = sum_of(*parts)
        return self._replace(layer=both, factors=np.ones(both.in_channels), power=power)

    @property
    def energies(self) -> F:
        """Energies behind the last one, times the square of the power."""
        return _times_square(self.end, self.power)

    @property
    def whole(self) -> Conv:
        """The layer, the factors in its weights; but for the power. Itself where all are 1."""
        if (self.factors == 1).all():
            return self.layer
        weights = weights_of(self.layer)
        column = self.factors.reshape(-1, *(1,) * (weights.ndim - 2))
        return replace(self.layer, weights=Given(weights * column), bias=None)


@final
class Unsquared(NamedTuple, Generic[F]):
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
        found = {stretch.start: stretch for stretch in self.stretches}
        for stretch in other.stretches:
            known = found.get(stretch.start)
            found[stretch.start] = stretch if known is None else known.plus(stretch)
        return Unsquared(_total(self.field, other.field), tuple(found.values()))

    def each(self, change: Callable[[F], F]) -> Unsquared[F]:
        """The same with its energies changed."""
        return self if self.field is None else self._replace(field=change(self.field))


@final
class Stretches(NamedTuple):
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
        if thing.stretches and _is_diagonal(layer):
            factors = _linear_factors(layer, at)
            stretches = [s._replace(factors=s.factors * factors) for s in thing.stretches]
            scaled = thing.each(lambda field: self._back(place, field))
            return scaled._replace(stretches=tuple(stretches))
        if isinstance(layer, Conv) and _mixes(layer) and at.kind == "energy":
            return self._mixed(place, layer, thing)
        return Unsquared(self._back(place, self.squared(thing)))

    def squared(self, thing: Unsquared[F]) -> F:
        """The energies of all that is at a node."""
        found = _total(thing.field, *map(self._squared, thing.stretches))
        assert found is not None  # noqa: S101
        return found

    def _mixed(self, place: int, layer: Conv, thing: Unsquared[F]) -> Unsquared[F]:
        """What is before a layer that mixes channels: products with all that come to it."""
        ends = not mixed_before(self.network)[place]
        field, found = thing.field, []
        parts: list[F | None] = []
        for stretch in thing.stretches:
            if ends and (squares := self._squares(stretch, place, layer)) is not None:
                back = squares.back(stretch.energies, self.settings[place].axes)
                parts.append(self.edge(back, self.network.nodes[place]))
            elif not ends and (product := self._product(stretch, layer)) is not None:
                found.append(stretch.onwards(place, product))
            else:
                field = _total(field, self._squared(stretch))
        if ends:
            parts.append(None if field is None else self._back(place, field))
        elif field is not None:
            found.append(Stretch.of(place, field, layer))
        return Unsquared(_total(*parts), tuple(found))

    def _product(self, stretch: Stretch[F], layer: Conv) -> Conv | None:
        """A stretch and a layer before it as one."""
        return product_of(stretch.whole, layer, self.network.ndim, borders=self.has_borders)

    def _squares(self, stretch: Stretch[F], place: int, layer: Conv) -> _Squares | None:
        """Those of a stretch and a layer before it; None where both are no one layer."""

        def made() -> _Squares | None:
            product = self._product(stretch, layer)
            return product and _Squares.of(product, self.network.ndim, is_fresh=True)

        return self._kept((stretch.start, place, self.has_borders), made)

    def _kept(self, key: _Key, made: Callable[[], _Squares | None]) -> _Squares | None:
        """Squares on the field's axes: the same at every walk, and kept where there is room."""
        known, axes = _known_squares(self.network), self.settings[key[1]].axes
        if (key, axes) in known:
            return known[key, axes]
        whole = known[key, None] if (key, None) in known else made()
        squares = whole and whole._replace(kernel=axes.kernel(whole.kernel))
        if (key, None) in known or _have_room(known, key, whole):
            known[key, None], known[key, axes] = whole, squares
        return squares

    def _squared(self, stretch: Stretch[F]) -> F:
        return self._back(stretch.place, stretch.energies, stretch.whole)

    def _back(self, place: int, field: F, layer: Layer | None = None) -> F:
        """Energies before a node, or before a layer that stands for it."""
        node, at = self.network.nodes[place], self.settings[place]
        own = node.layer
        if isinstance(layer, Conv):
            at = at._replace(channels=layer.in_channels)
        elif isinstance(own, Conv) and _mixes(own) and at.kind == "energy" and not at.single:
            made = partial(_Squares.of, own, self.network.ndim, is_fresh=False)
            squares = self._kept((place, place, self.has_borders), made)
            assert squares is not None  # noqa: S101
            return self.edge(squares.back(field, at.axes), node)
        return self.edge(channelwise(layer or own, field, at), node)


def nothing(thing: Unsquared[F], ndim: int) -> F:
    """A field of zeros at a node that stretches alone lead to, on so many axes.

    A kernel of zeros gives it its channels; the factor of 0 says that nobody has to read it.
    """
    stretch = thing.stretches[0]
    zeros = Kernel.of(np.zeros((1, stretch.layer.in_channels, *(1,) * ndim)), (0,) * ndim)
    return stretch.end.take(0, 1).convolve(zeros).scale(0)


@remembered
def _known_squares(network: Network) -> _Known:
    """Squares that a network keeps."""
    return {}


def _have_room(known: _Known, key: _Key, squares: _Squares | None) -> bool:
    """Whether more squares are kept beside those of their kind: of products, or of one layer."""
    is_product = key[0] != key[1]
    kept = [
        one
        for ((start, place, _), axes), one in known.items()
        if axes is None and (start != place) == is_product
    ]
    numbers = sum(one.kernel.taps.size for one in (*kept, squares) if one)
    return numbers <= (_KEPT if is_product else _KEPT_ALONE)


@remembered
def mixed_before(network: Network) -> list[bool]:
    """Whether every node mixes what others have mixed.

    Between are only layers that multiply every channel by a number.
    """
    mixed, found = [False] * (len(network.nodes) + 1), []
    for place, node in enumerate(network.nodes):
        before = any(mixed[i] for i in node.inputs)
        found.append(before and _mixes(node.layer))
        mixed[place] = _mixes(node.layer) or (before and _is_diagonal(node.layer))
    return found


def _mixes(layer: Layer) -> bool:
    """Whether every output of a layer adds up all channels, each with a weight that is given."""
    if not isinstance(layer, Conv) or layer.given_weights is None or layer.groups > 1:
        return False
    return max(layer.in_channels, layer.out_channels) > 1


def _is_diagonal(layer: Layer) -> bool:
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


def _largest(weights: FloatArray) -> float:
    """The largest magnitude."""
    return float(max(weights.max(), -weights.min()))


def _power(largest: float) -> int:
    """The power of 2 above the largest of some weights; 0 where that is not far from 1.

    Raises
    ------
    ErfTheoryError
        If no double holds it.
    """
    if not isfinite(largest):
        raise ErfTheoryError("products of weights are above the largest double: scale them down")
    power = frexp(largest)[1]
    return min(power, _MOST_POWER) if abs(power) > _FAR else 0


def _times(layer: Conv, power: int) -> Conv:
    """A layer with its weights times 2**power."""
    if not power:
        return layer
    return replace(layer, weights=Given(np.ldexp(weights_of(layer), power)))


def _times_square(end: F, power: int) -> F:
    """Energies times 4**power."""
    while power:
        part = max(-_MOST_POWER, min(power, _MOST_POWER))
        end, power = end.scale(2.0**part).scale(2.0**part), power - part
    return end


def _total(*fields: F | None) -> F | None:
    known = [field for field in fields if field is not None]
    return reduce(add, known) if known else None
