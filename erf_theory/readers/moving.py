"""Operations that only bring samples elsewhere: their meaning is found when a layer reads them."""

from __future__ import annotations

from erf_theory.readers.building import Build, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Value

__all__: list[str] = []


@rule("move")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    return inputs[0].move(op.attributes["move"], op.name)
