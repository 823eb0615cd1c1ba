"""What a user means by a model on the command line."""

from __future__ import annotations

import gc
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

from erf_theory.errors import ErfTheoryError

__all__ = ["image_shape", "made", "part_of"]


def made(text: str, weights: str | None = None) -> Any:
    """The path of a file as it is; for MODULE:CALLABLE the module of PyTorch that it makes.

    Parameters
    ----------
    text : str
        What the user wrote.
    weights : str, optional
        The file of a state_dict.

    Raises
    ------
    ErfTheoryError
        If nothing is there, no module comes out, or the weights are not those of it.
    """
    name, colon, attribute = text.partition(":")
    if not colon or Path(text).suffix in (".onnx", ".json"):
        if weights is not None:
            raise ErfTheoryError("weights go with MODULE:CALLABLE: a file holds its own")
        return text
    from erf_theory.empirical.torch_import import import_torch

    torch, make = import_torch(), _callable(name, attribute)
    gc.freeze()  # modules stay: looking through PyTorch's for garbage takes a second of ten
    try:
        module = make()
    except (Exception, SystemExit) as error:
        raise ErfTheoryError(
            f"{text} fails when it is called without arguments: {_said(error)}"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(f"{text} makes no torch.nn.Module, but {type(module).__name__}")
    if weights is not None:
        _load(torch, module, weights)
    return module.eval()


def _callable(name: str, attribute: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    if not name:
        raise ErfTheoryError(f"{name!r} is no name of a module: write MODULE:CALLABLE")
    found: Any
    try:
        found = import_module(name)
    except (Exception, SystemExit) as error:
        raise ErfTheoryError(f"the module {name!r} cannot be imported: {_said(error)}") from error
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ErfTheoryError(f"the module {name!r} has no callable {attribute!r}")
    return found


def _said(error: BaseException) -> str:
    """What code of a user says, on one line; the name of the error where that alone says little."""
    text = " ".join(str(error).split())
    return text if " " in text else f"{type(error).__name__}: {text}"


def _load(torch: Any, module: Any, path: str) -> None:
    """Load a state_dict; code in the file is not run."""
    from pickle import UnpicklingError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch's about files that it did not write
            state = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        if "GLOBAL" in str(error):
            raise ErfTheoryError(
                f"{path} holds more than weights, and code in a file is not run: save the model's "
                "state_dict()"
            ) from None
        raise ErfTheoryError(f"{path} holds no weights that can be loaded") from None
    except Exception as error:  # noqa: BLE001
        reason = _said(error).partition("\n")[0]
        raise ErfTheoryError(f"{path} holds no weights that can be loaded: {reason}") from None
    try:
        module.load_state_dict(state)
    except (AttributeError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ErfTheoryError(
            f"the weights in {path} are not those of the model: {reason}"
        ) from None


def part_of(text: str) -> tuple[str, str]:
    """The part of a model and what it is.

    Examples
    --------
    >>> part_of("neck.attention=global")
    ('neck.attention', 'global')
    """
    path, equals, what = text.rpartition("=")
    if not equals or not path or what not in ("identity", "global"):
        raise ErfTheoryError(f"{text!r} is no override: write PATH=identity or PATH=global")
    return path, what


def image_shape(model: Any, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Channels and places of the input; None if nobody tells them.

    Examples
    --------
    >>> image_shape("network.json", (1, 3, 224, 224))
    (3, 224, 224)
    """
    if shape is not None:
        return tuple(shape[1:])
    if isinstance(model, str) and Path(model).suffix == ".onnx":
        from erf_theory.readers.onnx_file import example_shape, load

        return example_shape(load(model), None)[1][1:]
    return None
