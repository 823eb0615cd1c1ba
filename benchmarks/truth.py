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
    """Energy of a MobileNet with weights as given, mean over channels: tap by tap, in 2-D.

    Its layers are convolutions, batch norms, ReLU6 behind a norm, and sums. The unit is at the
    middle of a square, and the square is large enough.
    """
    nodes, middle = network.nodes, side // 2
    fields: dict[int, FloatArray] = {}
    fields[len(nodes) - 1] = np.zeros((network.out_channels, side, side))
    fields[len(nodes) - 1][:, middle, middle] = 1 / network.out_channels
    for place in reversed(range(len(nodes))):
        layer, field = nodes[place].layer, fields.pop(place)
        if hasattr(layer, "groups") and hasattr(layer, "weights"):
            field = _by_taps(layer, field, middle)
        elif hasattr(layer, "scale"):
            field = field * _column(layer.scale.array**2 / (layer.variance.array + layer.eps))
        elif hasattr(layer, "nonlinearity"):
            norm = nodes[nodes[place].inputs[0]].layer
            field = field * _column(_open(norm.shift.array, np.abs(norm.scale.array)))
        for source in nodes[place].inputs:
            fields[source] = fields.get(source, 0) + field
    return np.asarray(fields[-1].mean(axis=0))


def _by_taps(layer: Any, field: FloatArray, middle: int) -> FloatArray:
    """g[s·i + a - p] += w[a]² g[i], by output, input channel of its group, and tap."""
    squares = layer.weights.array**2
    found = np.zeros((layer.in_channels, *field.shape[1:]))
    places = [tuple(at) for at in np.argwhere(field.any(axis=0))]
    per = layer.out_channels // layer.groups
    for group in range(layer.groups):
        outs = slice(group * per, (group + 1) * per)
        ins = slice(group * squares.shape[1], (group + 1) * squares.shape[1])
        for tap in np.ndindex(squares.shape[2:]):
            for at in places:
                pairs = zip(at, tap, strict=True)
                to = [layer.stride * (i - middle) + a - layer.padding + middle for i, a in pairs]
                found[(ins, *to)] += field[(outs, *at)] @ squares[(outs, slice(None), *tap)]
    return found


def _open(mean: FloatArray, std: FloatArray) -> FloatArray:
    """The probability of a normal number to lie between 0 and 6."""
    below = [
        [erf((end - m) / (s * sqrt(2))) / 2 for end in (0, 6)]
        for m, s in zip(mean, std, strict=True)
    ]
    return np.array([high - low for low, high in below])


def _column(numbers: FloatArray) -> FloatArray:
    return numbers[:, None, None]


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
