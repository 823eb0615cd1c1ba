"""Single precision: what would be lost in it is refused.

Single precision holds normal numbers from 2⁻¹²⁶ to 2¹²⁸. Below, their digits get lost one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from erf_theory.empirical import tape
from erf_theory.empirical.draws import Sample
from erf_theory.empirical.plan import Plan
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["PRECISIONS", "need_normal", "need_single"]

PRECISIONS = ("float64", "float32")
"""Types of numbers that a description can be measured in."""
_SINGLE = float(np.finfo(np.float32).smallest_normal)
_SIGNALS = (2.0**-60, 2.0**60)
"""Their squares have all digits."""
_GRADIENTS = (2.0**-103, 2.0**127)
"""What is 2⁻²³ of the least is a normal number."""


def need_single(plan: Plan, samples: Sequence[Sample], found: FloatArray) -> None:
    """Refuse what single precision made of samples where it may have lost something.

    Their gradients are finite, and 0 or normal numbers. One sample, and every one that has no
    gradient at all, goes in double precision too: there the largest number of every channel, on
    the way forwards and back, lies where single precision has all its digits.

    Parameters
    ----------
    plan : Plan
        What was looked at.
    samples : sequence of Sample
        What was measured.
    found : ndarray, shape (samples, channels, place...)
        Its gradients, by single precision.

    Raises
    ------
    ErfTheoryError
        If something may be lost.
    """
    if not np.all(np.isfinite(found)):
        raise ErfTheoryError(
            'numbers grow beyond single precision (3.4e+38): take dtype="float64", or give the '
            "weights less variance"
        )
    need_normal(found, _SINGLE)
    dead = ~np.any(found, axis=tuple(range(1, found.ndim)))
    again = [sample for i, sample in enumerate(samples) if i == 0 or dead[i]]
    need_normal(tape.gradients(plan, again, watch=_need_in_range), _SINGLE)


def need_normal(gradients: FloatArray, smallest: float) -> None:
    """Refuse gradients that are below the smallest normal number, and not 0.

    Raises
    ------
    ErfTheoryError
        If there are any.

    Examples
    --------
    >>> need_normal(np.array([0.0, -1e-30]), 1e-38)
    """
    sizes = np.abs(gradients)
    least = np.min(sizes, where=sizes > 0, initial=np.inf)
    if least < smallest:
        raise ErfTheoryError(_below("gradients", least, smallest))


def _need_in_range(kind: str, numbers: Any) -> None:
    """Refuse numbers, of shape (networks, inputs, channels, place...), outside of their range."""
    least, most = _SIGNALS if kind == "signals" else _GRADIENTS
    axes = (1, *range(3, numbers.ndim))
    largest = np.max(np.abs(numbers), axis=axes, initial=0.0)
    if np.any(largest > most) or not np.all(np.isfinite(largest)):
        raise ErfTheoryError(
            f"{kind} grow to {np.max(largest):.1e}, beyond the {most:.1e} that single precision "
            'takes: take dtype="float64", or give the weights less variance'
        )
    small = np.min(largest, where=largest > 0, initial=np.inf)
    if small < least:
        raise ErfTheoryError(_below(kind, small, least))


def _below(kind: str, found: float, least: float) -> str:
    return (
        f"{kind} of {found:.1e} lose their digits in this precision, which has them down to "
        f"{least:.1e}: take float64, or give the weights more variance"
    )
