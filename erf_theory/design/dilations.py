"""How far apart the taps of a network must be."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, isqrt

from erf_theory.design.answers import Answer
from erf_theory.design.inversion import called, erf_of_plan, first_reaching, widths
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.targets import Target
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, whole
from erf_theory.measures import LUO_LEVEL

__all__ = ["dilation_for"]


def dilation_for(
    k: int,
    depth: int,
    *,
    std: Number | None = None,
    size: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    plain: int = 1,
    ndim: int = 2,
    residual: bool = False,
    norm: bool = True,
    weight: Number = 1,
    channels: int = 64,
) -> Answer:
    """The smallest dilation, the same in all layers or blocks but the first, that is as wide.

    Parameters
    ----------
    k : int
        Taps per axis of every convolution, 2 or more.
    depth : int
        Number of layers, or of residual blocks.
    std, size, radius, mass
        The width to be reached, as for `depth_for`.
    plain : int
        How many of them, the first ones, keep dilation 1.
    ndim, residual, norm, weight, channels
        As for `depth_for`.

    Returns
    -------
    Answer
        The dilation; it notes where the map has holes (gridding), which it has once the dilation
        exceeds what the plain layers see.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no dilation reaches a size or a radius: once there are
        holes, what is seen may grow no more. The message says how far it comes.

    Notes
    -----
    The variance is that of the plain layers and d² times that of the others:
    d = ⌈√((12 std²/(k² - 1) - p)/(n - p))⌉ for p of n layers without skips, exactly. A radius
    rises with the dilation by Anderson's inequality, each second one by itself where pixels lie
    between the places of odd ones. A size does not have to, so that every dilation is looked at.

    Examples
    --------
    >>> from erf_theory.design.dilations import dilation_for
    >>> dilation_for(3, 10, std=7, plain=2)
    <dilation 3 for a std of 7 px: reaches 7.02377, one step less 4.76095>
    >>> dilation_for(3, 10, std=12, plain=1).notes
    ('the map has holes: of dilations up to 3 it has none',)
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    form = Form.of(channels, ndim, residual=residual, norm=norm, weight=weight)
    taps, count, first = whole("k", k, 2), whole("depth", depth, 1), whole("plain", plain, 0)
    form.need_odd(taps)
    if first >= count:
        raise ErfTheoryError(
            f"{first} plain layers of {count} leave none to be dilated: choose fewer of them"
        )
    options = {"plain": first} if first != 1 else {}
    call = called("dilation_for", taps, count, target=target, form=form, **options)

    def plan_of(dilation: int) -> Plan:
        return Plan((Step(taps),) * first + (Step(taps, dilation),) * (count - first), form)

    whole_up_to = first * form.repeats * (taps - 1) + 1
    found = _of_variance(plan_of, target.value**2)
    if target.measure != "std":
        found = _counted(plan_of, target, whole_up_to)
    reached, below = widths(plan_of, target, found)
    holes = f"the map has holes: of dilations up to {whole_up_to} it has none"
    notes = (holes,) if found > whole_up_to else ()
    return Answer("dilation", found, target, reached, below, plan_of(found), call, notes)


def _of_variance(plan_of: Callable[[int], Plan], variance: Fraction) -> int:
    """The smallest dilation d with which a + b·d², the variance, is at least this."""
    one, two = (Fraction(plan_of(dilation).variance) for dilation in (1, 2))
    dilated = (two - one) / 3
    square = max((variance - (one - dilated)) / dilated, Fraction(1))
    return isqrt(ceil(square) - 1) + 1


def _counted(plan_of: Callable[[int], Plan], target: Target, whole_up_to: int) -> int:
    """The smallest dilation that reaches a width of the map itself."""
    plan = plan_of(1)
    least_of = _of_variance(plan_of, Fraction(target.least_variance(plan.form.ndim)))

    def is_reached(dilation: int) -> bool:
        return target.is_reached(erf_of_plan(plan_of(dilation)))

    most = whole_up_to
    if target.measure == "radius":
        most += ceil(2 * target.value) + 1
        guess = min(_of_variance(plan_of, Fraction(target.gaussian_std**2)), most)
        dilated = sum(step.size - 1 for step in plan_of(2).steps if step.dilation > 1)
        found = first_reaching(
            is_reached, guess, least_of=min(least_of, most), most=most, period=1 + dilated % 2
        )
    else:
        sizes = range(min(least_of, most), most + 1)
        found = next(filter(is_reached, sizes), None)
    if found is None:
        reached = target.width(erf_of_plan(plan_of(most)))
        raise ErfTheoryError(
            f"{target} is out of reach of a depth of {len(plan.steps)}: with a dilation of "
            f"{most} it is {reached:.4g} px, {float(target.value) - reached:.4g} px less, and "
            "larger ones leave holes and change it no more: take more layers, or more plain ones"
        )
    return found
