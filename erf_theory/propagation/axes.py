"""Which axes a field has: all of the network's, one with the others summed, or one factor."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod
from operator import add
from typing import Any, Literal, NamedTuple, final

import numpy as np
import numpy.typing as npt

from erf_theory.engines.field import F
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.kernel import Kernel
from erf_theory.lattice import Steps, per_axis

__all__ = ["Axes", "NoMarginalError"]


class NoMarginalError(ErfTheoryError):
    """A sum over axes that is no field on the axis that is left."""


@final
class Axes(NamedTuple):
    """The axes of a field, and what a kernel of the network becomes on them.

    Attributes
    ----------
    ndim : int
        Spatial axes of the network.
    axis : int
        The only one that the field has, if it has one.
    mode : {"full", "marginal", "factor"}
        All axes; the sum over all others; one factor of an outer product.
    """

    ndim: int
    axis: int = 0
    mode: Literal["full", "marginal", "factor"] = "full"

    @property
    def kept(self) -> tuple[int, ...]:
        """The network's axes that the field has."""
        return tuple(range(self.ndim)) if self.mode == "full" else (self.axis,)

    def steps(self, value: Steps) -> tuple[int, ...]:
        """One integer for each of the field's axes."""
        every = per_axis(value, self.ndim)
        return tuple(every[axis] for axis in self.kept)

    def kernel(
        self, kernel: Kernel, decimated: Sequence[int] = (), dilation: Sequence[int] = ()
    ) -> Kernel:
        """A kernel on the field's axes.

        Parameters
        ----------
        kernel : Kernel
            On the network's axes.
        decimated, dilation : sequence of int
            Of how many places one is kept behind it, and the distance of its taps.

        Raises
        ------
        NoMarginalError
            If the phases that are not kept have other sums.
        """
        if self.mode == "full" or self.ndim == 1:
            return kernel
        if self.mode == "factor":
            factors = kernel.factors()
            if factors is None:
                raise NoMarginalError("the kernel is no outer product")
            return factors[self.axis]
        steps = tuple(decimated) or (1,) * self.ndim
        phases = prod(s for axis, s in enumerate(steps) if axis != self.axis)
        line = kernel.marginal(self.axis)
        if phases == 1:
            return line
        sums = self._phase_sums(kernel, steps, tuple(dilation) or (1,) * self.ndim)
        if any(not np.array_equal(part, sums[0]) for part in sums):
            raise NoMarginalError("the phases of an upsampling have other sums")
        return line * Fraction(1, phases)

    def moved(self, field: F, shifts: Sequence[int]) -> F:
        """The field moved by so many places on the network's axes."""
        shift = tuple(shifts[axis] for axis in self.kept)
        return field.convolve(_impulse(shift)) if any(shift) else field

    def scaled(self, field: F, factor: Number) -> F:
        """The field times a number, which one factor of a product carries for all."""
        if factor == 1 or (self.axis > 0 and self.mode == "factor"):
            return field
        whole = isinstance(factor, float) and factor.is_integer()
        return field.scale(int(factor) if whole else factor)

    def total(self, fields: Sequence[F]) -> F:
        """The sum of fields.

        Raises
        ------
        ErfTheoryError
            If there are none: no energy is left.
        NoMarginalError
            If each of several fields is one factor of a product: a sum of products is none.
        """
        if not fields:
            raise ErfTheoryError("the energy is 0 everywhere: a norm with scale 0 stops all of it")
        if self.mode == "factor" and len(fields) > 1:
            raise NoMarginalError("channels that differ are no outer product together")
        return reduce(add, fields)

    def _phase_sums(
        self, kernel: Kernel, steps: tuple[int, ...], dilation: tuple[int, ...]
    ) -> list[npt.NDArray[Any]]:
        """For every phase of the other axes, the sum of its taps along the kept one."""
        others = [axis for axis in range(self.ndim) if axis != self.axis]
        found: list[npt.NDArray[Any]] = []
        for phase in product(*(range(steps[axis]) for axis in others)):
            taps = kernel.taps
            for axis, at in zip(others, phase, strict=True):
                places = np.arange(taps.shape[axis]) * dilation[axis]
                taps = np.take(taps, np.flatnonzero(places % steps[axis] == at), axis)
            found.append(taps.sum(axis=tuple(others)))
        return found


def _impulse(shift: tuple[int, ...]) -> Kernel:
    """The unit impulse at a place."""
    return Kernel(Kernel.delta(len(shift)).taps, shift)
