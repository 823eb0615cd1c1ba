"""The operators of a PyTorch module: `torch.export`, and where that fails `torch.fx` before it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from operator import getitem
from typing import Any

from erf_theory.errors import ErfTheoryError

__all__ = ["exported", "in_eval_mode", "is_in_place", "is_view", "operator_name"]


@contextmanager
def in_eval_mode(module: Any) -> Iterator[None]:
    """A module in eval mode, and afterwards every part of it in the mode that it had."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def exported(module: Any, example: Any) -> Any:
    """The operators of a module in eval mode, for an input like an example.

    Returns
    -------
    torch.export.ExportedProgram
        No operator of it changes numbers that another one sees.

    Raises
    ------
    ErfTheoryError
        If PyTorch cannot tell them.
    """
    from torch import fx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's about itself; the module's come when it runs
        try:
            program = _export(module, example)
        except Exception as error:  # noqa: BLE001
            reason = error
            try:
                program = _export(fx.symbolic_trace(module), example)
            except Exception:  # noqa: BLE001
                raise ErfTheoryError(_why(reason)) from None
        return program.run_decompositions({}) if _writes_into_views(program.graph) else program


def _export(module: Any, example: Any) -> Any:
    """The program; what PyTorch prints about a failure is left out: the error says it."""
    import torch

    with redirect_stderr(StringIO()):
        return torch.export.export(module, (example,), strict=False)


def _why(error: Exception) -> str:
    text = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    if "data-dependent" in str(error).lower() or "DataDependent" in text:
        return (
            "what the module does depends on the numbers of its input, so that it is not one "
            f"network: write it without such a condition ({text})"
        )
    return f"torch.export cannot read the module with this example: {text}"


def operator_name(node: Any) -> str:
    """Name of an operator without its namespace and overload."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return str(getattr(node.target, "__name__", node.target))
    return str(schema.name).rpartition("::")[2]


def is_in_place(node: Any) -> bool:
    """Whether an operator changes its first argument."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable and operator_name(node).endswith("_")


def is_view(node: Any) -> bool:
    """Whether an operator hands on the numbers that it reads, and no copy of them."""
    if node.target is getitem:
        return True
    schema = getattr(node.target, "_schema", None)
    shared = [part.alias_info for part in schema.returns] if schema is not None else []
    return any(info is not None and not info.is_write for info in shared)


def _writes_into_views(graph: Any) -> bool:
    """Whether an in-place operator changes what other tensors see that are read later."""
    order = {node: place for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op != "call_function" or not is_in_place(node):
            continue
        others = _views(node.args[0]) - {node.args[0]}
        if any(order[user] > order[node] for other in others for user in other.users):
            return True
    return False


def _views(node: Any) -> set[Any]:
    """A tensor and all that see the same numbers."""
    while is_view(node) and node.all_input_nodes:
        node = node.all_input_nodes[0]
    found, open_ = {node}, [node]
    while open_:
        new = {user for user in open_.pop().users if is_view(user)} - found
        found |= new
        open_.extend(new)
    return found
