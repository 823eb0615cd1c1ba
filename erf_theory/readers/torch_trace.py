"""A PyTorch module as a trace: its operators one by one, fixed numbers apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import getitem
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.readers.aten import OPERATORS
from erf_theory.readers.aten_moves import PIECES, piece, with_new_axis
from erf_theory.readers.calls import Call, Found
from erf_theory.readers.exporting import (
    exported,
    in_eval_mode,
    is_in_place,
    is_view,
    operator_name,
)
from erf_theory.readers.trace import Constant, Op, Trace

__all__ = ["torch_trace"]

_FILLED = {"zeros_like": 0.0, "ones_like": 1.0, "new_zeros": 0.0, "new_ones": 1.0}
_FRAME = re.compile(r'File "([^"]+)", line (\d+), in \w+')


def torch_trace(module: Any, example: Any) -> Trace:
    """The operations of a module in eval mode, for an input like the example.

    Raises
    ------
    ErfTheoryError
        If PyTorch cannot tell them, or no output depends on the input.
    """
    with in_eval_mode(module):
        program = exported(module, example)
    reading = _Reading(program, _alone(module, program.graph))
    source, outputs = reading.placeholders(), tuple[str, ...]()
    for node in program.graph.nodes:
        if node.op == "call_function":
            reading.call(node)
        elif node.op == "output":
            outputs = reading.names(node)
    if not outputs:
        raise ErfTheoryError("no output of the module depends on its input")
    return Trace(source, tuple(example.shape), tuple(reading.ops), outputs)


@final
@dataclass(eq=False, repr=False)
class _Reading:
    """A module while its operators are gone through.

    Attributes
    ----------
    program : ExportedProgram
        The operators.
    alone : set
        Those that are all that a module does, which have the module's path for a name.
    ops : list of Op
        What was found.
    known : dict
        For every node the name of its operation, or a constant.
    tensors : dict
        For constants, what computes them.
    """

    program: Any
    alone: set[Any]
    ops: list[Op] = field(default_factory=list)
    known: dict[Any, str | Constant] = field(default_factory=dict)
    tensors: dict[Constant, Callable[[], Any]] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)

    def placeholders(self) -> str:
        """Enter weights and other fixed numbers, and give the name of the input."""
        from torch.export.graph_signature import InputKind

        source = ""
        nodes = [node for node in self.program.graph.nodes if node.op == "placeholder"]
        for node, spec in zip(nodes, self.program.graph_signature.input_specs, strict=True):
            if spec.target is None:
                self.known[node] = source = node.name
                continue
            held = self.program.state_dict.get(spec.target)
            tensor = self.program.constants[spec.target] if held is None else held
            learned = spec.kind is InputKind.PARAMETER
            self.known[node] = self._constant(tensor.shape, tensor.detach, is_learned=learned)
        return source

    def names(self, node: Any) -> tuple[str, ...]:
        """Names of the operations that a node reads."""
        found = (self.known.get(one) for one in node.all_input_nodes)
        return tuple(one for one in found if isinstance(one, str))

    def call(self, node: Any) -> None:
        """Enter one operator."""
        value = node.meta.get("val")
        if value is None or isinstance(value, tuple | list):
            return  # several tensors are entered where one of them is taken
        whole = node.args[0] if node.target is getitem else node
        name = operator_name(whole)
        reads = [self.known.get(one) for one in whole.all_input_nodes]
        if name in _FILLED:
            shape, number = tuple(value.shape), _FILLED[name]
            self.known[node] = self._constant(shape, lambda: _full(shape, number))
        elif all(isinstance(one, Constant) for one in reads):
            learned = any(one.is_learned for one in reads if isinstance(one, Constant))
            shape = getattr(value, "shape", ())
            self.known[node] = self._constant(
                shape, lambda: self._computed(node), is_learned=learned
            )
        else:
            self._enter(node, self._found(node, whole, name))
        if is_in_place(node):
            self.known[node.args[0]] = self.known[node]

    def _found(self, node: Any, whole: Any, name: str) -> Found:
        """What an operator is."""
        plain = name.removesuffix("_") if is_in_place(whole) else name
        number = 0 if node is whole else node.args[1]
        if name == "stack":
            return self._stacked(node)
        if name in PIECES:
            shapes = [tuple(one.shape) for one in whole.meta["val"]]
            return piece(name, self._arguments(whole), number, shapes)
        if plain in OPERATORS and number == 0:
            return OPERATORS[plain](self._arguments(whole))
        return Found(plain, self.names(whole))

    def _enter(self, node: Any, found: Found) -> None:
        whole = node.args[0] if node.target is getitem else node
        path = _path(whole)
        label = path if whole in self.alone else f"{path}.{operator_name(whole).strip('_')}"
        name = self._own(label.strip("."))
        inputs = tuple(map(_operand, found.inputs))
        shape = tuple(node.meta["val"].shape)
        more = (found.attributes, found.arrays, shape, path, _where(whole))
        self.ops.append(Op(name, found.kind, inputs, *more))
        self.known[node] = name

    def _own(self, name: str) -> str:
        """A name of its own: with a number, if it is taken."""
        number = self._taken[name]
        self._taken[name] += 1
        return f"{name}_{number}" if number else name

    def _arguments(self, node: Any) -> Call:
        """The arguments of a call by name."""
        from torch import fx

        known: Any = self.known.__getitem__
        args, kwargs = fx.map_arg((node.args, dict(node.kwargs)), known)
        parameters = node.target._schema.arguments  # noqa: SLF001
        found = {part.name: part.default_value for part in parameters}
        found |= dict(zip(found, args, strict=False)) | kwargs
        first, after = node.all_input_nodes[0].meta["val"], node.meta["val"]
        return Call(found, tuple(first.shape), tuple(getattr(after, "shape", ())))

    def _stacked(self, node: Any) -> Found:
        """Tensors with a new axis, one behind the other along it."""
        call = self._arguments(node)
        axis = call["dim"] % (len(call.shape) + 1)
        shape = (*call.shape[:axis], 1, *call.shape[axis:])
        parts: list[Any] = list(call["tensors"])
        for place, part in enumerate(parts):
            if isinstance(part, str):
                found = with_new_axis(part, axis)
                parts[place] = self._own(f"{part}.unsqueeze")
                self.ops.append(
                    Op(parts[place], "move", (part,), found.attributes, {}, shape, _path(node))
                )
        return Found("concat", tuple(parts), {"axis": axis})

    def _constant(
        self, shape: Sequence[int], tensor: Callable[[], Any], *, is_learned: bool = False
    ) -> Constant:
        def load() -> Any:
            found = tensor()
            return (found.double() if found.is_floating_point() else found).numpy()

        constant = Constant(tuple(shape), load, is_learned)
        self.tensors[constant] = tensor
        return constant

    def _computed(self, node: Any) -> Any:
        """What an operator makes of fixed numbers."""
        from torch import fx

        def tensor(one: Any) -> Any:
            known = self.known.get(one)
            return self.tensors[known]() if isinstance(known, Constant) else self._computed(one)

        args, kwargs = fx.map_arg((node.args, dict(node.kwargs)), tensor)
        return node.target(*args, **kwargs)


def _alone(module: Any, graph: Any) -> set[Any]:
    """Operators that are all that a module without parts does, but for views."""
    calls: dict[str, list[Any]] = {}
    for node in graph.nodes:
        stack = node.meta.get("nn_module_stack")
        if node.op == "call_function" and stack and node.target is not getitem:
            calls.setdefault(list(stack)[-1], []).append(node)
    found = set()
    for nodes in calls.values():
        doing = [node for node in nodes if not is_view(node)] or nodes
        if len(doing) == 1 and _is_leaf(module, _path(doing[0])):
            found.add(doing[0])
    return found


def _is_leaf(module: Any, path: str) -> bool:
    """Whether a path is that of a module without parts."""
    try:
        return bool(path) and not list(module.get_submodule(path).children())
    except AttributeError:
        return False


def _path(node: Any) -> str:
    """Path of the module that an operator belongs to."""
    stack = node.meta.get("nn_module_stack")
    return str(list(stack.values())[-1][0]).partition("@")[0] if stack else ""


def _where(node: Any) -> str:
    """The last line of the user's own source that led to an operator."""
    frames = _FRAME.findall(node.meta.get("stack_trace") or "")
    own = [frame for frame in frames if "/torch/nn/" not in frame[0]] or frames
    return f"{own[-1][0]}:{own[-1][1]}" if own else ""


def _operand(one: Any) -> str | Constant:
    """A name or a constant; a number becomes one."""
    if isinstance(one, str | Constant):
        return one
    return Constant((), lambda: np.asarray(float(one)))


def _full(shape: tuple[int, ...], number: float) -> Any:
    import torch

    return torch.full(shape, number)
