"""The multinomial engine: exact integers over a common denominator.

n equal layers of k ones give the extended binomial (polynomial) coefficients T(n, k, t); any
kernel of integers, fractions or doubles gives exact rationals: a double is a fraction over a
power of 2. FLINT multiplies the integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log2, prod
from typing import Any, final

import numpy as np

from erf_theory.engines.packed import Packed, Run
from erf_theory.errors import EngineError
from erf_theory.exact import NumberArray

__all__ = ["Exact", "extended_binomials", "impulse"]

_MOST_BITS = 2**33
"""Most bits that the numerators of one field may need: 1 GiB."""
_OVERHEAD = 800
"""Bits that a number costs beside its digits."""


@final
@dataclass(frozen=True, eq=False)
class Exact(Packed):
    """A field of exact rationals: numerators over one denominator, not in lowest terms.

    Floats are taken for the dyadic fractions that they are: 0.1 is not 1/10.

    Raises
    ------
    EngineError
        By `numerators` and wherever samples are needed, if they would take more than 1 GiB;
        by borders and channels, which need the convolution engine.

    Examples
    --------
    >>> from erf_theory.kernel import Kernel
    >>> field = impulse(1).convolve(Kernel.uniform(3), 1, 4)
    >>> field.numerators.tolist(), field.denominator, field.start
    ([1, 4, 10, 16, 19, 16, 10, 4, 1], 1, (0,))
    """

    engine = "multinomial"

    @cached_property
    def numerators(self) -> NumberArray:
        """Python integers in the shape of the box; over `denominator` they are the samples."""
        self._need_room(self.shape)
        numerators = np.full(self.shape, 0, dtype=object)
        if self._is_uniform_run:
            run = self.runs[0]
            numerators[:: run.step[0]] = extended_binomials(run.kernel.taps.size, run.times)
        else:
            numerators.ravel()[:] = _integers(self.coefficients.ravel())
        numerators.flags.writeable = False
        return numerators

    @property
    def _is_uniform_run(self) -> bool:
        """Whether the numerators are extended binomial coefficients, ``step`` apart."""
        alone = self.ndim == len(self.runs) == 1 and self.extent == (1,)
        return alone and self.samples == 1 and set(self.runs[0].numerators) == {1}

    def _ring(self, coefficients: Sequence[Any]) -> Any:
        from flint import fmpz_poly

        return fmpz_poly(coefficients)

    def _spread(self, polynomial: Any, gap: int) -> Any:
        return polynomial.inflate(gap)

    def _need_room(self, shape: tuple[int, ...]) -> None:
        growth = sum(run.times * _growth(run) for run in self.runs)
        bits = self.samples.height_bits() + ceil(growth)
        size = prod(shape)
        if size * (bits + _OVERHEAD) > _MOST_BITS:
            raise EngineError(
                f"{size} exact integers of up to {bits} bits are more than "
                f"{_MOST_BITS // 2**33} GiB: ask the contour engine for logarithms or the "
                "convolution engine for doubles, or choose a smaller n or k"
            )


def impulse(ndim: int) -> Exact:
    """The unit impulse at 0.

    Examples
    --------
    >>> impulse(2).numerators.tolist()
    [[1]]
    """
    from flint import fmpz_poly

    return Exact(fmpz_poly([1]), (0,) * ndim, (1,) * ndim)


def extended_binomials(k: int, n: int) -> list[int]:
    """All extended binomial coefficients T(n, k, t), t = 0..n(k−1).

    The recurrence with a constant number of terms for every k,
    (t+1)T(t+1) = (t+n)T(t) + (t−k+1−nk)T(t−k+1) − (t−k−n(k−1))T(t−k),
    up to the middle; the rest is the mirror image.

    Examples
    --------
    >>> extended_binomials(3, 3)
    [1, 3, 6, 7, 6, 3, 1]
    """
    last = n * (k - 1)
    half = last // 2
    padded = [0] * k + [1]
    far, farther = n * k + k - 1, last + k
    for t in range(half):
        total = (t + n) * padded[-1] + (t - far) * padded[t + 1] - (t - farther) * padded[t]
        padded.append(total // (t + 1))
    row = padded[k:]
    return row + row[: last - half][::-1]


def _growth(run: Run) -> float:
    """Bits that one convolution may add to the numerators."""
    return log2(max(1, sum(map(abs, run.numerators))))


def _integers(numbers: NumberArray) -> list[int]:
    """Integers of FLINT as Python integers; a mirror image is not read twice."""
    half = len(numbers) - len(numbers) // 2
    if not np.array_equal(numbers[:half], numbers[::-1][:half]):
        return [int(c) for c in numbers]
    lower = [int(c) for c in numbers[:half]]
    return lower + lower[: len(numbers) - half][::-1]
