"""Power laws through measured points: a straight line in logarithms, and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["CONFIDENCE", "PowerLaw", "fit_power_law"]

CONFIDENCE = 0.95
"""Confidence of the intervals."""


@final
@dataclass(frozen=True)
class PowerLaw:
    """A law ``y0 * (x / x0)**exponent``, fitted.

    Attributes
    ----------
    exponent : float
        Slope of the line in logarithms.
    centre : tuple of float
        The point (x0, y0) that the line goes through: the geometric means of the points.
    interval : tuple of float or None
        Confidence interval (95 %) of the exponent; None for two points, which leave no residual
        to judge the line by.

    Examples
    --------
    >>> PowerLaw(0.5, (1.0, 2.0), None)(np.array([1.0, 4.0])).tolist()
    [2.0, 4.0]
    """

    exponent: float
    centre: tuple[float, float]
    interval: tuple[float, float] | None

    def __call__(self, x: npt.ArrayLike) -> FloatArray:
        """The law at ``x``."""
        x0, y0 = self.centre
        return np.asarray(y0 * (np.asarray(x, dtype=np.float64) / x0) ** self.exponent)

    def __str__(self) -> str:
        if self.interval is None:
            return f"{self.exponent:.3f} (two points: no interval)"
        low, high = self.interval
        return f"{self.exponent:.3f} ({100 * CONFIDENCE:.3g} %: {low:.3f} to {high:.3f})"


def fit_power_law(x: npt.ArrayLike, y: npt.ArrayLike) -> PowerLaw:
    """Fit a power law by ordinary least squares of log y against log x.

    The interval is Student's t on m − 2 degrees of freedom times the standard error of the slope:
    the textbook's, which takes the residuals as independent noise of one size. Where the points
    are computed, not observed, it says only how far they bend away from a power law.

    Parameters
    ----------
    x, y : array_like, shape (m,)
        Positive numbers; at least two different ``x``.

    Returns
    -------
    PowerLaw
        The fitted law.

    Raises
    ------
    ErfTheoryError
        If the points do not fix a line in logarithms.

    Examples
    --------
    >>> law = fit_power_law([1, 4, 9], [2, 4, 6])
    >>> round(law.exponent, 12), law([16]).round(12).tolist()
    (0.5, [8.0])
    """
    from scipy.special import stdtrit

    u, v = _logarithms("x", x), _logarithms("y", y)
    if u.shape != v.shape or np.ptp(u) == 0:
        raise ErfTheoryError(
            f"a power law needs one y for every x and two different x, not {u.size} x of which "
            f"{np.unique(u).size} differ and {v.size} y"
        )
    du, dv = u - u.mean(), v - v.mean()
    exponent = float(du @ dv / (du @ du))
    freedom = len(u) - 2
    interval = None
    if freedom:
        residual = dv - exponent * du
        error = float(np.sqrt(residual @ residual / freedom / (du @ du)))
        reach = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
        interval = (exponent - reach, exponent + reach)
    centre = float(np.exp(u.mean())), float(np.exp(v.mean()))
    return PowerLaw(exponent, centre, interval)


def _logarithms(name: str, numbers: npt.ArrayLike) -> FloatArray:
    """Logarithms of a list of positive numbers."""
    array = np.asarray(numbers, dtype=np.float64)
    if array.ndim != 1 or not array.size or not np.all((array > 0) & (array < np.inf)):
        raise ErfTheoryError(f"a power law has positive, finite numbers: {name} is {numbers!r}")
    return np.log(array)
