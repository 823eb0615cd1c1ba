"""Operations with two inputs or more: sums, products, concatenations; and fixed factors."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from erf_theory.network.gating import Gate
from erf_theory.network.routing import Add, Concat
from erf_theory.readers.building import Build, Operand, rule
from erf_theory.readers.pointwise import curved, written_out
from erf_theory.readers.resting import at_rest
from erf_theory.readers.settling import is_spread
from erf_theory.readers.trace import Constant, Op
from erf_theory.readers.values import Refused, Value, channel_axis

__all__: list[str] = []


@rule("add", "sub")
def _(build: Build, op: Op, inputs: list[Operand]) -> Value:
    one, other = inputs
    sign = 1.0 if op.kind == "add" else -1.0
    if isinstance(other, Constant):
        return _affine(build, _value(one), 1.0, sign * other.array)
    if isinstance(one, Constant):
        return _affine(build, other, sign, one.array)
    curves = curved(lambda x, y: x + sign * y, one, other) if one.alike(other) else {}
    if one.node is None or other.node is None:
        return _some(written_out(build, one, curves), one, curves, op)
    if sign < 0:
        other = build.pointwise(build.affine(-1.0), other, "minus")
    found = _sum(build, one, other)
    return found.knowing(curves)


@rule("mul", "div")
def _(build: Build, op: Op, inputs: list[Operand]) -> Value:
    one, other = inputs
    if isinstance(one, Constant) and op.kind == "mul":
        one, other = other, one
    if isinstance(other, Constant):
        array = np.asarray(other.array, dtype=np.float64)
        return _affine(build, _value(one), array if op.kind == "mul" else 1 / array, 0.0)
    if isinstance(one, Constant):
        if one.array.size != 1:
            raise Refused("it divides by activations")
        number = float(one.array)
        curves = curved(lambda y: number / y, other)
        return _some(written_out(build, other, curves), other, curves, op)
    product = np.multiply if op.kind == "mul" else np.divide
    curves = curved(product, one, other) if one.alike(other) else {}
    found = written_out(build, one, curves)
    if found is not None or one.node is None or other.node is None:
        return _some(found, one, curves, op)
    if op.kind == "mul":
        return _gated(build, one, other)
    raise Refused("it divides activations by each other")


@rule("concat")
def _(build: Build, op: Op, inputs: list[Operand]) -> Value:
    if any(isinstance(part, Constant) for part in inputs):
        raise Refused("it puts fixed numbers beside activations")
    parts: Any = inputs
    axis = op.attributes["axis"] % len(parts[0].shape)
    if all(part.node == parts[0].node for part in parts):
        together = np.concatenate([part.index for part in parts], axis)
        first: Value = parts[0].at(together)
        return replace(first, name=op.name)
    backs: list[Value] = [
        part.move(lambda index: np.moveaxis(index, axis, 1), op.name) for part in parts
    ]
    found = build.add(Concat(), *map(build.plain, backs))
    return found.move(lambda index: np.moveaxis(index, 1, axis), op.name)


def _value(operand: Operand) -> Value:
    if isinstance(operand, Constant):
        raise Refused("it has no input that depends on the image")
    return operand


def _some(found: Value | None, like: Value, curves: Any, op: Op) -> Value:
    """What was found, or a function that may become a layer with what follows."""
    return replace(like, node=None, name=op.name, curves=curves) if found is None else found


def _sum(build: Build, one: Value, other: Value) -> Value:
    if one.alike(other):
        found = build.add(Add(), one.unmoved(), other.unmoved())
        return replace(found, moved=one.moved)
    one, other = build.plain(one), build.plain(other)
    if one.is_spot != other.is_spot:
        one, other = (one, other) if other.is_spot else (other, one)
        other = build.everywhere(other.base[0], one.base[1:], "everywhere")
    return build.add(Add(), one, other)


def _gated(build: Build, one: Value, other: Value) -> Value:
    """A product with what is the same at all places."""
    one, gate = (one, other) if _is_gate(build, other, one) else (other, one)
    if not _is_gate(build, gate, one):
        raise Refused("it multiplies activations with each other at every place")
    axis = channel_axis(one)
    if not is_spread(gate):
        gate = build.plain(gate.move(lambda index: np.moveaxis(index, axis, 1), gate.name))
    factors = at_rest(build, gate)
    if gate.base[0] != one.base[0]:
        factors = np.broadcast_to(factors, (one.base[0],))
    same = bool(np.all(factors == factors[0]))
    return build.pointwise(Gate(float(factors[0]) if same else factors), build.per_place(one, axis))


def _is_gate(build: Build, gate: Value, other: Value) -> bool:
    """Whether a tensor has one place, which all places of another one are multiplied by."""
    if not gate.is_spot:
        return False
    return not other.is_spot or build.leads(other, gate)


def _affine(build: Build, value: Value, factor: Any, shift: Any) -> Value:
    """The tensor times fixed numbers, plus fixed numbers."""
    numbers = [_of_node(np.asarray(part, dtype=np.float64), value) for part in (factor, shift)]
    scalars = all(part.ndim == 0 for part in numbers)
    curves = curved(lambda x: x * float(numbers[0]) + float(numbers[1]), value) if scalars else {}
    found = written_out(build, value, curves, exactly=value.node is not None)
    if found is not None or value.node is None:
        return replace(value, curves=curves) if found is None else found
    if scalars and float(numbers[0]) == 1 and float(numbers[1]) == 0:
        return value
    found = build.pointwise(build.affine(*numbers), value)
    return found.knowing(curves)


def _of_node(numbers: Any, value: Value) -> Any:
    """Fixed numbers beside a tensor, as one number or one for every channel of its node."""
    if numbers.size == 1:
        return numbers.reshape(())
    beside = np.broadcast_to(numbers, value.shape)
    channels = value.index // prod(value.base[1:])
    found = np.zeros(value.base[0])
    found[channels] = beside
    if not np.array_equal(found[channels], beside):
        raise Refused("its numbers differ from place to place")
    return found[0].reshape(()) if np.all(found == found[0]) else found
