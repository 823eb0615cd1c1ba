"""The verdict on a theory, beside controls: theories that are false and must be rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, final

from erf_theory import records
from erf_theory.display import Card
from erf_theory.empirical.measurement import Measurement
from erf_theory.erf import ERF
from erf_theory.verdict.agreement import Agreement, crosscheck

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Control", "Verification"]


@final
@dataclass(frozen=True)
class Control:
    """A theory that is false, judged by the same experiment.

    Attributes
    ----------
    claim : str
        What it says instead of the truth.
    agreement : Agreement
        The verdict on it.
    power : float
        Rate at which an experiment like this one rejects it, if the package's theory is true.
    """

    claim: str
    agreement: Agreement
    power: float

    @classmethod
    def of(cls, claim: str, false: ERF, truth: ERF, found: Measurement, false_alarm: float) -> Self:
        """The verdict of a measurement on a false theory, beside the one held for true."""
        verdict = crosscheck(false, found, false_alarm=false_alarm)
        return cls(claim, verdict, verdict.power(truth))

    @property
    def is_rejected(self) -> bool:
        """Whether the experiment tells it from the truth, as it must."""
        return not self.agreement.agrees


@final
@dataclass(frozen=True, eq=False, repr=False)
class Verification(Card):
    """The verdict on a network and on its controls.

    Result of `verify_stack` and `verify_network`; not made by hand.

    Attributes
    ----------
    agreement : Agreement
        The verdict on the theory.
    controls : tuple of Control
        The verdicts on false theories.
    call : str
        The call that made it.
    doubts : tuple of str
        What the network says of its fluctuations: see `warnings`.
    """

    agreement: Agreement
    controls: tuple[Control, ...]
    call: str
    doubts: tuple[str, ...] = ()

    kind = "energy"

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the measurement may not decide, or a verdict may mislead."""
        return (*self.agreement.warnings, *self.doubts)

    @property
    def passed(self) -> bool:
        """Whether the theory agrees and every control is rejected."""
        return self.agreement.agrees and all(control.is_rejected for control in self.controls)

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        return [
            *self.agreement.lines(),
            *(("warning", text) for text in self.doubts),
            *(_line(control) for control in self.controls),
        ]

    def __repr__(self) -> str:
        title, *rows = self.lines()
        return f"{title[1]}\n  {', '.join(f'{name} {text}' for name, text in rows)}"

    def to_dict(self) -> dict[str, Any]:
        """The verdicts and their numbers, with provenance, as JSON knows them."""
        return {
            **self.agreement.to_dict(),
            **records.provenance(self.kind, self.call),
            "format": "erf_theory.Verification/1",
            "passed": self.passed,
            "warnings": list(self.warnings),
            "controls": [
                {
                    "claim": control.claim,
                    "is_rejected": control.is_rejected,
                    "p_value": control.agreement.p_value,
                    "shape_p_value": control.agreement.shape_p_value,
                    "mass_p_value": control.agreement.mass_p_value,
                    "power": control.power,
                }
                for control in self.controls
            ],
        }

    def plot(self) -> Figure:
        """Draw theory, measurement, and their difference: see `Agreement.plot`."""
        return self.agreement.plot()


def _line(control: Control) -> tuple[str, str]:
    """What to say of a control."""
    verdict = "rejected, as it must be" if control.is_rejected else "NOT TOLD FROM THE TRUTH"
    return f"control: {control.claim}", f"{verdict}; power {control.power:.4f}"
