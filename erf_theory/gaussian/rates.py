"""Distances to the Gaussian at several depths: the result of `convergence`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isnan, log, nan
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory import records
from erf_theory.exact import FloatArray
from erf_theory.gaussian.powerlaw import PowerLaw, fit_power_law
from erf_theory.gaussian.tables import DepthTable, fit_to_dict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMAT", "Convergence"]

FORMAT = "erf_theory.Convergence/1"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Convergence(DepthTable):
    """Distances between maps and their Gaussians at several depths.

    Result of `convergence`; not made by hand. Arrays have one entry per depth.

    Attributes
    ----------
    metric : str
        Which distance.
    against : str
        "normal", the continuous one, or "sampled normal".
    kind : str
        Kind of the maps.
    call : str
        The call that made it.
    depths : ndarray, shape (m,)
        Numbers of layers or blocks n, ascending.
    values : ndarray, shape (m,)
        The distances.
    leading : ndarray, shape (m,)
        Their leading terms: the first term of the Edgeworth expansion.
    bounds : ndarray, shape (m,)
        Berry and Esseen's bounds; NaN for distances that have none, and for maps that are no sums
        of independent steps.

    Examples
    --------
    >>> from erf_theory.gaussian.convergence import convergence
    >>> found = convergence(3, [10, 100, 1000], metric="tv")
    >>> found.values.round(6).tolist(), found.ratio.round(4).tolist()
    ([0.008717, 0.000875, 8.8e-05], [0.9961, 1.0, 1.0003])
    """

    metric: str
    against: str
    kind: str
    call: str
    depths: npt.NDArray[np.int64]
    values: FloatArray
    leading: FloatArray
    bounds: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """`values` over `leading`: 1 in the limit of many layers; infinite where that term is 0."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.values / self.leading)

    @cached_property
    def fit(self) -> PowerLaw:
        """The power of n that fits `values` best; see `fit_power_law` for its interval."""
        return fit_power_law(self.depths, self.values)

    @property
    def exponent(self) -> float:
        """The power of n in the leading term, between the two largest depths."""
        (m, n), (a, b) = self.depths[-2:], self.leading[-2:]
        return log(b / a) / log(n / m) if a > 0 else nan

    @property
    def _power(self) -> str:
        return "none: that term is 0" if isnan(self.exponent) else f"{self.exponent:.4g}"

    def lines(self) -> list[tuple[str, ...]]:
        """The title, a table with one row per depth, and the powers."""
        names = ["layers", "distance", "leading term", "ratio"]
        columns = [
            list(map(str, self.depths)),
            [f"{v:.6g}" for v in self.values],
            [f"{v:.6g}" for v in self.leading],
            [f"{v:.4f}" for v in self.ratio],
        ]
        if not np.all(np.isnan(self.bounds)):
            names.append("bound")
            columns.append([f"{v:.4g}" for v in self.bounds])
        return [
            ("", f"{self.metric} to the {self.against}: {self.call}"),
            tuple(names),
            *zip(*columns, strict=True),
            ("fitted power of n", str(self.fit)),
            ("leading term's power", self._power),
        ]

    def plot(self) -> Figure:
        """Draw the distances beside their leading terms and bounds, on logarithmic axes.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        name = self.metric.replace("_", " ")
        panel = plotting.Panel(
            title=f"{name} to the {self.against}",
            ylabel=name,
            points=self.values,
            fit=self.fit(self.depths),
            law=self.leading,
            fit_name=f"computed; fitted power {self.fit}",
            law_name=f"leading term, power {self._power}",
            bound=None if np.any(np.isnan(self.bounds)) else self.bounds,
        )
        return plotting.scaling_figure(self.depths, [panel], title=self.call)

    def to_dict(self) -> dict[str, Any]:
        """The table, the powers and the provenance, as JSON knows them."""
        return {
            "format": FORMAT,
            **records.provenance(self.kind, self.call),
            "metric": self.metric,
            "against": self.against,
            "depths": self.depths.tolist(),
            "values": self.values.tolist(),
            "leading": self.leading.tolist(),
            "bounds": [None if np.isnan(b) else b for b in self.bounds.tolist()],
            "rate": fit_to_dict(self.fit, None if isnan(self.exponent) else self.exponent),
        }
