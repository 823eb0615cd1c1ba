"""The √n law: how the effective receptive field grows with depth, and its share shrinks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.gaussian.depths import Scaling
from erf_theory.gaussian.lengths import LENGTHS
from erf_theory.gaussian.tables import depths_of, read_only, shortened
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf, variance_erf

__all__ = ["sqrt_scaling"]


def sqrt_scaling(
    k: int | None,
    depths: Iterable[int],
    *,
    measure: str = "std",
    ndim: int = 1,
    kind: str = "amplitude",
    kernel: npt.ArrayLike | Kernel | None = None,
) -> Scaling:
    """Measure the effective receptive field at several depths, beside the √n law.

    n equal layers whose taps have the variance v spread the map to the standard deviation √(n·v),
    v = (k² − 1)/12 for equal taps ([Luo16], section 2): the field grows as √n, its share of the
    theoretical receptive field shrinks as 1/√n. Other lengths follow in the limit, in which the
    map is Gaussian.

    Parameters
    ----------
    k : int or None
        Taps per axis, 2 or more; None takes them from ``kernel``.
    depths : iterable of int
        Numbers of layers, 1 or more; at least two different ones.
    measure : {"std", "size", "radius", "participation", "half_width"}
        The length to measure, in pixels. "size" is [Luo16]'s; "radius" is that of the interval
        (square, cube) about the mean with 95.45 % of the map; "participation" is the root 1/ndim
        of `ERF.participation`, so that it is a length.
    ndim : int
        Spatial axes: 1, 2 or 3.
    kind : {"amplitude", "energy", "rms"}
        Fixed weights, random weights, or the root of the latter's energy; the first two have the
        same shape.
    kernel : array_like or Kernel, optional
        The taps (for random weights: their variances), 1-D of length k, none negative, used on
        every axis. Default: all equal.

    Returns
    -------
    Scaling
        Values, predictions, shares and fitted powers.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense; or if the taps do not spread, or leave holes, so that the
        map has no Gaussian limit; or if a length is 0.

    Notes
    -----
    Sizes and radii count pixels: a size in one dimension is off by up to a pixel, a radius by up
    to half a pixel. Beside what counting costs, ratios reach 1 as 1/n.

    The fitted powers come with the intervals (95 %) of ordinary least squares. The points are
    computed, so their residuals are no noise: an interval says how far they bend away from a
    power law. Two depths have none. [Luo16] found the powers 0.56 and −0.43 in experiments
    (recalled).

    References
    ----------
    .. [Luo16] W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field
       in Deep Convolutional Neural Networks", NIPS 2016.

    Examples
    --------
    >>> scaling = sqrt_scaling(3, [5, 10, 20, 40, 80], measure="size", ndim=2, kind="rms")
    >>> scaling.values.round(2).tolist()
    [10.44, 15.52, 22.74, 31.95, 45.49]
    >>> round(scaling.growth.exponent, 3), round(scaling.shrink.exponent, 3)
    (0.529, -0.44)
    """
    _check_choice("measure", measure, LENGTHS)
    _check_choice("kind", kind, _KINDS)
    layers, taps = depths_of(depths), _line(kernel)
    layer = theoretical_erf(k, 1, kernel=taps)
    variance = _variance(layer)
    erfs = [_KINDS[kind](k, n, taps, ndim) for n in layers]
    values = [LENGTHS[measure].of(erf) for erf in erfs]
    if not np.all(values):
        raise ErfTheoryError(
            f"the {measure} of {layers[np.argmin(values)]} layers is 0 px, which no power law "
            "has: begin deeper"
        )
    sides = [erf.theoretical_rf[0] for erf in erfs]
    return Scaling(
        measure=measure,
        kind=erfs[0].kind,
        ndim=ndim,
        call=_call(layer.shape[0], layers, taps, measure=measure, ndim=ndim, kind=kind),
        variance=variance,
        depths=read_only(layers),
        values=read_only(values),
        theoretical_rf=read_only(sides),
    )


def _amplitude(k: int | None, n: int, taps: Kernel | None, ndim: int) -> ERF:
    return theoretical_erf(k, n, kernel=taps, ndim=ndim)


def _energy(k: int | None, n: int, taps: Kernel | None, ndim: int) -> ERF:
    return variance_erf(k, n, weight_variance=1 if taps is None else taps.taps, ndim=ndim)


def _rms(k: int | None, n: int, taps: Kernel | None, ndim: int) -> ERF:
    return _energy(k, n, taps, ndim).rms()


_KINDS = {"amplitude": _amplitude, "energy": _energy, "rms": _rms}


def _check_choice(name: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise ErfTheoryError(f"{name} is one of {', '.join(choices)}, not {value!r}")


def _line(kernel: npt.ArrayLike | Kernel | None) -> Kernel | None:
    """The taps that every axis has."""
    taps = kernel if kernel is None or isinstance(kernel, Kernel) else Kernel(kernel)
    if taps is not None and taps.taps.ndim != 1:
        raise ErfTheoryError(
            "the taps of the √n law are 1-D, used on every axis, not of shape "
            f"{taps.taps.shape}: give one row"
        )
    return taps


def _variance(layer: ERF) -> Number:
    """Variance of one layer's taps, if they make a map with a Gaussian limit."""
    if not layer.is_nonnegative:
        raise ErfTheoryError(
            "a map with signs need not grow as √n: give taps that are not negative"
        )
    places = np.flatnonzero(layer.sign)
    step = gcd(*np.diff(places).tolist())
    if step == 0:
        raise ErfTheoryError(
            "one tap does not spread, so that the field does not grow: give two taps or more"
        )
    if step > 1:
        raise ErfTheoryError(
            f"taps {step} pixels apart leave holes at every depth, where a Gaussian has none: "
            "leave out the zeros between them"
        )
    return layer.cumulant(2)


_DEFAULTS = ("std", 1, "amplitude")
"""The default of every option."""


def _call(k: int, layers: list[int], taps: Kernel | None, **options: Any) -> str:
    """The call as one would write it, defaults left out."""
    given = [f"{key}={value!r}" for key, value in options.items() if value not in _DEFAULTS]
    if taps is not None:
        given.append(f"kernel={shortened(taps.taps.tolist())}")
    return f"sqrt_scaling({', '.join([str(k), shortened(layers), *given])})"
