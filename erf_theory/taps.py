"""Taps on the lattice: a finite signed measure, what it weighs and how it is spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from operator import index
from typing import Any, Self

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
    number_array,
    to_double,
    whole,
)
from erf_theory.moments import cumulants

__all__ = ["Taps"]

_FAR = 1000
"""Powers of 2 below this one, up or down, are doubles: products with them round as ldexp does."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Taps:
    """Weights on lattice points, with their moments: the base of `Kernel`, which combines them.

    Parameters
    ----------
    taps : array_like
        The weights; the last ``len(origin)`` axes are spatial, up to two channel axes come first.
    origin : tuple of int, optional
        Lattice coordinate of the first tap on every spatial axis. Default: 0, all axes spatial.

    Raises
    ------
    ErfTheoryError
        If the taps are empty, not finite, not real, or have the wrong number of axes.
    """

    taps: NumberArray
    origin: tuple[int, ...]

    def __init__(self, taps: npt.ArrayLike, origin: Sequence[int] | None = None) -> None:
        array = number_array(taps)
        start = (0,) * array.ndim if origin is None else _several("an origin", origin)
        if not 1 <= len(start) <= 3:
            raise ErfTheoryError(f"a kernel has 1, 2 or 3 spatial axes, not {len(start)}")
        if not 0 <= array.ndim - len(start) <= 2:
            raise ErfTheoryError(
                f"taps of shape {array.shape} do not fit {len(start)} spatial axes with at most "
                "two channel axes before them: give origin one entry per spatial axis"
            )
        _hold(self, array, start)

    @classmethod
    def of(cls, taps: NumberArray, origin: tuple[int, ...], largest: float | None = None) -> Self:
        """The same from an array of exact numbers or finite doubles, which is not looked at.

        ``largest`` is the largest magnitude, where that is known.
        """
        made = cls.__new__(cls)
        _hold(made, taps, origin)
        if largest is not None:
            made.__dict__["exponent"] = exponent_of(largest)
        return made

    def laid(self, taps: NumberArray, origin: tuple[int, ...]) -> Self:
        """The same numbers laid out in another way: what is known of their size stays."""
        made = self.of(taps, origin)
        if not self.is_exact:
            made.__dict__["exponent"] = self.exponent
        return made

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
    def is_symmetric(self) -> bool:
        """Whether the spatial taps are their own mirror image about the centre of their box."""
        channelwise = self.taps.reshape(*self.channels, -1)
        return bool((channelwise == channelwise[..., ::-1]).all())

    @cached_property
    def exponent(self) -> int:
        """E with the largest magnitude in about [1/2, 1) · 2ᴱ; 0 if all taps are 0."""
        return exponent_of(max(self.taps.max(), -self.taps.min()))

    @cached_property
    def scaled(self) -> tuple[FloatArray, int]:
        """Float taps with the largest magnitude in [1/2, 1), and the exponent of 2 left out."""
        exponent = self.exponent
        if self.is_exact:
            shift = Fraction(2) ** -exponent
            array = np.reshape([float(v * shift) for v in self.taps.flat], self.taps.shape)
        else:
            near = abs(exponent) < _FAR
            array = self.taps * 2.0**-exponent if near else np.ldexp(self.taps, -exponent)
        shrink = self.is_exact or exponent > 0
        if shrink and np.any((array == 0) != (self.taps == 0)):
            raise EngineError("the taps are too far apart for doubles: multinomial or balls can")
        return array, exponent

    def __getitem__(self, channel: int | tuple[int, ...]) -> Self:
        """The spatial kernel of one channel (depthwise) or one (out, in) pair."""
        chosen = channel if isinstance(channel, tuple) else (channel,)
        places = [whole("a channel", at) for at in chosen]
        fits = len(places) == len(self.channels)
        if not fits or any(not -m <= at < m for at, m in zip(places, self.channels, strict=True)):
            raise ErfTheoryError(f"channel {channel} does not fit channels {self.channels}")
        return self.of(self.taps[tuple(places)], self.origin)

    __iter__ = None

    def marginal(self, axis: int = 0) -> Self:
        """The measure on one axis: the sum over all others."""
        if not -self.ndim <= (along := whole("an axis", axis)) < self.ndim:
            raise ErfTheoryError(
                f"a {self.ndim}-D kernel has axes 0 to {self.ndim - 1}, not {along}"
            )
        along %= self.ndim
        others = tuple(len(self.channels) + i for i in range(self.ndim) if i != along)
        size = self.shape[along]
        if size == self.taps.size // prod(self.channels):
            return self.laid(self.taps.reshape(*self.channels, size), (self.origin[along],))
        with np.errstate(over="ignore"):
            line = np.sum(self.taps, axis=others)
        return self._result(line, (self.origin[along],))

    @cached_property
    def mass(self) -> Number:
        """Sum of the taps."""
        self._need_no_channels()
        return exact_sum(self.taps.flat, exact=self.is_exact)

    def moment(self, orders: Sequence[int]) -> Number:
        """Raw moment Σ v(m) Π mᵢ^ordersᵢ (not divided by the mass), one order per axis.

        Float taps are summed exactly and rounded once.
        """
        self._need_no_channels()
        degrees = _several("the orders of a moment", orders)
        if len(degrees) != self.ndim or min(degrees) < 0:
            raise ErfTheoryError(
                f"a moment has an order of 0 or more for each of {self.ndim} axes, not {orders!r}"
            )
        powers: Any = 1
        for size, start, r in zip(self.shape, self.origin, degrees, strict=True):
            line = np.array([m**r for m in range(start, start + size)], dtype=object)
            powers = np.multiply.outer(powers, line)
        if self.is_exact:
            return exact_sum((self.taps * powers).flat, exact=True)
        terms = zip(self.taps.flat, powers.flat, strict=True)
        return to_double(sum(Fraction(v) * m for v, m in terms), "a moment of the taps")

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
        >>> from erf_theory.kernel import Kernel
        >>> [Kernel.uniform(3).cumulant(r) for r in (1, 2, 3, 4)]
        [Fraction(1, 1), Fraction(2, 3), Fraction(0, 1), Fraction(-2, 3)]
        """
        if (highest := whole("the order of a cumulant", order)) < 1:
            raise ErfTheoryError(f"cumulants start at order 1, not {order}; order 0 is log(mass)")
        line, mass = self.marginal(axis), self._nonzero_mass()
        return cumulants([line.moment((r,)) / mass for r in range(highest + 1)])[highest]

    def transfer(self, *omega: npt.ArrayLike) -> npt.NDArray[np.complex128]:
        """Transfer function V(ω) = Σ v(m) exp(-jω·m).

        Parameters
        ----------
        *omega : array_like
            Angular frequencies in radians per lattice step, one array per axis, broadcast.

        Examples
        --------
        >>> from erf_theory.kernel import Kernel
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

    @classmethod
    def _result(cls, taps: NumberArray, origin: tuple[int, ...]) -> Self:
        """What an operation gave, unless doubles did not hold it."""
        if taps.dtype == object:
            return cls(taps, origin)
        if not np.all(np.isfinite(taps)):
            raise ErfTheoryError(
                "a tap of the result is above the largest double: give the taps as integers or "
                "fractions, which stay exact, or scale them down"
            )
        return cls.of(taps, origin)

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


def _hold(made: Taps, taps: NumberArray, origin: tuple[int, ...]) -> None:
    """Fill what is frozen."""
    taps.flags.writeable = False
    object.__setattr__(made, "taps", taps)
    object.__setattr__(made, "origin", origin)


def _several(name: str, values: Sequence[int]) -> tuple[int, ...]:
    """One whole number per spatial axis."""
    try:
        return tuple(map(index, values))
    except TypeError:
        raise ErfTheoryError(
            f"{name}: give one whole number per spatial axis, as (0,), not {values!r}"
        ) from None
