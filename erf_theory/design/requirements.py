"""What a design must satisfy, and whether a plan does: a quick look, then its network."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from erf_theory.design.plans import Plan
from erf_theory.design.profiles import profile_of
from erf_theory.design.quality import excess_kurtosis, flatness, ripple
from erf_theory.design.targets import Target
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.measures import LUO_LEVEL, count_above

__all__ = ["Requirements"]

_SLACK = 1e-9


@final
@dataclass(frozen=True)
class Requirements:
    """What a design must satisfy.

    Attributes
    ----------
    target : Target
        The width to be reached.
    ripple : float
        The most that its profile may fall between two peaks; see `erf_theory.design.quality`.
    kurtosis : float, optional
        The most that its excess kurtosis may differ from 0, that of a Gaussian.
    flatness : float, optional
        The least share of its pixels that a flat map as spread would have.

    Examples
    --------
    >>> from erf_theory.design.inversion import erf_of_plan
    >>> from erf_theory.design.plans import Form, Step
    >>> need = Requirements(Target.of(size=9))
    >>> plans = [Plan((Step(3), Step(3, dilation)), Form()) for dilation in (2, 3)]
    >>> [need.may_hold(plan) for plan in plans], need.holds(erf_of_plan(plans[1]))
    ([False, True], True)
    """

    target: Target
    ripple: float = 0.1
    kurtosis: float | None = None
    flatness: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.ripple <= 1:
            raise ErfTheoryError(f"a ripple lies between 0 and 1, not {self.ripple}")
        if self.kurtosis is not None and not self.kurtosis > 0:
            raise ErfTheoryError(f"the most excess kurtosis is above 0, not {self.kurtosis}")
        if self.flatness is not None and not 0 < self.flatness <= 1:
            raise ErfTheoryError(f"a flatness lies between 0 and 1, not {self.flatness}")

    def may_hold(self, plan: Plan) -> bool:
        """Whether a quick look does not rule a plan out: its variance, its holes, its profile."""
        variance, target = plan.variance, self.target
        if target.measure == "std" and isinstance(variance, Fraction):
            if variance < target.value**2:
                return False
        elif variance < target.least_variance(plan.form.ndim) * (1 - _SLACK):
            return False
        if plan.has_holes:
            return False
        line = profile_of(plan)
        if ripple(line) > self.ripple + _SLACK:
            return False
        return self._may_reach(line, plan)

    def _may_reach(self, line: FloatArray, plan: Plan) -> bool:
        """Whether a size may be reached: a separable map's is counted on its profile."""
        if self.target.measure != "size" or plan.form.is_residual:
            return True
        ndim = plan.form.ndim
        most = count_above([np.maximum(line, 0)] * ndim, (1 - LUO_LEVEL) * (1 - _SLACK))
        return most >= self.target.value**ndim

    def holds(self, erf: ERF) -> bool:
        """Whether a map satisfies all of them."""
        return (
            self.target.is_reached(erf)
            and ripple(erf.profile().values) <= self.ripple
            and (self.kurtosis is None or abs(excess_kurtosis(erf)) <= self.kurtosis)
            and (self.flatness is None or flatness(erf) >= self.flatness)
        )

    def texts(self) -> list[str]:
        """They as arguments of a call, defaults left out."""
        found = [self.target.text]
        if self.ripple != Requirements(self.target).ripple:
            found.append(f"ripple={self.ripple}")
        limits = {"kurtosis": self.kurtosis, "flatness": self.flatness}
        return found + [f"{name}={limit}" for name, limit in limits.items() if limit is not None]
