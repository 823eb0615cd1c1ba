"""Layers that are written out as several operations: found in a trace, and put together again.

Activations are found later, by what they do to numbers: `erf_theory.readers.curves`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, final

import numpy as np

from erf_theory.readers.trace import Constant, Op, Trace

__all__ = ["put_together"]

_TRIED = np.array([0.0, 0.25, 1.0, 3.0, 10.0])
"""Numbers that tell roots and squares from other functions."""


@final
@dataclass(eq=False, repr=False)
class _Ops:
    """The operations of a trace while they are put together.

    Attributes
    ----------
    by_name : dict
        All of them, in their order; a name stays while what it means changes.
    readers : counter
        How many operations and outputs read each.
    shapes : dict
        Shapes of the trace's input and of all operations.
    """

    by_name: dict[str, Op]
    readers: Counter[str]
    shapes: dict[str, tuple[int, ...] | None]

    def only(self, name: Any, *kinds: str) -> Op | None:
        """An operation of one of some kinds."""
        op = self.by_name.get(name) if isinstance(name, str) else None
        return op if op is not None and op.kind in kinds else None


def put_together(trace: Trace) -> Trace:
    """The same operations, with norms and biases that were written out as single ones.

    What nothing needs any more is left out.
    """
    readers = Counter(name for op in trace.ops for name in op.reads) + Counter(trace.outputs)
    shapes = {trace.source: trace.shape} | {op.name: op.shape for op in trace.ops}
    ops = _Ops({op.name: op for op in trace.ops}, readers, shapes)
    for op in trace.ops:
        for find in (_layer_norm, _group_norm, _with_numbers, _with_bias):
            found = find(ops, ops.by_name[op.name])
            if found is not None:
                ops.by_name[op.name] = found
                break
    return _named_by_module(replace(trace, ops=_needed(ops.by_name.values(), trace.outputs)))


def _needed(ops: Iterable[Op], outputs: Iterable[str]) -> tuple[Op, ...]:
    wanted, kept = set(outputs), []
    for op in reversed(list(ops)):
        if op.name in wanted:
            wanted.update(op.reads)
            kept.append(op)
    return tuple(reversed(kept))


def _named_by_module(trace: Trace) -> Trace:
    """The same operations; what a module without modules within it hands on has its path.

    A module that is called again has a number behind its path.
    """
    around = {
        op.module[:end] for op in trace.ops for end, sign in enumerate(op.module) if sign == "."
    }
    modules = {op.name: op.module for op in trace.ops}
    readers = {(name, op.module) for op in trace.ops for name in op.reads}
    handed_on = {name for name, path in readers if modules.get(name) != path} | {*trace.outputs}
    new: dict[str, str] = {}
    calls: Counter[str] = Counter()
    for op in trace.ops:
        is_last = op.name in handed_on and op.kind not in ("move", "identity")
        if is_last and op.module and op.module not in around:
            number = calls[op.module]
            new[op.name] = f"{op.module}_{number}" if number else op.module
            calls[op.module] += 1
    return _renamed(trace, new)


def _renamed(trace: Trace, new: dict[str, str]) -> Trace:
    def name(one: Any) -> Any:
        return new.get(one, one) if isinstance(one, str) else one

    ops = (replace(op, name=name(op.name), inputs=tuple(map(name, op.inputs))) for op in trace.ops)
    return replace(trace, ops=tuple(ops), outputs=tuple(map(name, trace.outputs)))


def _layer_norm(ops: _Ops, op: Op) -> Op | None:
    """(x - mean) / sqrt(mean((x - mean)²) + eps), over some axes."""
    if op.kind not in ("div", "mul") or len(op.reads) != 2:
        return None
    for one, other in (op.inputs, op.inputs[::-1]):
        centred, power = ops.only(one, "sub"), -1 if op.kind == "mul" else 1
        chain = _chain(ops, other)
        if centred is None or chain is None or (op.kind == "div" and one != op.inputs[0]):
            continue
        (mean, function), eps = chain, 0.0
        with np.errstate(all="ignore"):
            eps = float(function(_TRIED)[0]) ** (2 * power)
            fits = np.allclose(function(_TRIED), (_TRIED + eps) ** (power / 2), rtol=1e-6)
        axes = _centred(ops, centred)
        if fits and axes is not None and _is_variance(ops, mean, centred, axes):
            return _norm(ops, op, centred, axes, eps)
    return None


def _chain(ops: _Ops, name: Any) -> tuple[Op, Callable[[Any], Any]] | None:
    """The mean that an operation is a function of, and that function."""
    steps: list[Callable[[Any], Any]] = []
    while (op := ops.only(name, "activation", "add", "div", "identity")) is not None:
        step = _step(op)
        if step is None:
            return None
        steps.append(step)
        name = op.reads[0]
    mean = ops.only(name, "reduce")

    def function(x: Any) -> Any:
        for step in reversed(steps):
            x = step(x)
        return x

    return (mean, function) if mean is not None and steps else None


def _step(op: Op) -> Callable[[Any], Any] | None:
    """What an operation does to one sample."""
    if op.kind == "identity":
        return lambda x: x
    if op.kind == "activation":
        curve: Callable[[Any], Any] | None = op.attributes.get("curve")
        return curve
    fixed = [one for one in op.inputs if isinstance(one, Constant)]
    if len(fixed) != 1 or prod(fixed[0].shape) != 1:
        return None
    number = float(fixed[0].array.ravel()[0])
    if op.kind == "add":
        return lambda x: x + number
    return (lambda x: number / x) if fixed[0] is op.inputs[0] else None


def _centred(ops: _Ops, op: Op) -> tuple[int, ...] | None:
    """The axes over which an operation takes its own mean away."""
    value, other = op.inputs
    mean = ops.only(other, "reduce")
    if mean is None or mean.reads != (value,) or mean.attributes["function"] != "mean":
        return None
    return _axes(ops, mean)


def _axes(ops: _Ops, mean: Op) -> tuple[int, ...] | None:
    shape = ops.shapes[mean.reads[0]]
    if shape is None or mean.shape is None or len(mean.shape) != len(shape):
        return None
    return tuple(sorted(axis % len(shape) for axis in mean.attributes["axes"]))


def _is_variance(ops: _Ops, mean: Op, centred: Op, axes: tuple[int, ...]) -> bool:
    """Whether a mean is that of what was centred, squared, over the same axes."""
    if mean.attributes["function"] != "mean" or _axes(ops, mean) != axes:
        return False
    square = ops.only(mean.reads[0], "activation", "mul")
    if square is None or any(not _alike(ops, name, centred) for name in square.reads):
        return False
    if square.kind == "mul":
        return len(square.reads) == 2
    curve = square.attributes.get("curve")
    return curve is not None and np.allclose(curve(_TRIED), _TRIED**2)


def _alike(ops: _Ops, name: str, centred: Op) -> bool:
    """Whether an operation computes what another one computes."""
    other = ops.only(name, "sub")
    if other is None or name == centred.name:
        return name == centred.name
    return other.inputs[0] == centred.inputs[0] and _centred(ops, other) == _centred(ops, centred)


def _norm(ops: _Ops, op: Op, centred: Op, axes: tuple[int, ...], eps: float) -> Op | None:
    """The norm over some axes of what was centred."""
    shape = ops.shapes[centred.reads[0]]
    assert shape is not None  # noqa: S101
    rank = len(shape)
    what: dict[str, Any] = {"eps": eps}
    if axes == tuple(range(rank - len(axes), rank)) and len(axes) in (1, rank - 1):
        what |= {"norm": "layer", "axes": len(axes)}
    elif axes == tuple(range(2, rank)):
        what |= {"norm": "instance"}
    elif axes == (1,):
        what |= {"norm": "layer", "axes": 1, "axis": 1}
    else:
        return None
    return replace(op, kind="norm", inputs=centred.inputs[:1], attributes=what, arrays={})


def _group_norm(ops: _Ops, op: Op) -> Op | None:
    """An instance norm of groups of channels that were made one channel each."""
    norm = ops.only(op.reads[0], "norm") if op.kind == "move" else None
    before = ops.only(norm.reads[0], "move") if norm is not None else None
    if norm is None or before is None or norm.attributes["norm"] != "instance":
        return None
    shape, grouped = ops.shapes[before.reads[0]], before.shape
    if shape is None or grouped is None or op.shape != shape or not _is_plain(norm):
        return None
    inner, outer = before.attributes["move"], op.attributes["move"]
    index = np.arange(prod(shape))
    same = np.array_equal(inner(index.reshape(shape)).ravel(), index)
    if not same or not np.array_equal(outer(index.reshape(grouped)).ravel(), index):
        return None
    what = {"norm": "group", "groups": grouped[1], "eps": norm.attributes["eps"]}
    return replace(op, kind="norm", inputs=before.inputs, attributes=what, arrays={})


def _is_plain(norm: Op) -> bool:
    """Whether a norm has no numbers, or those that do nothing."""
    neutral = {"scale": 1, "shift": 0}
    return all(np.all(one.array == neutral.get(name)) for name, one in norm.arrays.items())


def _with_numbers(ops: _Ops, op: Op) -> Op | None:
    """A norm with the factors that follow it, then one with the numbers that are added."""
    role = {"mul": "scale", "add": "shift"}.get(op.kind)
    norm = ops.only(op.reads[0], "norm") if role and len(op.reads) == 1 else None
    if role is None or norm is None or ops.readers[norm.name] != 1:
        return None
    if norm.attributes["norm"] == "batch" or norm.arrays.keys() & {role, "shift"}:
        return None
    numbers = _each(op, norm, next(one for one in op.inputs if isinstance(one, Constant)))
    if numbers is None:
        return None
    return replace(norm, name=op.name, arrays={**norm.arrays, role: numbers})


def _each(op: Op, norm: Op, numbers: Constant) -> Constant | None:
    """Fixed numbers beside a tensor, as one for every channel; None if they are none."""
    if op.shape is None:
        return None
    rank = len(op.shape)
    last = norm.attributes.get("axes", 0) == 1 and "axis" not in norm.attributes
    axis = rank - 1 if last else 1
    sides = (1,) * (rank - len(numbers.shape)) + numbers.shape
    if len(sides) != rank or any(m != 1 for i, m in enumerate(sides) if i != axis):
        return None
    if sides[axis] != op.shape[axis]:
        return None
    return Constant((sides[axis],), lambda: np.ravel(numbers.array), numbers.is_learned)


def _with_bias(ops: _Ops, op: Op) -> Op | None:
    """A linear layer with the numbers that are added to it."""
    linear = ops.only(op.reads[0], "linear") if op.kind == "add" and len(op.reads) == 1 else None
    if linear is None or linear.arrays.keys() & {"bias"} or ops.readers[linear.name] != 1:
        return None
    (bias,) = (one for one in op.inputs if isinstance(one, Constant))
    if bias.shape != linear.arrays["weight"].shape[:1]:
        return None
    return replace(linear, name=op.name, arrays={**linear.arrays, "bias": bias})
