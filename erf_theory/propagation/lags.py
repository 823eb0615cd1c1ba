"""Samples that fixed windows make alike: what becomes of lags, place by place."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import prod

from erf_theory.activations import Nonlinearity
from erf_theory.propagation.signal import IDENTITY, Signal

__all__ = ["averaged", "divided", "divides", "interpolated", "slope_of_pair"]


def averaged(
    signal: Signal, size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Signal:
    """The mean of a window: lags add up."""
    counts = [_differences(k, d) for k, d in zip(size, dilation, strict=True)]
    near = {tuple(0 for _ in size): signal.second, **dict(signal.lags)}
    found: dict[tuple[int, ...], float] = {}
    for lag, value in near.items():
        for shift in product(*counts):
            moved = tuple(h + m for h, (m, _) in zip(lag, shift, strict=True))
            if divides(moved, stride):
                share = prod(count for _, count in shift)
                at = divided(moved, stride)
                found[at] = found.get(at, 0.0) + share * (value - signal.shared)
    zero = tuple(0 for _ in size)
    second = signal.shared + found.pop(zero, 0.0)
    return replace(
        signal,
        second=second,
        gate=IDENTITY,
        before=(second, signal.shared) if signal.is_normal else None,
        law=None,
        sums=None,
        lags=tuple((h, signal.shared + r) for h, r in found.items()),
    )


def _differences(size: int, dilation: int) -> list[tuple[int, float]]:
    """Differences of two places of a window, and their shares."""
    return [(dilation * m, (size - abs(m)) / size**2) for m in range(1 - size, size)]


def interpolated(scale: int) -> float:
    """Mean over the phases of the sum of squared weights of linear interpolation."""
    parts = [((2 * unit + 1 - scale) / (2 * scale)) % 1 for unit in range(scale)]
    return sum(part**2 + (1 - part) ** 2 for part in parts) / scale


def slope_of_pair(gate: Nonlinearity, signal: Signal, lag: tuple[int, ...]) -> float:
    """E σ'σ' of two places at a distance, as of normal samples."""
    both = dict(signal.lags).get(lag, signal.shared) / signal.second
    return gate.slope_product(signal.second, min(max(both, -1.0), 1.0)).value


def divides(lag: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether a lag is one of whole strides on every axis."""
    return all(h % s == 0 for h, s in zip(lag, strides, strict=True))


def divided(lag: tuple[int, ...], strides: tuple[int, ...]) -> tuple[int, ...]:
    """The lag in strides."""
    return tuple(h // s for h, s in zip(lag, strides, strict=True))
