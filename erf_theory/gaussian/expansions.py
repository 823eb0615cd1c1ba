"""A map beside its Gaussian, Edgeworth's expansions and saddle points: one picture, one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from erf_theory import records
from erf_theory.display import Card
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.gaussian.edgeworth import edgeworth
from erf_theory.gaussian.saddlepoint import saddlepoint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from erf_theory.erf import ERF

__all__ = ["FORMAT", "Expansions", "compare_expansions"]

FORMAT = "erf_theory.Expansions/1"
_MOST_ORDERS = 3
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_FAINT = -500.0
"""Down to this logarithm ratios are doubles that an axis has room for."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Expansions(Card):
    """A map and its approximations from the mean to the last pixel.

    Result of `compare_expansions`; not made by hand.

    Attributes
    ----------
    kind, call : str
        Of the map.
    std : float
        Its standard deviation in pixels.
    mean : float
        Its mean, in pixels from the unit's centre.
    offsets : ndarray, shape (m,)
        Places of the map that are not 0, in pixels from the unit's centre.
    log_values : ndarray, shape (m,)
        Natural logarithms of the map.
    names : tuple of str
        The approximations.
    ratios : ndarray, shape (len(names), m)
        Approximation over map; an expansion may be negative.
    """

    kind: str
    call: str
    std: float
    mean: float
    offsets: FloatArray
    log_values: FloatArray
    names: tuple[str, ...]
    ratios: FloatArray

    @property
    def errors(self) -> FloatArray:
        """Magnitudes of the relative errors, shape (len(names), m)."""
        return np.abs(self.ratios - 1)

    def lines(self) -> list[tuple[str, ...]]:
        """The title, and relative errors at whole standard deviations and both last places."""
        z = (self.offsets - self.mean) / self.std
        deviations = [int(np.argmin(np.abs(z - whole))) for whole in range(int(z[-1]) + 1)]
        rows = sorted({*deviations, max(len(z) - 2, 0), len(z) - 1})
        return [
            ("", f"relative errors of approximations of {self.call}"),
            ("offset", "in std", "log map", *self.names),
            *(
                (
                    f"{self.offsets[i]:g}",
                    f"{z[i]:.2f}",
                    f"{self.log_values[i]:.4g}",
                    *(f"{error:.2g}" for error in self.errors[:, i]),
                )
                for i in rows
            ),
        ]

    def __repr__(self) -> str:
        title, *rows = self.lines()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        pairs = (zip(row, widths, strict=True) for row in rows)
        table = ["  ".join(cell.rjust(width) for cell, width in pair) for pair in pairs]
        return "\n  ".join([title[1], *table])

    def plot(self) -> Figure:
        """Draw map and approximations, and below them the relative errors, on logarithmic axes.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(self.ratios > 0, np.log(self.ratios) + self.log_values, np.nan)
        parts = zip(self.names, logs, self.errors, strict=True)
        return plotting.expansions_figure(
            self.offsets,
            self.log_values,
            [plotting.Approximation(*part) for part in parts],
            title=f"{self.call}: the map and its approximations",
        )

    def to_dict(self) -> dict[str, Any]:
        """The places, values and ratios with the provenance, as JSON knows them."""
        return {
            "format": FORMAT,
            **records.provenance(self.kind, self.call),
            "mean": self.mean,
            "std": self.std,
            "offsets": self.offsets.tolist(),
            "log_values": self.log_values.tolist(),
            "ratios": dict(zip(self.names, self.ratios.tolist(), strict=True)),
        }


def compare_expansions(erf: ERF, orders: Iterable[int] = (0, 2, 6), axis: int = 0) -> Expansions:
    """Approximate a map in several ways, from its mean to its last pixel.

    Left out are places where it is below e^-500: there only `saddlepoint` holds.

    Parameters
    ----------
    erf : ERF
        A map that `saddlepoint` takes.
    orders : iterable of int
        Up to three orders of `edgeworth`; 0 is the Gaussian.
    axis : int
        The axis; the map is summed over the others.

    Returns
    -------
    Expansions
        The ratios of the approximations to the map, with a picture and a table.

    Raises
    ------
    ErfTheoryError
        If the map has signs, lies on one point or is no sum of steps; if there are no orders, or
        more than three.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> found = compare_expansions(theoretical_erf(3, 20), orders=(0, 2))
    >>> for name, errors in zip(found.names, found.errors, strict=True):
    ...     print(name, *(f"{error:.2g}" for error in errors[[0, 10, 19]]))
    Gaussian 0.0095 0.05 24
    Edgeworth through n⁻¹ 7.1e-06 0.0031 21
    saddle point 0.0095 0.013 0.089
    """
    if not isinstance(orders, Iterable):
        raise ErfTheoryError(f"orders are a list of whole numbers as (0, 2), not {orders!r}")
    wanted = tuple(orders)
    if not 1 <= len(wanted) <= _MOST_ORDERS:
        raise ErfTheoryError(f"give one to {_MOST_ORDERS} orders, not {len(wanted)}")
    points, line = saddlepoint(erf, axis), erf.profile(axis)
    (mean,), (offsets,) = line.mean, line.offsets
    steps = np.log(points.lattice.span)
    kept = (offsets >= mean) & (line.log_values > _FAINT)
    t, logs = offsets[kept], line.log_values[kept]
    expanded = [edgeworth(erf, order, axis).density(t) * points.lattice.span for order in wanted]
    ratios = [values / np.exp(logs) for values in expanded]
    ratios.append(np.exp(steps + points.log_density(t) - logs))
    names = (*(_name(order) for order in wanted), "saddle point")
    return Expansions(line.kind, erf.call, line.std, mean, t, logs, names, np.array(ratios))


def _name(order: int) -> str:
    """The Gaussian, or how far the expansion goes."""
    power = f"⁻{order // 2}".translate(_RAISED) if order % 2 == 0 else f"^(-{order}/2)"
    return f"Edgeworth through n{power}" if order else "Gaussian"
