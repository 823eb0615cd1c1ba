"""The answer to a question about a design: a whole number, and the widths around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.design.costs import Cost
from erf_theory.design.inversion import erf_of_plan
from erf_theory.design.plans import Plan
from erf_theory.design.targets import Target
from erf_theory.display import Card
from erf_theory.erf import ERF
from erf_theory.errors import MapTooLargeError
from erf_theory.exact import text_of
from erf_theory.network import Chain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMAT", "Answer"]

FORMAT = "erf_theory.Answer/1"


@final
@dataclass(frozen=True, repr=False)
class Answer(Card):
    """The least whole number with which a network reaches a target.

    Result of `depth_for`, `kernel_for`, `dilation_for` and `strides_for`; not made by hand.

    Attributes
    ----------
    what : str
        What the number counts.
    value : int
        The number.
    target : Target
        What was to be reached.
    reached : float
        The width that the number reaches, in input pixels.
    below : float or None
        What one step less reaches; None where there is no less.
    plan : Plan or None
        The convolutions; None where there are too many to be written down.
    call : str
        The call that made it.
    notes : tuple of str
        What else is to be said.
    """

    what: str
    value: int
    target: Target
    reached: float
    below: float | None
    plan: Plan | None = field(hash=False, compare=False)
    call: str
    notes: tuple[str, ...] = ()

    kind = "energy"

    def __int__(self) -> int:
        return self.value

    def __index__(self) -> int:
        return self.value

    @cached_property
    def network(self) -> Chain:
        """The network, for everything else that the package answers.

        Raises
        ------
        MapTooLargeError
            If it has too many layers to be written down.
        """
        return self._written.network()

    @cached_property
    def erf(self) -> ERF:
        """Its effective receptive field."""
        return erf_of_plan(self._written)

    @property
    def cost(self) -> Cost:
        """What the network costs."""
        return self._written.cost

    def lines(self) -> list[tuple[str, ...]]:
        """The title, the number, and what it and one step less reach."""
        below = [("one step less reaches", f"{self.below:.6g} px")] if self.below else []
        rows = [
            ("", f"{self.what} for {self.target}: {self.call}"),
            (self.what, text_of(self.value)),
            ("reached", f"{self.reached:.6g} px"),
            *below,
        ]
        if self.plan:
            rows += [
                ("convolutions", str(self.plan.layers)),
                ("parameters", f"{self.cost.parameters:,}"),
                ("multiply-adds per input place", f"{float(self.cost.multiply_adds):,.6g}"),
            ]
        return [*rows, *(("note", note) for note in self.notes)]

    def plot(self) -> Figure:
        """Draw the profile of the effective receptive field."""
        return self.erf.profile().plot()

    def to_dict(self) -> dict[str, Any]:
        """The number, the widths, the costs and the provenance, as JSON knows them."""
        plan = self.plan
        return {
            "format": FORMAT,
            **records.provenance(self.kind, self.call),
            "what": self.what,
            "value": self.value,
            "target": self.target.to_dict(),
            "reached": self.reached,
            "below": self.below,
            "notes": list(self.notes),
            "plan": plan and plan.to_dict(),
        }

    def __repr__(self) -> str:
        less = f", one step less {self.below:.6g}" if self.below else ""
        return (
            f"<{self.what} {text_of(self.value)} for {self.target}: "
            f"reaches {self.reached:.6g}{less}>"
        )

    @property
    def _written(self) -> Plan:
        if self.plan is None:
            raise MapTooLargeError(
                f"a network with a {self.what} of {text_of(self.value)} is not written down: ask "
                "for a smaller target, dilations or strides"
            )
        return self.plan
