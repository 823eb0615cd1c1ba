"""Layers that are functions in PyTorch, and no modules, as nodes of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce, singledispatch
from operator import getitem
from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.base import Layer
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.pointwise import Activation
from erf_theory.network.routing import Add, Concat, Split

__all__ = ["called"]


@singledispatch
def called(layer: Layer, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    """A node of the graph that calls a function."""
    raise ErfTheoryError(f"PyTorch has no function for a layer of type {type(layer).__name__}")


@called.register
def _(layer: Add, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    return reduce(lambda a, b: graph.call_function(torch.add, (a, b)), before)


@called.register
def _(layer: Concat, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    return graph.call_function(torch.cat, (list(before), 1))


@called.register
def _(layer: Split, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    return graph.call_function(getitem, (before[0], (slice(None), slice(layer.start, layer.stop))))


@called.register
def _(layer: Activation, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    from array_api_compat import torch as xp

    def activation(z: Any) -> Any:
        return layer.nonlinearity.value(z, xp)

    return graph.call_function(activation, tuple(before))


@called.register(Gate)
@called.register(Scale)
def _(layer: Gate | Scale, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    def line(x: Any) -> Any:
        def beside(numbers: FloatArray) -> Any:
            shape = (1, -1, *(1,) * (x.ndim - 2))
            return torch.as_tensor(numbers.copy()).to(x).reshape(shape)

        shift = beside(layer.shifts(x.shape[1])) if isinstance(layer, Scale) else 0.0
        return x * beside(layer.factors(x.shape[1])) + shift

    return graph.call_function(line, tuple(before))


@called.register
def _(layer: Global, before: Sequence[Any], graph: Any, torch: Any) -> Any:
    def nothing(x: Any) -> Any:
        return x.new_zeros((len(x), layer.channels, *x.shape[2:]))

    return graph.call_function(nothing, tuple(before))
