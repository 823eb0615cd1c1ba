"""A module of PyTorch as a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from erf_theory.empirical.torch_modules import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer
from erf_theory.network.nodes import Network
from erf_theory.network.weights import LAWS
from erf_theory.readers.reading import network_of

__all__ = ["read_torch"]


def read_torch(
    module: Any,
    example_input: Any,
    *,
    weights: str = "given",
    overrides: Mapping[str, Layer | str] | None = None,
) -> Network:
    """The network that a module of PyTorch computes in eval mode."""
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(f"a torch.nn.Module is read, not {type(module).__name__}")
    if not isinstance(example_input, torch.Tensor):
        raise ErfTheoryError(f"the example is a tensor, not {type(example_input).__name__}")
    if example_input.ndim not in (3, 4, 5) or min(example_input.shape) < 1:
        raise ErfTheoryError(
            f"the example has the shape {tuple(example_input.shape)}: give one of (1, channels, "
            "place, …), with 1 to 3 axes of places"
        )
    if weights not in ("given", "law", *LAWS):
        raise ErfTheoryError(
            f'weights are "given", drawn by their "law", or by one of {", ".join(LAWS)}, not '
            f"{weights!r}"
        )
    from erf_theory.readers.torch_trace import torch_trace

    return network_of(torch_trace(module, example_input[:1]), weights, overrides)
