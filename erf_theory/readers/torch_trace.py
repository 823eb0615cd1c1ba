"""A PyTorch module as a trace: `torch.export`, and where that fails `torch.fx` before it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import getitem
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.readers.aten import OPERATORS, Found, Told
from erf_theory.readers.trace import Constant, Op, Trace

__all__ = ["exported", "in_eval_mode", "torch_trace"]

_LISTS = {
    "chunk",
    "split",
    "split_with_sizes",
    "tensor_split",
    "unbind",
    "unsafe_chunk",
    "unsafe_split",
}
_FILLED = {
    "zeros_like": 0.0,
    "ones_like": 1.0,
    "new_zeros": 0.0,
    "new_ones": 1.0,
    "empty_like": 0.0,
}
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in \w+')


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
    """The operators of a module in eval mode, for inputs like an example.

    Raises
    ------
    ErfTheoryError
        If PyTorch cannot tell them.
    """
    import torch
    from torch import fx

    try:
        return torch.export.export(module, (example,), strict=False)
    except Exception as error:  # noqa: BLE001
        first = error
    try:
        return torch.export.export(fx.symbolic_trace(module), (example,), strict=False)
    except Exception:  # noqa: BLE001
        raise ErfTheoryError(_why(first)) from None


def _why(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    if "data-dependent" in str(error).lower() or "DataDependent" in type(error).__name__:
        return (
            "what the module does depends on the numbers of its input, so that it is not one "
            f"network: {text}"
        )
    return f"torch.export cannot read the module with this example: {type(error).__name__}: {text}"


def torch_trace(module: Any, example: Any) -> Trace:
    """The operations of a module, for an input like the example."""
    with in_eval_mode(module):
        program = exported(module, example)
    if _writes_into_views(program.graph):
        program = program.run_decompositions({})
    return _Reading(module, program).trace(tuple(example.shape))


def _writes_into_views(graph: Any) -> bool:
    """Whether an in-place operator changes what other tensors see."""
    order = {node: place for place, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op != "call_function" or not _is_in_place(node):
            continue
        family = _views(node.args[0]) - {node.args[0]}
        if any(order[user] > order[node] for other in family for user in other.users):
            return True
    return False


def _views(node: Any) -> set[Any]:
    """A tensor and all that see the same numbers."""
    while _is_view(node) and node.all_input_nodes:
        node = node.all_input_nodes[0]
    found, open_ = {node}, [node]
    while open_:
        new = {user for user in open_.pop().users if _is_view(user)} - found
        found |= new
        open_.extend(new)
    return found


def _is_in_place(node: Any) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and schema.is_mutable and _name(node).endswith("_")


def _is_view(node: Any) -> bool:
    if node.target is getitem:
        return True
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(
        part.alias_info is not None and not part.alias_info.is_write for part in schema.returns
    )


def _name(node: Any) -> str:
    """Name of an operator without its namespace and overload."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return str(getattr(node.target, "__name__", node.target))
    return str(schema.name).split("::")[-1]


@final
@dataclass
class _Reading:
    """One module while its operators are gone through.

    Attributes
    ----------
    module : Module
        The module.
    program : ExportedProgram
        Its operators.
    known : dict
        What is known of every node: the name of an operation, or a constant.
    tensors : dict
        For constants, what computes them.
    """

    module: Any
    program: Any
    known: dict[Any, str | Constant] = field(default_factory=dict)
    tensors: dict[Constant, Any] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    def trace(self, shape: tuple[int, ...]) -> Trace:
        """All operations."""
        source = self._placeholders()
        alone = self._alone()
        outputs: list[str] = []
        for node in self.program.graph.nodes:
            if node.op == "call_function":
                self._call(node, alone)
            elif node.op == "output":
                found = (self.known.get(part) for part in node.all_input_nodes)
                outputs = [name for name in found if isinstance(name, str)]
        if not outputs:
            raise ErfTheoryError("no output of the module depends on its input")
        return Trace(source, shape, tuple(self.ops), tuple(outputs))

    def _placeholders(self) -> str:
        import torch

        kinds = {spec.arg.name: spec for spec in self.program.graph_signature.input_specs}
        learned = torch.export.graph_signature.InputKind.PARAMETER
        source = None
        for node in self.program.graph.nodes:
            if node.op != "placeholder":
                continue
            spec = kinds[node.name]
            if spec.target is None:
                source = source or node.name
                self.known[node] = node.name
                continue
            tensor = self.program.state_dict.get(spec.target)
            if tensor is None:
                tensor = self.program.constants[spec.target]
            self.known[node] = self._constant(
                tuple(tensor.shape), lambda tensor=tensor: tensor.detach(), spec.kind is learned
            )
        if source is None:
            raise ErfTheoryError("the module reads no input")
        return source

    def _constant(self, shape: tuple[int, ...], tensor: Any, is_learned: bool) -> Constant:  # noqa: FBT001
        def load() -> Any:
            found = tensor()
            return found.double().numpy() if found.is_floating_point() else found.numpy()

        constant = Constant(shape, load, is_learned)
        self.tensors[constant] = tensor
        return constant

    def _call(self, node: Any, alone: Mapping[Any, bool]) -> None:
        value = node.meta.get("val")
        if value is None and _name(node) not in _LISTS:
            return
        inputs = [self.known.get(part) for part in node.all_input_nodes]
        name = _name(node)
        if name in _LISTS:
            return
        if node.target is getitem and node.args[0] in self.known:
            if node.args[1] == 0:
                self.known[node] = self.known[node.args[0]]
            else:
                self.known[node] = self._refused(*node.args, node)
            return
        if node.target is getitem:
            self._piece(node)
            return
        if name in _FILLED:
            shape, number = tuple(value.shape), _FILLED[name]
            self.known[node] = self._constant(shape, lambda: _full(shape, number), False)
            return
        if all(isinstance(one, Constant) for one in inputs):
            learned = any(isinstance(one, Constant) and one.is_learned for one in inputs)
            shape = tuple(getattr(value, "shape", ()))
            self.known[node] = self._constant(shape, lambda: self._computed(node), learned)
            return
        if name == "stack":
            self._stack(node)
            return
        told = self._told(node)
        plain = name.removesuffix("_") if _is_in_place(node) else name
        translate = OPERATORS.get(plain)
        reads = tuple(one for one in inputs if isinstance(one, str))
        found = Found(plain, reads) if translate is None else translate(told)
        self._append(node, found, alone=bool(alone.get(node)))
        if _is_in_place(node):
            self.known[node.args[0]] = self.known[node]

    def _computed(self, node: Any) -> Any:
        """A constant that an operator makes of others."""
        from torch import fx

        def tensor(part: Any) -> Any:
            known = self.known[part]
            assert isinstance(known, Constant)  # noqa: S101
            return self.tensors[known]()

        args, kwargs = fx.map_arg((node.args, node.kwargs), tensor)
        return node.target(*args, **kwargs)

    def _told(self, node: Any) -> Told:
        """The arguments by name."""
        from torch import fx

        args, kwargs = fx.map_arg((node.args, dict(node.kwargs)), lambda part: self.known[part])
        schema = node.target._schema  # noqa: SLF001
        names = [part.name for part in schema.arguments]
        found = {part.name: part.default_value for part in schema.arguments}
        found |= dict(zip(names, args, strict=False)) | kwargs
        shapes = [
            p.meta["val"].shape
            for p in node.all_input_nodes
            if "val" in p.meta and hasattr(p.meta["val"], "shape")
        ]
        after = getattr(node.meta["val"], "shape", ())
        return Told(found, tuple(shapes[0]), tuple(after))

    def _append(self, node: Any, found: Found, *, alone: bool, part: str = "") -> None:
        path = _path(node)
        label = _name(node).strip("_")
        name = path if alone and path else ".".join(filter(None, (path, label)))
        name = self._own(name)
        inputs = tuple(_number(one) for one in found.inputs)
        value = node.meta["val"]
        shape = tuple((value[0] if isinstance(value, tuple | list) else value).shape)
        self.ops.append(
            Op(name, found.kind, inputs, found.attributes, found.arrays, shape, path, _where(node))
        )
        self.known[node] = name

    def _own(self, name: str) -> str:
        number = self.taken[name]
        self.taken[name] += 1
        return f"{name}_{number}" if number else name

    def _piece(self, node: Any) -> None:
        """One of the tensors that an operator cuts another one into."""
        whole, at = node.args
        told = self._told(whole)
        axis = told["dim"] % len(told.shape)
        if _name(whole) == "unbind":
            move: Any = lambda index: index.take(at, axis)  # noqa: E731
        else:
            sizes = (
                [part.shape[axis] for part in whole.meta["val"]] if "val" in whole.meta else None
            )
            sizes = sizes or self._sizes(whole, axis)
            start = sum(sizes[:at])
            cut = (slice(None),) * axis + (slice(start, start + sizes[at]),)
            move = lambda index: index[cut]  # noqa: E731
        source = self.known[whole.args[0]]
        if isinstance(source, Constant):
            self.known[node] = self._constant(
                tuple(node.meta["val"].shape), lambda: self._computed(whole)[at], source.is_learned
            )
            return
        path, label = _path(whole), _name(whole)
        name = self._own(".".join(filter(None, (path, label))))
        shape = tuple(node.meta["val"].shape)
        self.ops.append(Op(name, "move", (source,), {"move": move}, {}, shape, path, _where(whole)))
        self.known[node] = name

    def _sizes(self, whole: Any, axis: int) -> list[int]:
        pieces = {user.args[1]: user.meta["val"].shape[axis] for user in whole.users}
        total = whole.args[0].meta["val"].shape[axis]
        told = self._told(whole)
        name = _name(whole)
        if name == "split_with_sizes":
            return list(told["split_sizes"])
        first = next(iter(pieces.values())) if 0 not in pieces else pieces[0]
        if name in ("split", "unsafe_split"):
            size = told.get("split_size", told.get("split_sizes", first))
            if not isinstance(size, int):
                return list(size)
        else:
            size = -(-total // told["chunks"])
        return [min(size, total - i) for i in range(0, total, size)]

    def _reads(self, node: Any) -> tuple[str, ...]:
        found = (self.known.get(part) for part in node.all_input_nodes)
        return tuple(one for one in found if isinstance(one, str))

    def _refused(self, whole: Any, at: int, node: Any) -> str:
        """An operator with several outputs that there is no rule for."""
        path = _path(whole)
        name = self._own(".".join(filter(None, (path, f"{_name(whole)}.{at}"))))
        shape = tuple(node.meta["val"].shape)
        self.ops.append(
            Op(name, _name(whole), self._reads(whole), {}, {}, shape, path, _where(whole))
        )
        return name

    def _stack(self, node: Any) -> None:
        """Tensors with a new axis, one behind the other."""
        told = self._told(node)
        axis = told["dim"] % (len(told.shape) + 1)
        path = _path(node)
        parts = []
        for one in told["tensors"]:
            if isinstance(one, Constant):
                parts.append(one)
                continue
            name = self._own(".".join(filter(None, (path, "stack"))))
            move = lambda index: np.expand_dims(index, axis)  # noqa: E731
            shape = (*told.shape[:axis], 1, *told.shape[axis:])
            self.ops.append(Op(name, "move", (one,), {"move": move}, {}, shape, path, _where(node)))
            parts.append(name)
        self._append(node, Found("concat", tuple(parts), {"axis": axis}), alone=False)

    def _alone(self) -> dict[Any, bool]:
        """Operators that are all that a module without parts does."""
        calls: dict[str, list[Any]] = {}
        for node in self.program.graph.nodes:
            stack = node.meta.get("nn_module_stack")
            if node.op == "call_function" and stack:
                calls.setdefault(list(stack)[-1], []).append(node)
        found: dict[Any, bool] = {}
        for nodes in calls.values():
            doing = [node for node in nodes if not _is_view(node)] or nodes
            part = _submodule(self.module, _path(doing[0]))
            if len(doing) == 1 and part is not None and not list(part.children()):
                found[doing[0]] = True
        return found


def _submodule(module: Any, path: str) -> Any:
    try:
        return module.get_submodule(path)
    except AttributeError:
        return None


def _path(node: Any) -> str:
    """Path of the module that a node belongs to."""
    stack = node.meta.get("nn_module_stack")
    return str(list(stack.values())[-1][0]).split("@")[0] if stack else ""


def _where(node: Any) -> str:
    """The last line of the user's own source that led to a node."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    own = [frame for frame in frames if "/torch/nn/" not in frame[0]] or frames
    return f"{own[-1][0]}:{own[-1][1]}" if own else ""


def _number(one: Any) -> Any:
    """A name or a constant; a number becomes one."""
    if isinstance(one, str | Constant):
        return one
    return Constant((), lambda: np.asarray(float(one)))


def _full(shape: tuple[int, ...], number: float) -> Any:
    import torch

    return torch.full(shape, number)
