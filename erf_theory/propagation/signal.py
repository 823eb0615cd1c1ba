"""The forward signal: what the slopes of activations are averaged over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.network.graph import Chain
from erf_theory.network.layers import Activation, Conv, Layer

__all__ = ["Signal", "after", "signals"]


@dataclass(frozen=True)
class Signal:
    """What is known of a node's samples, over random weights and an input of white noise.

    Attributes
    ----------
    second_moment : float
        E x² of every sample, kept among the normal doubles: slopes have long reached their limits
        there, and at 0 they would be those of one point.
    """

    second_moment: float

    def __post_init__(self) -> None:
        limits = np.finfo(np.float64)
        kept = min(max(self.second_moment, float(limits.tiny)), float(limits.max))
        object.__setattr__(self, "second_moment", kept)


@singledispatch
def after(layer: Layer, signal: Signal, ndim: int) -> Signal:
    """The signal behind a layer.

    Examples
    --------
    >>> after(Conv(8, 8, 3), Signal(1.0), 2)
    Signal(second_moment=2.0)
    """
    raise ErfTheoryError(f"no signal is known behind a layer of type {type(layer).__name__}")


@after.register
def _(layer: Conv, signal: Signal, ndim: int) -> Signal:
    gain = layer.in_channels // layer.groups * layer.variances(ndim).mass
    return Signal(float(gain * signal.second_moment))


@after.register
def _(layer: Activation, signal: Signal, _ndim: int) -> Signal:
    return Signal(layer.nonlinearity.second_moment(signal.second_moment).value)


def signals(network: Chain) -> tuple[Signal, ...]:
    """The signal before every layer of a network whose input is standard normal noise."""
    found = [Signal(1.0)]
    for layer in network.layers[:-1]:
        found.append(after(layer, found[-1], network.ndim))
    return tuple(found)
