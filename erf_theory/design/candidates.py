"""Designs that satisfy requirements: the first of rising plans, and the widest of a space."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from heapq import merge
from itertools import repeat

from erf_theory.design.choices import Budget, Choices, Family
from erf_theory.design.inversion import erf_of_plan
from erf_theory.design.plans import Plan
from erf_theory.design.requirements import Requirements
from erf_theory.design.space import Objective, groups, order_of
from erf_theory.practical.edges import least

__all__ = ["by_cost", "first", "satisfying", "widest"]

_Candidate = tuple[Plan, Family]
"""A plan and the family that it belongs to."""


def by_cost(
    space: Choices, needs: Requirements, limits: Budget, objective: Objective
) -> Iterator[_Candidate]:
    """The plans of all families that may be wide enough, in rising order.

    Examples
    --------
    >>> from erf_theory.design.targets import Target
    >>> needs = Requirements(Target.of(size=9))
    >>> plan, family = next(by_cost(Choices(), needs, Budget(), "parameters"))
    >>> family, str(plan)
    ('large', '7')
    """
    order = order_of(objective)
    variance = needs.target.least_variance(space.ndim)
    streams = [
        zip(plans, repeat(family))
        for family in space.families
        for plans in groups(space, family, objective, limits, variance)
    ]
    return merge(*streams, key=lambda candidate: order(candidate[0]))


def first(plans: Iterable[_Candidate], needs: Requirements) -> _Candidate | None:
    """The first of rising plans that satisfies everything; None where none does.

    Examples
    --------
    >>> from erf_theory.design.targets import Target
    >>> needs = Requirements(Target.of(size=27))
    >>> plans = by_cost(Choices(("dilated",), max_layers=3), needs, Budget(), "parameters")
    >>> found = first(plans, needs)
    >>> found and str(found[0])
    '3, 3 (dilation 3), 3 (dilation 9)'
    """
    return next(satisfying(plans, needs), None)


def satisfying(plans: Iterable[_Candidate], needs: Requirements) -> Iterator[_Candidate]:
    """Those plans that satisfy everything."""
    for plan, family in plans:
        if needs.may_hold(plan) and needs.holds(erf_of_plan(plan)):
            yield plan, family


def widest(
    space: Choices, needs: Requirements, limits: Budget, objective: Objective, beyond: int | None
) -> tuple[int, _Candidate] | None:
    """The most whole pixels that the measure of a target may have, and the first such candidate.

    Parameters
    ----------
    space, needs, limits, objective
        As for a search; the target's value does not count.
    beyond : int, optional
        A number of pixels that is out of reach, where it is known.

    Examples
    --------
    >>> from erf_theory.design.targets import Target
    >>> needs = Requirements(Target.of(size=1))
    >>> space = Choices(("dilated",), max_layers=3)
    >>> pixels, (plan, _) = widest(space, needs, Budget(), "parameters", None)
    >>> pixels, str(plan)
    (27, '3, 3 (dilation 3), 3 (dilation 9)')
    """

    def found(pixels: int) -> _Candidate | None:
        target = replace(needs.target, value=Fraction(pixels))
        asked = replace(needs, target=target)
        return first(by_cost(space, asked, limits, objective), asked)

    if beyond is None:
        beyond = 1
        while found(beyond):
            beyond *= 2
    pixels = least(lambda n: n == beyond or not found(n + 1), beyond)
    best = found(pixels) if pixels else None
    return best and (pixels, best)
