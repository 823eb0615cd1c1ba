"""When a measurement cannot decide whether a theory is true, and why it may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Self, final

import numpy as np

from erf_theory.empirical.measurement import Measurement
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.finitewidth import samples_for
from erf_theory.network.nodes import Network
from erf_theory.verdict.statistics import needed

__all__ = ["Power", "doubts", "fluctuation_doubts", "need_decidable"]

_FEWEST = 32
"""Blocks that the distributions of the statistics need to be near their limits."""
_LONGEST = 600.0
"""Logarithm of a mass whose every share is still far from the ends of doubles."""
_LEAST_POWER, _GOOD_POWER = 0.5, 0.9
_FEW = 64
_NEAR = 0.2
"""Relative error of a pixel at which a measurement begins to show a map."""
_HEAVY = 0.15
"""Share of one block, of 64, that errors from the spread of the blocks do not survive."""


@final
@dataclass(frozen=True)
class Power:
    """How often an experiment like this one would see a difference.

    Attributes
    ----------
    value : float
        Rate.
    wanted : int
        About how many samples see it in nine cases of ten; 0 where noise plays no part.
    """

    value: float
    wanted: int

    @classmethod
    def of(cls, value: float, samples: int, noncentrality: float, dof: int, level: float) -> Self:
        """From the non-centrality that so many samples have: it grows with them.

        Examples
        --------
        >>> Power.of(0.06, 100, 1.0, 1, 0.01)
        Power(value=0.06, wanted=1488)
        """
        more = needed(dof, level, _GOOD_POWER) / noncentrality if noncentrality > 0 else 0.0
        return cls(value, ceil(samples * more))


def need_decidable(theory: ERF, samples: int, false_alarm: float) -> None:
    """Refuse a comparison that cannot come to a verdict, before any work.

    Raises
    ------
    ErfTheoryError
        If the theory is no energy that doubles can hold, there are fewer than 32 samples, or the
        rate does not lie between 0 and 1.
    """
    if theory.kind != "energy":
        raise ErfTheoryError(f"a measured energy is compared with an energy, not {theory.kind}")
    if not abs(theory.log_mass) < _LONGEST:
        raise ErfTheoryError(
            f"a mass of e^{theory.log_mass:.6g} is none that doubles can measure: take fewer "
            "layers, or another variance of the weights"
        )
    if samples < _FEWEST:
        raise ErfTheoryError(
            f"{samples} samples are too few for a verdict: measure {_FEWEST} or more"
        )
    if not 0 < false_alarm < 1:
        raise ErfTheoryError(f"a false-alarm rate lies between 0 and 1, not {false_alarm}")


def doubts(theory: ERF, measurement: Measurement, powers: Mapping[str, Power]) -> tuple[str, ...]:
    """Everything that keeps a measurement from deciding, one sentence each."""
    return tuple(
        [*_of_measurement(measurement), *_of_powers(powers)]
        + [f"the theory is approximate: {reason}" for reason in theory.reasons]
    )


def fluctuation_doubts(network: Network, samples: int) -> tuple[str, ...]:
    """What the theory of fluctuations says of so few samples, where it knows the network.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> fluctuation_doubts(Chain([Conv(1, 1, 3)] * 4), 100)[0][:49]
    'at this width the theory of fluctuations asks for'
    >>> fluctuation_doubts(Chain([Conv(64, 64, 3)] * 4), 100)
    ()
    """
    try:
        wanted = samples_for(network, _NEAR)
    except ErfTheoryError:
        return ()
    said = (
        f"at this width the theory of fluctuations asks for {wanted} samples to know every pixel "
        f"to {100 * _NEAR:.0f} %, and there are {samples}"
    )
    return (said,) if wanted > samples else ()


def _of_measurement(found: Measurement) -> Iterator[str]:
    if found.interrupted:
        yield f"the measurement was interrupted after {found.samples} samples"
    if found.samples < _FEW:
        yield f"{found.samples} samples are few: below {_FEW} the rates of error are rough"
    masses = found.counts * found.blocks.reshape(len(found.counts), -1).sum(axis=1)
    largest = int(np.argmax(masses))
    share = float(masses[largest] / np.sum(masses))
    if share > _HEAVY:
        yield (
            f"one block of {found.counts[largest]} samples has {100 * share:.0f} % of all energy: "
            "tails are heavy, and errors and p-values uncertain; take more channels or samples"
        )


def _of_powers(powers: Mapping[str, Power]) -> Iterator[str]:
    for claim, power in powers.items():
        if power.value < _LEAST_POWER:
            yield (
                f"{claim} would go unseen in most experiments like this one (power "
                f"{power.value:.2f}): it takes about {power.wanted} samples"
            )
