"""The distances between a map and its normal law: their definitions, and the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from typing import Any, Literal, final

from erf_theory import records
from erf_theory.errors import ErfTheoryError

__all__ = [
    "FORMAT",
    "JOINT",
    "METRICS",
    "Distances",
    "Reference",
    "digits_of",
    "text_of",
    "undefined",
]

FORMAT = "erf_theory.Distances/1"
Reference = Literal["normal", "sampled normal"]

METRICS = {
    "kolmogorov": "sup |F − Φ|",
    "total_variation": "½ Σ |p − q|",
    "hellinger": "√(½ Σ (√p − √q)²)",
    "kullback_leibler": "Σ p log(p/q), in nats",
    "chi_square": "Σ (p − q)²/q",
    "wasserstein1": "∫ |F − Φ| dz, in standard deviations",
    "wasserstein2": "√∫ (F⁻¹(u) − Φ⁻¹(u))² du, in standard deviations",
    "cramer_von_mises": "∫ (F − Φ)² dΦ",
    "density_error": "sup |s·p/h − φ| over the lattice, of z = (x − mean)/s",
}
"""Names and definitions. p and F are the map's, q and Φ those of the normal law."""
JOINT = ("total_variation", "hellinger", "kullback_leibler", "chi_square", "density_error")
"""The distances that laws on several axes have too."""


@final
@dataclass(frozen=True, repr=False)
class Distances:
    """Distances between a map and a normal law with its mean and covariance.

    Result of `distance_to_normal` and `distance_to_sampled_normal`; not made by hand. Distances
    that make no sense between the two laws, or on several axes, are left out of `values`, and
    their attributes raise an error that says what to ask for.

    Attributes
    ----------
    reference : {"normal", "sampled normal"}
        The law that the map is compared with.
    kind : str
        Kind of the map: "amplitude", "energy", "rms", …
    call : str
        The call that made the map.
    std : tuple of float
        Standard deviation per axis in pixels: Wasserstein distances times it are in pixels.
    span : int
        Distance of the places of the map's lattice in pixels; on several axes, the pixels per
        place.
    values : mapping from str to float
        The distances by name, see `METRICS`; inf for one above the largest double.
    errors : mapping from str to float
        Estimate of the largest absolute error of each.

    Examples
    --------
    >>> from erf_theory.gaussian.distances import distance_to_sampled_normal
    >>> from erf_theory.theory import theoretical_erf
    >>> found = distance_to_sampled_normal(theoretical_erf(3, 100))
    >>> f"{found.total_variation:.5f}", found.digits["total_variation"] > 8
    ('0.00088', True)
    """

    reference: Reference
    kind: str
    call: str
    std: tuple[float, ...]
    span: int
    values: Mapping[str, float]
    errors: Mapping[str, float]

    @property
    def kolmogorov(self) -> float:
        """Largest difference of the distribution functions."""
        return self["kolmogorov"]

    @property
    def total_variation(self) -> float:
        """Half the sum of the differences: from 0 to 1."""
        return self["total_variation"]

    @property
    def hellinger(self) -> float:
        """Hellinger distance, from 0 to 1: its square is 1 − Σ √(pq)."""
        return self["hellinger"]

    @property
    def kullback_leibler(self) -> float:
        """Divergence of the normal law from the map, in nats."""
        return self["kullback_leibler"]

    @property
    def chi_square(self) -> float:
        """Pearson's χ² divergence."""
        return self["chi_square"]

    @property
    def wasserstein1(self) -> float:
        """Mean distance to be moved by the cheapest transport, in standard deviations."""
        return self["wasserstein1"]

    @property
    def wasserstein2(self) -> float:
        """Root mean square distance of the cheapest transport, in standard deviations."""
        return self["wasserstein2"]

    @property
    def cramer_von_mises(self) -> float:
        """Mean squared difference of the distribution functions, over the normal law."""
        return self["cramer_von_mises"]

    @property
    def density_error(self) -> float:
        """Largest difference to the density of z over the lattice; on d axes, of d-D densities."""
        return self["density_error"]

    def __getitem__(self, metric: str) -> float:
        """The distance of that name."""
        if metric not in self.values:
            raise undefined(metric, len(self.std))
        return self.values[metric]

    @property
    def digits(self) -> dict[str, int]:
        """How many significant digits of each distance hold, by its error estimate; 15 at most."""
        return {name: digits_of(value, self.errors[name]) for name, value in self.values.items()}

    def lines(self) -> list[tuple[str, ...]]:
        """The title, then names, values with the digits that hold, and definitions."""
        digits = self.digits
        rows = (
            (name, text_of(value, digits[name]), METRICS[name])
            for name, value in self.values.items()
        )
        title = f"{self.kind} of {self.call}: distances to its {self.reference}"
        return [("", title), *rows]

    def __repr__(self) -> str:
        (_, title), *rows = self.lines()
        return "\n  ".join([title, *(f"{name} {text}: {what}" for name, text, what in rows)])

    def to_dict(self) -> dict[str, Any]:
        """The distances, their errors and the provenance, as JSON knows them; inf is None."""
        return {
            "format": FORMAT,
            **records.provenance(self.kind, self.call),
            "reference": self.reference,
            "std": list(self.std),
            "span": self.span,
            "definitions": {name: METRICS[name] for name in self.values},
            "values": {name: _finite(value) for name, value in self.values.items()},
            "errors": {name: _finite(error) for name, error in self.errors.items()},
            "digits": self.digits,
        }


def undefined(metric: str, ndim: int) -> ErfTheoryError:
    """The error that says why there is no such distance, and what to ask for."""
    if metric not in METRICS:
        return ErfTheoryError(
            f"there is no distance {metric!r}: choose one of {', '.join(METRICS)}"
        )
    if metric in JOINT:
        return ErfTheoryError(
            f"the {metric} between a law on a lattice and one with a density says nothing: they "
            "are singular to each other, so that total variation and Hellinger distance are 1, "
            "Kullback-Leibler and chi-square are infinite: ask distance_to_sampled_normal"
        )
    return ErfTheoryError(
        f"the {metric} distance is one between laws on a line, and the map has {ndim} axes: ask "
        "for one of them with axis=0"
    )


def digits_of(value: float, error: float) -> int:
    """Significant digits of a value that an error leaves, from 0 to 15."""
    if error == 0 or value == inf:
        return 15
    if not value > error:
        return 0
    return min(floor(log10(value / error)), 15)


def text_of(value: float, digits: int) -> str:
    """A value with the digits that hold, six at most."""
    return f"{value:.{max(min(digits, 6), 1)}g}" + ("" if digits else " (no digit holds)")


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
