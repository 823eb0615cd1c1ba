"""How many layers of a network must have a stride."""

from __future__ import annotations

from erf_theory.design.answers import Answer
from erf_theory.design.inversion import called, reaches, width_of_plan, widths
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.targets import Target
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, whole
from erf_theory.measures import LUO_LEVEL

__all__ = ["strides_for"]


def strides_for(
    k: int,
    depth: int,
    *,
    std: Number | None = None,
    size: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    stride: int = 2,
    ndim: int = 2,
    residual: bool = False,
    norm: bool = True,
    weight: Number = 1,
    channels: int = 64,
) -> Answer:
    """The fewest layers with a stride with which a network is as wide.

    They come first: without skips, wherever else the same number stood, the variance would be
    less.

    Parameters
    ----------
    k : int
        Taps per axis of every convolution.
    depth : int
        Number of steps: layers with a stride, and plain layers or residual blocks behind them.
    std, size, radius, mass
        The width to be reached, as for `depth_for`.
    stride : int
        Their stride, at most ``k``: beyond it pixels are left out.
    ndim, residual, norm, weight, channels
        As for `depth_for`; a layer with a stride has no skip.

    Returns
    -------
    Answer
        The number of layers with a stride, 0 or more.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or not even strides in all layers reach it; the message
        says how far they come.

    Notes
    -----
    For m of n layers without skips the variance is
    (k² - 1)/12·[(s²ᵐ - 1)/(s² - 1) + (n - m)·s²ᵐ], exactly.

    Examples
    --------
    >>> from erf_theory.design.strides import strides_for
    >>> strides_for(3, 10, std=16)
    <strided layers 3 for a std of 16 px: reaches 17.6824, one step less 9.4163>
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    form = Form.of(channels, ndim, residual=residual, norm=norm, weight=weight)
    taps, count, step = whole("k", k, 2), whole("depth", depth, 1), whole("stride", stride, 2)
    form.need_odd(taps)
    if step > taps:
        raise ErfTheoryError(
            f"a stride of {step} leaves out pixels between {taps} taps: choose one up to {taps}"
        )
    options = {"stride": step} if step != 2 else {}
    call = called("strides_for", taps, count, target=target, form=form, **options)

    def plan_of(strided: int) -> Plan:
        return Plan((Step(taps, 1, step),) * strided + (Step(taps),) * (count - strided), form)

    for strided in range(count + 1):
        plan = plan_of(strided)
        if plan.variance >= target.least_variance(ndim) and reaches(plan, target):
            reached, below = widths(plan_of, target, strided, least_of=0)
            return Answer("strided layers", strided, target, reached, below, plan, call)
    reached = width_of_plan(plan_of(count), target)
    raise ErfTheoryError(
        f"{target} is out of reach of {count} layers of {taps} taps: with a stride of {step} in "
        f"all of them it is {reached:.6g} px, {float(target.value) - reached:.4g} px less: take "
        "more layers, more taps or a larger stride"
    )
