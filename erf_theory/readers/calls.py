"""What the translations of PyTorch's operators read and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Call", "Found", "Translation"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Call:
    """A call of an operator.

    Attributes
    ----------
    arguments : mapping
        As PyTorch's schema names them, defaults filled in. Tensors are names of operations, or
        constants.
    shape : tuple of int
        Shape of the first tensor.
    after : tuple of int
        Shape of what comes out.
    """

    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    after: tuple[int, ...]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, where the operator has it and it is not None."""
        found = self.arguments.get(name)
        return default if found is None else found

    @property
    def data(self) -> Any:
        """The first argument: the tensor that it acts on."""
        return next(iter(self.arguments.values()))

    def axis(self, name: str = "dim") -> int:
        """An argument that is an axis of the first tensor, counted from the first one."""
        return int(self[name]) % len(self.shape)

    def per_axis(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An argument with one number for every axis of places."""
        values = self.get(name, default)
        found = tuple(values) if isinstance(values, Sequence) else (values,)
        return found * (len(self.shape) - 2) if len(found) == 1 else found

    def arrays(self, **names: str) -> dict[str, Any]:
        """Arguments that are arrays, by the names that the readers have for them."""
        found = {own: self[theirs] for own, theirs in names.items()}
        return {name: array for name, array in found.items() if array is not None}


@final
@dataclass(frozen=True, eq=False)
class Found:
    """What an operator is: a kind, what it reads, attributes and arrays, as in `Op`."""

    kind: str
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)


Translation = Callable[[Call], Found]
