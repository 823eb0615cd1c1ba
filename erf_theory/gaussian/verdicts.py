"""The verdict on a Gaussian limit, in words."""

from __future__ import annotations

from erf_theory.gaussian.attractors import Attractor
from erf_theory.gaussian.axislimit import AxisLimit, Weights
from erf_theory.gaussian.geometric import SelfSimilar

__all__ = ["verdict"]

_HALF = 0.5
"""Share of the variance from which on one step is most of the sum."""


def verdict(limit: AxisLimit) -> str:
    """Whether the limit applies on an axis, why, and what it is if not.

    Examples
    --------
    >>> from erf_theory.gaussian.axislimit import axis_limit
    >>> from erf_theory.theory import theoretical_erf
    >>> verdict(axis_limit(theoretical_erf(3, 20), 0))
    'yes: 20 equal steps; its distribution function is off by 0.11 % at most'
    >>> verdict(axis_limit(theoretical_erf(2, 10, stride=2), 0))
    'no: 10 levels, each stretched by 2: the largest carries 75 % of the variance however many there
    are; the limit is uniform (excess kurtosis -1.2); its distribution function is off by 5.7 % at
    most; more such ladders, not more levels, would bring the Gaussian'
    """
    return f"{limit.answer}: {_reason(limit)}{_gridding(limit)}"


def _reason(limit: AxisLimit) -> str:
    """Why, by what is known of the map."""
    if limit.attractor is not None:
        return _attracted(limit, limit.attractor)
    if limit.ladder is not None:
        return _laddered(limit, limit.ladder)
    if limit.weights is None:
        return f"{_near(limit)}{_kurtosis(limit)}; it is no sum of layers: {limit.obstacle}"
    if limit.is_equal and limit.weights.steps > 1:
        return _equal(limit, limit.weights)
    if limit.weights.largest > _HALF and limit.answer == "no":
        return _dominated(limit, limit.weights)
    return f"{limit.weights.steps} steps, {_carried(limit.weights)}; {_near(limit)}"


def _gridding(limit: AxisLimit) -> str:
    span = limit.lattice.span
    return f"; on a lattice of span {span}, 0 between (gridding)" if span > 1 else ""


def _near(limit: AxisLimit) -> str:
    """How near the Gaussian is."""
    if limit.distance is not None:
        return f"its distribution function is off by {100 * limit.distance:.2g} % at most"
    if limit.reach < 1:
        return f"off by {100 * limit.reach:.2g} % at most, by the bound of Berry and Esseen"
    return "the map is too large to be compared"


def _attracted(limit: AxisLimit, found: Attractor) -> str:
    near = "" if limit.distance is None else f", off by {100 * limit.distance:.2g} % of the peak"
    if found.is_gaussian:
        return f"the taps have signs, but |V| is largest at 0 alone, with a quadratic term{near}"
    return (
        f"the taps have signs; the limit is {found.name}{near}; the largest value falls as "
        f"n^({found.decay})"
    )


def _laddered(limit: AxisLimit, ladder: SelfSimilar) -> str:
    return (
        f"{ladder.levels} levels, each stretched by {ladder.ratio}: the largest carries "
        f"{100 * ladder.share:.2g} % of the variance however many there are; the limit is {ladder} "
        f"(excess kurtosis {float(ladder.excess_kurtosis):.3g}); {_near(limit)}; {_blocks(ladder)}"
    )


def _blocks(ladder: SelfSimilar) -> str:
    """What would bring the Gaussian."""
    if ladder.uniforms and ladder.uniforms > 1:
        return (
            f"it is the sum of {ladder.uniforms} ladders, each uniform: more of them, not more "
            "levels, bring the Gaussian nearer"
        )
    return "more such ladders, not more levels, would bring the Gaussian"


def _dominated(limit: AxisLimit, weights: Weights) -> str:
    """One step is most of the sum: a layer, or a block, which is a mixture over its paths."""
    return (
        f"one step carries {100 * weights.largest:.3g} % of the variance: a layer, or a block "
        "whose branches meet only at its end, a mixture over paths and no sum of independent steps"
        f"{_kurtosis(limit)}; {_near(limit)}"
    )


def _kurtosis(limit: AxisLimit) -> str:
    return f" (excess kurtosis {limit.excess_kurtosis:.3g})"


def _equal(limit: AxisLimit, weights: Weights) -> str:
    needed = limit.steps_needed
    more = f"; about {needed} would do" if limit.answer != "yes" and needed else ""
    return f"{weights.steps} equal steps; {_near(limit)}{more}"


def _carried(weights: Weights) -> str:
    """Who carries the variance."""
    many = "the largest carries" if weights.few == 1 else f"the {weights.few} largest carry"
    return f"{many} {100 * weights.share:.3g} % of the variance"
