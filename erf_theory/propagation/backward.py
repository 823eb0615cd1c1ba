"""The one loop: a field from the output unit back to the input, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from erf_theory.engines.field import F, Program
from erf_theory.kernel import Kernel
from erf_theory.network.graph import Chain
from erf_theory.propagation.energy import Context, energy
from erf_theory.propagation.signal import signals

__all__ = ["full", "is_separable", "marginal", "separated"]


def full(network: Chain) -> Program:
    """The energy on all axes."""
    return _program(network, tuple(range(network.ndim)), lambda kernel: kernel)


def marginal(network: Chain, axis: int) -> Program:
    """The energy summed over all axes but one: a field on one axis with summed kernels."""
    return _program(network, (axis,), lambda kernel: kernel.marginal(axis))


def separated(network: Chain) -> tuple[Program, ...]:
    """One program per axis; the energy is their outer product, if `is_separable`."""
    return tuple(
        _program(network, (axis,), _factor(axis), scaled=axis == 0) for axis in range(network.ndim)
    )


def is_separable(network: Chain) -> bool:
    """Whether the energy is an outer product of maps on one axis each."""
    kernels = (layer.variances(network.ndim) for layer in network.convolutions)
    return all(kernel.is_separable for kernel in set(kernels))


def _factor(axis: int) -> Callable[[Kernel], Kernel]:
    def factor(kernel: Kernel) -> Kernel:
        factors = kernel.factors()
        if factors is None:
            raise ValueError(kernel)
        return factors[axis]

    return factor


def _program(
    network: Chain,
    axes: tuple[int, ...],
    reduced: Callable[[Kernel], Kernel],
    *,
    scaled: bool = True,
) -> Program:
    """From one output unit, which holds the energy of its channel alone, to the input."""
    share = Fraction(1, network.out_channels)
    before = signals(network)

    def backward(field: F, /) -> F:
        if scaled and share != 1:
            field = field.scale(share)
        for layer, signal in zip(reversed(network.layers), reversed(before), strict=True):
            at = Context(network.ndim, axes, reduced, scaled, signal)
            field = energy(layer, field, at)
        return field

    return backward
