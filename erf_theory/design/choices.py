"""The space in which designs are looked for, and what they are to satisfy."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, Literal, final

from erf_theory.design.plans import Form, Plan
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number, number, text_of, whole

__all__ = ["FAMILIES", "Budget", "Choices", "Family", "budget_of"]

Family = Literal["deep", "dilated", "strided", "large"]
FAMILIES: tuple[Family, ...] = ("deep", "dilated", "strided", "large")


@final
@dataclass(frozen=True)
class Choices:
    """The space of networks that a search looks at, every one of them.

    All convolutions of a network have one size and keep their image's size but for strides.

    - deep: n equal ones.
    - dilated: n with dilations that never fall from the input to the output, at least one above
      1, and such that the support has no holes.
    - strided: a regular pyramid; m of the layers have a stride. So many layers up to the first,
      from each to the next (the same number everywhere), and one or more behind the last.
    - large: n depthwise ones, each with a pointwise one behind it.

    In a residual network these are pre-activation blocks, of two convolutions or of a depthwise
    and a pointwise one; layers with a stride have no skip.

    Attributes
    ----------
    families : tuple of str
        Which of the four.
    kernels : tuple of int
        Taps per axis of full convolutions, odd.
    large_kernels : tuple of int
        Taps per axis of depthwise ones, odd.
    dilations : tuple of int
        Dilations to choose from.
    stride, max_strides : int
        The stride of a pyramid, and the most layers that have it.
    max_layers : int
        The most convolutions of a dilated or a strided network.
    max_depth : int
        The most of a deep or a large one; pointwise ones are not counted.
    residual : bool
        Whether networks are residual.
    norm : bool
        Whether residual blocks have batch norms.
    channels : int
        Channels everywhere, those of the input too.
    ndim : int
        Spatial axes.

    Examples
    --------
    >>> Choices(kernels=(4,))
    Traceback (most recent call last):
    erf_theory.errors.ErfTheoryError: kernels are odd and 3 or more, so that images keep their size,
    not 4
    """

    families: tuple[Family, ...] = FAMILIES
    kernels: tuple[int, ...] = (3,)
    large_kernels: tuple[int, ...] = (7, 13, 21, 31)
    dilations: tuple[int, ...] = (1, 2, 3, 9, 27)
    stride: int = 2
    max_strides: int = 5
    max_layers: int = 40
    max_depth: int = 2000
    residual: bool = False
    norm: bool = True
    channels: int = 64
    ndim: int = 2

    def __post_init__(self) -> None:
        for name in ("kernels", "large_kernels", "dilations"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        families = (self.families,) if isinstance(self.families, str) else tuple(self.families)
        object.__setattr__(self, "families", families)
        for family in families:
            if family not in FAMILIES:
                raise ErfTheoryError(f"families are {', '.join(FAMILIES)}, not {family!r}")
        if not families:
            raise ErfTheoryError(f"choose one family or more of {', '.join(FAMILIES)}")
        for size in (*self.kernels, *self.large_kernels):
            if size % 2 == 0 or size == 1:
                raise ErfTheoryError(
                    f"kernels are odd and 3 or more, so that images keep their size, not {size}"
                )
        whole("stride", self.stride, 2)
        whole("max_strides", self.max_strides, 0)
        whole("max_layers", self.max_layers, 1)
        whole("max_depth", self.max_depth, 1)
        self.form("deep")

    def form(self, family: Family) -> Form:
        """What the steps of a family's plans are made of."""
        return Form.of(
            self.channels,
            self.ndim,
            depthwise=family == "large",
            residual=self.residual,
            norm=self.norm,
        )


@final
@dataclass(frozen=True, repr=False)
class Budget:
    """The most that a network may cost.

    Attributes
    ----------
    parameters : int, optional
        Weights.
    multiply_adds : number, optional
        Multiply-adds per place of the input.
    layers : int, optional
        Convolutions, pointwise ones not counted.

    Examples
    --------
    >>> from erf_theory.design.plans import Step
    >>> Budget(layers=2).allows(Plan((Step(3),) * 3, Form()))
    False
    """

    parameters: Number | None = None
    multiply_adds: Number | None = None
    layers: int | None = None

    def __post_init__(self) -> None:
        if self.layers is not None:
            whole("a budget of layers", self.layers)
        for part in fields(self):
            limit = getattr(self, part.name)
            if limit is not None and not _is_positive(limit):
                raise ErfTheoryError(f"a budget of {part.name} is a number above 0, not {limit!r}")

    def within(self, choices: Choices) -> Choices:
        """A space with no more layers than the budget has."""
        if self.layers is None:
            return choices
        layers, depth = (min(self.layers, n) for n in (choices.max_layers, choices.max_depth))
        return replace(choices, max_layers=layers, max_depth=depth)

    def __repr__(self) -> str:
        given = [(part.name, getattr(self, part.name)) for part in fields(self)]
        texts = [f"{name}={text_of(limit)}" for name, limit in given if limit is not None]
        return f"Budget({', '.join(texts)})"

    def allows(self, plan: Plan) -> bool:
        """Whether a plan costs no more."""
        return all(
            limit is None or getattr(plan, part.name) <= Fraction(limit)
            for part in fields(self)
            for limit in [getattr(self, part.name)]
        )


def budget_of(given: Budget | None) -> Budget:
    """The budget that is given, or one without limits.

    Raises
    ------
    ErfTheoryError
        If it is something else, such as a number.

    Examples
    --------
    >>> budget_of(None)
    Budget()
    """
    if given is not None and not isinstance(given, Budget):
        raise ErfTheoryError(
            f"a budget is Budget(multiply_adds=…), Budget(parameters=…), …, not {given!r}"
        )
    return given or Budget()


def _is_positive(limit: Any) -> bool:
    try:
        return number(limit) > 0
    except ErfTheoryError:
        return False


def _numbers(name: str, given: Any) -> tuple[int, ...]:
    """Different numbers of 1 or more, rising."""
    several = given if isinstance(given, list | tuple) else (given,)
    found = tuple(sorted({whole(f"a number of {name}", one, 1) for one in several}))
    if not found:
        raise ErfTheoryError(f"{name} are one number or more")
    return found
