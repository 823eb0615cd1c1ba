"""A stack of random convolutions, judged by experiment, beside controls that must fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.display import Card
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.progress import Watcher
from erf_theory.network.base import Layer, need_whole
from erf_theory.network.convolutions import Conv
from erf_theory.network.graph import Chain
from erf_theory.network.pointwise import Activation
from erf_theory.verdict.agreement import Agreement, crosscheck, need_decidable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from erf_theory.exact import Number

__all__ = ["Control", "Verification", "verify_stack"]

_MORE = 1.1
"""Factor of the weights' variance in the control of the mass."""


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

    @property
    def is_rejected(self) -> bool:
        """Whether the experiment tells it from the truth, as it must."""
        return not self.agreement.agrees


@final
@dataclass(frozen=True, eq=False, repr=False)
class Verification(Card):
    """The verdict on a stack and on its controls: the result of `verify_stack`.

    Attributes
    ----------
    agreement : Agreement
        The verdict on the theory.
    controls : tuple of Control
        The verdicts on false theories.
    call : str
        The call that made it.
    """

    agreement: Agreement
    controls: tuple[Control, ...]
    call: str

    kind = "energy"

    @property
    def passed(self) -> bool:
        """Whether the theory agrees and every control is rejected."""
        return self.agreement.agrees and all(control.is_rejected for control in self.controls)

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        return [*self.agreement.lines(), *(_line(control) for control in self.controls)]

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
            "controls": [
                {
                    "claim": control.claim,
                    "is_rejected": control.is_rejected,
                    "shape_p_value": control.agreement.shape_p_value,
                    "mass_p_value": control.agreement.mass_p_value,
                    "power": control.power,
                }
                for control in self.controls
            ],
        }

    def plot(self) -> Figure:
        """Draw the profile along the first axis: theory, measurement, and their difference."""
        return self.agreement.plot()


def verify_stack(
    k: int,
    n: int,
    *,
    channels: int = 32,
    samples: int = 200,
    activation: str = "relu",
    init: str | Number = "he",
    ndim: int = 1,
    backend: str = "numpy",
    seed: int = 0,
    false_alarm: float = 0.01,
    progress: Watcher = True,
) -> Verification:
    """Measure n random convolutions with k taps per axis, and judge the theory by it.

    The same measurement also judges theories that are false, and that it must reject: the kernel
    sizes k - 1 and k + 1, and weights with 10 % more variance.

    Parameters
    ----------
    k, n : int
        Taps per axis and number of convolutions, with activations between them.
    channels, samples : int
        Channels of every layer, and networks to draw; 32 or more.
    activation : str
        Its name; "linear" for none.
    init : str or number
        Law of the weights, or their variance.
    ndim : int
        Spatial axes.
    backend, seed, progress
        As ``backend``, ``rng`` and ``progress`` of `erf_theory.empirical.measure.measure_erf`.
    false_alarm : float
        Rate at which a true theory is rejected.

    Returns
    -------
    Verification

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.

    Examples
    --------
    >>> verify_stack(3, 4, channels=16, activation="linear").passed
    True
    """
    layers = need_whole("number of convolutions", n, 1)
    conv = partial(Conv, channels, channels)
    true = _stack(k, layers, activation, ndim, partial(conv, init=init))
    theory = network_erf(true)
    need_decidable(theory, samples, false_alarm)
    found = measure_erf(true, backend=backend, samples=samples, rng=seed, progress=progress)
    if found.interrupted:
        raise KeyboardInterrupt
    verdict = crosscheck(theory, found, false_alarm=false_alarm)
    more = _MORE * float(conv(k, init=init).variances(ndim).taps.flat[0])
    others = {f"k = {size}": (size, init) for size in (k - 1, k + 1) if size >= 1}
    others["10 % more variance"] = (k, more)
    controls = []
    for claim, (size, law) in others.items():
        false = network_erf(_stack(size, layers, activation, ndim, partial(conv, init=law)))
        rejected = crosscheck(false, found, false_alarm=false_alarm)
        controls.append(Control(claim, rejected, rejected.power(theory)))
    call = (
        f"verify_stack({k}, {n}, channels={channels}, samples={samples}, "
        f"activation={activation!r}, init={init!r}, ndim={ndim}, seed={seed})"
    )
    return Verification(verdict, tuple(controls), call)


def _stack(k: int, n: int, activation: str, ndim: int, conv: Callable[..., Conv]) -> Chain:
    """The network, its map within half a pixel of the unit whatever k is."""
    layers: list[Layer] = []
    for place in range(n):
        layers.append(conv(k, padding=(k - 1 + place % 2) // 2))
        if activation != "linear":
            layers.append(Activation(activation))
    return Chain(layers[: len(layers) - (activation != "linear")], ndim)


def _line(control: Control) -> tuple[str, str]:
    """What to say of a control."""
    verdict = "rejected, as it must be" if control.is_rejected else "NOT TOLD FROM THE TRUTH"
    return f"control: {control.claim}", f"{verdict}; power {control.power:.4f}"
