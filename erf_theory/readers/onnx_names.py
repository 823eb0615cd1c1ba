"""Names of operations: module paths, where PyTorch wrote the file; else the names of its nodes."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Names"]

_QUOTED = re.compile(r"'([^']*)'")
_WEIGHT = ".weight"
_SCOPES = "pkg.torch.onnx.name_scopes"


@final
@dataclass(eq=False, repr=False)
class Names:
    """Names of a graph's operations, each its own."""

    taken: Counter[str] = field(default_factory=Counter)

    def of(self, node: Any, part: str = "") -> tuple[str, str]:
        """Path of the module that a node belongs to, and a name that no other operation has."""
        path = _path(node)
        if path is None and node.name:
            name = node.name
        else:
            name = ".".join(filter(None, (path, node.op_type.lower())))
        name = f"{name}.{part}" if part else name
        number = self.taken[name]
        self.taken[name] += 1
        return path or "", f"{name}_{number}" if number else name


def _path(node: Any) -> str | None:
    """Path of the module that PyTorch's exporters say a node belongs to; None if they do not.

    A convolution is in the scope of the norm that was folded into it; its weights have the right
    one.
    """
    for entry in node.metadata_props:
        if entry.key == _SCOPES:
            if len(node.input) > 1 and node.input[1].endswith(_WEIGHT):
                return str(node.input[1].removesuffix(_WEIGHT))
            scopes = _QUOTED.findall(entry.value)
            return str(scopes[-2]) if len(scopes) > 1 else ""
    if not node.name.startswith("/"):
        return None
    found: list[str] = []
    for scope in node.name.split("/")[1:-1]:
        within = found and scope.startswith(f"{found[-1]}.")
        found = [*found[:-1], scope] if within else [*found, scope]
    return ".".join(found)
