"""One node of an ONNX graph, as the translations of operators see it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.readers.calls import Found
from erf_theory.readers.trace import Constant
from erf_theory.readers.values import Refused

__all__ = ["OPERATORS", "Seen", "Translate", "becomes", "moved"]


@final
@dataclass(frozen=True, eq=False)
class Seen:
    """A node of a graph with what is known of it.

    Attributes
    ----------
    op : str
        Type of its operator.
    inputs : tuple
        Names of operations, constants, and None for what is left out.
    attributes : mapping
        Those that the file sets.
    shapes : tuple of tuple of int
        Of the inputs; () for one that is left out.
    after : tuple of tuple of int
        Of the outputs.
    made : dict
        Constants that are made of the model's, one for all nodes that read the same.
    """

    op: str
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    after: tuple[tuple[int, ...], ...]
    made: dict[Any, Constant]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the first input."""
        return self.shapes[0]

    @property
    def ndim(self) -> int:
        """Axes of places of the first input."""
        return len(self.shape) - 2

    def has(self, place: int) -> bool:
        """Whether an input is there."""
        return len(self.inputs) > place and self.inputs[place] is not None

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def per_axis(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An attribute with one number for every axis of places."""
        return tuple(self.get(name) or (default,) * self.ndim)

    def constant(self, place: int, what: str) -> Constant | None:
        """An input that is fixed; None if it is left out.

        Raises
        ------
        Refused
            If it depends on the image.
        """
        if not self.has(place):
            return None
        found = self.inputs[place]
        if not isinstance(found, Constant):
            raise Refused(f"its {what} is computed from the image")
        return found

    def numbers(self, place: int, what: str) -> npt.NDArray[Any] | None:
        """The numbers of an input that is fixed; None if it is left out."""
        found = self.constant(place, what)
        return None if found is None else found.array

    def arrays(self, **places: int) -> dict[str, Constant]:
        """Inputs that are fixed, by name."""
        found = {name: self.constant(at, name) for name, at in places.items()}
        return {name: one for name, one in found.items() if one is not None}

    def axes(self, place: int = 1, name: str = "axes") -> tuple[int, ...] | None:
        """Axes, which are an attribute up to some opset and an input after it; None for none."""
        found = self.get(name)
        if found is None:
            found = self.numbers(place, name)
        if found is None:
            return None
        return tuple(int(a) % len(self.shape) for a in np.ravel(found))


Translate = Callable[[Seen], Found | tuple[Found, ...]]
"""From a node to what it is: one answer for its first output, or one for each output."""
OPERATORS: dict[str, Translate] = {}
"""By the type of an operator of ONNX's own domain."""


def becomes(*names: str) -> Callable[[Translate], Translate]:
    """Enter the translation of some types of operators."""

    def enter(function: Translate) -> Translate:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def moved(source: Any, move: Callable[[Any], Any]) -> Found:
    """What only brings samples elsewhere."""
    return Found("move", (source,), {"move": move})
