"""How large the kernels of a network must be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil, isqrt

from erf_theory.design.answers import Answer
from erf_theory.design.inversion import called, erf_of_plan, reaching_at_last, widths
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.targets import Target
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, whole
from erf_theory.measures import LUO_LEVEL

__all__ = ["kernel_for"]


def kernel_for(
    depth: int,
    *,
    std: Number | None = None,
    size: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    odd: bool = True,
    ndim: int = 2,
    depthwise: bool = False,
    residual: bool = False,
    norm: bool = True,
    weight: Number = 1,
    channels: int = 64,
) -> Answer:
    """The fewest taps per axis with which so many equal layers, or blocks, are as wide.

    Parameters
    ----------
    depth : int
        Number of layers, or of residual blocks.
    std, size, radius, mass
        The width to be reached, as for `depth_for`.
    odd : bool
        Whether the kernel is to have a middle, as convolutions that keep the size of an image do.
    ndim, residual, norm, weight, channels
        As for `depth_for`.
    depthwise : bool
        Whether layers are depthwise and pointwise convolutions.

    Returns
    -------
    Answer
        The number of taps, 1 or more; one step less are the taps of the next smaller kernel asked
        for.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or so much energy takes every skip that no kernel reaches
        a size or a radius.

    Notes
    -----
    A sum of squares: k = ⌈√(12 std²/n + 1)⌉ for n layers, exactly; beside skips n becomes the sum
    of the branches' shares of the energy.

    Examples
    --------
    >>> from erf_theory.design.kernels import kernel_for
    >>> kernel_for(10, std=20)
    <kernel 23 for a std of 20 px: reaches 20.9762, one step less 19.1485>
    >>> kernel_for(10, std=20, odd=False).value
    22
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    form = Form.of(channels, ndim, depthwise=depthwise, residual=residual, norm=norm, weight=weight)
    count, step = whole("depth", depth, 1), 2 if odd or residual else 1
    options = {"odd": False} if step == 1 else {}
    call = called("kernel_for", count, target=target, form=form, **options)

    def plan_of(place: int) -> Plan:
        return Plan((Step(1 + step * place),) * count, form)

    if target.measure == "std":
        found = _place(plan_of(0), target.value**2, step)
    else:
        found = _counted(plan_of, target, step)
    reached, below = widths(plan_of, target, found, least_of=0)
    return Answer("kernel", 1 + step * found, target, reached, below, plan_of(found), call)


def _place(plan: Plan, variance: Fraction, step: int) -> int:
    """The smallest kernel with which the steps of a plan have a variance: 0 for one tap."""
    of_three = replace(plan, steps=(Step(3),) * len(plan.steps)).variance
    square = (3**2 - 1) * variance / Fraction(of_three) + 1
    taps = isqrt(ceil(square) - 1) + 1
    return -(-(taps - 1) // step)


def _counted(plan_of: Callable[[int], Plan], target: Target, step: int) -> int:
    """The smallest kernel that reaches a width of the map itself."""
    one = plan_of(0)
    least_of, guess = (
        _place(one, Fraction(variance), step)
        for variance in (target.least_variance(one.form.ndim), target.gaussian_std**2)
    )

    def is_reached(place: int) -> bool:
        return target.is_reached(erf_of_plan(plan_of(place)))

    if not one.form.is_residual:
        return reaching_at_last(is_reached, guess, least_of=least_of, period=2 // step)
    skipped = replace(one, steps=(Step(3),) * len(one.steps)).skipped
    if target.measure == "radius" and skipped < target.mass:
        return reaching_at_last(is_reached, guess, least_of=least_of)
    places = range(least_of, _last_seen(skipped, one.form.ndim) + 1)
    found = next(filter(is_reached, places), None) if target.measure == "size" else None
    if found is None:
        raise ErfTheoryError(
            f"{target} is out of reach of {len(one.steps)} residual blocks: {skipped:.3g} of the "
            "energy takes every skip and stays in the middle, whatever the kernels: take more "
            "blocks, or a larger weight without norms"
        )
    return found


def _last_seen(skipped: float, ndim: int) -> int:
    """Place of the last kernel whose map has more than its middle above 4.55 % of the maximum.

    Elsewhere it is at most 1/k on each axis, and ``skipped`` or more in the middle.
    """
    taps = int(((1 - LUO_LEVEL) * skipped) ** (-1 / ndim))
    return max(0, (taps - 1) // 2)
