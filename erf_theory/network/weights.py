"""Laws of random weights: how the frameworks initialise a convolution.

A weight array has the shape of PyTorch's: the channels of the output, the channels that one of
them sees, then the taps (a transposed convolution has its channels the other way round).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod, sqrt
from typing import Any, Literal

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["LAWS", "Law", "law", "middle"]


@dataclass(frozen=True)
class Law:
    """Independent weights of mean 0, whose variance depends on the shape of their array.

    Attributes
    ----------
    name : str
        As in `LAWS`.
    distribution : str
        "normal", "uniform", or "orthogonal": only the middle tap is not 0, and its matrix has
        orthonormal rows or columns.
    of_fans : callable
        The variance from the fan-in and the fan-out.

    Examples
    --------
    >>> law("he").variance((64, 32, 3, 3))
    Fraction(1, 144)
    """

    name: str
    distribution: Literal["normal", "uniform", "orthogonal"]
    of_fans: Callable[[int, int], Fraction]

    def variance(self, shape: Sequence[int], groups: int = 1) -> Fraction:
        """Variance of every weight, or every one of the middle tap, of an array of that shape.

        The fan-in is ``shape[1]`` times the taps, the fan-out ``shape[0]`` times the taps, as in
        ``torch.nn.init``: groups are not told apart in the fan-out.
        """
        if self.is_centred:
            return self.of_fans(shape[1], shape[0] // groups)
        taps = prod(shape[2:])
        return self.of_fans(shape[1] * taps, shape[0] * taps)

    @property
    def is_centred(self) -> bool:
        """Whether only the middle tap is not 0."""
        return self.distribution == "orthogonal"

    def draw(self, shape: Sequence[int], rng: np.random.Generator, groups: int = 1) -> FloatArray:
        """Weights of that shape."""
        if self.is_centred:
            return _delta_orthogonal(shape, rng, groups)
        std = sqrt(self.variance(shape))
        if self.distribution == "normal":
            return rng.standard_normal(shape) * std
        return rng.uniform(-sqrt(3) * std, sqrt(3) * std, shape)


LAWS = {
    "he": Law("he", "normal", lambda fan_in, _: Fraction(2, fan_in)),
    "xavier": Law("xavier", "normal", lambda fan_in, fan_out: Fraction(2, fan_in + fan_out)),
    "lecun": Law("lecun", "normal", lambda fan_in, _: Fraction(1, fan_in)),
    "pytorch": Law("pytorch", "uniform", lambda fan_in, _: Fraction(1, 3 * fan_in)),
    "delta_orthogonal": Law(
        "delta_orthogonal", "orthogonal", lambda inner, outer: Fraction(1, max(inner, outer))
    ),
}
"""He et al. 2015 (fan-in, ReLU's gain), Glorot and Bengio 2010, LeCun et al. 1998, and what
PyTorch's convolutions do by default; Xiao et al. 2018 (orthogonal in the middle, else 0)."""


def middle(sizes: Sequence[int]) -> tuple[int, ...]:
    """The tap in the middle, the one before it where there are two."""
    return tuple((k - 1) // 2 for k in sizes)


def _delta_orthogonal(shape: Sequence[int], rng: np.random.Generator, groups: int) -> FloatArray:
    """Matrices with orthonormal rows or columns on the middle tap, one for every group."""
    outer, inner = shape[0] // groups, shape[1]
    blocks = []
    for _ in range(groups):
        square, triangle = np.linalg.qr(rng.standard_normal((max(outer, inner), min(outer, inner))))
        square = square * np.sign(np.diag(triangle))
        blocks.append(square if outer >= inner else square.T)
    weights = np.zeros(shape)
    at: Any = (..., *middle(shape[2:]))
    weights[at] = np.concatenate(blocks)
    return weights


def law(name: str) -> Law:
    """The law of that name.

    Raises
    ------
    ErfTheoryError
        If there is none.
    """
    if name not in LAWS:
        raise ErfTheoryError(f"there is no initialisation {name!r}: choose {', '.join(LAWS)}")
    return LAWS[name]
