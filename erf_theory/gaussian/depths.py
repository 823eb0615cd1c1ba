"""A measure at several depths beside the √n law: the result of `sqrt_scaling`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory import records
from erf_theory.exact import FloatArray, Number
from erf_theory.gaussian.lengths import LENGTHS
from erf_theory.gaussian.powerlaw import PowerLaw, fit_power_law
from erf_theory.gaussian.tables import DepthTable, fit_to_dict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FORMAT", "Scaling"]

FORMAT = "erf_theory.Scaling/1"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Scaling(DepthTable):
    """A measure of the effective receptive field at several depths, beside the √n law.

    Result of `sqrt_scaling`; not made by hand. Lengths are input pixels. Arrays have one entry per
    depth.

    Attributes
    ----------
    measure : str
        What was measured.
    kind : str
        Of which map: "amplitude", "energy" or "rms".
    ndim : int
        Spatial axes.
    call : str
        The call that made it.
    variance : int, Fraction or float
        Variance of one layer's taps in pixels squared, exact for exact taps; (k² − 1)/12 if they
        are equal.
    depths : ndarray, shape (m,)
        Numbers of layers n, ascending.
    values : ndarray, shape (m,)
        What was measured.
    theoretical_rf : ndarray, shape (m,)
        Side of the theoretical receptive field.

    Examples
    --------
    >>> from erf_theory.gaussian.scaling import sqrt_scaling
    >>> scaling = sqrt_scaling(3, [5, 10, 20, 40, 80], measure="size", ndim=2)
    >>> scaling.values.round(2).tolist(), scaling.variance
    ([8.31, 11.7, 16.16, 22.74, 32.26], Fraction(2, 3))
    >>> round(scaling.growth.exponent, 3), round(scaling.shrink.exponent, 3)
    (0.487, -0.482)
    """

    measure: str
    kind: str
    ndim: int
    call: str
    variance: Number
    depths: npt.NDArray[np.int64]
    values: FloatArray
    theoretical_rf: npt.NDArray[np.int64]

    @property
    def is_exact(self) -> bool:
        """Whether `predicted` holds at every depth, not only in the limit of many layers.

        Variances add, so it does for the standard deviation of amplitudes and energies.
        """
        return self.measure == "std" and self.kind != "rms"

    @property
    def coefficient(self) -> float:
        """Pixels per √n: `predicted` at n = 1."""
        widening = 2 if self.kind == "rms" else 1
        return LENGTHS[self.measure].of_gaussian(self.ndim) * sqrt(widening * self.variance)

    @property
    def predicted(self) -> FloatArray:
        """The √n law: the measure of a Gaussian whose variance is n times that of one layer.

        The root of an energy has twice its variance in the limit.
        """
        return self.coefficient * np.sqrt(self.depths)

    @property
    def ratio(self) -> FloatArray:
        """`values` over `predicted`: 1 in the limit of many layers."""
        return self.values / self.predicted

    @property
    def share(self) -> FloatArray:
        """`values` over the side of the theoretical receptive field."""
        return self.values / self.theoretical_rf

    @property
    def share_law(self) -> FloatArray:
        """The 1/√n law: `predicted` over n times what one layer adds to the theoretical field."""
        return self.predicted / (self.theoretical_rf - 1)

    @cached_property
    def growth(self) -> PowerLaw:
        """The power of n that fits `values` best; the law's is 1/2.

        See `fit_power_law` for its interval: the residuals are no noise but the bend of exact
        points away from a power law.
        """
        return fit_power_law(self.depths, self.values)

    @cached_property
    def shrink(self) -> PowerLaw:
        """The power of n that fits `share` best; the law's is −1/2. Its interval is as above."""
        return fit_power_law(self.depths, self.share)

    def lines(self) -> list[tuple[str, ...]]:
        """The title, a table with one row per depth, and the fitted powers."""
        names = ("layers", self.measure, "√n law", "ratio", "field", "share", "1/√n law")
        lengths = (self.values, self.predicted)
        columns = (
            map(str, self.depths),
            *([f"{v:.4g}" for v in column] for column in lengths),
            [f"{v:.4f}" for v in self.ratio],
            map(str, self.theoretical_rf),
            *([f"{v:.4g}" for v in column] for column in (self.share, self.share_law)),
        )
        return [
            ("", f"{self.ndim}-D {self.kind} {self.measure} of {self.call}"),
            names,
            *zip(*columns, strict=True),
            ("growth as power of n", str(self.growth)),
            ("share as power of n", str(self.shrink)),
            ("√n law", "exact" if self.is_exact else "limit of many layers"),
            ("measure", f"{LENGTHS[self.measure].definition}; in px"),
        ]

    def plot(self) -> Figure:
        """Draw growth beside √n and share beside 1/√n, on logarithmic axes.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        name = self.measure.replace("_", " ")
        growth = plotting.Panel(
            title="growth",
            ylabel=f"{name} (input pixels)",
            points=self.values,
            fit=self.growth(self.depths),
            law=self.predicted,
            fit_name=f"computed; fitted power {self.growth}",
            law_name="√n law",
        )
        share = plotting.Panel(
            title="share of the theoretical receptive field",
            ylabel=f"{name} / side of the field",
            points=self.share,
            fit=self.shrink(self.depths),
            law=self.share_law,
            fit_name=f"computed; fitted power {self.shrink}",
            law_name="1/√n law",
        )
        return plotting.scaling_figure(self.depths, [growth, share], title=self.lines()[0][1])

    def to_dict(self) -> dict[str, Any]:
        """The table, the fitted powers and the provenance, as JSON knows them."""
        return {
            "format": FORMAT,
            **records.provenance(self.kind, self.call),
            "measure": self.measure,
            "measure_definition": LENGTHS[self.measure].definition,
            "ndim": self.ndim,
            "variance_per_layer": str(self.variance),
            "exact": self.is_exact,
            "depths": self.depths.tolist(),
            "values": self.values.tolist(),
            "predicted": self.predicted.tolist(),
            "ratio": self.ratio.tolist(),
            "theoretical_rf": self.theoretical_rf.tolist(),
            "share": self.share.tolist(),
            "share_law": self.share_law.tolist(),
            "growth": fit_to_dict(self.growth, 0.5),
            "shrink": fit_to_dict(self.shrink, -0.5),
        }
