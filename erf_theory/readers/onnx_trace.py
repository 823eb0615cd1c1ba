"""An ONNX graph as a trace: shapes are inferred, and what no image changes is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.readers import onnx_moves, onnx_pointwise, onnx_windows
from erf_theory.readers.calls import Found
from erf_theory.readers.onnx_file import example_shape, import_onnx, opset_of
from erf_theory.readers.onnx_names import Names
from erf_theory.readers.onnx_node import OPERATORS, Seen
from erf_theory.readers.trace import Constant, Op, Trace
from erf_theory.readers.values import Refused

__all__ = ["onnx_trace"]

_ = (onnx_moves, onnx_pointwise, onnx_windows)  # they enter their translations
_OWN = ("", "ai.onnx")
_SMALL = 64
"""Numbers that an input has at most which shapes follow from."""
_CONTROL = ("If", "Loop", "Scan")
_RANDOM = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli")
_INT64, _INT32, _FLOAT = 7, 6, 1
_FLOATS = (1, 10, 11, 16)
"""ONNX's numbers for float32, float16, float64 and bfloat16."""


def onnx_trace(model: Any, folder: Path, input_shape: Sequence[int] | None) -> Trace:
    """The operations of a model whose external weights are in a folder.

    Raises
    ------
    ErfTheoryError
        If the graph is damaged, or its input's shape is not known.
    """
    source, shape, kind = example_shape(model, input_shape)
    reading = _Reading(model, folder, opset_of(model), Names())
    reading.start(source, shape, kind)
    reading.nodes(model.graph.node)
    outputs = [reading.known.get(one.name) for one in model.graph.output]
    names = tuple(one for one in outputs if isinstance(one, str))
    if not names:
        raise ErfTheoryError("no output of the model depends on its input")
    return Trace(source, reading.start_shape, tuple(reading.ops), names)


@final
@dataclass(eq=False, repr=False)
class _Reading:
    """One graph while its nodes are gone through.

    Attributes
    ----------
    known : dict
        What every tensor is: the name of an operation, or a constant.
    types : dict
        Types of tensors, with their shapes; tensors of which nothing is known are not there.
    start_shape : tuple of int
        Shape of the input: 1, channels, places.
    """

    model: Any
    folder: Path
    opset: int
    names: Names
    known: dict[str, str | Constant] = field(default_factory=dict)
    types: dict[str, Any] = field(default_factory=dict)
    ops: list[Op] = field(default_factory=list)
    made: dict[Any, Constant] = field(default_factory=dict)
    start_shape: tuple[int, ...] = ()

    def start(self, source: str, shape: tuple[int, ...], kind: int) -> None:
        """What is known before the first node: the input and the initialisers."""
        self.known[source] = source
        self._type(source, shape, kind)
        for tensor in self.model.graph.initializer:
            self._tensor(tensor.name, tensor)
        self._channels_first(source, shape, kind)
        self.start_shape = self.shape_of(source)

    def _channels_first(self, source: str, shape: tuple[int, ...], kind: int) -> None:
        """Take an image whose channels come last as what the first transposition makes of it."""
        last = len(shape) - 1
        readers = [node for node in self.model.graph.node if source in node.input]
        order = [0, last, *range(1, last)]
        if last > 1 and readers and all(_order(node) == order for node in readers):
            for node in readers:
                self.known[node.output[0]] = source
                self._type(node.output[0], tuple(shape[i] for i in order), kind)
            self._type(source, tuple(shape[i] for i in order), kind)

    def nodes(self, nodes: Iterable[Any]) -> None:
        """Go through nodes, which stand in the order in which they are computed."""
        for node in nodes:
            missing = [name for name in node.input if name and name not in self.known]
            if missing:
                raise ErfTheoryError(
                    f"the file is damaged: {_text(node)} reads {missing[0]}, which nothing before "
                    "it computes"
                )
            if not all(name in self.known for name in node.output):
                self._node(node)

    def _node(self, node: Any) -> None:
        inputs = [self.known[name] if name else None for name in node.input]
        fixed = all(one is None or isinstance(one, Constant) for one in inputs)
        is_own = node.domain in _OWN
        if is_own and node.op_type == "Constant":
            self._constant(node)
        elif is_own and node.op_type == "If" and isinstance(inputs[0], Constant):
            self._branch(node, bool(inputs[0].array))
        elif is_own and node.op_type in ("Shape", "Size") and self.shape_of(node.input[0]):
            self._measured(node)
        elif is_own and fixed and node.op_type == "Identity":
            self._alias(node.input[0], node.output[0])
        elif is_own and fixed and node.op_type not in (*_CONTROL, *_RANDOM):
            self._folded(node)
        else:
            self._infer(node)
            self._append(node, inputs)

    def shape_of(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor; () where it is not known, or is a number."""
        found = self.types.get(name)
        if found is None:
            return ()
        return tuple(int(dim.dim_value) for dim in found.tensor_type.shape.dim)

    def _type(self, name: str, shape: Sequence[int], kind: int) -> None:
        self.types[name] = import_onnx().helper.make_tensor_type_proto(kind, list(shape))

    def _tensor(self, name: str, tensor: Any) -> None:
        """A tensor that the file holds."""
        from onnx import numpy_helper

        def load() -> npt.NDArray[Any]:
            try:
                return numpy_helper.to_array(tensor, str(self.folder))
            except (ValueError, TypeError, OSError) as error:
                raise ErfTheoryError(f"the weights {name} are damaged: {error}") from None

        self.known[name] = Constant(tuple(tensor.dims), load, tensor.data_type in _FLOATS)
        self._type(name, tensor.dims, tensor.data_type)

    def _array(self, name: str, array: npt.NDArray[Any]) -> None:
        """Numbers that were computed."""
        kind = import_onnx().helper.np_dtype_to_tensor_dtype(array.dtype)
        self.known[name] = Constant(array.shape, lambda: array)
        self._type(name, array.shape, kind)

    def _constant(self, node: Any) -> None:
        (attribute,) = node.attribute
        if attribute.name == "value":
            self._tensor(node.output[0], attribute.t)
            return
        value = import_onnx().helper.get_attribute_value(attribute)
        if attribute.name not in ("value_int", "value_ints", "value_float", "value_floats"):
            raise ErfTheoryError(f"{_text(node)} holds {attribute.name}, which is not read")
        kind = np.int64 if "int" in attribute.name else np.float32
        self._array(node.output[0], np.asarray(value, dtype=kind))

    def _branch(self, node: Any, condition: bool) -> None:  # noqa: FBT001
        """The branch that a fixed condition chooses."""
        name = "then_branch" if condition else "else_branch"
        graph = next(part.g for part in node.attribute if part.name == name)
        for tensor in graph.initializer:
            self._tensor(tensor.name, tensor)
        self.nodes(graph.node)
        for inner, outer in zip(graph.output, node.output, strict=True):
            self._alias(inner.name, outer)

    def _alias(self, name: str, other: str) -> None:
        """Another name of a tensor."""
        self.known[other] = self.known[name]
        if name in self.types:
            self.types[other] = self.types[name]

    def _measured(self, node: Any) -> None:
        """The shape of a tensor, or its number of samples."""
        shape, how = self.shape_of(node.input[0]), _attributes(node)
        if node.op_type == "Size":
            found = np.asarray(prod(shape), dtype=np.int64)
        else:
            found = np.asarray(shape[how.get("start", 0) : how.get("end")], dtype=np.int64)
        self._array(node.output[0], found)

    def _folded(self, node: Any) -> None:
        """What a node computes of constants: numbers at once, weights when they are needed."""
        inputs = [self.known[name] for name in node.input if name]
        constants = [one for one in inputs if isinstance(one, Constant)]
        names = [name for name in node.input if name]

        @cache
        def computed() -> list[npt.NDArray[Any]]:
            arrays = dict(zip(names, (one.array for one in constants), strict=True))
            return _evaluated(node, arrays, self.opset)

        self._infer(node)
        learned = any(one.is_learned for one in constants)
        for place, name in enumerate(node.output):
            if name and name in self.types and prod(self.shape_of(name)) > _SMALL:
                load = lambda place=place: computed()[place]  # noqa: E731
                self.known[name] = Constant(self.shape_of(name), load, learned)
            elif name:
                self._array(name, np.asarray(computed()[place]))

    def _infer(self, node: Any) -> None:
        """Types of what comes out of a node, where they follow from what it reads."""
        onnx = import_onnx()
        read = {name for name in node.input if name}
        is_own = node.domain in _OWN and onnx.defs.has(node.op_type, self.opset)
        if not is_own or not read <= self.types.keys() or node.op_type in _CONTROL:
            return
        if node.op_type == "GroupNormalization":  # ONNX infers no shape of it
            self.types[node.output[0]] = self.types[node.input[0]]
            return
        schema = onnx.defs.get_schema(node.op_type, self.opset)
        data = {name: tensor for name in read if (tensor := self._numbers(node, name)) is not None}
        types = {name: self.types[name] for name in read}
        opsets = [onnx.helper.make_opsetid("", self.opset)]
        try:
            found = onnx.shape_inference.infer_node_outputs(
                schema, node, types, data, opset_imports=opsets
            )
        except (onnx.shape_inference.InferenceError, onnx.checker.ValidationError) as error:
            raise ErfTheoryError(f"{_text(node)} does not fit what it reads: {error}") from None
        self.types |= {name: kind for name, kind in found.items() if _is_known(kind)}

    def _numbers(self, node: Any, name: str) -> Any:
        """An input that the shape of the output may follow from."""
        known, kind = self.known[name], self.types[name].tensor_type.elem_type
        small = isinstance(known, Constant) and len(known.shape) < 2 and prod(known.shape) <= _SMALL
        wanted = kind in (_INT32, _INT64) or (kind == _FLOAT and node.op_type == "Resize")
        if not small or not wanted:
            return None
        assert isinstance(known, Constant)  # noqa: S101
        return import_onnx().numpy_helper.from_array(known.array, name)

    def _append(self, node: Any, inputs: list[Any]) -> None:
        """The operations that a node is, one for every output."""
        shapes = tuple(self.shape_of(name) for name in node.input)
        after = tuple(self.shape_of(name) for name in node.output)
        if any(min(shape, default=1) < 1 for shape in after):
            raise ErfTheoryError(
                f"nothing is left of an image of {self.start_shape[2:]} places behind "
                f"{_text(node)}: give a larger input_shape"
            )
        seen = Seen(node.op_type, tuple(inputs), _attributes(node), shapes, after, self.made)
        found = self._found(node, seen)
        for place, output in enumerate(node.output):
            one = found[place] if place < len(found) else _unread(seen, f"output {place} of ")
            if output:
                self.known[output] = self._operation(node, output, one, part=str(place or ""))

    def _found(self, node: Any, seen: Seen) -> Sequence[Found]:
        """What a node is; where that cannot be read, why."""
        if node.domain not in _OWN:
            return [_unread(seen, f"{node.domain}.")]
        translate = OPERATORS.get(node.op_type)
        known = all(not name or name in self.types for name in (*node.input, *node.output[:1]))
        if translate is None or not known:
            return [_unread(seen)]
        try:
            found = translate(seen)
        except Refused as why:
            return [Found(node.op_type, _read(seen), {"why": str(why)})]
        return found if isinstance(found, tuple) else [found]

    def _operation(self, node: Any, output: str, found: Found, part: str) -> str:
        """Enter an operation and those within it; its name."""
        path, name = self.names.of(node, part)
        shape = self.shape_of(output) if output in self.types else None
        where = f"node {node.name or output}"
        inputs = tuple(self._operand(node, one, part) for one in found.inputs)
        op = Op(name, found.kind, inputs, found.attributes, found.arrays, shape, path, where)
        self.ops.append(op)
        return name

    def _operand(self, node: Any, one: Any, part: str) -> str | Constant:
        if isinstance(one, Found):
            return self._operation(node, "", one, f"{part or 0}")
        if isinstance(one, str | Constant):
            return one
        return Constant((), lambda: np.asarray(float(one)))


def _read(seen: Seen) -> tuple[str, ...]:
    return tuple(one for one in seen.inputs if isinstance(one, str))


def _unread(seen: Seen, before: str = "") -> Found:
    """A node that there is no rule for."""
    return Found(f"{before}{seen.op}", _read(seen))


def _evaluated(node: Any, arrays: dict[str, Any], opset: int) -> list[npt.NDArray[Any]]:
    """What ONNX's reference implementation computes of numbers."""
    from onnx.reference import ReferenceEvaluator

    try:
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(node, opsets={"": opset}).run(None, arrays)
    except Exception as error:  # noqa: BLE001
        raise ErfTheoryError(f"{_text(node)} cannot be computed: {error}") from None
    return [np.asarray(one) for one in found]


def _attributes(node: Any) -> dict[str, Any]:
    helper: Callable[[Any], Any] = import_onnx().helper.get_attribute_value
    return {part.name: _plain(helper(part)) for part in node.attribute}


def _plain(value: Any) -> Any:
    """An attribute; a number in single precision as its shortest decimal, which was meant."""
    if isinstance(value, float):
        return float(str(np.float32(value)))
    return value.decode() if isinstance(value, bytes) else value


def _order(node: Any) -> list[int] | None:
    """The order of axes that a transposition makes; None for another node."""
    return list(_attributes(node).get("perm", [])) if node.op_type == "Transpose" else None


def _is_known(kind: Any) -> bool:
    """Whether a type is that of a tensor all of whose sides are numbers."""
    tensor = kind.tensor_type
    return (
        kind.HasField("tensor_type")
        and tensor.HasField("shape")
        and all(dim.HasField("dim_value") for dim in tensor.shape.dim)
    )


def _text(node: Any) -> str:
    return f"the node {node.name or node.output[0]} ({node.op_type})"
