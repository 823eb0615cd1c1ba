"""The loop over a model's operations: each by its rule; what cannot be read is named at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import INPUT, Flat, Network, Node
from erf_theory.network.pointwise import Identity
from erf_theory.network.weights import LAWS
from erf_theory.readers import merging, moving, pointwise, weighted, windows
from erf_theory.readers.building import RULES, UNKNOWN_CURVE, Build
from erf_theory.readers.overriding import Overrides, overridden
from erf_theory.readers.trace import Op, Trace
from erf_theory.readers.values import Refused, Value

__all__ = ["need_weights", "network_of"]

_ = (merging, moving, pointwise, weighted, windows)  # they enter their rules
_HOW = (
    'Say what they are: overrides={"name": …} takes a layer, "identity", or "global" for what '
    "sees all places; a name is that of an operation or of a module around it. Or end the network "
    'before them: layer="name".'
)
_WHY = {
    "softmax": "it divides by a sum over samples",
    **dict.fromkeys(
        ("matmul", "bmm", "baddbmm", "einsum"),
        "it multiplies activations with each other, as attention does",
    ),
    "scaled_dot_product_attention": "every place sees all others, as far as the input says",
}


def need_weights(weights: str) -> None:
    """Refuse what names no weights."""
    if weights not in ("given", "law", *LAWS):
        raise ErfTheoryError(
            f'weights are "given", drawn by their "law", or by one of {", ".join(LAWS)}, not '
            f"{weights!r}"
        )


def network_of(
    trace: Trace, weights: str, overrides: Overrides | None = None, layer: str | None = None
) -> Network:
    """The network that a model's operations are.

    Parameters
    ----------
    trace : Trace
        The operations.
    weights : str
        "given", "law" (PyTorch's), or the name of a law.
    overrides : mapping, optional
        What the user says of parts; see `erf_theory.readers.overriding.Overrides`.
    layer : str, optional
        The operation, or the path of the part, whose output is the network's.

    Raises
    ------
    ErfTheoryError
        If an operation that the output needs cannot be read; the message names all of them.
    """
    if len(trace.shape) not in (3, 4, 5) or trace.shape[0] != 1:
        raise ErfTheoryError(
            f"the example has the shape {trace.shape}: give one of (1, channels, place, …) with 1 "
            "to 3 axes of places"
        )
    trace = overridden(trace, overrides or {})
    if layer is not None:
        trace = trace.until(layer)
    build = Build(trace.shape[1], trace.shape[2:], weights)
    values: dict[str, Value | None] = {trace.source: build.source()}
    refused: dict[str, str] = {}
    for op in trace.ops:
        values[op.name] = _read(build, op, values, refused)
    for name in trace.outputs:
        output = values[name]
        if output is not None and output.node is None:
            refused[name] = UNKNOWN_CURVE
    _settle(build, values, trace.outputs[0], refused)
    known = [name for name in trace.outputs if refused.keys().isdisjoint(_needed(trace, name))]
    if trace.outputs[0] not in known:
        needed = _needed(trace, trace.outputs[0]) & refused.keys()
        raise ErfTheoryError(_refusal([op for op in trace.ops if op.name in needed], refused))
    lost = [name for name in trace.outputs if name not in known]
    before = [name for output in lost for name in _ends(trace, output, refused)]
    return _network(build, [values[name] for name in (*known, *before)], lost)


def _read(
    build: Build, op: Op, values: dict[str, Value | None], refused: dict[str, str]
) -> Value | None:
    """What comes out of an operation; else what the next ones may go on with."""
    operands = [values[one] if isinstance(one, str) else one for one in op.inputs]
    if op.kind not in RULES:
        why = _WHY.get(op.kind.lower(), "there is no layer for it")
        refused[op.name] = op.attributes.get("why", why)
    elif all(operand is not None for operand in operands):
        try:
            return _by_rule(build, op, operands)
        except Refused as reason:
            refused[op.name] = str(reason)
    alike = [x for x in operands if isinstance(x, Value) and x.shape == op.shape]
    if op.name in refused:
        alike = [x for x in alike if x.moved is None]
    return alike[0] if alike else None


def _by_rule(build: Build, op: Op, operands: list[Any]) -> Value:
    build.name = op.name
    found = RULES[op.kind](build, op, operands)
    if op.shape is not None and found.shape != op.shape:
        raise Refused(f"it would be read with shape {found.shape}, and it has {op.shape}")
    return found


def _settle(
    build: Build, values: dict[str, Value | None], output: str, refused: dict[str, str]
) -> None:
    """Bring an output's samples where they are, by layers; if only their order is another, not."""
    value = values[output]
    if value is None or output in refused:
        return
    try:
        values[output] = build.plain(value)
    except Refused as reason:
        if np.array_equal(np.sort(value.index, axis=None), np.arange(prod(value.base))):
            values[output] = value.unmoved()
        else:
            refused[output] = str(reason)


def _needed(trace: Trace, output: str) -> set[str]:
    """Names of the operations that one needs, and its own."""
    needed = {output}
    for op in reversed(trace.ops):
        if op.name in needed:
            needed.update(op.reads)
    return needed


def _ends(trace: Trace, output: str, refused: dict[str, str]) -> list[str]:
    """What the operations read that cannot be read, of those that an output needs."""
    needed = _needed(trace, output)
    rows = [op.reads for op in trace.ops if op.name in needed & refused.keys()]
    ends = dict.fromkeys(name for reads in rows for name in reads)
    return [name for name in ends if refused.keys().isdisjoint(_needed(trace, name))]


def _refusal(ops: Sequence[Op], reasons: dict[str, str]) -> str:
    """One message about all operations that cannot be read."""
    firsts: dict[str, list[Op]] = {}
    for op in ops:
        firsts.setdefault(op.module or op.name, []).append(op)
    lines = [_line(same, reasons) for same in firsts.values()]
    return "\n".join([f"{len(ops)} operations of the model cannot be read:", *lines, _HOW])


def _line(ops: Sequence[Op], reasons: dict[str, str]) -> str:
    """The first operation that cannot be read within a module, and how many follow."""
    op = ops[0]
    more = f", and {len(ops) - 1} more behind it" if len(ops) > 1 else ""
    at = f", {op.where}" if op.where else ""
    return f"  {op.name} ({op.kind}{at}): {reasons[op.name]}{more}"


def _network(build: Build, outputs: Sequence[Value | None], lost: Sequence[str]) -> Network:
    """What the outputs need, the first of them last; every node with a name of its own."""
    last, *others = (value for value in outputs if value is not None)
    ends = [build.plain(last).node, *(value.node for value in others)]
    wanted = {end for end in ends if end is not None}
    for place in reversed(range(len(build.nodes))):
        if place in wanted:
            wanted.update(build.nodes[place].inputs)
    order = sorted(wanted - {INPUT})
    new = {old: place for place, old in enumerate(order)} | {INPUT: INPUT}
    nodes = [
        replace(build.nodes[old], inputs=tuple(new[i] for i in build.nodes[old].inputs))
        for old in order
    ]
    end = new[ends[0] if ends[0] is not None else INPUT]
    if end != len(nodes) - 1 or not nodes:
        nodes.append(Node("output", Identity(), (end,)))
    _need_own_weights(build, wanted)
    made = {build.nodes[old].name for old in order}
    said = {text: [x for x in names if x in made] for text, names in build.remarks.items()}
    said["outputs that cannot be read are left out"] = list(lost)
    remarks = tuple(f"{text}: {', '.join(names)}" for text, names in said.items() if names)
    network = Flat(tuple(_own_names(nodes)), build.ndim, build.channels, remarks)
    network.check()
    return network


def _need_own_weights(build: Build, wanted: set[int]) -> None:
    """Refuse a law for weights that several nodes share."""
    for places in build.learned.values():
        names = [build.nodes[place].name for place in places if place in wanted]
        if len(names) > 1:
            raise ErfTheoryError(
                f"the nodes {', '.join(names)} share their weights, and a law draws them apart: "
                'read the model with weights="given"'
            )


def _own_names(nodes: Iterable[Node]) -> list[Node]:
    """Nodes whose names are taken get a number."""
    found: list[Node] = []
    taken: Counter[str] = Counter()
    for node in nodes:
        name = node.name
        while name in taken:
            taken[node.name] += 1
            name = f"{node.name}_{taken[node.name]}"
        taken[name] = 0
        found.append(replace(node, name=name))
    return found
