"""The limit of a map on one axis: its layers, its lattice, and whether a Gaussian is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, pi, prod, sqrt
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import root_of
from erf_theory.gaussian.attractors import Attractor, attractor
from erf_theory.gaussian.bounds import UNEQUAL, kolmogorov, lyapunov
from erf_theory.gaussian.geometric import SelfSimilar, geometric
from erf_theory.gaussian.lattices import Lattice, lattice_of
from erf_theory.gaussian.layers import Layer, layers_of, total_cumulant
from erf_theory.gaussian.steps import steps_of
from erf_theory.maps import Map

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["NEAR", "NEAR_PEAK", "Answer", "AxisLimit", "Weights", "axis_limit"]

NEAR = 0.01
"""A map is called Gaussian where its distribution function, compared halfway between the points of
its lattice, is nowhere off by more than 1 % of its mass.

Three equal layers of 3 or more equal taps are that near (k = 3: 0.0085), two are not (0.015), of 2
taps it takes four (0.0062). One ladder of geometric dilations never is (0.028 to 0.057). A test of
Kolmogorov and Smirnov sees it from (1.36 / 0.01)² = 18 000 samples on. The bound of Berry and
Esseen is no measure of it: most of that is the lattice, which the continuity correction takes
out."""
NEAR_PEAK = 0.05
"""The same for maps with signs: no value is off by more than 5 % of the largest."""
_MOST = 2**22
"""Most samples of a map that are computed to see how near it is."""
_MOST_SIGNED = 2**12
"""The same where there are signs, whose attractor is integrated place by place."""
_NEARLY_ALL = 0.95
_ROUNDING = 1e-9
_A_FEW = 3
"""Layers that carry nearly all of the variance, up to which these are said to be the whole sum."""

Answer = Literal["yes", "not yet", "no"]


@final
@dataclass(frozen=True)
class Weights:
    """How the variance of a sum is shared among its independent steps.

    A step is a layer, or a block between two places where all paths meet.

    Attributes
    ----------
    steps : int
        How many there are that spread.
    lyapunov : float
        L₃; the distance to the Gaussian is at most 0.5583 L₃.
    largest : float
        Share of the variance that the largest step carries.
    few : int
        How many of the largest carry 95 % of it.
    share : float
        What these carry.
    """

    steps: int
    lyapunov: float
    largest: float
    few: int
    share: float


@final
@dataclass(frozen=True)
class AxisLimit:
    """The limit of a map on one axis.

    Attributes
    ----------
    lattice : Lattice
        The places that the map lives on; a span above 1 is called gridding.
    weights : Weights or None
        Of its layers; None where it is no sum of independent ones.
    is_equal : bool
        Whether its layers have one law.
    ladder : SelfSimilar or None
        The limit of a geometric ladder, if the layers form one.
    attractor : Attractor or None
        The limit of taps with signs.
    obstacle : str
        Why it is no sum of independent layers; empty where it is one.
    excess_kurtosis, skewness : float or None
        κ₄/κ₂² and κ₃/κ₂^(3/2); None where there are signs.
    distance : float or None
        Largest difference of the distribution functions halfway between lattice points; of a map
        with signs, the largest difference to the attractor over the largest value. None where the
        map is too large.
    """

    lattice: Lattice
    weights: Weights | None
    is_equal: bool
    ladder: SelfSimilar | None
    attractor: Attractor | None
    obstacle: str
    excess_kurtosis: float | None
    skewness: float | None
    distance: float | None

    @property
    def offset(self) -> float:
        """The first place of the lattice at 0 or above, in pixels from the unit's centre."""
        return float(self.lattice.first % self.lattice.span)

    @property
    def answer(self) -> Answer:
        """Whether the Gaussian limit applies.

        "yes" where `distance` is at most `NEAR` (where the map is too large for it, the bound of
        Berry and Esseen); "not yet" where more layers of the same kind bring it there; else "no".
        Of a map with signs, "no" where its attractor is another.
        """
        if self.attractor is not None:
            near = self.distance is None or self.distance <= NEAR_PEAK
            return ("yes" if near else "not yet") if self.attractor.is_gaussian else "no"
        if self.reach <= NEAR:
            return "yes"
        if self.ladder or self.weights is None or (not self.is_equal and self._is_dominated):
            return "no"
        return "no" if self.weights.steps == 1 else "not yet"

    @property
    def reach(self) -> float:
        """The distance, or the bound of Berry and Esseen on it; 1 where neither is known."""
        if self.distance is not None:
            return self.distance
        return min(UNEQUAL * self.weights.lyapunov, 1.0) if self.weights else 1.0

    @property
    def _is_dominated(self) -> bool:
        return self.weights is not None and self.weights.few <= _A_FEW

    @property
    def steps_needed(self) -> int | None:
        """About how many equal steps are near enough; None where they are not equal.

        The distance falls as 1/n from what it is; where the taps are not symmetric, as the first
        term of Edgeworth's series, φ(0)/6 times the skewness, which falls as 1/√n.
        """
        if not (self.is_equal and self.weights and self.distance):
            return None
        skewed = abs(self.skewness or 0.0) / (6 * sqrt(2 * pi))
        if skewed > _ROUNDING:
            return max(ceil(self.weights.steps * (skewed / NEAR) ** 2), 1)
        return ceil(self.weights.steps * self.distance / NEAR)

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as JSON knows them."""
        return {
            "answer": self.answer,
            "span": self.lattice.span,
            "offset": self.offset,
            "steps": self.weights and self.weights.steps,
            "lyapunov": self.weights and self.weights.lyapunov,
            "largest_share": self.weights and self.weights.largest,
            "excess_kurtosis": self.excess_kurtosis,
            "skewness": self.skewness,
            "distance": self.distance,
            "obstacle": self.obstacle or None,
            "ladder": self.ladder and _ladder_to_dict(self.ladder),
            "attractor": self.attractor and self.attractor.to_dict(),
        }


def axis_limit(erf: ERF, axis: int) -> AxisLimit:
    """The limit of a map on one axis.

    Raises
    ------
    ErfTheoryError
        If the map does not spread there; or has signs and layers of different kinds, or kernels
        that are no product of one per axis.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = axis_limit(theoretical_erf(3, 20, dilation=2), 0)
    >>> found.answer, found.lattice.span, round(found.distance, 4)
    ('yes', 2, 0.0011)
    """
    if not erf.is_nonnegative:
        return _signed(erf, axis)
    fourth, variance = Fraction(erf.cumulant(4, axis)), Fraction(erf.cumulant(2, axis))
    if variance == 0:
        raise ErfTheoryError(
            f"the map does not spread on axis {axis}, its standard deviation is 0: no Gaussian has "
            "width 0; give a layer of two taps or more"
        )
    third = Fraction(erf.cumulant(3, axis))
    layers, obstacle = _layers(erf, axis)
    line = erf.profile(axis) if erf.ndim > 1 else erf
    is_large = prod(_owner(erf, axis)[0].shape) > _MOST
    lattice = lattice_of(erf, axis)
    return AxisLimit(
        lattice=lattice,
        weights=_weights(layers) if layers else None,
        is_equal=len(layers) == 1,
        ladder=geometric(layers),
        attractor=None,
        obstacle=obstacle,
        excess_kurtosis=float(fourth / variance**2),
        skewness=root_of(third**2 / variance**3) * (1 if third > 0 else -1),
        distance=None if is_large else kolmogorov(line, corrected=lattice.span),
    )


def _owner(erf: ERF, axis: int) -> tuple[Map, int]:
    """The factor that holds an axis, and the axis in it."""
    return [(part, i) for part in erf.factors for i in range(len(part.start))][axis]


def _layers(erf: ERF, axis: int) -> tuple[tuple[Layer, ...], str]:
    """The independent layers; or none, and why."""
    try:
        return layers_of(erf, axis), ""
    except ErfTheoryError as error:
        return (), str(error)


def _weights(layers: Sequence[Layer]) -> Weights:
    """How the variance is shared: equal layers count one by one."""
    total = Fraction(total_cumulant(layers, 2))
    each = [(float(layer.cumulant(2) / layer.times / total), layer.times) for layer in layers]
    each.sort(reverse=True)
    few, share = 0, 0.0
    for part, times in each:
        taken = min(times, ceil((_NEARLY_ALL - share) / part - _ROUNDING))
        few, share = few + taken, share + taken * part
        if share >= _NEARLY_ALL - _ROUNDING:
            break
    count = sum(layer.times for layer in layers)
    return Weights(count, lyapunov(layers), each[0][0], few, min(share, 1.0))


def _signed(erf: ERF, axis: int) -> AxisLimit:
    """The limit of equal layers with signs, by the transfer function of one."""
    if len(_owner(erf, axis)[0].shape) > 1:
        raise ErfTheoryError(
            "a kernel with signs that is no product of one kernel per axis has no limit that is "
            "known here: its transfer function may be largest off the axes"
        )
    parts = [part for part in steps_of(erf, axis) if np.count_nonzero(part.kernel.taps) > 1]
    kinds = {(part.kernel, part.step) for part in parts}
    if len(kinds) != 1:
        several = f"{len(kinds)} kinds of layers" if kinds else "layers of a single tap"
        raise ErfTheoryError(
            f"{several} with signs have no limit that is known here: equal layers of two taps or "
            "more have, see attractor(kernel)"
        )
    n = sum(part.times for part in parts)
    found = attractor(parts[0].kernel)
    span = found.span * parts[0].step[0]
    return AxisLimit(
        lattice=_signed_lattice(erf, axis, span),
        weights=None,
        is_equal=True,
        ladder=None,
        attractor=found,
        obstacle="the taps have signs",
        excess_kurtosis=None,
        skewness=None,
        distance=found.error(n) if prod(_owner(erf, axis)[0].shape) <= _MOST_SIGNED else None,
    )


def _signed_lattice(erf: ERF, axis: int, span: int) -> Lattice:
    """The places of a map with signs: those that the signs leave 0 are among them."""
    factor, along = _owner(erf, axis)
    first = factor.support_box[0][along] - Fraction(factor.shape[along] - 1, 2)
    return Lattice(span, first, first + factor.support_box[1][along] - 1)


def _ladder_to_dict(ladder: SelfSimilar) -> dict[str, Any]:
    return {
        "limit": str(ladder),
        "ratio": str(ladder.ratio),
        "levels": ladder.levels,
        "copies": ladder.copies,
        "uniforms": ladder.uniforms,
        "has_density": ladder.has_density,
        "has_gaps": ladder.has_gaps,
        "width_in_largest_steps": ladder.width,
        "cumulants_in_largest_steps": [float(ladder.cumulant(r)) for r in (2, 3, 4)],
    }
