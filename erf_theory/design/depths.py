"""How deep a network must be."""

from __future__ import annotations

from fractions import Fraction

from erf_theory.design.answers import Answer
from erf_theory.design.growth import steps_of_variance, variance_of_steps
from erf_theory.design.inversion import called, first_reaching, reaches, widths
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.targets import Target
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, root_of, whole
from erf_theory.measures import LUO_LEVEL

__all__ = ["depth_for"]

_MOST_BLOCKS, _MOST_LAYERS, _MOST_STEPS = 512, 1_000_000, 100_000
"""The most whose map is looked at, beside skips and without, and the most that are written down."""


def depth_for(
    k: int,
    *,
    std: Number | None = None,
    size: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    ndim: int = 2,
    residual: bool = False,
    norm: bool = True,
    weight: Number = 1,
    channels: int = 64,
) -> Answer:
    """The fewest equal layers, or residual blocks, whose effective receptive field is as wide.

    Parameters
    ----------
    k : int
        Taps per axis of every convolution.
    std, size, radius : number
        The width of the energy to be reached, in input pixels: one of the three. ``std`` is the
        standard deviation per axis; ``size`` that of [Luo16], `ERF.size`; ``radius`` the half
        side of the smallest centred square that holds ``mass``. A float counts as the decimal
        number that it is written as.
    mass : float
        The share that the square of a radius holds.
    ndim : int
        Spatial axes: 1, 2 or 3.
    residual : bool
        Whether the network is made of residual blocks, of two convolutions each, in place of
        convolutions with a ReLU.
    norm : bool
        Whether blocks have batch norms (pre-activation: norm, ReLU, convolution, twice). Beside
        no skip norms change no shape.
    weight : number
        Without norms, the energy r of a branch beside that of its skip; 1 for He's weights.
    channels : int
        Channels everywhere, for the costs and the network.

    Returns
    -------
    Answer
        The number of layers or blocks.

    Raises
    ------
    ErfTheoryError
        If no depth reaches it: a kernel of one tap, or more residual blocks, or for a size or a
        radius more layers, than are looked at; the message says how far they come.

    Notes
    -----
    Variances add. A layer has (k² - 1)/12, so that n = ⌈12 std²/(k² - 1)⌉. Of n blocks beside
    skips without norms a path takes Binomial(n, r/(1 + r)), so that a block has twice that share.
    With norms the branch of block l = 0, 1, … has the energy 1/(v(1 + v·l)) beside its skip,
    v = 1 - 1/π, which makes n blocks (k² - 1)/(6v²)·[ψ(n + a) - ψ(a)], a = 1/v² + 1/v, ψ the
    digamma function: the variance grows as the logarithm of the depth.

    A size or a radius is counted on the maps themselves: those of the answer and of one step less
    are what the answer says. That no smaller depth reaches it rests on widths that rise with the
    depth, each second depth by itself where k is even. For a radius without skips this is
    Anderson's inequality; for sizes it was checked for every k up to 15 and every size up to 500.

    Examples
    --------
    >>> from erf_theory.design.depths import depth_for
    >>> depth_for(3, std=30)
    <depth 1350 for a std of 30 px: reaches 30, one step less 29.9889>
    >>> depth_for(3, size=60).value
    280
    >>> depth_for(3, std=3, residual=True)
    <depth 70 for a std of 3 px: reaches 3.00654, one step less 2.99996>
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    taps = whole("k", k, 1)
    if taps == 1:
        raise ErfTheoryError(
            f"k = 1 sees one pixel at any depth, which is short of {target}: take 2 taps or more"
        )
    form = Form.of(channels, ndim, residual=residual, norm=norm, weight=weight)
    form.need_odd(taps)
    call = called("depth_for", taps, target=target, form=form)
    if target.measure == "std":
        count = steps_of_variance(form, taps, target.value**2)
        roots = [root_of(variance_of_steps(form, taps, n)) for n in (count, count - 1)]
        reached, below = roots[0], roots[1] or None
    else:
        count = _count(form, taps, target)
        reached, below = widths(lambda n: _plan(form, taps, n), target, count)
    plan = _plan(form, taps, count) if count <= _MOST_STEPS else None
    return Answer("depth", count, target, reached, below, plan, call)


def _plan(form: Form, k: int, count: int) -> Plan:
    return Plan((Step(k),) * count, form)


def _count(form: Form, k: int, target: Target) -> int:
    """The depth that reaches a width of the map itself."""
    most = _MOST_BLOCKS if form.is_residual else _MOST_LAYERS
    least_of, guess = (
        min(steps_of_variance(form, k, Fraction(variance)), most + 1)
        for variance in (target.least_variance(form.ndim), target.gaussian_std**2)
    )
    found = first_reaching(
        lambda n: reaches(_plan(form, k, n), target),
        guess,
        least_of=least_of,
        most=most,
        period=2 if k % 2 == 0 else 1,
    )
    if found is None:
        raise _too_deep(form, k, target, most)
    return found


def _too_deep(form: Form, k: int, target: Target, most: int) -> ErfTheoryError:
    """That no depth whose map is looked at reaches a target, and how far they come."""
    reached = root_of(variance_of_steps(form, k, most))
    what = "residual blocks" if form.is_residual else "layers"
    other = "no norms" if form.is_logarithmic else "a larger kernel"
    return ErfTheoryError(
        f"{target} is out of reach of {most} {what}, the most that are looked at, whose std is "
        f"{reached:.4g} px: take dilations, strides, or {other}"
    )
