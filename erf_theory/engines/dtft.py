"""The DTFT engine: the generating function on circles of radius e^θ; products, and one inverse.

At θ = 0 a field is its transfer function on a grid fine enough to hold the map: convolution is
a product, n-fold a power, a stride a repetition, an upsampling an alias sum. The absolute error
is a few units of the last place of the largest sample, so the far tails are lost. On another
circle the same operations see the map tilted by e^{θx}, whose bulk is a piece of the tail; the
contour engine reads tails that way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, prod
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines.extent import extent_of, need_memory
from erf_theory.engines.field import Border, Program, refusal
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, NumberArray
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, box, per_axis

__all__ = ["Spectrum", "Transformed", "fast_length", "impulse", "run"]

_EPS = float(np.finfo(np.float64).eps)
_ComplexArray = npt.NDArray[np.complex128]


@final
@dataclass(frozen=True)
class Spectrum:
    """A field as samples of its generating function, one row per circle.

    The field is ``Σ_x g(x) e^{(θ-jω)·(x-start)} = e^{log_scale} values(ω)``; ω runs over the half
    grid of a real transform.

    Attributes
    ----------
    values : ndarray, shape (rows, channels..., half grid...)
        complex128, the largest magnitude of a row about 1.
    size : tuple of int
        Points per axis and period at this node.
    start : tuple of int
        Integer offset taken out of the phase.
    theta : ndarray, shape (rows, ndim)
        Logarithm of the circle's radius at this node, per axis.
    log_scale : ndarray, shape (rows,)
        Natural logarithm of what the values leave out.
    noise : ndarray, shape (rows,)
        Estimate of the absolute error of a sample that has no share in the values' size, in
        units of the values: what sums and transforms left.
    roundings : int
        Relative error of every value, in units of the last place: what products left.
    """

    values: _ComplexArray
    size: tuple[int, ...]
    start: tuple[int, ...]
    theta: FloatArray
    log_scale: FloatArray
    noise: FloatArray
    roundings: int = 0

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.size)

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Spectrum:
        """Multiply by the kernel's transfer function, ``times`` times."""
        lead = self.values.ndim - self.ndim - 1
        if kernel.channels and not lead:
            raise ErfTheoryError("a kernel with channels needs a field with channels")
        if times == 0:
            return self
        steps = per_axis(step, self.ndim)
        transfer, log_factor, slip = _transfer(kernel, steps, self.size, self.theta)
        shifts = zip(self.start, kernel.origin, steps, strict=True)
        start = tuple(a + times * o * d for a, o, d in shifts)
        log_scale = self.log_scale + times * log_factor
        roundings = self.roundings + times + 2
        field = replace(self, start=start, log_scale=log_scale, roundings=roundings)
        if len(kernel.channels) < 2:
            power = _power(transfer, times)
            shape = power.shape[:1] + (1,) * (lead - len(kernel.channels)) + power.shape[1:]
            values = self.values * power.reshape(shape)
            faint = _faint(values, transfer.reshape(shape), slip)
            noise = field.noise + times * slip * _level(faint)
            return _balanced(replace(field, values=values, noise=noise))
        for _ in range(times):
            values = np.einsum("roi...,ro...->ri...", transfer, field.values)
            field = _balanced(replace(_settled(field, transfer.shape[1]), values=values))
        return field

    def scale(self, factor: Number | FloatArray) -> Spectrum:
        """Multiply by a number, or by one number per channel."""
        if isinstance(factor, np.ndarray):
            if factor.ndim != 1:
                raise refusal("dtft", "scale by position", "the convolution engine can")
            column = factor.reshape(-1, *(1,) * self.ndim)
            noise = self.noise * np.max(np.abs(factor))
            return _balanced(replace(self, values=self.values * column, noise=noise))
        taps, exponent = Kernel(np.array([factor], dtype=object)).scaled
        log_scale = self.log_scale + exponent * log(2)
        noise = self.noise * abs(taps[0])
        return _balanced(
            replace(self, values=self.values * taps[0], log_scale=log_scale, noise=noise)
        )

    def __add__(self, other: Spectrum) -> Spectrum:
        start = tuple(map(min, self.start, other.start))
        left, right = _moved(self, start), _moved(other, start)
        scales = [np.where(_level(f.values) > 0, f.log_scale, -np.inf) for f in (left, right)]
        top = np.maximum(*scales)
        top = np.where(top == -np.inf, 0.0, top)
        a, b = (np.exp(scale - top) for scale in scales)
        axes = left.values.ndim
        parts = left.values * _column(a, axes), right.values * _column(b, axes)
        roundings = max(left.roundings, right.roundings) + 2
        total = replace(left, values=parts[0] + parts[1], log_scale=top, roundings=roundings)
        cancelled = sum(_level(part) for part in parts) - _level(total.values)
        noise = left.noise * a + right.noise * b + _EPS * roundings * cancelled
        return _balanced(replace(total, noise=noise))

    def expand(self, s: Steps) -> Spectrum:
        """Repeat the spectrum: what is at x moves to s·x."""
        steps = per_axis(s, self.ndim)
        samples = self.samples()
        size = tuple(m * d for m, d in zip(self.size, steps, strict=True))
        spread = np.zeros(samples.shape[: -self.ndim] + size)
        spread[box((0,) * self.ndim, self.size, steps)] = samples
        start = tuple(a * d for a, d in zip(self.start, steps, strict=True))
        theta = self.theta / steps
        field = replace(self, values=_forward(spread, size), size=size, start=start, theta=theta)
        noise = self.noise + _EPS * _transforms(self.size) * _level(self.values)
        return _balanced(replace(field, noise=noise))

    def decimate(self, s: Steps) -> Spectrum:
        """Sum the aliases: what is at s·x moves to x, the rest vanishes."""
        steps = per_axis(s, self.ndim)
        start = tuple(-(-a // d) for a, d in zip(self.start, steps, strict=True))
        first = tuple(b * d - a for a, b, d in zip(self.start, start, steps, strict=True))
        size = tuple(m // d for m, d in zip(self.size, steps, strict=True))
        return _balanced(
            Spectrum(
                values=_forward(self.samples()[box(first, size, steps)], size),
                size=size,
                start=start,
                theta=self.theta * steps,
                log_scale=self.log_scale - self.theta @ np.array(first, dtype=np.float64),
                noise=_settled(self, _transforms(self.size)).noise,
            )
        )

    def fold(self, size: Steps, border: Border) -> Spectrum:
        """Refused: borders need samples."""
        raise refusal(
            "dtft", f"fold a field of any size to {size} ({border})", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Spectrum:
        """Keep channels a to b−1."""
        if self.values.ndim == self.ndim + 1:
            raise ErfTheoryError("a field without channels has none to take")
        return _balanced(replace(self, values=self.values[:, a:b]))

    def samples(self) -> FloatArray:
        """The inverse transform: tilted samples at ``start + (0, 1, …, size-1)``, periodic."""
        axes = tuple(range(-self.ndim, 0))
        return np.fft.irfftn(self.values, s=self.size, axes=axes)

    def error(self) -> FloatArray:
        """Estimate of the absolute error of the samples of each row."""
        return _settled(self, _transforms(self.size)).noise


def impulse(ndim: int, size: tuple[int, ...], theta: FloatArray | None = None) -> Spectrum:
    """The unit impulse at 0 on a grid of ``size`` points, one row per circle in ``theta``."""
    tilts = np.zeros((1, ndim)) if theta is None else theta
    half = (*size[:-1], size[-1] // 2 + 1)
    values = np.ones((len(tilts), *half), dtype=np.complex128)
    zero = np.zeros(len(tilts))
    return Spectrum(values, size, (0,) * ndim, tilts, zero, zero)


@dataclass(frozen=True)
class Transformed:
    """A map read off its transfer function: ``values * e^log_scale`` from ``start`` on.

    Attributes
    ----------
    values : ndarray
        float64, on the nominal box of the map.
    start : tuple of int
        Coordinate of the first sample.
    log_scale : float
        Natural logarithm of what the values leave out.
    error : float
        Estimate of the largest absolute error of a value.
    """

    values: FloatArray
    start: tuple[int, ...]
    log_scale: float
    error: float


def run(program: Program, ndim: int) -> Transformed:
    """The map of a program by its transfer function and the inverse DTFT.

    Raises
    ------
    MapTooLargeError
        If the map would not fit into memory.
    EngineError
        If the program folds a field at a border.

    Examples
    --------
    >>> found = run(lambda f: f.convolve(Kernel([1, 2, 5], origin=(-1,))), 1)
    >>> found.start, (found.values * np.exp(found.log_scale)).round(12).tolist()
    ((-1,), [1.0, 2.0, 5.0])
    """
    extent = extent_of(program, ndim)
    need_memory(extent.size, 8)
    spans = zip(extent.points(), extent.divisor, strict=True)
    field = program(impulse(ndim, tuple(fast_length(n, d) for n, d in spans)))
    values = field.samples()[0]
    for axis, (first, start) in enumerate(zip(extent.start, field.start, strict=True)):
        values = np.roll(values, start - first, axis)
    inside = box((0,) * ndim, extent.shape)
    error = 4 * float(field.error()[0])
    return Transformed(values[inside], extent.start, float(field.log_scale[0]), error)


def fast_length(n: int, multiple: int = 1) -> int:
    """Smallest ``multiple * 2^a 3^b 5^c`` that is at least n: a quick length for an FFT.

    Examples
    --------
    >>> fast_length(2001), fast_length(2001, 7)
    (2025, 2016)
    """
    need = max(-(-n // multiple), 1)
    best = 1 << (need - 1).bit_length()
    five = 1
    while five < best:
        odd = five
        while odd < best:
            rest = -(-need // odd)
            best = min(best, odd << (rest - 1).bit_length())
            odd *= 3
        five *= 5
    return best * multiple


def _transfer(
    kernel: Kernel, steps: tuple[int, ...], size: tuple[int, ...], theta: FloatArray
) -> tuple[_ComplexArray, FloatArray, FloatArray]:
    """The kernel on every circle, from its first tap on, the logarithm of what it leaves out.

    The largest magnitude of a row is 1; last comes the absolute error of the values.
    """
    weights, log_scale = _tilted(kernel, steps, theta)
    lead = weights.shape[: weights.ndim - len(size)]
    spread = np.zeros(lead + size)
    places = [np.arange(k) * d % m for k, d, m in zip(kernel.shape, steps, size, strict=True)]
    everywhere: Any = (..., *np.ix_(*places))
    np.add.at(spread, everywhere, weights)
    transfer = _forward(spread, size)
    peak = _peak(transfer)
    sizes = np.sum(np.abs(weights), axis=tuple(range(1, weights.ndim)))
    slip = _EPS * (1 + prod(size).bit_length() / 4) * sizes / peak
    return transfer / _column(peak, transfer.ndim), log_scale + np.log(peak), slip


def _faint(values: _ComplexArray, transfer: _ComplexArray, slip: FloatArray) -> NumberArray:
    """Magnitudes of a product before its last factor, where that factor almost vanishes.

    There the factor's absolute error, ``slip``, is more than a relative error of the product.
    """
    size = np.abs(transfer)
    least = _column(slip, size.ndim) + 1e-300
    return np.where(size < 0.1, np.abs(values) / np.maximum(size, least), 0.0)


def _tilted(
    kernel: Kernel, steps: tuple[int, ...], theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Taps times e^{θ·m}, per row, and the logarithm of what they leave out.

    The shift that keeps them in range is a whole number, so that no exponent is rounded twice.
    """
    taps, exponent = kernel.scaled
    slope: Any = theta[(slice(None), 0, *(None,) * kernel.ndim)] * 0
    for axis, (k, d) in enumerate(zip(kernel.shape, steps, strict=True)):
        along = np.arange(k).reshape(-1, *(1,) * (kernel.ndim - axis - 1)) * d
        slope = slope + theta[(slice(None), axis, *(None,) * kernel.ndim)] * along
    slope = slope.reshape(len(theta), *(1,) * len(kernel.channels), *slope.shape[1:])
    with np.errstate(divide="ignore"):
        top = np.log(np.abs(taps)) + slope
    highest = np.max(top, axis=tuple(range(1, top.ndim)))
    shift = np.rint(np.where(highest == -np.inf, 0.0, highest))
    half = np.where(taps == 0, 0.0, slope - _column(shift, slope.ndim)) / 2
    weights = taps * np.exp(half) * np.exp(half)
    return weights, shift + exponent * log(2)


def _power(base: _ComplexArray, times: int) -> _ComplexArray:
    """``base ** times`` by squaring, for times of 1 or more."""
    power = None
    while True:
        if times & 1:
            power = base if power is None else power * base
        times >>= 1
        if not times:
            return base if power is None else power
        base = base * base


def _moved(field: Spectrum, start: tuple[int, ...]) -> Spectrum:
    """The same field counted from a lower start; phases are reduced before they are rounded."""
    values = field.values
    gap = tuple(a - b for a, b in zip(field.start, start, strict=True))
    for axis, (shift, m) in enumerate(zip(gap, field.size, strict=True), start=-field.ndim):
        if shift:
            turns = np.arange(values.shape[axis]) * (shift % m) % m / m
            phase = np.exp(-2j * np.pi * turns)
            values = values * phase.reshape(-1, *(1,) * (-axis - 1))
    log_scale = field.log_scale + field.theta @ np.array(gap, dtype=np.float64)
    return replace(field, values=values, start=start, log_scale=log_scale)


def _forward(samples: FloatArray, size: tuple[int, ...]) -> _ComplexArray:
    """The half spectrum of samples over their last axes."""
    return np.fft.rfftn(samples, axes=tuple(range(-len(size), 0)))


def _peak(values: _ComplexArray) -> FloatArray:
    """Largest magnitude of each row; 1 for a row of zeros."""
    peak = np.max(np.abs(values), axis=tuple(range(1, values.ndim)))
    return np.where(peak == 0, 1.0, peak)


def _balanced(field: Spectrum) -> Spectrum:
    """The same field with the largest magnitude of each row at 1."""
    peak = _peak(field.values)
    return replace(
        field,
        values=field.values / _column(peak, field.values.ndim),
        log_scale=field.log_scale + np.log(peak),
        noise=field.noise / peak,
    )


def _settled(field: Spectrum, roundings: int) -> Spectrum:
    """The same field, its relative errors and some more of them counted as noise."""
    lost = _EPS * (field.roundings + roundings) * _level(field.values)
    return replace(field, noise=field.noise + lost, roundings=0)


def _level(values: npt.NDArray[Any]) -> FloatArray:
    """Mean magnitude of each row: the share of a relative error of the values in a sample."""
    return np.asarray(np.mean(np.abs(values), axis=tuple(range(1, values.ndim))))


def _transforms(size: tuple[int, ...]) -> int:
    """Roundings of a transform of that size."""
    return 2 * prod(size).bit_length()


def _column(rows: FloatArray, ndim: int) -> FloatArray:
    """One number per row, to multiply an array of ``ndim`` axes."""
    return rows.reshape(-1, *(1,) * (ndim - 1))
