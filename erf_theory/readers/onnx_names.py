"""Names of operations: module paths, where the file was written by PyTorch; else its nodes' names."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Names"]

_SCOPES = "pkg.torch.onnx.name_scopes"
_VIEWS = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Constant", "Cast"}


@final
@dataclass
class Names:
    """Names for the operations of a graph, each its own.

    A module of PyTorch that has no modules within it and does one thing gives its path to what it
    does, as in `erf_theory.readers.torch`.

    Parameters
    ----------
    graph : GraphProto
        The graph.
    """

    graph: Any
    taken: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        paths = [(_path(node), node.op_type) for node in self.graph.node]
        self._doing = Counter(path for path, kind in paths if kind not in _VIEWS)
        self._around = {
            path[:end] for path, _ in paths for end in range(len(path)) if path[end] == "."
        }

    def of(self, node: Any, part: str = "") -> tuple[str, str]:
        """Path of the module that a node belongs to, and a name that no other operation has."""
        path = _path(node)
        alone = self._doing[path] == 1 and path not in self._around and node.op_type not in _VIEWS
        if path and alone:
            name = path
        elif path or not node.name:
            name = ".".join(filter(None, (path, node.op_type.lower())))
        else:
            name = node.name
        return path, self._own(f"{name}.{part}" if part else name)

    def _own(self, name: str) -> str:
        number = self.taken[name]
        self.taken[name] += 1
        return f"{name}_{number}" if number else name


def _path(node: Any) -> str:
    """Path of the module that PyTorch's exporters say a node belongs to."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES:
            scopes = ast.literal_eval(entry.value)
            return str(scopes[-2]) if len(scopes) > 1 else ""
    if not node.name.startswith("/"):
        return ""
    found: list[str] = []
    for scope in node.name.split("/")[1:-1]:
        inner = found and scope.startswith(f"{found[-1].rsplit('/', 1)[-1]}.")
        found = [*found[:-1], scope] if inner else [*found, scope]
    return ".".join(found)
