"""The support engine: Booleans. Where a map is not zero, with its holes.

For non-negative kernels the support is exact, because nothing cancels. For kernels with signs
it is an upper bound: outside it the map is zero, inside it terms may cancel.

The support of an n-fold convolution is the n-fold sumset of the kernel's support A. On one
axis it soon stops changing in shape: a left end, a full middle that grows, and a right end
(Nathanson 1972, "Sums of finite sets of integers"). `_stretched` recognises that moment, so
n = 10**6 costs no more than the n at which it happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import final

import numpy as np

from erf_theory.engines.field import Border, refusal
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import BoolArray, FloatArray, Number, number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, box, per_axis, union

__all__ = ["Support", "impulse"]

_RUNS = 32
"""A line with more runs of ones than this is added by a transform instead of run by run."""


@final
@dataclass(frozen=True)
class Support:
    """Where a field is not zero, on the box that its kernels span.

    Attributes
    ----------
    mask : ndarray of bool, in the shape of the box
        True where the field is not zero. Zero taps at the rim of a kernel are part of the
        box, as in the other engines: `trim` gives the smallest box.
    start : tuple of int
        Coordinate of the first place on every axis.

    Examples
    --------
    >>> comb = impulse(1).convolve(Kernel([1, 0, 0, 1]), times=2)
    >>> comb.mask.astype(int).tolist()
    [1, 0, 0, 1, 0, 0, 1]
    """

    mask: BoolArray
    start: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.start)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of places on every axis."""
        return self.mask.shape

    def convolve(self, kernel: Kernel, step: Steps = 1, times: int = 1) -> Support:
        """Sumset with ``times`` copies of the kernel's support, its taps ``step`` apart."""
        if kernel.channels:
            raise refusal("support", "convolve channels", "the convolution engine can")
        if kernel.ndim != self.ndim:
            raise ErfTheoryError(f"a {kernel.ndim}-D kernel does not fit a {self.ndim}-D field")
        if times == 0:
            return self
        steps = per_axis(step, self.ndim)
        shifts = zip(self.start, kernel.origin, steps, strict=True)
        growth = zip(self.shape, kernel.shape, steps, strict=True)
        total = np.zeros([m + times * (k - 1) * d for m, k, d in growth], dtype=bool)
        taps = Support(np.not_equal(kernel.taps, 0), (0,) * self.ndim).trim()
        if taps.mask.any():
            inner = _summed(self.mask, taps.mask, steps, times)
            at = [times * a * d for a, d in zip(taps.start, steps, strict=True)]
            total[box(at, inner.shape)] = inner
        return Support(total, tuple(a + times * o * d for a, o, d in shifts))

    def scale(self, factor: Number | FloatArray) -> Support:
        """Unchanged by any number but 0."""
        if isinstance(factor, np.ndarray):
            raise refusal(
                "support", "scale by channel or by position", "the convolution engine can"
            )
        return replace(self, mask=self.mask & (number(factor) != 0))

    def __add__(self, other: Support) -> Support:
        start, shape = union(self.start, self.shape, other.start, other.shape)
        total = np.zeros(shape, dtype=bool)
        for field in (self, other):
            at = [a - b for a, b in zip(field.start, start, strict=True)]
            total[box(at, field.shape)] |= field.mask
        return Support(total, start)

    def expand(self, s: Steps) -> Support:
        """Move what is at x to s·x."""
        steps = per_axis(s, self.ndim)
        total = np.zeros([(m - 1) * d + 1 for m, d in zip(self.shape, steps, strict=True)], bool)
        total[box((0,) * self.ndim, self.shape, steps)] = self.mask
        return Support(total, tuple(a * d for a, d in zip(self.start, steps, strict=True)))

    def decimate(self, s: Steps) -> Support:
        """Keep what is at multiples of s and move it from s·x to x."""
        steps = per_axis(s, self.ndim)
        first = [-(-a // d) for a, d in zip(self.start, steps, strict=True)]
        skipped = [f * d - a for f, d, a in zip(first, steps, self.start, strict=True)]
        kept = self.mask[tuple(slice(a, None, d) for a, d in zip(skipped, steps, strict=True))]
        mask = np.zeros([max(m, 1) for m in kept.shape], dtype=bool)
        mask[box((0,) * self.ndim, kept.shape)] = kept
        return Support(mask, tuple(a if m else 0 for a, m in zip(first, kept.shape, strict=True)))

    def fold(self, size: Steps, border: Border) -> Support:
        """Refused: borders need samples."""
        raise refusal(
            "support", f"fold at the {border} border of {size}", "the convolution engine can"
        )

    def take(self, a: int, b: int) -> Support:
        """Refused: no channels here."""
        raise refusal("support", f"take channels {a} to {b}", "the convolution engine can")

    def trim(self) -> Support:
        """The same support on the smallest box that holds it: the theoretical receptive field.

        An empty support comes back as one place that is False, at 0.

        Examples
        --------
        >>> impulse(1).convolve(Kernel([0, 1, 0, 1])).trim()
        Support(mask=array([ True, False,  True]), start=(1,))
        """
        places = np.nonzero(self.mask)
        if places[0].size == 0:
            return Support(np.zeros((1,) * self.ndim, dtype=bool), (0,) * self.ndim)
        low = [int(axis.min()) for axis in places]
        shape = [int(axis.max()) - a + 1 for axis, a in zip(places, low, strict=True)]
        start = tuple(a + b for a, b in zip(self.start, low, strict=True))
        return Support(self.mask[box(low, shape)], start)


def impulse(ndim: int) -> Support:
    """The unit impulse at 0.

    Examples
    --------
    >>> impulse(2).mask.tolist(), impulse(2).start
    ([[True]], (0, 0))
    """
    return Support(np.ones((1,) * ndim, dtype=bool), (0,) * ndim)


def _summed(mask: BoolArray, taps: BoolArray, steps: Sequence[int], times: int) -> BoolArray:
    """A mask plus ``times`` copies of trimmed taps, ``steps`` apart."""
    axes = range(taps.ndim)
    lines: list[BoolArray] = [
        np.logical_or.reduce(taps, axis=tuple(j for j in axes if j != i)) for i in axes
    ]
    if taps.sum() == np.prod([line.sum() for line in lines]):
        for axis, (line, step) in enumerate(zip(lines, steps, strict=True)):
            spacing = gcd(*np.flatnonzero(line).tolist()) or 1
            power = _power(line[::spacing], times)
            mask = _spread(mask, power, step * spacing, axis)
        return mask
    square = Support(taps, (0,) * taps.ndim).expand(tuple(steps)).mask
    while times:
        mask = _sumset(mask, square) if times & 1 else mask
        times >>= 1
        square = _sumset(square, square) if times else square
    return mask


def _power(line: BoolArray, times: int) -> BoolArray:
    """The n-fold sumset of one line whose ends are True and whose places have no common factor."""
    if line.all():
        return np.ones(times * (len(line) - 1) + 1, dtype=bool)
    reached, count = np.ones(1, dtype=bool), 0
    for bit in f"{times:b}":
        reached, count = _sumset(reached, reached), 2 * count
        if bit == "1":
            reached, count = _sumset(reached, line), count + 1
        if (power := _stretched(reached, line, count, times)) is not None:
            return power
    return reached


def _stretched(reached: BoolArray, line: BoolArray, count: int, times: int) -> BoolArray | None:
    """The ``times``-fold sumset from the ``count``-fold one, once its shape has settled.

    Let b be the last place of the line A, and let hA hold every place from c to hb − c'. If
    these are at least b places, the (h+1)-fold sumset, which holds hA and b + hA, is full from
    c to (h+1)b − c'. A place below c is a sum of at most (c−1)/a nonzero terms, a the smallest
    nonzero place of A: if h is no less, the left end is final. The right end is its mirror
    image.
    """
    holes, last = np.flatnonzero(~reached), len(reached) - 1
    middle = int(np.searchsorted(holes, len(reached) // 2))
    left = int(holes[middle - 1]) + 1 if middle else 0
    right = last - int(holes[middle]) + 1 if middle < len(holes) else 0
    places, final_place = np.flatnonzero(line), len(line) - 1
    settled = left - 1 <= count * places[1] and right - 1 <= count * (final_place - places[-2])
    if not settled or len(reached) - left - right < final_place:
        return None
    power = np.ones(times * final_place + 1, dtype=bool)
    power[:left] = reached[:left]
    power[len(power) - right :] = reached[len(reached) - right :]
    return power


def _spread(mask: BoolArray, line: BoolArray, step: int, axis: int) -> BoolArray:
    """Sumset of a mask with a line along one axis, its places ``step`` apart."""
    lines = np.moveaxis(mask, axis, 0)
    size = len(lines) + (len(line) - 1) * step
    rows = -(-len(lines) // step)
    padded = np.zeros((rows * step, *lines.shape[1:]), dtype=bool)
    padded[: len(lines)] = lines
    total = _along(padded.reshape(rows, -1), line).reshape(-1, *lines.shape[1:])
    return np.moveaxis(total[:size], 0, axis)


def _along(lines: BoolArray, line: BoolArray) -> BoolArray:
    """Sumset of every column of ``lines`` with one line."""
    if len(line) == 1:
        return lines
    if len(lines) == 1:
        return np.logical_and(line[:, None], lines)
    edges = np.flatnonzero(np.diff(line, prepend=False, append=False)).reshape(-1, 2)
    if len(edges) > _RUNS:
        return _sumset(lines, line[:, None])
    total = np.zeros((len(lines) + len(line) - 1, lines.shape[1]), dtype=bool)
    for start, stop in edges.tolist():
        total[start : stop + len(lines) - 1] |= _window(lines, stop - start)
    return total


def _window(lines: BoolArray, width: int) -> BoolArray:
    """Sumset of every column with ``width`` consecutive places, by doubling."""
    total = np.zeros((len(lines) + width - 1, lines.shape[1]), dtype=bool)
    total[: len(lines)] = lines
    reach = 1
    while reach < width:
        shift = min(reach, width - reach)
        total[shift:] |= total[:-shift].copy()
        reach += shift
    return total


def _sumset(left: BoolArray, right: BoolArray) -> BoolArray:
    """Sumset of two masks: how often each place is reached, by a transform, against one half.

    The counts are integers, and the transform's error is about 2**-52·√(|A||B|)·log(size): far
    below one half for any masks that fit into memory.
    """
    shape = [a + b - 1 for a, b in zip(left.shape, right.shape, strict=True)]
    size, axes = [1 << (n - 1).bit_length() for n in shape], tuple(range(left.ndim))
    spectra = [np.fft.rfftn(mask.astype(np.float64), size, axes) for mask in (left, right)]
    counts = np.fft.irfftn(spectra[0] * spectra[1], size, axes)
    found: BoolArray = counts[box((0,) * left.ndim, shape)] > 0.5
    return found
