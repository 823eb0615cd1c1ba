"""The energy E g² on its way back: one rule per layer, field in, field out.

Weights are random, independent and of mean 0, so the weights of [Luo16]'s backward formula become
their variances, and an activation becomes E σ'².
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import singledispatch

from erf_theory.engines.field import F
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.layers import Activation, Conv, Layer
from erf_theory.propagation.signal import Signal

__all__ = ["Context", "energy"]


@dataclass(frozen=True)
class Context:
    """What a rule knows beside its layer and the field.

    Attributes
    ----------
    ndim : int
        Spatial axes of the network.
    axes : tuple of int
        Those that the field has.
    reduced : callable
        A kernel of the network's axes, on the field's.
    scaled : bool
        Whether the field carries the factors that belong to no axis.
    signal : Signal
        The forward signal before the layer.
    """

    ndim: int
    axes: tuple[int, ...]
    reduced: Callable[[Kernel], Kernel]
    scaled: bool
    signal: Signal

    def steps(self, value: Steps) -> tuple[int, ...]:
        """One integer for each of the field's axes."""
        every = per_axis(value, self.ndim)
        return tuple(every[axis] for axis in self.axes)


@singledispatch
def energy(layer: Layer, field: F, at: Context) -> F:
    """The energy by a layer's input from that by its output, both per channel."""
    raise ErfTheoryError(f"no energy is known for a layer of type {type(layer).__name__}")


@energy.register
def _(layer: Conv, field: F, at: Context) -> F:
    kernel = at.reduced(layer.variances(at.ndim))
    field = field.expand(at.steps(layer.stride)).convolve(kernel, at.steps(layer.dilation))
    shift = tuple(-p for p in at.steps(layer.padding))
    if any(shift):
        field = field.convolve(_moved(shift))
    return _times(field, layer.out_channels // layer.groups, at)


@energy.register
def _(layer: Activation, field: F, at: Context) -> F:
    return _times(field, layer.nonlinearity.slope_second_moment(at.signal.second_moment).value, at)


def _times(field: F, factor: Number, at: Context) -> F:
    if not at.scaled or factor == 1:
        return field
    exact = int(factor) if isinstance(factor, float) and factor.is_integer() else factor
    return field.scale(number(exact))


def _moved(shift: tuple[int, ...]) -> Kernel:
    """The unit impulse at a place."""
    return Kernel(Kernel.delta(len(shift)).taps, shift)
