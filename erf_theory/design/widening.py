"""Variances per tap that widen an ERF, with the sum of variances left as it is.

An energy's kernel is the variance of the random weights at every tap ([Luo16], section 4), so at
initialisation the taps' variances choose the width. Let v be their shares of the whole on k taps,
c = (k−1)/2 the middle, h = (k−1)/2 the reach:

- uniform, v = 1/k: variance (k²−1)/12, excess kurtosis −6(k²+1)/(5(k²−1)), −1.5 for k = 3;
- corners, v = ½ at both ends: variance h², the most of all laws on these taps, since
  (m−c)² ≤ h². That is 3(k−1)/(k+1) times the uniform one: in width 1 for k = 2, √1.5 = 1.22 for
  k = 3, √2 for k = 5, and below √3 for every k. Excess kurtosis −2. A stack of such layers sees
  only every (k−1)-th pixel;
- ``|m−c|^α`` lies between the two, α = 0 and α → ∞; the middle tap of an odd kernel has nothing for
  α > 0.

Two constraints have an optimum in closed form (`widest_taps`). (1) Every tap keeps at least f/k, so
that nothing has holes: the rest goes to the corners, because no other place has a larger (m−c)².
(2) An excess kurtosis of at least g: with y = (m−c)² that is E y² ≥ (3+g)(E y)², and for a given
E y, E y² is largest where y is at its two ends, so what is free goes to the corners and to the
middle alone. With no floor and odd k the corners have 1/(3+g) of it: for k = 3 and g = −1.5 that is
the uniform law, which no law of its kurtosis surpasses.

In several dimensions the kernel is the outer product, with the same law on every axis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import inf, pi, sqrt
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.lattice import per_axis
from erf_theory.network.base import need_number, need_whole
from erf_theory.network.convolutions import Conv
from erf_theory.network.nodes import Flat, Network

__all__ = [
    "TapFacts",
    "TapLaw",
    "corner_taps",
    "mixed_taps",
    "power_taps",
    "tap_facts",
    "uniform_taps",
    "widened",
    "widest_taps",
]

TapLaw = Callable[[int], Sequence[Number]]
"""From the number of taps to their shares."""


def uniform_taps(k: int) -> tuple[Number, ...]:
    """The same share on every tap.

    Examples
    --------
    >>> uniform_taps(2)
    (Fraction(1, 2), Fraction(1, 2))
    """
    need_whole("number of taps", k, 1)
    return (Fraction(1, k),) * k


def corner_taps(k: int) -> tuple[Number, ...]:
    """All of it on both ends: the widest.

    Examples
    --------
    >>> corner_taps(3)
    (Fraction(1, 2), Fraction(0, 1), Fraction(1, 2))
    """
    need_whole("number of taps", k, 1)
    ends = [Fraction(0)] * k
    for at in (0, k - 1):
        ends[at] += Fraction(1, 2)
    return tuple(ends)


def power_taps(k: int, alpha: Number) -> tuple[Number, ...]:
    """Shares in proportion to ``|m − c|^α``, c the middle.

    Parameters
    ----------
    k : int
        Number of taps.
    alpha : number
        From 0, the uniform law, on; a whole number leaves exact shares.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.

    Examples
    --------
    >>> power_taps(4, 1)
    (Fraction(3, 8), Fraction(1, 8), Fraction(1, 8), Fraction(3, 8))
    """
    need_whole("number of taps", k, 1)
    need_number("alpha", alpha)
    if k == 1:
        return (Fraction(1),)
    whole = int(alpha) if alpha == int(alpha) else alpha
    powers = [Fraction(abs(2 * m - k + 1), k - 1) ** whole for m in range(k)]
    total = sum(powers)
    return tuple(power / total for power in powers)


def mixed_taps(one: Sequence[Number], other: Sequence[Number], share: Number) -> tuple[Number, ...]:
    """A mixture of two laws on as many taps: (1 − share) of one and share of the other.

    Examples
    --------
    >>> mixed_taps(uniform_taps(3), corner_taps(3), Fraction(1, 4))
    (Fraction(3, 8), Fraction(1, 4), Fraction(3, 8))
    """
    if len(one) != len(other) or not 0 <= share <= 1:
        raise ErfTheoryError(
            f"a mixture has a share from 0 to 1 of laws on as many taps, not {share} of "
            f"{len(one)} and {len(other)} taps"
        )
    return tuple((1 - share) * a + share * b for a, b in zip(one, other, strict=True))


def widest_taps(
    k: int, *, least: Number = Fraction(1, 2), excess: Number | None = None
) -> tuple[Number, ...]:
    """The widest law whose taps all keep a part of what they had.

    Parameters
    ----------
    k : int
        Number of taps.
    least : number
        What every tap keeps at least of its uniform share, from 0 (holes allowed) to 1.
    excess : number, optional
        Least excess kurtosis of a layer; n layers have an n-th of it. Default: as it comes out.

    Raises
    ------
    ErfTheoryError
        If no law meets both; the message has the largest excess kurtosis there is.

    Notes
    -----
    With y = (m−c)², floor f, and p of the rest on the corners, 1 − p in the middle, E y and E y²
    are linear in p, and the largest p in [0, 1] with E y² ≥ (3+g)(E y)² is the root of a quadratic.

    Examples
    --------
    >>> widest_taps(3)
    (Fraction(5, 12), Fraction(1, 6), Fraction(5, 12))
    >>> [round(float(tap), 3) for tap in widest_taps(5, least=0, excess=-1.3)]
    [0.294, 0.0, 0.412, 0.0, 0.294]
    """
    need_whole("number of taps", k, 1)
    if not 0 <= least <= 1:
        raise ErfTheoryError(f"what a tap keeps at least is a part from 0 to 1, not {least}")
    part: Number = 1 if excess is None else _corner_part(k, least, excess)
    free = mixed_taps(_middle_taps(k), corner_taps(k), part)
    return mixed_taps(free, uniform_taps(k), least)


def _middle_taps(k: int) -> tuple[Number, ...]:
    """All of it in the middle: on one tap, or on two."""
    return tuple(Fraction(int(abs(2 * m - k + 1) < 2), 2 - k % 2) for m in range(k))


def _corner_part(k: int, least: Number, excess: Number) -> Number:
    """The largest part p of what is free that may go to the corners.

    f(p) = E y² − (3+g)(E y)² is a concave quadratic: the answer is 1 or its larger root.
    """
    low, high = (
        _moments(mixed_taps(law(k), uniform_taps(k), least)) for law in (_middle_taps, corner_taps)
    )
    need = 3 + excess
    if high[1] >= need * high[0] ** 2:
        return 1
    a = -need * (high[0] - low[0]) ** 2
    b = (high[1] - low[1]) - 2 * need * low[0] * (high[0] - low[0])
    c = low[1] - need * low[0] ** 2
    square = float(b * b - 4 * a * c)
    part = (-float(b) - sqrt(max(square, 0.0))) / (2 * float(a)) if a else -1.0
    if square < 0 or not 0 <= part <= 1:
        most = _most_excess(low, high)
        raise ErfTheoryError(
            f"no law on {k} taps with a floor of {float(least):.3g} has an excess kurtosis of "
            f"{float(excess):.4g}: the most is {most:.4g}; choose less of one of the two"
        )
    return part


def _most_excess(low: tuple[Number, Number], high: tuple[Number, Number]) -> float:
    """The largest excess kurtosis between the middle and the corners."""
    if low[0] == 0:
        return inf
    slope, rise = float(high[0] - low[0]), float(high[1] - low[1])
    best = (rise * float(low[0]) / slope - 2 * float(low[1])) / rise if slope else 0.0
    return max(
        (float(low[1]) + p * rise) / (float(low[0]) + p * slope) ** 2 - 3
        for p in (0.0, min(max(best, 0.0), 1.0), 1.0)
    )


def _moments(taps: Sequence[Number]) -> tuple[Number, Number]:
    """E y and E y² of y = (m−c)², c the middle of the taps."""
    y = [Fraction(2 * m - len(taps) + 1, 2) ** 2 for m in range(len(taps))]
    second: Number = sum(tap * x for tap, x in zip(taps, y, strict=True))
    return second, sum(tap * x * x for tap, x in zip(taps, y, strict=True))


@final
@dataclass(frozen=True)
class TapFacts:
    """What a law of variances does to an ERF.

    Attributes
    ----------
    std : float
        Its standard deviation, in taps; n layers have √n times it.
    width : float
        That over the uniform law's: how much wider the ERF of a stack becomes.
    excess : float
        Its excess kurtosis; n layers have an n-th of it.
    ripple : float
        The largest ``|V(ω)|`` at the frequencies ω = 2πj/(k−1), 0 < j < k−1, of a pattern with
        period k−1, beside V(0) = 1: n layers keep its n-th power. 1 leaves holes at any depth.
    """

    std: float
    width: float
    excess: float
    ripple: float


def tap_facts(taps: Sequence[Number]) -> TapFacts:
    """What a symmetric law of variances does to an ERF's width, Gaussianity and gridding.

    Parameters
    ----------
    taps : sequence of number
        Shares or variances: two or more numbers of at least 0, the same from both ends.

    Raises
    ------
    ErfTheoryError
        If they are something else.

    Examples
    --------
    >>> facts = tap_facts(corner_taps(3))
    >>> round(facts.width, 4), facts.excess, round(facts.ripple, 9)
    (1.2247, -2.0, 1.0)
    """
    values = [float(tap) for tap in taps]
    total, k = sum(values), len(values)
    if k < 2 or not 0 < total < inf or min(values) < 0 or not np.allclose(values, values[::-1]):
        raise ErfTheoryError(
            f"a law has two or more taps of at least 0, the same from both ends, not {taps}"
        )
    law = [value / total for value in values]
    second, fourth = map(float, _moments(law))
    if second == 0:
        raise ErfTheoryError("all of the variance is in the middle: such a layer has no width")
    j = np.arange(1, k - 1)
    phases = np.exp(2j * pi * np.outer(j, np.arange(k)) / max(k - 1, 1))
    return TapFacts(
        std=sqrt(second),
        width=sqrt(second * 12 / (k * k - 1)),
        excess=fourth / second**2 - 3,
        ripple=float(np.max(np.abs(phases @ np.array(law)), initial=0.0)),
    )


def widened(network: Network, taps: TapLaw = widest_taps) -> Network:
    """The network with the variances of every convolution's weights shared out to its taps anew.

    Their sum stays what it was, so that forward and backward signals keep their scale.

    Parameters
    ----------
    network : Network
        With random weights.
    taps : callable
        From the number of taps on an axis to the shares of each.

    Raises
    ------
    ErfTheoryError
        If a convolution has weights as given, or the shares are not one per tap, of at least 0.

    Examples
    --------
    >>> from erf_theory.architectures import network_erf
    >>> from erf_theory.network import Chain
    >>> plain = Chain([Conv(8, 8, 3)] * 12)
    >>> wide = widened(plain, corner_taps)
    >>> [round(network_erf(net, ndim=1).std, 3) for net in (plain, wide)]
    [2.828, 3.464]
    """
    nodes = tuple(
        replace(node, layer=_shared_out(node.layer, taps, network.ndim, node.name))
        if isinstance(node.layer, Conv)
        else node
        for node in network.nodes
    )
    return Flat(nodes, network.ndim, network.in_channels, network.remarks)


def _shared_out(layer: Conv, taps: TapLaw, ndim: int, name: str) -> Conv:
    if layer.given_weights is not None:
        raise ErfTheoryError(f"node {name} has weights as given: read it with its law")
    total = sum(layer.variances(ndim).taps.ravel().tolist())
    sizes = per_axis(layer.size, ndim)
    lines: list[Any] = [np.array(tuple(taps(k)), dtype=object) for k in sizes]
    if tuple(map(len, lines)) != sizes:
        raise ErfTheoryError(f"node {name}: the law gives {[*map(len, lines)]} taps for {sizes}")
    return replace(layer, init=reduce(np.multiply.outer, [total * lines[0], *lines[1:]]))
