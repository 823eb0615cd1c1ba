"""The cheapest network that has a wanted effective receptive field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from math import ceil
from typing import Any

from erf_theory.design.candidates import by_cost, first, widest
from erf_theory.design.choices import Budget, Choices, budget_of
from erf_theory.design.designs import Design
from erf_theory.design.requirements import Requirements
from erf_theory.design.space import Objective
from erf_theory.design.targets import Target
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.measures import LUO_LEVEL

__all__ = ["chosen", "design_network", "written"]


def design_network(
    size: Number | None = None,
    *,
    std: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    ripple: float = 0.1,
    kurtosis: float | None = None,
    flatness: float | None = None,
    objective: Objective = "multiply_adds",
    budget: Budget | None = None,
    choices: Choices | None = None,
    **options: Any,
) -> Design:
    """The cheapest network of a space whose effective receptive field is wide enough and smooth.

    Parameters
    ----------
    size, std, radius : number
        The width of the energy to be reached, in input pixels: one of the three, as for
        `depth_for`.
    mass : float
        The share that the square of a radius holds.
    ripple : float
        The most that the profile may fall between two peaks, relative to the lower one, where
        it is above 4.55 % of the maximum: 0 for one peak, 1 for anything. Supports with holes
        (gridding) are never taken.
    kurtosis : float, optional
        The most that the excess kurtosis may differ from that of a Gaussian, 0.
    flatness : float, optional
        The least share of the pixels above 4.55 % of the maximum that a flat map as spread would
        have: 1 for a box, 0.65 for a Gaussian in the plane.
    objective : {"multiply_adds", "parameters"}
        What is to be least. Of designs that cost the same, the other cost, the number of
        convolutions and the variance decide, in this order.
    budget : Budget, optional
        The most that it may cost.
    choices : Choices, optional
        The space. Default: that of ``Choices(**options)``.
    **options
        Attributes of `Choices`: ``residual=True``, ``kernels=(3, 5)``, ….

    Returns
    -------
    Design

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no network of the space satisfies all of it.

    Notes
    -----
    Costs: all convolutions keep the number of channels c. A full convolution has k²c² weights, a
    depthwise and a pointwise one k²c + c². Each multiplies once per place of its output, so that
    multiply-adds per place of the input are the weights over the square of the jump.

    The search is exact: plans are looked at in the order of their costs, and the first that
    satisfies everything is the answer. A plan is passed over only if that is sure: its variance,
    a sum over the layers, is too small for any map to be so wide; its support has holes; or the
    product of its transfer functions is too narrow or not smooth. What is left is judged by
    `network_erf`.

    Examples
    --------
    >>> from erf_theory.design.search import design_network
    >>> design_network(60, residual=True)
    <residual strided: 4 × block of 3, 3 (stride 2), block of 3, 3 (stride 2), block of 3,
    3 (stride 2), 5 × block of 3; size 62.84 px, 921,600 parameters, 335,808 multiply-adds per
    input place>
    >>> design_network(60, families="dilated").name
    'dilated: 3, 3 (dilation 3), 3 (dilation 9), 3 (dilation 27)'
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    needs = Requirements(target, ripple, kurtosis, flatness)
    limits, asked = budget_of(budget), chosen(choices, options)
    call = written("design_network", needs, objective, limits, asked)
    space = limits.within(asked)
    found = first(by_cost(space, needs, limits, objective), needs)
    if found is None:
        raise _out_of_reach(space, needs, limits, objective)
    return Design(*found, target, call)


def chosen(choices: Choices | None, options: Mapping[str, Any]) -> Choices:
    """A space with some of its attributes set.

    Raises
    ------
    ErfTheoryError
        If it has no such attribute.

    Examples
    --------
    >>> chosen(None, {"kernels": 5}).kernels
    (5,)
    """
    known = [part.name for part in fields(Choices)]
    if wrong := [name for name in options if name not in known]:
        raise ErfTheoryError(f"there is no choice {wrong[0]!r}: choices are {', '.join(known)}")
    return replace(choices or Choices(), **options)


def written(
    name: str, needs: Requirements | None, objective: Objective, limits: Budget, space: Choices
) -> str:
    """The call as one would write it, defaults left out."""
    texts = [] if needs is None else needs.texts()
    if objective != "multiply_adds":
        texts.append(f"objective={objective!r}")
    if limits != Budget():
        texts.append(f"budget={limits}")
    default = Choices()
    for part in fields(Choices):
        if (value := getattr(space, part.name)) != getattr(default, part.name):
            texts.append(f"{part.name}={value!r}")
    return f"{name}({', '.join(texts)})"


def _out_of_reach(
    space: Choices, needs: Requirements, limits: Budget, objective: Objective
) -> ErfTheoryError:
    """That a target is out of reach, and by how much."""
    target = needs.target
    found = widest(space, needs, limits, objective, ceil(target.value))
    short = "not even 1 px is reached"
    if found:
        missing = float(target.value) - found[0]
        short = f"{found[0]} whole px are reached, {missing:.4g} px less, by {found[1][0]}"
    return ErfTheoryError(
        f"no network of the space has {target} and all else that is asked for; {short}: allow "
        "more layers, a larger budget or more ripple, or choose otherwise"
    )
