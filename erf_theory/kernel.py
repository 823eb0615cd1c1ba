"""Kernels: finite signed measures on the lattice, and their algebra.

``a @ b`` convolves, ``a + b`` mixes, ``a ** n`` is n-fold, ``2 * a`` scales. Integer and
fraction taps stay exact through every operation; float taps are IEEE doubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from operator import index
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.exact import (
    FloatArray,
    Number,
    NumberArray,
    doubles,
    exact_sum,
    exponent_of,
    number,
    number_array,
    simplest,
)
from erf_theory.lattice import Steps, box, convolve, per_axis, union
from erf_theory.moments import cumulants

__all__ = ["Kernel"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Kernel:
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

    taps: NumberArray
    origin: tuple[int, ...]

    def __init__(self, taps: npt.ArrayLike, origin: Sequence[int] | None = None) -> None:
        array = number_array(taps)
        start = (0,) * array.ndim if origin is None else tuple(index(o) for o in origin)
        if not 1 <= len(start) <= 3:
            raise ErfTheoryError(f"a kernel has 1, 2 or 3 spatial axes, not {len(start)}")
        if not 0 <= array.ndim - len(start) <= 2:
            raise ErfTheoryError(
                f"taps of shape {array.shape} do not fit {len(start)} spatial axes with at most "
                "two channel axes before them: give origin one entry per spatial axis"
            )
        array.flags.writeable = False
        object.__setattr__(self, "taps", array)
        object.__setattr__(self, "origin", start)

    @classmethod
    @cache
    def uniform(cls, k: int, ndim: int = 1) -> Kernel:
        """All ones on ``k`` taps per axis, first tap at 0.

        Examples
        --------
        >>> Kernel.uniform(2, ndim=2).taps.tolist()
        [[1, 1], [1, 1]]
        """
        if index(k) < 1:
            raise ErfTheoryError(f"a kernel has at least one tap per axis, not k = {k}")
        return cls(np.full((k,) * ndim, 1, dtype=object))

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
        pads = per_axis(padding, array.ndim - 2)
        return cls(array, origin=tuple(-p for p in pads))

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return len(self.origin)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of taps on every spatial axis."""
        return self.taps.shape[self.taps.ndim - self.ndim :]

    @property
    def channels(self) -> tuple[int, ...]:
        """Channel axes: () for none, (C,) for depthwise, (C_out, C_in) for a matrix."""
        return self.taps.shape[: self.taps.ndim - self.ndim]

    @property
    def is_exact(self) -> bool:
        """Whether all taps are integers or fractions."""
        return self.taps.dtype == object

    @cached_property
    def is_nonnegative(self) -> bool:
        """Whether no tap is negative."""
        return bool(np.all(self.taps >= 0))

    @cached_property
    def scaled(self) -> tuple[FloatArray, int]:
        """Float taps with the largest magnitude in [1/2, 1), and the exponent of 2 left out."""
        exponent = exponent_of(max(abs(v) for v in self.taps.flat))
        if self.is_exact:
            shift = Fraction(2) ** -exponent
            array = np.reshape([float(v * shift) for v in self.taps.flat], self.taps.shape)
        else:
            array = np.ldexp(self.taps, -exponent)
        if np.any((array == 0) != (self.taps == 0)):
            raise EngineError("the taps are too far apart for doubles: multinomial or balls can")
        return array, exponent

    def __matmul__(self, other: Kernel) -> Kernel:
        """Convolution; channel matrices multiply: a field meets ``self`` first."""
        _same_ndim(self, other)
        origin = tuple(a + b for a, b in zip(self.origin, other.origin, strict=True))
        return Kernel(convolve(*_alike(self, other), self.ndim), origin)

    def __add__(self, other: Kernel) -> Kernel:
        """Mixture: the sum of the two measures on the union of their boxes."""
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
            total[box(at, kernel.shape)] += taps
        return Kernel(total, low)

    def __mul__(self, factor: Number) -> Kernel:
        """The measure times a number."""
        scalar: Any = number(factor)
        taps = doubles(self.taps) if isinstance(scalar, float) else self.taps
        return Kernel(taps * scalar, self.origin)

    __rmul__ = __mul__

    def __pow__(self, n: int) -> Kernel:
        """n-fold convolution with itself; ``n = 0`` gives the unit impulse."""
        if (times := index(n)) < 0:
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
        return Kernel(abs(self.taps), self.origin)

    def __getitem__(self, channel: int | tuple[int, ...]) -> Kernel:
        """The spatial kernel of one channel (depthwise) or one (out, in) pair."""
        chosen = channel if isinstance(channel, tuple) else (channel,)
        if len(chosen) != len(self.channels):
            raise ErfTheoryError(f"channel {channel} does not fit channels {self.channels}")
        return Kernel(self.taps[chosen], self.origin)

    __iter__ = None

    def __eq__(self, other: object) -> bool:
        """Equality of measures: zero taps at the rim do not matter."""
        if not isinstance(other, Kernel):
            return NotImplemented
        a, b = self.trim(), other.trim()
        return a.origin == b.origin and np.array_equal(a.taps, b.taps)

    def __hash__(self) -> int:
        trimmed = self.trim()
        return hash((trimmed.origin, trimmed.taps.shape, tuple(trimmed.taps.flat)))

    def __repr__(self) -> str:
        taps = np.array2string(self.taps, separator=", ", threshold=20, formatter={"all": str})
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
        shape = tuple((s - 1) * d + 1 for s, d in zip(self.shape, steps, strict=True))
        spread = np.zeros(self.channels + shape, dtype=self.taps.dtype)
        spread[box((0,) * self.ndim, self.shape, steps)] = self.taps
        return Kernel(spread, tuple(o * d for o, d in zip(self.origin, steps, strict=True)))

    def trim(self) -> Kernel:
        """The same measure on the smallest box that holds its support (one tap if it is 0)."""
        spatial = np.any(self.taps != 0, axis=tuple(range(len(self.channels))))
        if not spatial.any():
            origin = (0,) * self.ndim
            return Kernel(self.taps[box(origin, (1,) * self.ndim)], origin)
        places = np.nonzero(spatial)
        low = [int(axis.min()) for axis in places]
        shape = [int(axis.max()) - a + 1 for axis, a in zip(places, low, strict=True)]
        origin = tuple(o + a for o, a in zip(self.origin, low, strict=True))
        return Kernel(self.taps[box(low, shape)], origin)

    def marginal(self, axis: int = 0) -> Kernel:
        """The measure on one axis: the sum over all others."""
        along = range(self.ndim)[axis]
        others = tuple(len(self.channels) + i for i in range(self.ndim) if i != along)
        return Kernel(np.sum(self.taps, axis=others), (self.origin[along],))

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
        """Whether the kernel is an outer product of 1-D kernels."""
        return self.factors() is not None

    @cached_property
    def mass(self) -> Number:
        """Sum of the taps."""
        self._need_no_channels()
        return exact_sum(self.taps.flat, exact=self.is_exact)

    def moment(self, orders: Sequence[int]) -> Number:
        """Raw moment Σ v(m) Π mᵢ^ordersᵢ (not divided by the mass)."""
        self._need_no_channels()
        weights: Any = 1
        for size, start, order in zip(self.shape, self.origin, orders, strict=True):
            powers = np.array([m**order for m in range(start, start + size)], dtype=object)
            weights = np.multiply.outer(weights, powers)
        return exact_sum((self.taps * weights).flat, exact=self.is_exact)

    @property
    def mean(self) -> tuple[Number, ...]:
        """First moment per axis of the normalised measure, in lattice steps."""
        return tuple(self.cumulant(1, axis) for axis in range(self.ndim))

    @property
    def covariance(self) -> tuple[tuple[Number, ...], ...]:
        """Covariance matrix of the normalised measure, in lattice steps squared."""
        mean, mass = self.mean, self._nonzero_mass()
        axes, unit = range(self.ndim), np.eye(self.ndim, dtype=int)
        second = [[self.moment(unit[i] + unit[j]) / mass for j in axes] for i in axes]
        return tuple(tuple(second[i][j] - mean[i] * mean[j] for j in axes) for i in axes)

    def cumulant(self, order: int, axis: int = 0) -> Number:
        """Cumulant of the normalised measure along one axis; exact for exact taps.

        Examples
        --------
        >>> [Kernel.uniform(3).cumulant(r) for r in (1, 2, 3, 4)]
        [Fraction(1, 1), Fraction(2, 3), Fraction(0, 1), Fraction(-2, 3)]
        """
        if index(order) < 1:
            raise ErfTheoryError(f"cumulants start at order 1, not {order}; order 0 is log(mass)")
        line, mass = self.marginal(axis), self._nonzero_mass()
        return cumulants([line.moment((r,)) / mass for r in range(order + 1)])[order]

    def transfer(self, *omega: npt.ArrayLike) -> npt.NDArray[np.complex128]:
        """Transfer function V(ω) = Σ v(m) exp(-jω·m).

        Parameters
        ----------
        *omega : array_like
            Angular frequencies in radians per lattice step, one array per axis, broadcast.

        Examples
        --------
        >>> Kernel.uniform(2).transfer([0.0, np.pi]).round(12).tolist()
        [(2+0j), -0j]
        """
        self._need_no_channels()
        if len(omega) != self.ndim:
            raise ErfTheoryError(
                f"give one array of frequencies per axis: {self.ndim}, not {len(omega)}"
            )
        grids = np.broadcast_arrays(*(np.asarray(w, dtype=np.float64) for w in omega))
        total = np.zeros(grids[0].shape, dtype=np.complex128)
        for at, tap in np.ndenumerate(doubles(self.taps)):
            phase = sum(w * (o + m) for w, o, m in zip(grids, self.origin, at, strict=True))
            total += tap * np.exp(-1j * np.asarray(phase))
        return total

    def _need_no_channels(self) -> None:
        if self.channels:
            raise ErfTheoryError(
                f"this kernel has channels {self.channels}: choose one with kernel[...]"
            )

    def _nonzero_mass(self) -> Fraction | float:
        if self.mass == 0:
            raise ErfTheoryError(
                "the taps add up to 0, so there is no normalised measure and no mean or cumulant"
            )
        return Fraction(self.mass) if self.is_exact else float(self.mass)


def _same_ndim(a: Kernel, b: Kernel) -> None:
    if a.ndim != b.ndim:
        raise ErfTheoryError(f"a {a.ndim}-D and a {b.ndim}-D kernel do not combine")


def _alike(a: Kernel, b: Kernel) -> tuple[NumberArray, NumberArray]:
    """The taps of both: exact if both are, else doubles."""
    if a.is_exact and b.is_exact:
        return a.taps, b.taps
    return doubles(a.taps), doubles(b.taps)
