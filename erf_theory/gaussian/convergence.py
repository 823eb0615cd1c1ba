"""How fast maps become Gaussian with depth: distances, their leading terms, bounds, rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import Any

import numpy.typing as npt

from erf_theory.architectures import network_erf
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.gaussian.bounds import berry_esseen
from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.gaussian.lattices import support_lattice
from erf_theory.gaussian.leading import LEADING, Departure
from erf_theory.gaussian.rates import Convergence
from erf_theory.gaussian.tables import depths_of, read_only, shortened
from erf_theory.kernel import Kernel
from erf_theory.network.graph import Chain
from erf_theory.network.nodes import Network
from erf_theory.theory import theoretical_erf

__all__ = ["convergence", "departure"]

_SHORT = {
    "tv": "total_variation",
    "kl": "kullback_leibler",
    "chi2": "chi_square",
    "w1": "wasserstein1",
    "w2": "wasserstein2",
    "cvm": "cramer_von_mises",
}
"""Short names of metrics."""
_DISTANCES: dict[str, Callable[[ERF, str], float]] = {
    "normal": distance_to_normal,
    "sampled normal": distance_to_sampled_normal,
}


def convergence(
    k: int | Network | None,
    depths: Iterable[int],
    *,
    metric: str = "kolmogorov",
    against: str | None = None,
    kernel: npt.ArrayLike | Kernel | None = None,
) -> Convergence:
    """Distance to the Gaussian at several depths, beside its leading term and its bound.

    Parameters
    ----------
    k : int, Network or None
        Taps of equal linear layers, 2 or more; None takes them from ``kernel``. Or a block, whose
        energy profile is looked at when it is repeated n times.
    depths : iterable of int
        Numbers of layers or blocks, 1 or more; at least two different ones.
    metric : str
        "kolmogorov", "total_variation" ("tv"), "hellinger", "kullback_leibler" ("kl"),
        "chi_square" ("chi2"), "wasserstein1" ("w1"), "wasserstein2" ("w2"), "cramer_von_mises"
        ("cvm") or "density_error"; Wasserstein distances in standard deviations.
    against : {"normal", "sampled normal"}, optional
        The continuous normal, or the one sampled on the map's lattice. Default: the continuous
        one where the distance to it is no trivial one.
    kernel : array_like or Kernel, optional
        The taps, 1-D, none negative. Default: all equal.

    Returns
    -------
    Convergence
        Distances, leading terms, bounds and the fitted power.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or a map has no variance, so that there is no Gaussian.

    Notes
    -----
    The points are computed, so that the fitted power's interval (95 %, ordinary least squares)
    says how far they bend away from a power law, and nothing about noise.

    Examples
    --------
    >>> found = convergence(3, [10, 100, 1000])
    >>> (found.values * found.depths**0.5).round(4).tolist(), round(found.fit.exponent, 3)
    ([0.2397, 0.2438, 0.2443], -0.496)
    """
    name = _SHORT.get(str(metric), str(metric))
    beside = _against(name, against)
    layers = depths_of(depths)
    erfs = list(map(_maps(k, kernel), layers))
    values = [float(_DISTANCES[beside](erf, name)) for erf in erfs]
    bounds = [_bound(erf) if (name, beside) == ("kolmogorov", "normal") else nan for erf in erfs]
    call = _call(k, layers, metric=metric, against=against, kernel=kernel)
    return Convergence(
        metric=name,
        against=beside,
        kind=erfs[0].kind,
        call=call,
        depths=read_only(layers),
        values=read_only(values),
        leading=read_only([LEADING[beside][name](departure(erf)) for erf in erfs]),
        bounds=read_only(bounds),
    )


def departure(erf: ERF, axis: int = 0) -> Departure:
    """Skewness, excess kurtosis and span of a map on one axis."""
    line = erf.profile(axis)
    variance = float(line.cumulant(2))
    _, span, _ = support_lattice(line.sign != 0)
    return Departure(
        skewness=float(line.cumulant(3)) / variance**1.5,
        kurtosis=float(line.cumulant(4)) / variance**2,
        span=span / variance**0.5,
    )


def _against(metric: str, chosen: str | None) -> str:
    """What the map is compared with, checked."""
    metrics = LEADING["sampled normal"]
    if metric not in metrics:
        raise ErfTheoryError(
            f"there is no metric {metric!r}: choose one of {', '.join([*metrics, *_SHORT])}"
        )
    if chosen is None:
        return "normal" if metric in LEADING["normal"] else "sampled normal"
    if chosen not in LEADING:
        raise ErfTheoryError(
            f"the map is compared with {' or '.join(sorted(LEADING))}, not {chosen!r}"
        )
    if metric not in LEADING[chosen]:
        raise ErfTheoryError(
            f"a map on a lattice and the continuous normal share no place, which makes their "
            f"{metric} 1 or infinite: compare with the sampled normal"
        )
    return chosen


def _maps(k: int | Network | None, kernel: npt.ArrayLike | Kernel | None) -> Callable[[int], ERF]:
    """From a depth to its map."""
    if not isinstance(k, Network):
        taps = kernel if kernel is None or isinstance(kernel, Kernel) else Kernel(kernel)
        if taps is not None and len(shape := taps.shape) > 1:
            raise ErfTheoryError(
                f"convergence looks at one axis, and a kernel of shape {shape} has {len(shape)}: "
                "give one row of taps, as the sums of the kernel over its other axes"
            )
        return lambda n: theoretical_erf(k, n, kernel=kernel)
    if kernel is not None:
        raise ErfTheoryError("a block has its own kernels: give no kernel with it")
    return lambda n: network_erf(Chain([k] * n, k.ndim), ndim=1)


def _bound(erf: ERF) -> float:
    """Berry and Esseen's bound where the map is a sum of independent steps."""
    try:
        return berry_esseen(erf).bound
    except ErfTheoryError:
        return nan


def _call(k: int | Network | None, layers: Sequence[Number], **options: Any) -> str:
    """The call as one would write it, defaults left out."""
    first = k.label if isinstance(k, Network) else str(k)
    kernel = options.pop("kernel")
    given = [f"{key}={v!r}" for key, v in options.items() if v not in (None, "kolmogorov")]
    if kernel is not None:
        given.append(f"kernel={shortened(Kernel(kernel).taps.tolist())}")
    return f"convergence({', '.join([first, shortened(layers), *given])})"
