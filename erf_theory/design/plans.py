"""Networks before they are built: their convolutions, and what is known of them in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from math import pi, prod
from typing import Any, NamedTuple, final

from erf_theory.design.costs import Cost
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number, whole
from erf_theory.network import Activation, Chain, Conv, Norm, Residual
from erf_theory.network.nodes import Part

__all__ = ["NORMED", "Form", "Plan", "Step"]

NORMED = 1 - 1 / pi
"""Variance over images behind a norm, a ReLU and a convolution with He's weights."""


class Step(NamedTuple):
    """A convolution of a chain, or a residual block of them where the stride is 1."""

    size: int
    dilation: int = 1
    stride: int = 1

    def __str__(self) -> str:
        dilation = f" (dilation {self.dilation})" if self.dilation > 1 else ""
        stride = f" (stride {self.stride})" if self.stride > 1 else ""
        return f"{self.size}{dilation}{stride}"


@final
@dataclass(frozen=True)
class Form:
    """What the steps of a plan are made of.

    Attributes
    ----------
    channels : int
        Channels everywhere, those of the input too.
    ndim : int
        Spatial axes.
    is_depthwise : bool
        Whether a step is a depthwise convolution and a pointwise one, or a full convolution.
    is_residual : bool
        Whether a step of stride 1 is a block beside an identity: norm, activation, convolution
        twice; or a depthwise convolution, norm, activation and a pointwise one.
    has_norms : bool
        Whether blocks have batch norms before their activations, as residual networks have.
    weight : Number
        Energy r of a branch beside that of its skip, where there are no norms.
    """

    channels: int = 64
    ndim: int = 2
    is_depthwise: bool = False
    is_residual: bool = False
    has_norms: bool = True
    weight: Number = 1

    @classmethod
    def of(
        cls,
        channels: int = 64,
        ndim: int = 2,
        *,
        depthwise: bool = False,
        residual: bool = False,
        norm: bool = True,
        weight: Number = 1,
    ) -> Form:
        """The form that a user asks for.

        Raises
        ------
        ErfTheoryError
            If an argument makes no sense.
        """
        energy = number(weight)
        if not energy > 0:
            raise ErfTheoryError(f"the weight of a branch is above 0, not {weight!r}")
        if energy != 1 and (norm or not residual):
            raise ErfTheoryError(
                f"a weight of {weight} is that of residual branches without norms: give "
                "residual=True and norm=False, or leave it"
            )
        if not 1 <= whole("ndim", ndim) <= 3:
            raise ErfTheoryError(f"ndim is 1, 2 or 3, not {ndim}")
        width = whole("channels", channels, 1)
        exact = Fraction(str(energy)) if isinstance(energy, float) else energy
        return cls(width, ndim, depthwise, bool(residual), bool(norm), exact)

    def need_odd(self, size: int) -> None:
        """Refuse an even kernel beside a skip, which its outputs do not fit."""
        if self.is_residual and size % 2 == 0:
            raise ErfTheoryError(
                f"a convolution of {size} taps keeps no size, and its outputs do not fit the skip "
                "beside it: take an odd number"
            )

    @property
    def is_logarithmic(self) -> bool:
        """Whether branches weigh less and less: the variance grows as the logarithm of depth."""
        return self.is_residual and self.has_norms

    @property
    def repeats(self) -> int:
        """Convolutions of more than one tap in a step of stride 1."""
        return 2 if self.is_residual and not self.is_depthwise else 1

    @property
    def share(self) -> Fraction:
        """Share of the energy that takes the branch and not the skip, without norms."""
        return Fraction(self.weight) / (1 + Fraction(self.weight))

    def weights(self, step: Step) -> int:
        """Number of weights in a step."""
        taps: int = step.size**self.ndim
        width = self.channels
        if self.is_depthwise:
            return taps * width + width**2
        return taps * width**2 * (self.repeats if step.stride == 1 else 1)

    def parts(self, step: Step) -> list[Part]:
        """The layers of a step."""
        if self.is_residual and step.stride == 1:
            convs = self._convs(step) * (1 if self.is_depthwise else 2)
            *others, last = convs
            return [Residual(Chain(self._activated([*others, self._weighed(last)]), self.ndim))]
        if self.is_residual:
            return self._activated(self._convs(step))
        return [*self._convs(step), Activation("relu")]

    def _activated(self, convs: list[Conv]) -> list[Part]:
        """Convolutions with what stands before them: nothing before a normed depthwise one."""
        before: list[Part] = [*([Norm(eps=0)] if self.has_norms else []), Activation("relu")]
        if self.has_norms and self.is_depthwise:
            return [convs[0], *before, convs[1]]
        return [part for conv in convs for part in (*before, conv)]

    def _weighed(self, conv: Conv) -> Conv:
        """The last convolution of a branch, with the variance that gives it its energy."""
        if self.has_norms or self.weight == 1:
            return conv
        variance = Fraction(2 * Fraction(self.weight), prod(conv.weight_shape(self.ndim)[1:]))
        return replace(conv, init=variance)

    def _convs(self, step: Step) -> list[Conv]:
        """One full convolution, or a depthwise and a pointwise one."""
        width, padding = self.channels, step.dilation * (step.size // 2)
        window = {"stride": step.stride, "padding": padding, "dilation": step.dilation}
        if not self.is_depthwise:
            return [Conv(width, width, step.size, **window)]
        return [Conv(width, width, step.size, groups=width, **window), Conv(width, width, 1)]


@final
@dataclass(frozen=True)
class Plan:
    """Steps from the input to the output, and what they are made of.

    Examples
    --------
    >>> plan = Plan((Step(3), Step(3, stride=2), Step(3)), Form(8))
    >>> plan.variance, plan.jump, plan.parameters, plan.multiply_adds
    (Fraction(4, 1), 2, 1728, Fraction(864, 1))
    """

    steps: tuple[Step, ...]
    form: Form

    @property
    def jump(self) -> int:
        """Distance of neighbouring outputs in input pixels."""
        return _jump(self.steps)

    @property
    def layers(self) -> int:
        """Convolutions, pointwise ones not counted."""
        repeats = self.form.repeats
        return sum(repeats if step.stride == 1 else 1 for step in self.steps)

    @cached_property
    def variance(self) -> Number:
        """Variance of the energy per axis, in input pixels squared: a sum over the steps."""
        totals: dict[Number, int] = {}
        for step, scale, share, repeats in self.terms:
            totals[share] = totals.get(share, 0) + repeats * scale**2 * (step.size**2 - 1)
        if self.form.is_logarithmic:
            return sum(share * total for share, total in totals.items()) / 12
        return sum((share * Fraction(n, 12) for share, n in totals.items()), Fraction(0))

    @property
    def skipped(self) -> float:
        """Share of the energy that takes every skip, and stays at one place."""
        return float(prod(1 - share for _, _, share, _ in self.terms))

    @cached_property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(self._weights.values())

    @cached_property
    def multiply_adds(self) -> Fraction:
        """Multiplications with weights, per place of the input."""
        places = ((jump**self.form.ndim, weights) for jump, weights in self._weights.items())
        return sum((Fraction(weights, every) for every, weights in places), Fraction(0))

    @property
    def cost(self) -> Cost:
        """Both, as `erf_theory.design.costs.network_cost` counts them on its network."""
        return Cost(self.parameters, self.multiply_adds)

    @cached_property
    def _weights(self) -> dict[int, int]:
        """Weights by the distance of the outputs that they make."""
        found: dict[int, int] = {}
        own = {step: self.form.weights(step) for step in set(self.steps)}
        jump = 1
        for step in self.steps:
            jump *= step.stride
            found[jump] = found.get(jump, 0) + own[step]
        return found

    @property
    def has_holes(self) -> bool:
        """Whether some pixels of the theoretical receptive field are not seen at all."""
        reach = 0
        scales = sorted((scale, step, n) for step, scale, _, n in self.terms)
        for scale, step, repeats in scales:
            if step.size > 1 and scale > reach + 1:
                return True
            reach += repeats * scale * (step.size - 1)
        return False

    def to_dict(self) -> dict[str, Any]:
        """Steps and what they are made of, as JSON knows them; equal steps are counted."""
        runs = [(step, len(list(run))) for step, run in groupby(self.steps)]
        return {
            "steps": [{**step._asdict(), "times": times} for step, times in runs],
            **asdict(self.form),
            "weight": float(self.form.weight),
            "layers": self.layers,
            "jump": self.jump,
            "parameters": self.parameters,
            "multiply_adds": float(self.multiply_adds),
        }

    def __str__(self) -> str:
        """The steps in a row, as 2 × 3, 3 (stride 2), 3 (dilation 4): sizes and what they have."""
        runs = [(self._text(step), len(list(run))) for step, run in groupby(self.steps)]
        return ", ".join(f"{times} × {text}" if times > 1 else text for text, times in runs)

    def _text(self, step: Step) -> str:
        """A step, and whether it is a block."""
        return f"block of {step}" if self.form.is_residual and step.stride == 1 else str(step)

    def network(self) -> Chain:
        """The network."""
        own = {step: self.form.parts(step) for step in set(self.steps)}
        return Chain([part for step in self.steps for part in own[step]], ndim=self.form.ndim)

    @cached_property
    def terms(self) -> tuple[tuple[Step, int, Number, int], ...]:
        """Per step: itself, the distance of its taps in pixels, its share, its convolutions.

        The share is that of the energy that does not take the skip; convolutions of one tap do
        not count.
        """
        return tuple(self._found_terms())

    def _found_terms(self) -> Iterator[tuple[Step, int, Number, int]]:
        jump, before = 1, 1.0
        for step in self.steps:
            is_block = self.form.is_residual and step.stride == 1
            share: Number = 1
            if is_block and self.form.has_norms:
                inner = 1 if self.form.is_depthwise else NORMED
                share, before = 1 / (1 + inner * before), before + NORMED
            elif is_block:
                share = self.form.share
            else:
                before = NORMED
            yield step, jump * step.dilation, share, self.form.repeats if is_block else 1
            jump *= step.stride


def _jump(steps: tuple[Step, ...]) -> int:
    found = 1
    for step in steps:
        found *= step.stride
    return found
