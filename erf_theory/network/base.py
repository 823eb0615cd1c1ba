"""What all layers share: the base class, paddings, and the checks of their numbers."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import lru_cache
from math import inf
from numbers import Real
from operator import index
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, are_finite
from erf_theory.lattice import Steps, per_axis

__all__ = [
    "Given",
    "Layer",
    "Padding",
    "Window",
    "first_like",
    "given",
    "keep",
    "need_ends",
    "need_number",
    "need_one",
    "need_steps",
    "need_whole",
]

Padding = int | tuple[int | tuple[int, int], ...] | str
"""One number for both ends of all axes; a tuple with a number, or a pair (before, after), for
every axis; or "same" (as in PyTorch), "same_tf" (as in TensorFlow) or "causal"."""


@dataclass(frozen=True, repr=False)
class Layer:
    """One layer: the base of all of them, abstract.

    It is no ``ABC``: every rule asks for a layer's type, which takes five times as long there.
    """

    def out_of(self, *channels: int) -> int:  # noqa: ARG002
        """Channels that come out where so many go in, one number for every input.

        Raises
        ------
        ErfTheoryError
            If the layer does not take them, or does not say.
        """
        raise ErfTheoryError(
            f"a layer of type {type(self).__name__} does not say how many channels come out of "
            "it: give its class a method out_of"
        )

    @property
    def lengths(self) -> set[int]:
        """Numbers of axes that its tuples speak of."""
        return set()

    def __repr__(self) -> str:
        parts = [(part, getattr(self, part.name)) for part in fields(self)]
        texts = [
            repr(value) if part.default is MISSING else f"{part.name}={value!r}"
            for part, value in parts
            if not _is_default(value, part.default)
        ]
        return f"{type(self).__name__}({', '.join(texts)})"


@lru_cache(maxsize=4096)
def first_like(layer: Layer) -> Layer:
    """The first of all layers that are equal to one: what is remembered of it is found sooner."""
    return layer


@final
@dataclass(frozen=True, eq=False, repr=False)
class Given:
    """Numbers of a trained network; two of them are equal if they are the same object."""

    array: FloatArray

    def __repr__(self) -> str:
        return f"<{'×'.join(map(str, self.array.shape))} numbers>"


def given(name: str, numbers: Any) -> Given | None:
    """Numbers as they are kept in a layer: finite doubles, read-only; None for none."""
    if numbers is None or isinstance(numbers, Given):
        return numbers
    array = np.array(numbers, dtype=np.float64)
    if not are_finite(array):
        raise ErfTheoryError(f"the {name} of a layer are finite numbers")
    array.flags.writeable = False
    return Given(array)


def need_ends(name: str, ends: Any) -> Any:
    """Whole numbers of at least 0: one, or a tuple of them and of pairs.

    Raises
    ------
    ErfTheoryError
        If they are none; ``name`` says what they would be.
    """
    for part in _tuple(ends):
        if isinstance(part, tuple) and len(part) != 2:
            raise ErfTheoryError(f"the {name} is a number or a pair for every axis, not {part}")
    return need_steps(name, ends, 0)


def need_one(channels: tuple[int, ...]) -> int:
    """The channels of the only input.

    Raises
    ------
    ErfTheoryError
        If there are several inputs.
    """
    if len(channels) != 1:
        raise ErfTheoryError(
            f"a layer of this type reads one input, not {len(channels)}: put Add or Concat before"
        )
    return channels[0]


def keep(layer: Any, name: str, value: Any) -> None:
    """Set a field of a frozen layer while it is made."""
    object.__setattr__(layer, name, value)


class Window:
    """A layer whose output sees a window of its input: geometry of convolutions and pools."""

    size: Steps
    stride: Steps
    padding: Padding
    dilation: Steps

    @property
    def lengths(self) -> set[int]:
        """Numbers of axes that its tuples speak of."""
        values = (self.size, self.stride, self.padding, self.dilation)
        return {len(value) for value in values if isinstance(value, tuple)}

    def check(self) -> None:
        """Refuse sizes, strides, dilations and paddings that make no sense."""
        what = f"of {type(self).__name__}"
        for name in ("size", "stride", "dilation"):
            keep(self, name, need_steps(f"{name} {what}", getattr(self, name), 1))
        if isinstance(self.padding, str):
            if self.padding not in _RULES:
                raise ErfTheoryError(
                    f"the padding {what} is a number, pairs of numbers or one of "
                    f"{', '.join(_RULES)}, not {self.padding!r}"
                )
            if self.padding == "same" and set(_tuple(self.stride)) != {1}:
                raise ErfTheoryError(
                    'PyTorch has no padding "same" for a stride above 1: give numbers, or '
                    '"same_tf" for TensorFlow\'s'
                )
            return
        keep(self, "padding", need_ends(f"padding {what}", self.padding))

    def pads(self, ndim: int, image: tuple[int, ...] | None = None) -> tuple[tuple[int, int], ...]:
        """Places before the first and behind the last sample, per axis.

        Parameters
        ----------
        ndim : int
            Spatial axes.
        image : tuple of int, optional
            Size of the layer's input, which TensorFlow's padding depends on.

        Raises
        ------
        ErfTheoryError
            If the size is needed and not given.
        """
        if not isinstance(self.padding, str):
            parts = self.padding if isinstance(self.padding, tuple) else (self.padding,) * ndim
            pairs = [part if isinstance(part, tuple) else (part, part) for part in parts]
            return tuple((before, after) for before, after in pairs)
        sizes, strides, dilations = (
            per_axis(value, ndim) for value in (self.size, self.stride, self.dilation)
        )
        reach = [d * (k - 1) for k, d in zip(sizes, dilations, strict=True)]
        if self.padding == "causal":
            return tuple((r, 0) for r in reach)
        if self.padding == "same":
            return tuple((r // 2, r - r // 2) for r in reach)
        if image is None:
            raise ErfTheoryError(
                "TensorFlow's padding depends on the size of the image: give image_size"
            )
        spans = zip(image, reach, strides, strict=True)
        total = [max(r + 1 - (m % s or s), 0) for m, r, s in spans]
        return tuple((t // 2, t - t // 2) for t in total)


_RULES = ("same", "same_tf", "causal")


def need_whole(name: str, value: Any, least: int) -> int:
    """A whole number that is not too small.

    Raises
    ------
    ErfTheoryError
        If it is none; ``name`` says what it would be.
    """
    try:
        number = index(value)
    except TypeError:
        raise ErfTheoryError(f"the {name} is a whole number, not {value!r}") from None
    if number < least:
        raise ErfTheoryError(f"the {name} is {least} or more, not {number}")
    return number


def need_number(name: str, value: Any, below: float = inf) -> Any:
    """A number from 0 to below another.

    Raises
    ------
    ErfTheoryError
        If it is none; ``name`` says what it would be.
    """
    number: Any = value
    if isinstance(value, Real) and 0 <= number < below:
        return number
    limit = "finite" if below == inf else f"below {below}"
    raise ErfTheoryError(f"the {name} is a number of at least 0 and {limit}, not {value!r}")


def need_steps(name: str, value: Any, least: int) -> Any:
    """Whole numbers that are not too small: one, or a tuple of them or of pairs.

    Raises
    ------
    ErfTheoryError
        If one is none; ``name`` says what it would be.
    """
    if isinstance(value, tuple):
        return tuple(need_steps(name, part, least) for part in value)
    return need_whole(name, value, least)


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _is_default(value: Any, default: Any) -> bool:
    return default is not MISSING and (value is default or bool(value == default))
