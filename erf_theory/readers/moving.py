"""Operations that only bring samples elsewhere: their meaning is found when a layer reads them."""

from __future__ import annotations

from erf_theory.readers.building import Build, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Refused, Value

__all__: list[str] = []


@rule("move")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """What is cut from moved samples is cut behind the layers that move them, if there are any."""
    (value,) = inputs
    found = value.move(op.attributes["move"], op.name)
    if value.moved is None or found.index.size >= value.moved.size:
        return found
    try:
        before = build.plain(value)
    except Refused:
        return found
    return before.move(op.attributes["move"], op.name) if before.shape == value.shape else found
