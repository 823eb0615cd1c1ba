"""Plans of a space in the order of their costs, those that cannot be wide enough left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush
from itertools import chain, islice
from typing import Any, Literal, NamedTuple

from erf_theory.design.choices import Budget, Choices, Family
from erf_theory.design.growth import steps_of_variance, variance_of_steps
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.errors import ErfTheoryError

__all__ = ["Objective", "Order", "groups", "order_of"]

_MOST_SCHEDULES = 20_000
_ROUNDING = 1e-9

Order = Callable[[Plan], tuple[Any, ...]]
Objective = Literal["multiply_adds", "parameters"]


def order_of(objective: Objective) -> Order:
    """What plans are compared by: cost, the other cost, layers, variance, and their steps.

    Raises
    ------
    ErfTheoryError
        If there is no such cost.

    Examples
    --------
    >>> plans = [Plan((Step(3),) * n, Form()) for n in (3, 2)]
    >>> len(min(plans, key=order_of("parameters")).steps)
    2
    """
    if objective not in ("multiply_adds", "parameters"):
        raise ErfTheoryError(f"the objective is multiply_adds or parameters, not {objective!r}")
    other = "parameters" if objective == "multiply_adds" else "multiply_adds"

    def order(plan: Plan) -> tuple[Any, ...]:
        costs = getattr(plan, objective), getattr(plan, other)
        return (*costs, plan.layers, plan.variance, plan.steps)

    return order


def groups(
    choices: Choices,
    family: Family,
    objective: Objective,
    limits: Budget,
    least_variance: float,
) -> list[Iterator[Plan]]:
    """The plans of a family in rising order; one iterator for every kernel and number of strides.

    None costs more than the budget allows.

    All plans whose variance is ``least_variance`` or more are among them; others are left out
    where that spares work.

    Examples
    --------
    >>> plans, = groups(Choices(max_layers=3), "dilated", "parameters", Budget(), 30)
    >>> [str(plan) for plan in plans]
    ['3, 3 (dilation 3), 3 (dilation 9)']
    """
    space = _Space(choices, choices.form(family), limits, order_of(objective), least_variance)
    sizes = choices.large_kernels if family == "large" else choices.kernels
    ways: dict[Family, Callable[[int], list[Iterator[Plan]]]] = {
        "deep": lambda k: [_equal(space, k)],
        "large": lambda k: [_equal(space, k)],
        "dilated": lambda k: [_dilated(space, k)],
        "strided": lambda k: [_strided(space, k, m) for m in range(1, choices.max_strides + 1)],
    }
    return [plans for k in sizes for plans in ways[family](k)]


class _Space(NamedTuple):
    """What all plans of a family have in common."""

    choices: Choices
    form: Form
    limits: Budget
    order: Order
    least_variance: float


def _equal(space: _Space, k: int) -> Iterator[Plan]:
    """Equal steps, one more each time."""
    form, most = space.form, space.choices.max_depth // space.form.repeats
    if not most or variance_of_steps(form, k, most) < space.least_variance:
        return
    for count in range(steps_of_variance(form, k, Fraction(space.least_variance)), most + 1):
        plan = Plan((Step(k),) * count, form)
        if not space.limits.allows(plan):
            return
        yield plan


def _dilated(space: _Space, k: int) -> Iterator[Plan]:
    """Rising dilations without holes, one step more each time."""
    form, dilations = space.form, space.choices.dilations
    for count in range(1, space.choices.max_layers // form.repeats + 1):
        if not space.limits.allows(Plan((Step(k),) * count, form)):
            return
        found = _schedules(form, k, count, dilations, space.least_variance)
        plans = [
            Plan(tuple(Step(k, d) for d in schedule), form)
            for schedule in _need_few(found, count)
            if schedule[-1] > 1
        ]
        yield from sorted((plan for plan in plans if not plan.has_holes), key=space.order)


def _schedules(
    form: Form, k: int, count: int, dilations: tuple[int, ...], least_variance: float
) -> Iterator[tuple[int, ...]]:
    """Rising dilations whose variance reaches the least, found from the last one back."""
    plain = Plan((Step(k),) * count, form)
    shares = [float(share) * repeats * (k**2 - 1) / 12 for _, _, share, repeats in plain.terms]
    before = [sum(shares[:place]) for place in range(count)]

    def end(place: int, missing: float, most: int) -> Iterator[tuple[int, ...]]:
        if place < 0:
            yield ()
            return
        for own, dilation in enumerate(dilations[:most]):
            left = missing - shares[place] * dilation**2
            if left <= before[place] * dilation**2 * (1 + _ROUNDING) + _ROUNDING:
                for rest in end(place - 1, left, own + 1):
                    yield (*rest, dilation)

    yield from end(count - 1, least_variance, len(dilations))


def _need_few(schedules: Iterator[tuple[int, ...]], count: int) -> list[tuple[int, ...]]:
    """All schedules, if they are not too many to be looked at."""
    found = list(islice(schedules, _MOST_SCHEDULES + 1))
    if len(found) > _MOST_SCHEDULES:
        raise ErfTheoryError(
            f"there are more than {_MOST_SCHEDULES} schedules of {count} dilations that may be "
            "wide enough: choose fewer dilations, or fewer layers"
        )
    return found


def _strided(space: _Space, k: int, strides: int) -> Iterator[Plan]:
    """Regular pyramids with a number of strides: one step more somewhere, the cheapest first."""
    form, most = space.form, space.choices.max_layers
    heap: list[tuple[tuple[Any, ...], Plan, tuple[int, ...], int]] = []

    def push(numbers: tuple[int, ...], place: int) -> None:
        plan = _pyramid(form, k, space.choices.stride, strides, numbers)
        if plan.layers > most or not space.limits.allows(plan):
            return
        more = (most - plan.layers) // form.repeats * _most(form, k) * plan.jump**2
        if plan.variance + more >= space.least_variance:
            heappush(heap, (space.order(plan), plan, numbers, place))

    push((1,) * min(strides + 1, 3), 0)
    while heap:
        _, plan, numbers, place = heappop(heap)
        yield plan
        for level in range(place, len(numbers)):
            push((*numbers[:level], numbers[level] + 1, *numbers[level + 1 :]), level)


def _pyramid(form: Form, k: int, stride: int, strides: int, numbers: tuple[int, ...]) -> Plan:
    """Steps on the first level, on each in the middle, and on the last, which has no stride."""
    first, *middle, last = numbers
    levels = [first, *middle * (strides - 1)]
    steps = [(Step(k),) * (count - 1) + (Step(k, 1, stride),) for count in levels]
    return Plan(tuple(chain(*steps)) + (Step(k),) * last, form)


@lru_cache
def _most(form: Form, k: int) -> float:
    """The most variance that a step of stride 1 may add at jump 1: behind a layer with a stride."""
    after = Plan((Step(k, 1, 2), Step(k)), form).variance
    return float(after - Plan((Step(k, 1, 2),), form).variance) / 4 * (1 + _ROUNDING)
