"""Operations that only bring samples elsewhere: their meaning is found when a layer reads them."""

from __future__ import annotations

from erf_theory.readers.building import Build, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Refused, Value

__all__: list[str] = []


@rule("move")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """Where layers bring the samples, these are its meaning; else a later operation tells it."""
    found = inputs[0].move(op.attributes["move"], op.name)
    if found.moved is None or found.is_spot:
        return found
    try:
        settled = build.plain(found)
    except Refused:
        return found
    return settled if settled.shape == found.shape else found
