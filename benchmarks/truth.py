"""Answers that share no code with the package."""

from __future__ import annotations

from collections.abc import Iterator
from math import erf, sqrt
from typing import Any

import numpy as np
from flint import arb, ctx, fmpz_poly

from erf_theory.exact import FloatArray

__all__ = ["given_squares", "integers", "logarithms", "shares"]

_BITS = 128
"""Working precision: 2^-128 per step leaves more than 100 bits after a million steps."""


def integers(k: int, n: int) -> list[int]:
    """The coefficients of (1 + z + … + z^(k-1))ⁿ, multiplied out by FLINT."""
    return [int(c) for c in (fmpz_poly([1] * k) ** n).coeffs()]


def shares(n: int) -> FloatArray:
    """Trinomial coefficients over 3ⁿ: the map of n layers of three ones."""
    with ctx.workprec(_BITS):
        total = arb(3) ** n
        return _whole(n, [float(ball / total) for ball in _trinomials(n)])


def logarithms(n: int) -> FloatArray:
    """Logarithms of `shares`, where they are below the smallest double too."""
    with ctx.workprec(_BITS):
        total = arb(3).log() * n
        return _whole(n, [float(ball.log() - total) for ball in _trinomials(n)])


def given_squares(network: Any, side: int = 61) -> FloatArray:
    """Energy of a MobileNet with weights as given, mean over channels: gate by gate, in 2-D.

    Its layers are convolutions, batch norms, ReLU6 behind a norm, and sums. From the unit, and from
    what every gate reads, gradients go back to the gates before, signs kept, and are squared there.
    The unit is at the middle of a square, and the square is large enough.
    """
    nodes, middle = network.nodes, side // 2
    energies: dict[int, FloatArray] = {}
    energies[len(nodes) - 1] = np.zeros((network.out_channels, side, side))
    energies[len(nodes) - 1][:, middle, middle] = 1 / network.out_channels
    for place in reversed(range(len(nodes))):
        if place in energies:
            field = energies.pop(place)
            for gate, gradients, stride in _linear(network, place):
                found = _squared(field, gradients, stride)
                at = gate
                if gate >= 0:
                    at = nodes[gate].inputs[0]
                    shift, scale = (getattr(nodes[at].layer, n).array for n in ("shift", "scale"))
                    found = found * _open(shift, np.abs(scale))[:, None, None]
                energies[at] = energies.get(at, 0) + found
    return np.asarray(energies[-1].mean(axis=0))


def _linear(network: Any, place: int) -> Iterator[tuple[int, FloatArray, int]]:
    """Gradients of all channels of a node by what the gates before it hand on, and the strides.

    Of shape (channels, channels, places, places), the unit's own place in the middle.
    """
    nodes, count = network.nodes, network.channels[place]
    unit = np.zeros((count, count, _WIDE, _WIDE))
    unit[:, :, _WIDE // 2, _WIDE // 2] = np.eye(count)
    found: dict[int, tuple[FloatArray, int]] = {place: (unit, 1)}
    for at in reversed(range(place + 1)):
        layer = nodes[at].layer
        if at not in found or hasattr(layer, "nonlinearity"):
            continue
        gradients, stride = found.pop(at)
        if hasattr(layer, "groups") and hasattr(layer, "weights"):
            gradients, stride = _by_taps(layer, gradients), stride * layer.stride
        elif hasattr(layer, "scale"):
            factors = layer.scale.array / np.sqrt(layer.variance.array + layer.eps)
            gradients = gradients * factors[:, None, None]
        for source in nodes[at].inputs:
            found[source] = found[source][0] + gradients if source in found else gradients, stride
    for at, (gradients, stride) in found.items():
        yield at, gradients, stride


_WIDE = 5
"""Places around a unit that linear layers between two gates see at most."""


def _by_taps(layer: Any, field: FloatArray) -> FloatArray:
    """g[s·i + a - p] += w[a] g[i], by output, input channel of its group, and tap."""
    weights, middle = layer.weights.array, _WIDE // 2
    found = np.zeros((len(field), layer.in_channels, *field.shape[2:]))
    places = [tuple(at) for at in np.argwhere(field.any(axis=(0, 1)))]
    per = layer.out_channels // layer.groups
    for group in range(layer.groups):
        outs = slice(group * per, (group + 1) * per)
        ins = slice(group * weights.shape[1], (group + 1) * weights.shape[1])
        for tap in np.ndindex(weights.shape[2:]):
            for at in places:
                pairs = zip(at, tap, strict=True)
                to = [layer.stride * (i - middle) + a - layer.padding + middle for i, a in pairs]
                part = field[(slice(None), outs, *at)] @ weights[(outs, slice(None), *tap)]
                found[(slice(None), ins, *to)] += part
    return found


def _squared(field: FloatArray, gradients: FloatArray, stride: int) -> FloatArray:
    """Energies behind gates, or at the input, from those that the gradients start from."""
    found = np.zeros((gradients.shape[1], *field.shape[1:]))
    middle, near = len(field[0]) // 2, _WIDE // 2
    squares = gradients**2
    for at in np.argwhere(field.any(axis=0)):
        for to in np.argwhere(squares.any(axis=(0, 1))):
            y, x = stride * (at - middle) + to - near + middle
            found[:, y, x] += field[:, *at] @ squares[:, :, *to]
    return found


def _open(mean: FloatArray, std: FloatArray) -> FloatArray:
    """The probability of a normal number to lie between 0 and 6."""
    below = [
        [erf((end - m) / (s * sqrt(2))) / 2 for end in (0, 6)]
        for m, s in zip(mean, std, strict=True)
    ]
    return np.array([high - low for low, high in below])


def _trinomials(n: int) -> Iterator[Any]:
    """The coefficients T(0) … T(n) of P = (1 + z + z²)ⁿ, as balls with a proven error.

    (1 + z + z²) P' = n (1 + 2z) P, compared at z^t:
    (t+1) T(t+1) = (n-t) T(t) + (2n-t+1) T(t-1). Nothing is subtracted.
    """
    before, ball = arb(0), arb(1)
    for t in range(n + 1):
        assert ball.rel_accuracy_bits() > 90
        yield ball
        before, ball = ball, (ball * (n - t) + before * (2 * n - t + 1)) / (t + 1)


def _whole(n: int, half: list[float]) -> FloatArray:
    """Both halves of a row that is its own mirror image."""
    return np.array(half + half[:n][::-1])
