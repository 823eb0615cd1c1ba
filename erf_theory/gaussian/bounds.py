"""Berry and Esseen: a theorem's bound on the distance of a map from its Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import pi, sqrt
from typing import TYPE_CHECKING, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import root_of
from erf_theory.gaussian.layers import Layer, layers_of, total_cumulant

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["UNEQUAL", "BerryEsseen", "berry_esseen", "esseen_asymptote", "kolmogorov", "lyapunov"]

_EQUAL = ((0.4690, 0.0), (0.3322, 0.429), (0.3031, 0.646))
"""C and a of C(β + a)/√n; Shevtsova 2013."""
UNEQUAL = 0.5583
"""C of C·L₃; Shevtsova 2013 (recalled)."""


@final
@dataclass(frozen=True)
class BerryEsseen:
    """The bound of Berry and Esseen on one axis, beside what it bounds.

    Attributes
    ----------
    bound : float
        No less than sup|F − Φ|.
    actual : float
        sup|F − Φ| of the map, F its distribution function over the standardised axis.
    asymptote : float
        What sup|F − Φ| tends to, for many equal layers; see `esseen_asymptote`.
    layers : int
        How many layers spread the map.
    lyapunov : float
        L₃ = Σ E|X − EX|³ / s³; for equal layers β/√n, β the standardised absolute moment of one.
    is_equal : bool
        Whether all layers have one law, for which the constants are better.
    source : str
        The theorem.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = berry_esseen(theoretical_erf(3, 100))
    >>> round(found.bound, 4), round(found.actual, 4), round(found.asymptote, 4)
    (0.0549, 0.0244, 0.0244)
    """

    bound: float
    actual: float
    asymptote: float
    layers: int
    lyapunov: float
    is_equal: bool
    source: str

    @property
    def ratio(self) -> float:
        """The bound over the actual distance: 1 or more."""
        return self.bound / self.actual

    def __str__(self) -> str:
        return (
            f"sup|F - Phi| = {self.actual:.4g}, at most {self.bound:.4g} ({self.source}): a factor "
            f"of {self.ratio:.3g}"
        )


def lyapunov(layers: Sequence[Layer]) -> float:
    """Lyapunov's number L₃ = Σ E|X − EX|³ / (Σ Var X)^(3/2) of independent layers.

    Raises
    ------
    ErfTheoryError
        If there are none, so that nothing spreads.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> round(lyapunov(layers_of(theoretical_erf(2, 100))), 6)
    0.1
    """
    _need_layers(layers)
    third = Fraction(sum(layer.third for layer in layers))
    return root_of(third**2 / Fraction(total_cumulant(layers, 2)) ** 3)


def berry_esseen(erf: ERF, axis: int = 0) -> BerryEsseen:
    """Bound sup|F − Φ| by the theorem of Berry and Esseen, and compare it with the truth.

    Parameters
    ----------
    erf : ERF
        A map without signs that is a sum of independent layers.
    axis : int
        The axis.

    Returns
    -------
    BerryEsseen

    Raises
    ------
    ErfTheoryError
        If the map is no such sum, or does not spread.

    Notes
    -----
    n equal layers: n^(−1/2)·min{.4690β, .3322(β + .429), .3031(β + .646)}, β the standardised third
    absolute moment of one; n different ones: .5583·L₃ (recalled), both Shevtsova 2013, "On the
    absolute constants in the Berry-Esseen inequality and its structural and nonuniform
    improvements", Informatics and Applications 7. No constant below .40973 holds in the first for
    all laws (Esseen 1956). Moments are exact for exact taps, rounded once.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> print(berry_esseen(theoretical_erf(3, 5, stride=2)))
    sup|F - Phi| = 0.05394, at most 0.5083 (Berry-Esseen for unequal layers): a factor of 9.42
    """
    layers = layers_of(erf, axis)
    number = lyapunov(layers)
    count = sum(layer.times for layer in layers)
    is_equal = len(layers) == 1
    if is_equal:
        root = sqrt(count)
        bound = min(c * (number * root + a) / root for c, a in _EQUAL)
    else:
        bound = UNEQUAL * number
    kind = "equal" if is_equal else "unequal"
    source = f"Berry-Esseen for {kind} layers"
    actual, asymptote = kolmogorov(erf, axis), esseen_asymptote(erf, axis)
    return BerryEsseen(bound, actual, asymptote, count, number, is_equal, source)


def esseen_asymptote(erf: ERF, axis: int = 0) -> float:
    """What sup|F − Φ| tends to: ``(|κ₃| + 3hs²)/(6√(2π) s³)``, h the span of the lattice.

    For n equal layers this is a constant over √n, with nothing to spare; for equal taps the
    constant is √(3/(2π(k² − 1))) (Esseen 1956, "A moment inequality with an application to the
    central limit theorem", Skandinavisk Aktuarietidskrift 39).

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> round(10 * esseen_asymptote(theoretical_erf(3, 100)), 4)
    0.2443
    """
    layers = layers_of(erf, axis)
    _need_layers(layers)
    std = root_of(total_cumulant(layers, 2))
    span = np.gcd.reduce([layer.step for layer in layers])
    skewness = abs(total_cumulant(layers, 3) / std**3)
    return float((skewness + 3 * span / std) / (6 * sqrt(2 * pi)))


def kolmogorov(erf: ERF, axis: int = 0, *, corrected: int = 0) -> float:
    """sup|F − Φ| of a map without signs on one axis, from its samples.

    Parameters
    ----------
    erf : ERF
        The map.
    axis : int
        The axis.
    corrected : int
        Span of the lattice for the continuity correction: F is then compared halfway between the
        lattice points alone, where a smooth distribution function meets it. 0 for none: both sides
        of every jump count.

    Returns
    -------
    float
        Right to about 1e-13.

    Raises
    ------
    ErfTheoryError
        If the map has signs, or a single pixel.
    """
    from scipy.special import ndtr

    line = erf.profile(axis) if erf.ndim > 1 else erf
    std = root_of(line.cumulant(2)) if line.is_nonnegative else 0.0
    if std == 0:
        raise ErfTheoryError(
            "a map with signs, or of a single pixel, has no distribution function beside a "
            "Gaussian's: ask for a map without signs of two pixels or more"
        )
    z = (line.offsets[0] - float(line.cumulant(1))) / std
    after = np.cumsum(line.values)
    if corrected:
        held = line.sign != 0
        return float(np.max(np.abs(after - ndtr(z + corrected / (2 * std)))[held]))
    gaussian = ndtr(z)
    before = after - line.values
    return float(max(np.max(np.abs(after - gaussian)), np.max(np.abs(before - gaussian))))


def _need_layers(layers: Sequence[Layer]) -> None:
    if not layers:
        raise ErfTheoryError(
            "no layer spreads the map: its standard deviation is 0, and no Gaussian is near it"
        )
