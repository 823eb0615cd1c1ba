"""An ONNX file: read and looked at before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from erf_theory.errors import ErfTheoryError

__all__ = ["example_shape", "import_onnx", "load", "opset_of", "tensors"]

_FIRST = 11
"""The first opset that is read."""
_OWN = ("", "ai.onnx")
"""How files name the domain of ONNX's own operators."""


def import_onnx() -> Any:
    """The package onnx.

    Raises
    ------
    ErfTheoryError
        If it is not installed.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        raise ErfTheoryError(
            'ONNX files are read with the package onnx: pip install "erf-theory[onnx]"'
        ) from None
    return onnx


def load(path: str | PathLike[str]) -> Any:
    """The model in a file, with its local functions written out; nothing in it is run.

    Raises
    ------
    ErfTheoryError
        If there is no such file, it is no ONNX file, is truncated, or is of an opset that is not
        read.
    """
    onnx = import_onnx()
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto.FromString(Path(path).read_bytes())
    except OSError as error:
        raise ErfTheoryError(f"{path} cannot be read: {error.strerror or error}") from None
    except DecodeError:
        model = None
    if model is None or not model.graph.node or not model.opset_import:
        raise ErfTheoryError(f"{path} is no ONNX file, or it is truncated")
    opset_of(model)
    _need_whole(model, Path(path))
    _need_once(model.graph, path)
    if model.functions:
        from onnx.inliner import inline_local_functions

        model = inline_local_functions(model)
    return model


def opset_of(model: Any) -> int:
    """The version of ONNX's operators in a model.

    Raises
    ------
    ErfTheoryError
        If it is too old, or newer than the installed package onnx.
    """
    found = [int(entry.version) for entry in model.opset_import if entry.domain in _OWN]
    opset = max(found, default=0)
    newest = import_onnx().defs.onnx_opset_version()
    if opset < _FIRST:
        said = f"the opset {opset}" if found else "no opset of ONNX's own operators"
        raise ErfTheoryError(
            f"the file has {said}, and {_FIRST} or later is read: export it anew, or convert it "
            "with onnx.version_converter"
        )
    if opset > newest:
        raise ErfTheoryError(
            f"the file has the opset {opset}, and the installed package onnx knows those up to "
            f"{newest}: pip install --upgrade onnx"
        )
    return opset


def tensors(model: Any) -> Iterator[Any]:
    """All tensors that a model holds as initialisers or as attributes of its nodes."""
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t


def _need_whole(model: Any, path: Path) -> None:
    """Refuse a model whose numbers are not where it says."""
    if model.graph.sparse_initializer:
        name = model.graph.sparse_initializer[0].values.name
        raise ErfTheoryError(f"{path} has sparse weights ({name}), which are not read")
    external = import_onnx().TensorProto.EXTERNAL
    for tensor in tensors(model):
        if tensor.data_location == external:
            _need_beside(tensor, path)


def _need_once(graph: Any, path: str | PathLike[str]) -> None:
    """Refuse a graph in which two nodes compute the same tensor, or one that is there already."""
    taken = {tensor.name for tensor in graph.initializer} | {one.name for one in graph.input}
    for node in graph.node:
        for name in filter(None, node.output):
            if name in taken:
                raise ErfTheoryError(
                    f"{path} is damaged: {name} is computed by the node {node.name or name} "
                    f"({node.op_type}), and there already"
                )
            taken.add(name)


def _need_beside(tensor: Any, path: Path) -> None:
    """Refuse a tensor whose file is not beside the model's, or is too short."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    folder = path.parent.resolve()
    file = (folder / location).resolve()
    if not location or not file.is_relative_to(folder):
        raise ErfTheoryError(
            f"{path} keeps its weights {tensor.name} in {location!r}, which is not in its folder"
        )
    if not file.is_file():
        raise ErfTheoryError(
            f"{path} keeps its weights in {location}, which is missing: put it beside the file"
        )
    end = int(entries.get("offset", 0)) + int(entries.get("length", 0))
    if file.stat().st_size < end:
        raise ErfTheoryError(f"{file} is truncated: weights of {path} go on to byte {end}")


def example_shape(
    model: Any, input_shape: Sequence[int] | None
) -> tuple[str, tuple[int, ...], int]:
    """Name, shape and type of numbers of a model's input, for one image.

    Raises
    ------
    ErfTheoryError
        If the model has not one input, or its shape is not known or not the one that is given.
    """
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in held]
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise ErfTheoryError(f"the model has {len(inputs)} inputs ({names}), and one is read")
    (found,) = inputs
    kind = found.type.tensor_type
    dims = [_dim(dim) for dim in kind.shape.dim] if kind.HasField("shape") else None
    return found.name, (1, *_frozen(found.name, dims, input_shape)[1:]), int(kind.elem_type)


def _dim(dim: Any) -> int | str:
    return int(dim.dim_value) if dim.HasField("dim_value") else str(dim.dim_param or "?")


def _frozen(
    name: str, dims: Sequence[int | str] | None, given: Sequence[int] | None
) -> tuple[int, ...]:
    """The shape that the file says, with what it leaves open as the user gives it."""
    said = "a shape that the file does not say" if dims is None else f"the shape {_text(dims)}"
    hint = "give input_shape, for instance (1, 3, 224, 224)"
    if given is None:
        known = [dim for dim in (dims or ())[1:] if isinstance(dim, int) and dim > 0]
        if dims is None or len(known) < len(dims) - 1:
            raise ErfTheoryError(f"the input {name} has {said}: {hint}")
        return (1, *known)
    shape = tuple(given)
    if not all(isinstance(one, int) and one > 0 for one in shape):
        raise ErfTheoryError(f"input_shape holds whole numbers of at least 1, not {given!r}")
    fits = dims is None or (
        len(dims) == len(shape)
        and all(isinstance(a, str) or a == b for a, b in zip(dims[1:], shape[1:], strict=True))
    )
    if not fits:
        raise ErfTheoryError(f"the input {name} has {said}, and input_shape is {shape}")
    return shape


def _text(dims: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, dims))})"
