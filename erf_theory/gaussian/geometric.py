"""Geometric ladders of layers, and the self-similar laws that they tend to in place of a Gaussian.

If every layer is the last one stretched by ρ > 1, the few largest carry almost all of the variance
however many there are. In units of the largest step the sum tends to X = X₁ + X₂/ρ + X₃/ρ² + …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from itertools import pairwise
from math import log, pi
from typing import final

import numpy as np

from erf_theory.exact import Number, number
from erf_theory.gaussian.layers import Layer, is_same_law, total_cumulant
from erf_theory.kernel import Kernel

__all__ = ["SelfSimilar", "geometric"]

_FEWEST = 3
"""Levels from which on a ladder is called geometric: two numbers always have a ratio."""
_MOST = 2**12
"""Most taps of one level that are multiplied out to look for a density."""
_ZERO = 1e-9
"""A transfer function of mass 1 that is smaller has a zero there."""


@final
@dataclass(frozen=True)
class SelfSimilar:
    """The law of X₁ + X₂/ρ + X₃/ρ² + …, in units of the largest step: the limit of a ladder.

    Attributes
    ----------
    ratio : Fraction
        ρ, from each level to the next.
    levels : int
        How many there are; the limit is that of many.
    step : int
        Pixels between the places of the finest level.
    level : tuple of Layer
        What one level, X₁, is the sum of, with step 1 for the finest.

    Notes
    -----
    The law has a density or is singular, and never a mixture of both (Jessen and Wintner 1935).
    For integer ρ it has a density exactly if its characteristic function is 0 at 2πj for every
    integer j ≠ 0: it then is bounded by the law modulo 1, which is uniform; otherwise the
    characteristic function has the same value at 2πjρ, 2πjρ², … and does not fall to 0, as that of
    a density would.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> from erf_theory.gaussian.layers import layers_of
    >>> law = geometric(layers_of(theoretical_erf(3, 6, stride=2)))
    >>> law.ratio, law.cumulant(2), law.excess_kurtosis, law.width, law.has_density
    (Fraction(2, 1), Fraction(8, 9), Fraction(-9, 10), 4.0, False)
    """

    ratio: Fraction
    levels: int
    step: int
    level: tuple[Layer, ...]

    def cumulant(self, r: int) -> Number:
        """Cumulant of order r ≥ 2: κ_r(X₁)/(1 − ρ^−r)."""
        return number(total_cumulant(self.level, r) / (1 - self.ratio ** (-r)))

    @property
    def excess_kurtosis(self) -> Number:
        """κ₄/κ₂² of the limit."""
        return number(self.cumulant(4) / self.cumulant(2) ** 2)

    @property
    def share(self) -> float:
        """Share of the variance that the largest level carries, of many: 1 − ρ^−2."""
        return float(1 - self.ratio**-2)

    @property
    def copies(self) -> int | None:
        """How many equal layers a level has; None if it has different ones."""
        return self.level[0].times if len(self.level) == 1 else None

    @property
    def width(self) -> float:
        """Length of the smallest interval that holds the law: (largest − smallest X₁)·ρ/(ρ − 1)."""
        return float(self._reach * self.ratio / (self.ratio - 1))

    @property
    def _reach(self) -> int:
        return sum(layer.reach for layer in self.level)

    @cached_property
    def kernel(self) -> Kernel | None:
        """The law of one level; None if it has too many taps to be made."""
        if self._reach >= _MOST:
            return None
        laws = (layer.law.dilate(layer.step) ** layer.times for layer in self.level)
        return reduce(Kernel.__matmul__, laws)

    @cached_property
    def uniforms(self) -> int | None:
        """Number m of independent uniform variables whose sum the law is; None if it is none.

        Levels whose law is the m-fold convolution of ρ equal taps: their digits to the base ρ.
        """
        spread = self.ratio - 1
        copies = self._reach / spread
        if self.ratio.denominator > 1 or copies.denominator > 1:
            return None
        digit = Kernel.uniform(int(self.ratio)) * Fraction(1, int(self.ratio))
        if self.copies and is_same_law(self.level[0].law, digit):
            return self.copies
        if self.kernel is None:
            return None
        return int(copies) if is_same_law(self.kernel, digit ** int(copies)) else None

    @cached_property
    def has_gaps(self) -> bool | None:
        """Whether the law leaves intervals out: where two places of X₁ lie too far apart.

        The scaled copies of the support at two neighbouring places do not meet.
        """
        if self.kernel is None:
            return None
        places = np.flatnonzero(self.kernel.taps != 0)
        return bool(max(np.diff(places)) > self._reach / (self.ratio - 1))

    @property
    def dimension(self) -> float | None:
        """Dimension of the support, where it is a Cantor set of pieces that do not meet."""
        if self.kernel is None:
            return None
        places = np.flatnonzero(self.kernel.taps != 0)
        apart = min(np.diff(places)) > self._reach / (self.ratio - 1)
        return log(len(places)) / log(self.ratio) if apart else None

    @cached_property
    def has_density(self) -> bool | None:
        """Whether the law has a density; None where ρ is no integer or a level is too long."""
        if self.ratio.denominator > 1 or self.kernel is None:
            return None
        return _tiles(self.kernel, int(self.ratio))

    @property
    def name(self) -> str:
        """What the law is called."""
        if self.uniforms:
            return "uniform" if self.uniforms == 1 else f"Irwin-Hall {self.uniforms}"
        if self._is_stern:
            return "the law of Stern's diatomic numbers"
        return "a self-similar law"

    @property
    def _is_stern(self) -> bool:
        """Three equal taps, stretched by 2: the map has Stern's diatomic numbers for values."""
        thirds = Kernel.uniform(3) * Fraction(1, 3)
        return self.ratio == 2 and self.copies == 1 and is_same_law(self.level[0].law, thirds)

    def __str__(self) -> str:
        if self.uniforms:
            return self.name
        nature = {True: "with a density", False: "singular", None: ""}[self.has_density]
        if self.has_gaps:
            nature = f"on a set with gaps{self._dimension_text}"
        elif nature == "singular":
            nature = "singular: continuous, without a density"
        return f"{self.name}, {nature}" if nature else self.name

    @property
    def _dimension_text(self) -> str:
        return f", a Cantor set of dimension {self.dimension:.3f}" if self.dimension else ""


def geometric(layers: Sequence[Layer]) -> SelfSimilar | None:
    """The law that a geometric ladder of layers tends to; None if they form none.

    Every level, the layers at one distance, is the level below stretched by the same ratio; three
    levels at least. The order of the layers does not matter, as it does not for their sum.

    Parameters
    ----------
    layers : sequence of Layer
        From `layers_of`.

    Returns
    -------
    SelfSimilar or None

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> from erf_theory.gaussian.layers import layers_of
    >>> print(geometric(layers_of(theoretical_erf(2, 8, stride=2))))
    uniform
    >>> geometric(layers_of(theoretical_erf(2, 8))) is None
    True
    """
    rungs = {step: [x for x in layers if x.step == step] for step in {x.step for x in layers}}
    if len(rungs) < _FEWEST:
        return None
    steps = sorted(rungs)
    ratios = {Fraction(b, a) for a, b in pairwise(steps)}
    first, *others = (rungs[step] for step in steps)
    if len(ratios) > 1 or not all(_is_same_level(first, other) for other in others):
        return None
    level = tuple(Layer(layer.law, 1, layer.times) for layer in first)
    return SelfSimilar(ratios.pop(), len(steps), steps[0], level)


def _is_same_level(one: Sequence[Layer], other: Sequence[Layer]) -> bool:
    """Whether two levels are sums of equal layers, but for their step."""
    if len(one) != len(other):
        return False
    rest = list(other)
    for layer in one:
        twins = (x for x in rest if x.times == layer.times and is_same_law(x.law, layer.law))
        twin = next(twins, None)
        if twin is None:
            return False
        rest.remove(twin)
    return True


def _tiles(kernel: Kernel, ratio: int) -> bool:
    """Whether the characteristic function is 0 at 2πj for every j ≠ 0, so that there is a density.

    It is the product of V(2πj/ρⁱ) over i ≥ 1, j no multiple of ρ. Residues of j modulo ρⁱ are
    ruled out by zeros of V level by level; V has fewer zeros than taps, so more residues than that
    cannot all be ruled out later.
    """
    size, left, modulus = kernel.shape[0], list(range(1, ratio)), ratio
    while left:
        values = np.abs(kernel.transfer(2 * pi * np.array(left) / modulus))
        left = [j for j, value in zip(left, values, strict=True) if value > _ZERO]
        if len(left) >= size:
            return False
        left = [j + i * modulus for j in left for i in range(ratio)]
        modulus *= ratio
    return True
