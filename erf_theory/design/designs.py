"""A network that was designed: what it is, what it reaches and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.design.choices import Family
from erf_theory.design.costs import Cost
from erf_theory.design.inversion import erf_of_plan
from erf_theory.design.plans import Plan
from erf_theory.design.quality import excess_kurtosis, flatness, ripple
from erf_theory.design.targets import Target
from erf_theory.display import Card
from erf_theory.erf import ERF
from erf_theory.network import Chain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Design"]


@final
@dataclass(frozen=True, repr=False)
class Design(Card):
    """A network that reaches a target. Result of `design_network`; not made by hand.

    Attributes
    ----------
    plan : Plan
        Its convolutions, and what they are made of.
    family : str
        "deep", "dilated", "strided" or "large".
    target : Target
        What was to be reached.
    call : str
        The call that made it.
    """

    plan: Plan
    family: Family
    target: Target
    call: str

    kind = "energy"

    @cached_property
    def network(self) -> Chain:
        """The network, for everything else that the package answers."""
        return self.plan.network()

    @cached_property
    def erf(self) -> ERF:
        """Its effective receptive field."""
        return erf_of_plan(self.plan)

    @property
    def reached(self) -> float:
        """The width that it reaches, in input pixels."""
        return self.target.width(self.erf)

    @property
    def cost(self) -> Cost:
        """What it costs."""
        return self.plan.cost

    @property
    def name(self) -> str:
        """Its family and its convolutions, in short."""
        kind = "residual " if self.plan.form.is_residual else ""
        return f"{kind}{self.family}: {self.plan}"

    @property
    def short(self) -> str:
        """Its convolutions in a few words."""
        first, plan = self.plan.steps[0], self.plan
        dilations = sorted({step.dilation for step in plan.steps})
        more = f", dilations {', '.join(map(str, dilations))}" if len(dilations) > 1 else ""
        more += f", one output in {plan.jump} px" if plan.jump > 1 else ""
        return f"{self.family}: {plan.layers} × {first.size}{more}"

    def measures(self) -> dict[str, float]:
        """How wide, smooth, Gaussian and flat it is; see `erf_theory.design.quality`."""
        erf = self.erf
        return {
            "std": erf.std,
            "size": erf.size(),
            "ripple": ripple(erf.profile().values),
            "excess_kurtosis": excess_kurtosis(erf),
            "flatness": flatness(erf),
        }

    def lines(self) -> list[tuple[str, ...]]:
        """The title, then what it is, reaches and costs."""
        measures = {name.replace("_", " "): value for name, value in self.measures().items()}
        field = " × ".join(map(str, self.erf.theoretical_rf))
        return [
            ("", f"{self.name}, for {self.target}"),
            ("reached", f"{self.reached:.6g} px"),
            ("convolutions", str(self.plan.layers)),
            ("channels", str(self.plan.form.channels)),
            ("distance of outputs", f"{self.plan.jump} px"),
            ("parameters", f"{self.cost.parameters:,}"),
            ("multiply-adds per input place", f"{float(self.cost.multiply_adds):,.6g}"),
            ("theoretical receptive field", f"{field} px"),
            *((name, f"{value:.4g}") for name, value in measures.items()),
            ("theory", self.erf.exactness),
        ]

    def plot(self) -> Figure:
        """Draw the effective receptive field."""
        return self.erf.plot()

    def to_dict(self) -> dict[str, Any]:
        """What it is, reaches and costs, and its provenance, as JSON knows them."""
        return {
            "format": "erf_theory.Design/1",
            **records.provenance(self.kind, self.call),
            "target": self.target.to_dict(),
            "family": self.family,
            "reached": self.reached,
            **self.measures(),
            "theory": self.erf.exactness,
            "plan": self.plan.to_dict(),
        }

    def __repr__(self) -> str:
        return (
            f"<{self.name}; {self.target.measure} {self.reached:.4g} px, "
            f"{self.cost.parameters:,} parameters, "
            f"{float(self.cost.multiply_adds):,.6g} multiply-adds per input place>"
        )
