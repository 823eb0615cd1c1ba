"""The least whole number that reaches a target, certified by the maps on both sides of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

from erf_theory.architectures import network_erf
from erf_theory.design.plans import Form, Plan
from erf_theory.design.targets import Target
from erf_theory.erf import ERF
from erf_theory.exact import root_of, text_of
from erf_theory.practical.edges import least
from erf_theory.theory import variance_erf

__all__ = [
    "called",
    "erf_of_plan",
    "first_reaching",
    "reaches",
    "reaching_at_last",
    "width_of_plan",
    "widths",
]


def erf_of_plan(plan: Plan) -> ERF:
    """The energy of a plan: the closed form of equal layers, else that of its network.

    Examples
    --------
    >>> from erf_theory.design.plans import Form, Step
    >>> erf_of_plan(Plan((Step(3),) * 20, Form())).size() == variance_erf(3, 20, ndim=2).size()
    True
    """
    first, form = plan.steps[0], plan.form
    if form.is_residual or len(set(plan.steps)) > 1 or first.stride > 1:
        return network_erf(plan.network())
    count = len(plan.steps)
    return variance_erf(first.size, count, ndim=form.ndim, dilation=first.dilation)


def reaches(plan: Plan, target: Target) -> bool:
    """Whether a plan reaches a target: its exact variance for a std, else the map decides.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from erf_theory.design.plans import Form, Step
    >>> blocks = Form(is_residual=True, has_norms=False, weight=Fraction(1, 3))
    >>> reaches(Plan((Step(3),) * 12, blocks), Target.of(std=2))
    True
    """
    if target.measure == "std":
        return Fraction(plan.variance) >= target.value**2
    return target.is_reached(erf_of_plan(plan))


def first_reaching(
    is_reached: Callable[[int], bool], guess: int, *, least_of: int, most: int, period: int = 1
) -> int | None:
    """The smallest number from ``least_of`` to ``most`` that reaches a target.

    Whatever is reached by a number is reached by the numbers ``period``, 2 ``period``, … above it.

    Returns
    -------
    int or None
        None where no number does.

    Examples
    --------
    >>> first_reaching(lambda n: n >= 70, 8, least_of=1, most=100)
    70
    >>> first_reaching(lambda n: n >= (70 if n % 2 else 60), 8, least_of=1, most=100, period=2)
    60
    """
    found = []
    for start in range(least_of, min(least_of + period, most + 1)):
        last = (most - start) // period
        steps, stride = min(max((guess - start) // period, 0), last), 1
        every = partial(_every, is_reached, start, period)
        while not every(steps) and steps < last:
            steps, stride = min(steps + stride, last), 2 * stride
        if every(steps):
            found.append(start + period * least(every, steps))
    return min(found, default=None)


def reaching_at_last(
    is_reached: Callable[[int], bool], guess: int, *, least_of: int, period: int = 1
) -> int:
    """As `first_reaching`, for what is reached at last.

    Examples
    --------
    >>> reaching_at_last(lambda n: n >= 10_000, 8, least_of=1)
    10000
    """
    found, most = None, max(10 * guess, 100)
    while found is None:
        found = first_reaching(is_reached, guess, least_of=least_of, most=most, period=period)
        most *= 10
    return found


def widths(
    plan_of: Callable[[int], Plan], target: Target, value: int, least_of: int = 1
) -> tuple[float, float | None]:
    """The widths that a number and the one below it reach; None where there is none below."""
    reached = width_of_plan(plan_of(value), target)
    return reached, width_of_plan(plan_of(value - 1), target) if value > least_of else None


def width_of_plan(plan: Plan, target: Target) -> float:
    """What a plan has of a target's measure.

    Examples
    --------
    >>> from erf_theory.design.plans import Form, Step
    >>> width_of_plan(Plan((Step(3),) * 6, Form()), Target.of(std=1))
    2.0
    """
    if target.measure == "std":
        return root_of(plan.variance)
    return target.width(erf_of_plan(plan))


def called(name: str, *numbers: int, target: Target, form: Form, **options: object) -> str:
    """The call as one would write it, defaults left out."""
    texts = [text_of(count) for count in numbers]
    texts.append(target.text)
    names = {"ndim": "ndim", "is_residual": "residual", "has_norms": "norm", "weight": "weight"}
    default = Form()
    for attribute, option in {**names, "channels": "channels"}.items():
        if (given := getattr(form, attribute)) != getattr(default, attribute):
            texts.append(f"{option}={text_of(given)}")
    texts += [f"{option}={value!r}" for option, value in options.items()]
    return f"{name}({', '.join(texts)})"


def _every(is_reached: Callable[[int], bool], start: int, period: int, place: int) -> bool:
    return is_reached(start + period * place)
