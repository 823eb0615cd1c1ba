"""Kernels: finite signed measures on the lattice, and their algebra.

``a @ b`` convolves, ``a + b`` mixes, ``a ** n`` is n-fold, ``2 * a`` scales. Integer and
fraction taps stay exact through every operation; float taps are IEEE doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.exact import (
    Number,
    NumberArray,
    doubles,
    number,
    number_array,
    simplest,
    text_of,
    to_double,
    whole,
)
from erf_theory.lattice import Steps, box, convolve, per_axis, union
from erf_theory.taps import Taps

__all__ = ["Kernel", "axis_kernels", "need_few_taps"]

_MOST_TAPS = 2**17
"""Most taps of one layer: its map already takes seconds and gigabytes."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Kernel(Taps):
    """A finite signed measure on Zᵈ, d = 1, 2 or 3: weights on lattice points.

    Parameters
    ----------
    taps : array_like
        The weights. Integers and fractions stay exact; floats must be finite. The last
        ``len(origin)`` axes are spatial; none, one (depthwise: C) or two (a matrix:
        C_out, C_in) channel axes may stand before them.
    origin : tuple of int, optional
        Lattice coordinate of the first tap on every spatial axis: minus the padding of a
        convolution. Default: 0 on each axis, all axes spatial.

    Raises
    ------
    ErfTheoryError
        If the taps are empty, not finite, not real, or have the wrong number of axes.

    Notes
    -----
    ``@`` is associative and commutative; mass multiplies and cumulants add under it.

    Examples
    --------
    >>> box = Kernel.uniform(3)
    >>> box @ box
    Kernel([1, 2, 3, 2, 1], origin=(0,))
    >>> (box**20).cumulant(2)
    Fraction(40, 3)
    """

    __array_ufunc__ = None

    @classmethod
    def uniform(cls, k: int, ndim: int = 1) -> Kernel:
        """All ones on ``k`` taps per axis, first tap at 0.

        Raises
        ------
        MapTooLargeError
            If these are more than 131072 taps.

        Examples
        --------
        >>> Kernel.uniform(2, ndim=2).taps.tolist()
        [[1, 1], [1, 1]]
        """
        if (size := whole("k", k)) < 1:
            raise ErfTheoryError(f"a kernel has at least one tap per axis, not k = {k}")
        if not 1 <= (axes := whole("ndim", ndim)) <= 3:
            raise ErfTheoryError(f"a kernel has 1, 2 or 3 spatial axes, not {ndim}")
        need_few_taps(size**axes)
        return _uniform(size, axes)

    @classmethod
    def delta(cls, ndim: int = 1) -> Kernel:
        """The unit impulse at 0: the identity of ``@``."""
        return cls.uniform(1, ndim)

    @classmethod
    def from_weights(cls, weights: npt.ArrayLike, padding: Steps = 0) -> Kernel:
        """The backward kernel of a framework's convolution weights.

        Parameters
        ----------
        weights : array_like, shape (C_out, C_in, taps...)
            Weights as PyTorch lays them out. Frameworks cross-correlate, so the gradient
            carries the taps in the given order at offsets ``a - padding`` (theory: section 2
            of the documentation).
        padding : int or tuple of int
            Zeros added before the first sample on every axis.

        Returns
        -------
        Kernel
            With a channel matrix (C_out, C_in): fields of C_out channels go in.

        Examples
        --------
        >>> Kernel.from_weights([[[1, 2, 5]]], padding=1)[0, 0]
        Kernel([1, 2, 5], origin=(-1,))
        """
        array = number_array(weights)
        if array.ndim < 3:
            raise ErfTheoryError(
                f"weights have the shape (C_out, C_in, taps...), not {array.shape}: put taps "
                "alone into Kernel(taps, origin)"
            )
        pads = per_axis(padding, array.ndim - 2)
        return cls(array, origin=tuple(-p for p in pads))

    def __matmul__(self, other: Kernel) -> Kernel:
        """Convolution; channel matrices multiply: a field meets ``self`` first."""
        if not isinstance(other, Kernel):
            return NotImplemented
        _same_ndim(self, other)
        origin = tuple(a + b for a, b in zip(self.origin, other.origin, strict=True))
        with np.errstate(over="ignore", invalid="ignore"):
            taps = convolve(*_alike(self, other), self.ndim)
        return self._result(taps, origin)

    def __add__(self, other: Kernel) -> Kernel:
        """Mixture: the sum of the two measures on the union of their boxes."""
        if not isinstance(other, Kernel):
            return NotImplemented
        _same_ndim(self, other)
        if self.channels != other.channels:
            raise ErfTheoryError(
                f"kernels with channels {self.channels} and {other.channels} cannot be added"
            )
        low, shape = union(self.origin, self.shape, other.origin, other.shape)
        left, right = _alike(self, other)
        total = np.zeros(self.channels + shape, dtype=left.dtype)
        for kernel, taps in ((self, left), (other, right)):
            at = tuple(o - a for o, a in zip(kernel.origin, low, strict=True))
            with np.errstate(over="ignore"):
                total[box(at, kernel.shape)] += taps
        return self._result(total, low)

    def __mul__(self, factor: Number) -> Kernel:
        """The measure times a number."""
        if not isinstance(factor, Real):
            return NotImplemented
        scalar: Any = number(factor)
        if self.is_exact and not isinstance(scalar, float):
            return Kernel(self.taps * scalar, self.origin)
        if (double := to_double(scalar, "a factor of float taps")) == 0 != scalar:
            raise ErfTheoryError(
                "a factor of float taps is below the smallest double: give the taps as integers "
                "or fractions, which stay exact"
            )
        with np.errstate(over="ignore"):
            taps = doubles(self.taps) * double
        return self._result(taps, self.origin)

    __rmul__ = __mul__

    def __pow__(self, n: int) -> Kernel:
        """n-fold convolution with itself; ``n = 0`` gives the unit impulse."""
        if (times := whole("a power of a kernel", n)) < 0:
            raise ErfTheoryError(f"a kernel has no power {times}: n must be 0 or more")
        if self.channels:
            raise ErfTheoryError(
                "powers are for kernels without channels: choose one with kernel[...]"
            )
        result, square = Kernel.delta(self.ndim), self
        while times:
            if times & 1:
                result = result @ square
            times >>= 1
            square = square @ square if times else square
        return result

    def __abs__(self) -> Kernel:
        """The total variation: every tap's magnitude."""
        return self.of(abs(self.taps), self.origin)

    def __eq__(self, other: object) -> bool:
        """Equality of measures: zero taps at the rim do not matter."""
        if not isinstance(other, Kernel):
            return NotImplemented
        a, b = self.trim(), other.trim()
        return a.origin == b.origin and np.array_equal(a.taps, b.taps)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        trimmed = self.trim()
        return hash((trimmed.origin, trimmed.taps.shape, tuple(trimmed.taps.flat)))

    def __repr__(self) -> str:
        taps = np.array2string(self.taps, separator=", ", threshold=20, formatter={"all": text_of})
        return f"Kernel({' '.join(taps.split())}, origin={self.origin})"

    def dilate(self, step: Steps) -> Kernel:
        """The kernel with its taps ``step`` apart: the law of ``step * X``.

        Examples
        --------
        >>> Kernel([1, 2, 5], origin=(-1,)).dilate(2)
        Kernel([1, 0, 2, 0, 5], origin=(-2,))
        """
        if min(steps := per_axis(step, self.ndim)) < 1:
            raise ErfTheoryError(f"a dilation is 1 or more on every axis, not {step}")
        origin = tuple(o * d for o, d in zip(self.origin, steps, strict=True))
        if max(steps) == 1 or max(self.shape) == 1:
            return self if origin == self.origin else self.of(self.taps, origin)
        shape = tuple((s - 1) * d + 1 for s, d in zip(self.shape, steps, strict=True))
        spread = np.zeros(self.channels + shape, dtype=self.taps.dtype)
        spread[box((0,) * self.ndim, self.shape, steps)] = self.taps
        return self.of(spread, origin)

    def trim(self) -> Kernel:
        """The same measure on the smallest box that holds its support (one tap if it is 0)."""
        spatial = np.any(self.taps != 0, axis=tuple(range(len(self.channels))))
        if not spatial.any():
            origin = (0,) * self.ndim
            return self.of(self.taps[box(origin, (1,) * self.ndim)], origin)
        places = np.nonzero(spatial)
        low = [int(axis.min()) for axis in places]
        shape = [int(axis.max()) - a + 1 for axis, a in zip(places, low, strict=True)]
        origin = tuple(o + a for o, a in zip(self.origin, low, strict=True))
        return self.of(self.taps[box(low, shape)], origin)

    def factors(self) -> tuple[Kernel, ...] | None:
        """One 1-D kernel per axis whose outer product is this kernel; None if there is none.

        Exact for exact taps; float taps may differ from a product by 4 units in the last place.

        Examples
        --------
        >>> Kernel([[1, 2], [2, 4]]).factors()
        (Kernel([2, 4], origin=(0,)), Kernel([1/2, 1], origin=(0,)))
        >>> Kernel([[1, 0], [0, 1]]).factors() is None
        True
        """
        self._need_no_channels()
        if self.ndim == 1:
            return (self,)
        at: list[Any] = list(np.unravel_index(int(np.argmax(abs(self.taps))), self.shape))
        pivot = self.taps[tuple(at)]
        if pivot == 0:
            return None
        lines = [self.taps[(*at[:i], slice(None), *at[i + 1 :])] for i in range(self.ndim)]
        unit = Fraction(pivot) if self.is_exact else pivot
        lines[1:] = [simplest(line / unit) for line in lines[1:]]
        product = lines[0]
        for line in lines[1:]:
            product = np.multiply.outer(product, line)
        slack = 0 if self.is_exact else 4 * np.finfo(float).eps * abs(self.taps)
        if not np.all(abs(product - self.taps) <= slack):
            return None
        return tuple(Kernel(line, (o,)) for line, o in zip(lines, self.origin, strict=True))

    @property
    def is_separable(self) -> bool:
        """Whether the kernel is an outer product of 1-D kernels, as `factors` decides it."""
        return self.factors() is not None


def need_few_taps(taps: int) -> None:
    """Refuse a layer of more taps than any map is made with, before any work.

    Raises
    ------
    MapTooLargeError
        If there are more than 131072.
    """
    if taps > _MOST_TAPS:
        raise MapTooLargeError(
            f"a layer of {text_of(taps)} taps is too large for a map, {_MOST_TAPS} are the most: "
            "choose a smaller k"
        )


@lru_cache(maxsize=64)
def _uniform(k: int, ndim: int) -> Kernel:
    return Kernel.of(np.full((k,) * ndim, 1, dtype=object), (0,) * ndim)


def _same_ndim(a: Kernel, b: Kernel) -> None:
    if a.ndim != b.ndim:
        raise ErfTheoryError(f"a {a.ndim}-D and a {b.ndim}-D kernel do not combine")


def _alike(a: Kernel, b: Kernel) -> tuple[NumberArray, NumberArray]:
    """The taps of both: exact if both are, else doubles."""
    if a.is_exact and b.is_exact:
        return a.taps, b.taps
    return doubles(a.taps), doubles(b.taps)


def axis_kernels(kernel: Kernel) -> tuple[Kernel, ...]:
    """Kernels along one axis each whose product is a kernel of several, where that is quicker.

    Empty where it is not, or the kernel is no such product.

    Examples
    --------
    >>> [line.shape for line in axis_kernels(Kernel([[1, 2, 1], [2, 4, 2], [1, 2, 1]]))]
    [(3, 1), (1, 3)]
    """
    if sum(kernel.shape) >= kernel.taps.size:
        return ()
    return _lines(kernel, kernel.shape, kernel.origin)


@lru_cache(maxsize=256)
def _lines(kernel: Kernel, shape: tuple[int, ...], origin: tuple[int, ...]) -> tuple[Kernel, ...]:
    """The same, remembered by the box too: kernels are equal whatever their rims of zeros."""
    lines = kernel.factors()
    if lines is None:
        return ()
    alone = np.eye(len(shape), dtype=bool)
    rows = zip(lines, np.where(alone, shape, 1), np.where(alone, origin, 0).tolist(), strict=True)
    return tuple(Kernel(line.taps.reshape(own), tuple(start)) for line, own, start in rows)
