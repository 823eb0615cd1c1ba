"""A map as a law of exact integers, its normal law in balls of Arb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import ceil, floor, log, sqrt
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.lattices import support_lattice

__all__ = [
    "Ball",
    "ExactLaw",
    "Sampled",
    "ball",
    "density",
    "exact_law",
    "normal",
    "sampled",
]

Ball = Any
"""A ``flint.arb``: untyped in python-flint."""


@final
@dataclass(frozen=True)
class ExactLaw:
    """The law of a map on one axis, in lattice steps from its first place.

    Balls are made at the precision in force when they are first asked for.

    Attributes
    ----------
    numerators : tuple of int
        Shares at all places of the lattice from the first to the last of the support.
    total : int
        Their sum.
    mean, variance : Fraction
        Moments in lattice steps.
    """

    numerators: tuple[int, ...]
    total: int
    mean: Fraction
    variance: Fraction

    @cached_property
    def std(self) -> Ball:
        """Standard deviation in lattice steps."""
        return ball(self.variance).sqrt()

    @cached_property
    def z(self) -> list[Ball]:
        """The places in standard deviations from the mean."""
        return [self.at(j) for j in range(len(self.numerators))]

    @cached_property
    def p(self) -> list[Ball]:
        """Shares."""
        return [ball(Fraction(n, self.total)) for n in self.numerators]

    @cached_property
    def below(self) -> list[Ball]:
        """The distribution function at every place."""
        return [ball(Fraction(n, self.total)) for n in accumulate(self.numerators)]

    @cached_property
    def normal_below(self) -> list[Ball]:
        """Φ(z) at every place."""
        return [normal(z) for z in self.z]

    @cached_property
    def quantile(self) -> list[Ball]:
        """Φ⁻¹(F) at every place but the last; from what lies above where that is less."""
        from flint import arb

        found = []
        for numerator in list(accumulate(self.numerators))[:-1]:
            share = Fraction(min(numerator, self.total - numerator), self.total)
            far = arb(2).sqrt() * (2 * ball(share)).erfcinv()
            found.append(far if 2 * numerator > self.total else -far)
        return found

    def at(self, place: int) -> Ball:
        """A place in standard deviations from the mean."""
        return ball(place - self.mean) / self.std


@final
@dataclass(frozen=True)
class Sampled:
    """The normal law sampled on the lattice, beside an exact law, on the places that matter.

    Attributes
    ----------
    p, q, below, normal_below : list of ball
        Shares and distribution functions of the map and of the normal law, place by place.
    outside : ball
        From 0 to what the normal law has outside of these places.
    farther : ball
        From 0 to the sum of that times the number of places it is away, squared.
    step : ball
        One lattice step in standard deviations.
    """

    p: list[Ball]
    q: list[Ball]
    below: list[Ball]
    normal_below: list[Ball]
    outside: Ball
    farther: Ball
    step: Ball


def exact_law(numerators: Sequence[int]) -> ExactLaw:
    """The law of integers without signs.

    Raises
    ------
    ErfTheoryError
        If there is a negative one, or just one that is not 0.
    """
    if min(numerators) < 0:
        raise ErfTheoryError(
            "a map with signs is no law, so that it has no distance to one: ask for the energy, "
            "or give taps that are not negative"
        )
    support = np.array([n > 0 for n in numerators])
    first, span, size = support_lattice(support)
    kept = tuple(int(n) for n in numerators[first : first + size * span : span])
    total = sum(kept)
    mean = Fraction(sum(j * n for j, n in enumerate(kept)), total)
    square = Fraction(sum(j * j * n for j, n in enumerate(kept)), total)
    return ExactLaw(kept, total, mean, square - mean * mean)


def sampled(law: ExactLaw) -> Sampled:
    """The normal law on the lattice of an exact law, with a proven bound of what is left out."""
    from flint import arb, ctx

    std = sqrt(law.variance)
    reach = sqrt(2 * log(2) * ctx.prec) * std + 1
    low = min(-1, floor(law.mean - reach))
    high = max(len(law.numerators), ceil(law.mean + reach))
    before, after = -low, high + 1 - len(law.numerators)
    weights = [(-z * z / 2).exp() for z in map(law.at, range(low, high + 1))]
    left, right = (_tail(law, place) for place in (low - 1, high + 1))
    norm = sum(weights, left[0] + right[0])
    q = [weight / norm for weight in weights]
    return Sampled(
        p=[arb(0)] * before + law.p + [arb(0)] * after,
        q=q,
        below=[arb(0)] * before + law.below + [arb(1)] * after,
        normal_below=list(accumulate(q, initial=left[0] / norm))[1:],
        outside=(left[0] + right[0]) / norm,
        farther=(left[1] + right[1]) / norm,
        step=1 / law.std,
    )


def _tail(law: ExactLaw, place: int) -> tuple[Ball, Ball]:
    """From 0 to the sum of exp(−z²/2) from a place outwards; and times squared distances.

    A further step multiplies a term by r = exp(−|z|·h/s) at most. Distances are those from the
    support's other end: (L + i)² ≤ 2L² + 2i², and Σ i²rⁱ ≤ 2/(1 − r)³.
    """
    from flint import arb

    z = abs(law.at(place))
    first, gap = (-z * z / 2).exp(), 1 - (-z / law.std).exp()
    length = max(abs(place), abs(place - len(law.numerators)))
    squares = 2 * arb(length * length) / gap + 4 / (gap * gap * gap)
    return arb(0).union(first / gap), arb(0).union(first * squares)


def ball(value: Fraction | int) -> Ball:
    """An exact number as a ball."""
    from flint import arb, fmpq

    ratio = Fraction(value)
    return arb(fmpq(ratio.numerator, ratio.denominator))


def normal(z: Ball) -> Ball:
    """Φ(z)."""
    from flint import arb

    return (-z / arb(2).sqrt()).erfc() / 2


def density(z: Ball) -> Ball:
    """φ(z)."""
    from flint import arb

    return (-z * z / 2).exp() / (2 * arb.pi()).sqrt()
