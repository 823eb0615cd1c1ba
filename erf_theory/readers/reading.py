"""The loop over a model's operations: each by its rule; what cannot be read is named at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import INPUT, Flat, Network, Node
from erf_theory.network.pointwise import Identity
from erf_theory.readers import merging, moving, pointwise, weighted, windows
from erf_theory.readers.building import RULES, Build
from erf_theory.readers.trace import Constant, Op, Trace
from erf_theory.readers.values import Refused, Value

__all__ = ["network_of"]

_ = (merging, moving, pointwise, weighted, windows)  # they enter their rules
_HOW = (
    'Say what they are: overrides={"name": …} takes a layer, "identity", or "global" for what '
    "sees all places; a name is that of an operation or of a module around it."
)
_WHY = {
    "softmax": "it divides by a sum over samples",
    "matmul": "it multiplies activations with each other, as attention does",
    "attention": "every place sees all others by weights that depend on the input",
}


def network_of(trace: Trace, weights: str) -> Network:
    """The network that a model's operations are.

    Parameters
    ----------
    trace : Trace
        The operations.
    weights : str
        "given", "law" (PyTorch's), or the name of a law.

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
    build = Build(trace.shape[1], trace.shape[2:], weights)
    values: dict[str, Value | None] = {trace.source: build.source()}
    refused: dict[str, str] = {}
    for op in trace.ops:
        values[op.name] = _read(build, op, values, refused)
    known = [name for name in trace.outputs if refused.keys().isdisjoint(_needed(trace, name))]
    if trace.outputs[0] not in known:
        needed = _needed(trace, trace.outputs[0])
        raise ErfTheoryError(
            _refusal([op for op in trace.ops if op.name in needed & refused.keys()], refused)
        )
    return _network(build, [values[name] for name in known])


def _read(
    build: Build, op: Op, values: dict[str, Value | None], refused: dict[str, str]
) -> Value | None:
    """What comes out of an operation; where that is not known, what the next ones may go on with."""
    operands = [values[one] if isinstance(one, str) else one for one in op.inputs]
    build.name = op.name
    if all(operand is not None for operand in operands):
        try:
            if op.kind not in RULES:
                raise Refused(_WHY.get(op.kind, "there is no layer for it"))
            found = RULES[op.kind](build, op, operands)
            if op.shape is not None and found.shape != op.shape:
                raise Refused(f"it would be read with shape {found.shape}, and it has {op.shape}")
        except Refused as reason:
            refused[op.name] = str(reason)
        else:
            return found
    alike = [x for x in operands if isinstance(x, Value) and x.shape == op.shape]
    if op.name in refused:
        alike = [x for x in alike if x.moved is None]
    return alike[0] if alike else None


def _needed(trace: Trace, output: str) -> set[str]:
    """Names of the operations that one needs, and its own."""
    needed = {output}
    for op in reversed(trace.ops):
        if op.name in needed:
            needed.update(op.reads)
    return needed


def _refusal(ops: Sequence[Op], reasons: dict[str, str]) -> str:
    """One message about all operations that cannot be read."""
    lines = [
        f"  {op.name} ({op.kind}{f', {op.where}' if op.where else ''}): {reasons[op.name]}"
        for op in ops
    ]
    return "\n".join([f"{len(ops)} operations of the model cannot be read:", *lines, _HOW])


def _network(build: Build, outputs: Sequence[Value | None]) -> Network:
    """What the outputs need, the first of them last; every node with a name of its own."""
    ends = [build.plain(value).node for value in outputs if value is not None]
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
    last = new[ends[0] if ends[0] is not None else INPUT]
    if last != len(nodes) - 1 or not nodes:
        nodes.append(Node("output", Identity(), (last,)))
    network = Flat(tuple(_own_names(nodes)), build.ndim, build.channels)
    network.check()
    return network


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
