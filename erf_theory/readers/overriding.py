"""What a user says of parts of a model takes the place of their operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import reduce
from itertools import accumulate
from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer
from erf_theory.network.gating import Global
from erf_theory.network.pointwise import Pointwise
from erf_theory.readers.building import Build, rule
from erf_theory.readers.trace import Constant, Op, Trace
from erf_theory.readers.values import Refused, Value

__all__ = ["Overrides", "overridden"]

Overrides = Mapping[str, Layer | str]
"""From the name of an operation, or the path of a module, to a layer, "identity" or "global"; a
star in a name stands for anything."""


def overridden(trace: Trace, overrides: Overrides) -> Trace:
    """The trace with one operation in place of each part that is overridden.

    Raises
    ------
    ErfTheoryError
        If there is no such part, or what it becomes is no layer and has no such name.
    """
    for key, what in overrides.items():
        if not isinstance(what, Layer) and what not in ("identity", "global"):
            raise ErfTheoryError(
                f'the part {key!r} becomes a layer, "identity" or "global", not {what!r}'
            )
    return reduce(lambda found, row: _replaced(found, *row), overrides.items(), trace)


def _replaced(trace: Trace, key: str, what: Layer | str) -> Trace:
    groups = list(_groups(trace.ops, key))
    if not groups:
        names = {name for op in trace.ops for name in (op.name, *_prefixes(op.module))}
        near = ", ".join(get_close_matches(key, sorted(names), 3, 0.0))
        raise ErfTheoryError(f"there is no part {key!r} to override: did you mean {near}?")
    for path, group in groups:
        trace = _with(trace, path, group, what)
    return trace


def _groups(ops: Sequence[Op], key: str) -> Iterator[tuple[str, list[str]]]:
    """Runs of operations that belong to one part: its path, and their names."""
    run: list[str] = []
    path = ""
    for op in ops:
        found = next((name for name in _prefixes(op.module) if fnmatchcase(name, key)), None)
        if found is None and fnmatchcase(op.name, key):
            found = op.name
        if run and found != path:
            yield path, run
            run = []
        if found is not None:
            run, path = [*run, op.name], found
    if run:
        yield path, run


def _prefixes(path: str) -> list[str]:
    """A module's path and those of the modules around it, the outermost first."""
    return list(accumulate(path.split("."), "{}.{}".format)) if path else []


def _with(trace: Trace, path: str, own: Sequence[str], what: Layer | str) -> Trace:
    group = [op for op in trace.ops if op.name in own]
    rest = [op for op in trace.ops if op.name not in own]
    used = {name for op in rest for name in op.reads} | set(trace.outputs)
    ends = [op for op in group if op.name in used]
    if len(ends) != 1:
        names = ", ".join(op.name for op in ends) or "none"
        raise ErfTheoryError(
            f"the part {path!r} hands on {len(ends)} tensors ({names}): override parts that hand "
            "on one"
        )
    (end,) = ends
    name = path if path not in {op.name for op in rest} else end.name
    inputs = tuple(dict.fromkeys(one for op in group for one in op.inputs if one not in own))
    made = replace(end, name=name, kind="override", inputs=inputs, attributes={"what": what})
    place = trace.ops.index(end)
    before = [op for op in trace.ops[:place] if op.name not in own]
    after = [_renamed(op, end.name, name) for op in trace.ops[place:] if op.name not in own]
    outputs = tuple(name if one == end.name else one for one in trace.outputs)
    return replace(trace, ops=(*before, made, *after), outputs=outputs)


def _renamed(op: Op, old: str, new: str) -> Op:
    inputs = tuple(new if isinstance(one, str) and one == old else one for one in op.inputs)
    return replace(op, inputs=inputs)


@rule("override")
def _(build: Build, op: Op, inputs: list[Any]) -> Value:
    values: list[Value] = [one for one in inputs if not isinstance(one, Constant)]
    alike, shape = [value for value in values if value.shape == op.shape], op.shape or ()
    match op.attributes["what"]:
        case "identity" if len(alike) != 1:
            raise Refused(
                f"it is no identity: of what it reads, {len(alike)} tensors have the shape "
                f"{op.shape} of what it hands on"
            )
        case "identity":
            return alike[0]
        case "global" if alike:
            return build.pointwise(Global(alike[0].base[0]), alike[0])
        case "global" if len(shape) != build.ndim + 2:
            raise Refused(f"a tensor of shape {shape} has no places: override a part around it")
        case "global":
            return build.everywhere(shape[1], shape[2:])
        case layer if len(values) != 1:
            raise Refused(f"it reads {len(values)} tensors, and {layer} in its place reads one")
        case Pointwise() as layer if alike:
            return build.pointwise(layer, alike[0])
        case layer:
            return build.add(layer, build.plain(values[0]))
