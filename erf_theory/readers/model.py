"""A model as a network, whatever it is: a module, a file, a network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from os import PathLike
from pathlib import Path
from typing import Any

from erf_theory.empirical.torch_import import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.network.files import load
from erf_theory.network.geometry import image_sizes
from erf_theory.network.nodes import Network
from erf_theory.readers.onnx import read_onnx
from erf_theory.readers.overriding import Overrides
from erf_theory.readers.torch import read_torch

__all__ = ["read_model", "shape_of"]


@singledispatch
def read_model(
    model: Any,
    example_input: Any = None,
    *,
    layer: str | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    """The network that a model is.

    Parameters
    ----------
    model : torch.nn.Module, path or Network
        A module; an ONNX file; a file of `erf_theory.network.save`, named .json; or a network.
    example_input : tensor or sequence of int, optional
        An input, or its shape (1, channels, place, …). A module needs it, an ONNX file where it
        leaves its sizes open.
    layer : str, optional
        The path of a module, or the name of a node, where the network ends: nothing behind it has
        to be read. Default: the output.
    weights : str
        "given", "law", or the name of a law, as for `read_torch`. A network says by itself which
        of its weights are given.
    overrides : mapping, optional
        What parts of a module or of an ONNX file are, as for `read_torch`.

    Returns
    -------
    Network

    Raises
    ------
    ErfTheoryError
        If the model cannot be read, or the example does not fit it.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> read_model(zoo.alexnet(), (1, 3, 224, 224)).out_channels
    256
    """
    if example_input is None:
        raise ErfTheoryError(
            "a module does not tell the shape of its input: give an example, or its shape like "
            "(1, 3, 224, 224)"
        )
    torch = import_torch()
    if isinstance(example_input, Sequence) and isinstance(model, torch.nn.Module):
        like = next(iter(model.parameters()), torch.zeros(1))
        example_input = torch.zeros(_shape(example_input), dtype=like.dtype, device=like.device)
    return read_torch(model, example_input, layer=layer, weights=weights, overrides=overrides)


@read_model.register(str)
@read_model.register(PathLike)
def _(
    model: str | PathLike[str],
    example_input: Any = None,
    *,
    layer: str | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    path, shape = Path(model), shape_of(example_input)
    if path.suffix not in (".onnx", ".json"):
        raise ErfTheoryError(
            f"models are read from .onnx files and from networks saved as .json, not from {path}: "
            "export a module of PyTorch, or give the module itself"
        )
    if not path.is_file():
        raise ErfTheoryError(f"there is no file {path}")
    if path.suffix == ".onnx":
        return read_onnx(path, input_shape=shape, layer=layer, weights=weights, overrides=overrides)
    return read_model(load(path), shape, layer=layer, weights=weights, overrides=overrides)


@read_model.register
def _(
    model: Network,
    example_input: Any = None,
    *,
    layer: str | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    if overrides:
        raise ErfTheoryError("a network says what its nodes are: change them, without overrides")
    shape = shape_of(example_input)
    if shape is not None:
        _need_fit(model, shape)
    return model if layer is None else model.until(layer)


def shape_of(example_input: Any) -> tuple[int, ...] | None:
    """Shape of an example, which may be a shape itself, of one image; None for none.

    Raises
    ------
    ErfTheoryError
        If it is no shape of images with channels.

    Examples
    --------
    >>> shape_of([4, 3, 64, 64])
    (1, 3, 64, 64)
    """
    if example_input is None:
        return None
    found = tuple(getattr(example_input, "shape", example_input))
    return _shape(found)


def _shape(given: Sequence[int]) -> tuple[int, ...]:
    whole = all(isinstance(size, int) and size > 0 for size in given)
    if not whole or len(given) not in (3, 4, 5):
        raise ErfTheoryError(
            f"the shape of an input is (1, channels, place, …) with 1 to 3 axes of places, "
            f"not {tuple(given)}"
        )
    return (1, *given[1:])


def _need_fit(network: Network, shape: tuple[int, ...]) -> None:
    """Refuse an input that a network does not take."""
    if len(shape) != network.ndim + 2:
        raise ErfTheoryError(
            f"a network of {network.ndim} axes takes inputs of {network.ndim + 2} axes, and "
            f"{shape} has {len(shape)}"
        )
    if network.in_channels not in (None, shape[1]):
        raise ErfTheoryError(
            f"the network takes {network.in_channels} channels, and the input {shape} has "
            f"{shape[1]}"
        )
    image_sizes(network, shape[2:])
