"""The experiment of [Luo16]'s Figures 1 and 2, its maps beside those of the theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.conventions import measured_erf
from erf_theory.display import Card
from erf_theory.empirical.measure import measure_erf
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.network.base import Layer, need_whole
from erf_theory.network.convolutions import Conv
from erf_theory.network.graph import Chain
from erf_theory.network.pointwise import Activation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["VARIANTS", "Case", "Reproduction", "reproduce"]

VARIANTS = ("all ones", "random", "relu", "tanh", "sigmoid")
"""Weights of 1 without activations, random ones without, and with activations."""


@final
@dataclass(frozen=True, eq=False)
class Case:
    """One network of the experiment.

    Attributes
    ----------
    variant : str
        One of `VARIANTS`.
    depth : int
        Number of convolutions.
    theory, measured : ERF
        The root of the energy, predicted, and the mean of the gradient's magnitude, measured. Both
        are the gradient itself where all weights are 1.
    """

    variant: str
    depth: int
    theory: ERF
    measured: ERF

    @property
    def total_variation(self) -> float:
        """Half of Σ|p - q|, the noise of the measurement included."""
        return float(np.sum(np.abs(self.theory.values - self.measured.values))) / 2


@final
@dataclass(frozen=True, eq=False, repr=False)
class Reproduction(Card):
    """The maps of the experiment: the result of `reproduce`.

    Attributes
    ----------
    cases : tuple of Case
        All networks, variant by variant.
    call : str
        The call that made it.
    """

    cases: tuple[Case, ...]
    call: str

    kind = "rms"

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        head = ("network", "size, theory", "measured", "std, theory", "measured", "total variation")
        return [("", f"Luo et al. 2016 by {self.call}"), head, *map(_line, self.cases)]

    def __repr__(self) -> str:
        return "\n".join("  ".join(row) for row in self.lines())

    def to_dict(self) -> dict[str, Any]:
        """All sizes and maps, with provenance, as JSON knows them."""
        return {
            "format": "erf_theory.Reproduction/1",
            **records.provenance(self.kind, self.call),
            "cases": [
                {
                    "variant": case.variant,
                    "depth": case.depth,
                    "total_variation": case.total_variation,
                    "theory": _numbers(case.theory),
                    "measured": _numbers(case.measured),
                }
                for case in self.cases
            ],
        }

    def plot(self) -> Figure:
        """Draw every measured map beside the predicted one."""
        from erf_theory import plotting

        depths = list(dict.fromkeys(case.depth for case in self.cases))
        rows = {
            name: [(c.measured.values, c.theory.values) for c in self.cases if c.variant == name]
            for name in dict.fromkeys(case.variant for case in self.cases)
        }
        columns = [f"{n} layer{'s' * (n > 1)}, {2 * n + 1}²" for n in depths]
        return plotting.pairs_figure(rows, columns, title=self.call)


def reproduce(
    depths: Sequence[int] = (5, 10, 20, 40),
    *,
    runs: int = 20,
    channels: int = 32,
    variants: Sequence[str] = VARIANTS,
    seed: int = 0,
    progress: Callable[[int], object] | None = None,
) -> Reproduction:
    """Measure stacks of 3×3 convolutions as [Luo16]'s Figures 1 and 2 do, beside the theory.

    Every map is the mean of the gradient's magnitude over random weights and inputs. The theory
    predicts its shape as the root of E g², which holds in the wide limit.

    Parameters
    ----------
    depths : sequence of int
        Numbers of convolutions.
    runs : int
        Random networks and inputs per map, 2 or more.
    channels : int
        Channels of every layer.
    variants : sequence of str
        Some of `VARIANTS`.
    seed : int
        Of the random numbers.
    progress : callable, optional
        Called with the number of maps that are done.

    Returns
    -------
    Reproduction

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.

    References
    ----------
    .. [1] W. Luo, Y. Li, R. Urtasun and R. Zemel, "Understanding the effective receptive field in
       deep convolutional neural networks", NIPS 2016.

    Examples
    --------
    >>> found = reproduce([5], runs=50, variants=["all ones", "random"])
    >>> [round(case.total_variation, 2) for case in found.cases]
    [0.0, 0.01]
    """
    if strange := [name for name in variants if name not in VARIANTS]:
        raise ErfTheoryError(f"the variants are {', '.join(VARIANTS)}, without {strange[0]!r}")
    if not depths or not variants:
        raise ErfTheoryError("there is nothing to do: give depths and variants")
    cases: list[Case] = []
    for name in variants:
        for n in depths:
            cases.append(_case(name, n, runs, channels, seed))
            if progress:
                progress(len(cases))
    call = f"reproduce({list(depths)}, runs={runs}, channels={channels}, seed={seed})"
    return Reproduction(tuple(cases), call)


def _case(variant: str, depth: int, runs: int, channels: int, seed: int) -> Case:
    """One network, predicted and measured."""
    need_whole("number of convolutions", depth, 1)
    network = _network(variant, depth, channels)
    found = measure_erf(
        network,
        samples=need_whole("number of runs", runs, 2),
        direction=[1.0] if variant == "all ones" else None,
        rng=np.random.SeedSequence([need_whole("seed", seed, 0), depth, VARIANTS.index(variant)]),
        progress=False,
    )
    if found.interrupted:
        raise KeyboardInterrupt
    kind: Literal["amplitude", "rms"] = "amplitude" if variant == "all ones" else "rms"
    return Case(variant, depth, network_erf(network, kind=kind), measured_erf(found, "magnitude"))


def _network(variant: str, depth: int, channels: int) -> Chain:
    """Convolutions with activations between them."""
    if variant == "all ones":
        return Chain([Conv(1, 1, 3, padding=1, weights=np.ones((1, 1, 3, 3)))] * depth)
    layers: list[Layer] = [Conv(channels, channels, 3, padding=1)]
    between = [] if variant == "random" else [Activation(variant)]
    return Chain(layers + [*between, *layers] * (depth - 1))


def _line(case: Case) -> tuple[str, ...]:
    sizes = [f"{erf.size():.4g} px" for erf in (case.theory, case.measured)]
    stds = [f"{erf.std:.4g} px" for erf in (case.theory, case.measured)]
    return (f"{case.variant}, {case.depth}", *sizes, *stds, f"{case.total_variation:.2g}")


def _numbers(erf: ERF) -> dict[str, Any]:
    return {"size": erf.size(), "std": erf.std, "values": erf.values.tolist()}
