"""What norms do to the signal, and by how much they divide."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import lru_cache

import numpy as np

from erf_theory.network.base import Given
from erf_theory.network.pointwise import Norm
from erf_theory.propagation.fewsums import FewSum, channel_laws
from erf_theory.propagation.laws import law_of, mixed
from erf_theory.propagation.notes import GUESSED
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import IDENTITY, Signal, normal
from erf_theory.propagation.tabled import Tabled, tabled_normal

__all__ = ["divides_by_variance", "divisors", "norm_factors", "normalised", "on_line"]

_NORMS = {
    "group": "a group norm is known to first order in one over the channels of a group",
    "place": "a norm over the channels of one place is taken as that over many samples: behind "
    "convolutions that read 24 and 192 samples the mass is low by 7 and 2 %",
}
_LARGER, _SMALLEST = 1e6, 1e-300
_Line = tuple[float, float]
"""Factor and what is added after it."""


def normalised(layer: Norm, before: Pieces[Signal], channels: int) -> Pieces[Signal]:
    """The signal behind a norm of so many channels."""
    found = _standardised(layer, before, channels)
    lines = _numbers(layer, channels)
    return found if lines is None else found.met(lines, on_line)


def norm_factors(layer: Norm, before: Pieces[Signal], channels: int) -> Pieces[float]:
    """What a norm multiplies the energy of every channel by."""
    found = _divided(layer, before, channels)
    lines = _numbers(layer, channels)
    if lines is None:
        return found
    return found.met(lines, lambda factor, line: factor * line[0] ** 2)


@lru_cache(maxsize=65536)
def divisors(layer: Norm, before: Pieces[Signal], channels: int) -> tuple[Pieces[float], list[str]]:
    """What a norm multiplies by, channels that it stops left out, and why it is approximate."""
    factors = norm_factors(layer, before, channels)
    if layer.scale is not None:
        factors = Pieces(tuple(part for part in factors.parts if part[2]))
    reasons = [_NORMS[layer.kind]] if layer.kind in _NORMS else []
    if divides_by_variance(layer) and any(s.is_guessed for _, _, s in before.parts):
        reasons.append(GUESSED)
    return factors, reasons


def divides_by_variance(layer: Norm) -> bool:
    """Whether a norm divides by what a channel's variance over images comes out as."""
    is_given = layer.kind == "batch" and isinstance(layer.variance, Given)
    return layer.kind in ("batch", "instance") and not is_given


def _standardised(layer: Norm, before: Pieces[Signal], channels: int) -> Pieces[Signal]:
    """The signal less its mean over its standard deviation."""
    if divides_by_variance(layer):
        return before.each(lambda signal: _of_channel(signal, layer.eps))
    if layer.kind == "batch":
        return before.met(_own(layer, channels), on_line)
    found = []
    size = channels // layer.groups if layer.kind == "group" else channels
    for first, last, inside in before.grouped(channels // size, size):
        whole = mixed(inside)
        lost = (whole.shared - whole.mean**2) / size
        scale = 1 / (_group_variance(whole, size) + layer.eps)
        for a, b, signal in before.take(first * size, last * size).moved(first * size).parts:
            found.append((a, b, _affine(signal, scale, whole.mean, lost)))
    return Pieces(tuple(found))


def _divided(layer: Norm, before: Pieces[Signal], channels: int) -> Pieces[float]:
    """One over the variance that every channel is divided by."""
    if divides_by_variance(layer):
        return before.each(lambda signal: 1 / (signal.variance + layer.eps))
    if layer.kind == "batch":
        return _own(layer, channels).each(lambda line: line[0] ** 2)
    found = []
    size = channels // layer.groups if layer.kind == "group" else channels
    for first, last, inside in before.grouped(channels // size, size):
        whole = mixed(inside)
        variance = _group_variance(whole, size) + layer.eps
        spread = 2 * (whole.shared / variance) ** 2 / size
        found.append((first * size, last * size, (1 + spread) / variance))
    return Pieces(tuple(found))


def _group_variance(signal: Signal, channels: int) -> float:
    """Variance over the places of one image and so many channels.

    What all images share moves the mean over the channels, too, and is lost in part.
    """
    return signal.second - signal.mean**2 - (signal.shared - signal.mean**2) / channels


def _of_channel(signal: Signal, eps: float) -> Signal:
    """A channel less its mean over images, over its standard deviation."""
    shared = signal.shared
    scale = 1 / (signal.second - shared + eps)
    found = Signal(
        second=scale * (signal.second - shared),
        is_normal=signal.is_normal,
        is_symmetric=signal.is_symmetric,
        is_guessed=signal.is_guessed,
        sums=signal.sums,
        lags=tuple((h, scale * (r - shared)) for h, r in signal.lags),
    )
    if signal.sums is not None:
        return _of_sums(found, signal.sums)
    if signal.is_normal:
        return replace(found, before=(found.second, 0.0))
    law = law_of(signal) if signal.is_independent else None
    return found if law is None else replace(found, law=law.scaled(scale**0.5, signal.mean))


def _of_sums(found: Signal, few: FewSum) -> Signal:
    """The same, where it is known of what sums it is made: those of normal samples are normal."""
    if few.gate is None:
        return found
    if few.gate == IDENTITY:
        return normal(found.second)
    law = channel_laws(few).law.scaled(found.second**0.5, 0.0)
    return replace(found, is_normal=False, law=law)


def _affine(signal: Signal, scale: float, mean: float, lost: float) -> Signal:
    """A sample less a mean that moves with the image by ``lost``, over the root of a variance."""
    off = mean * (2 * signal.mean - mean) + lost
    second, shared = scale * (signal.second - off), scale * (signal.shared - off)
    law = None if signal.is_normal else law_of(signal)
    return replace(
        signal,
        second=second,
        shared=shared,
        mean=scale**0.5 * (signal.mean - mean),
        gate=IDENTITY,
        before=(second, shared) if signal.is_normal else None,
        law=None if law is None else law.scaled(scale**0.5, mean),
        is_guessed=signal.is_guessed or (signal.sums is not None and law is not None),
        sums=None if law is not None else signal.sums,
        lags=tuple((h, scale * (r - off)) for h, r in signal.lags),
    )


def on_line(signal: Signal, line: _Line) -> Signal:
    """The signal times a number, and another one added."""
    factor, offset = line
    more = offset * (2 * factor * signal.mean + offset)
    second, shared = (factor**2 * value + more for value in (signal.second, signal.shared))
    is_normal = signal.is_normal and offset == 0
    law = None if is_normal or factor == 0 else _law_on_line(signal, line)
    return Signal(
        second=second,
        shared=shared,
        mean=factor * signal.mean + offset,
        is_normal=is_normal,
        is_symmetric=signal.is_symmetric and offset == 0,
        before=(second, shared) if is_normal else None,
        law=law,
        is_guessed=signal.is_guessed or (signal.sums is not None and law is not None),
        lags=tuple((h, factor**2 * r + more) for h, r in signal.lags),
    )


def _law_on_line(signal: Signal, line: _Line) -> Tabled | None:
    """The law of a sample times a number that is not 0, and another one added.

    None where what is added is so much larger, or the sample so small, that no grid holds both.
    """
    factor, offset = line
    power = factor**2 * signal.second
    if power < _SMALLEST or offset**2 > _LARGER**2 * power:
        return None
    if signal.is_normal:
        return tabled_normal(factor**2 * signal.second, offset)
    law = law_of(signal)
    return None if law is None else law.scaled(factor, -offset / factor)


def _own(layer: Norm, channels: int) -> Pieces[_Line]:
    """The line that statistics as given draw, per channel."""
    mean = _array(layer.mean, channels, 0.0)
    factors = 1 / np.sqrt(_array(layer.variance, channels, 1.0) + layer.eps)
    return _lines(factors, -mean * factors)


def _numbers(layer: Norm, channels: int) -> Pieces[_Line] | None:
    """Scale and shift as given, per channel; None where there are none."""
    if layer.scale is None and layer.shift is None:
        return None
    return _lines(_array(layer.scale, channels, 1.0), _array(layer.shift, channels, 0.0))


def _array(numbers: object, channels: int, default: float) -> np.ndarray:
    return numbers.array if isinstance(numbers, Given) else np.full(channels, default)


def _lines(factors: np.ndarray, offsets: np.ndarray) -> Pieces[_Line]:
    """Runs of channels with the same line."""
    pairs = zip(factors.tolist(), offsets.tolist(), strict=True)
    found: list[tuple[int, int, _Line]] = []
    first = 0
    for line, run in itertools.groupby(pairs):
        last = first + len(list(run))
        found.append((first, last, line))
        first = last
    return Pieces(tuple(found))
