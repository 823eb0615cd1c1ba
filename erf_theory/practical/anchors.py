"""Where the units of a detector look, and how far: priors for its anchors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import Network
from erf_theory.network.receptive import receptive_field
from erf_theory.network.text import table

__all__ = ["AnchorLevel", "AnchorPrior", "anchor_prior"]


@final
@dataclass(frozen=True, eq=False)
class AnchorLevel:
    """Where the units of one level look, and how far; lengths are input pixels, per axis.

    Attributes
    ----------
    name : str
        The node.
    stride : tuple of float
        Distance of neighbouring units.
    offset : tuple of float
        Where unit 0 looks, the mean of its energy: the centre of pixel 0 is at 0, and unit u looks
        at ``offset + stride·u``.
    trf : tuple of int
        Theoretical receptive field.
    covariance : ndarray, shape (ndim, ndim)
        Covariance of the energy.
    reasons : tuple of str
        Why the theory is only approximate.
    """

    name: str
    stride: tuple[float, ...]
    offset: tuple[float, ...]
    trf: tuple[int, ...]
    covariance: FloatArray
    reasons: tuple[str, ...]

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation of the energy."""
        return tuple(sqrt(self.covariance[i, i]) for i in range(len(self.stride)))

    @property
    def anchor(self) -> tuple[float, ...]:
        """Sides √12·std of the box that is as wide as the energy: of uniform weight, its std."""
        return tuple(sqrt(12) * std for std in self.std)

    def to_dict(self) -> dict[str, Any]:
        """All numbers, as JSON knows them."""
        names = ("stride", "offset", "trf", "std", "anchor", "reasons")
        lists = {name: list(getattr(self, name)) for name in names}
        return {"name": self.name, **lists, "covariance": self.covariance.tolist()}


@final
@dataclass(frozen=True, repr=False)
class AnchorPrior:
    """Priors for the anchors of all levels: `anchor_prior` makes it, ``print`` shows it.

    Attributes
    ----------
    levels : tuple of AnchorLevel
        In the order asked for.
    call : str
        The call that made it.
    """

    levels: tuple[AnchorLevel, ...]
    call: str

    def __getitem__(self, name: str) -> AnchorLevel:
        for level in self.levels:
            if level.name == name:
                return level
        raise ErfTheoryError(f"there is no level {name!r} here")

    def __iter__(self) -> Iterator[AnchorLevel]:
        return iter(self.levels)

    def to_dict(self) -> dict[str, Any]:
        """All levels and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.AnchorPrior/1",
            **records.provenance("energy", self.call),
            "levels": [level.to_dict() for level in self.levels],
        }

    def __str__(self) -> str:
        names = ("stride", "offset", "trf", "std", "anchor")
        rows = [
            [level.name, *(_joined(getattr(level, name)) for name in names)]
            for level in self.levels
        ]
        notes = {text: None for level in self.levels for text in level.reasons}
        lines = table([["level", "stride", "offset", "TRF", "std", "anchor"], *rows])
        lines.append("Lengths are input pixels; the centre of the first one is at 0.")
        return "\n".join([*lines, *(f"Approximate: {text}." for text in notes)])

    def __repr__(self) -> str:
        sides = ", ".join(f"{level.name} {_joined(level.anchor)}" for level in self.levels)
        return f"<anchors: {sides} px>"


def anchor_prior(
    network: Network,
    levels: Sequence[str],
    *,
    unit: Steps = 0,
    image_size: Steps | None = None,
) -> AnchorPrior:
    """Where the units of detection levels look and how far: centre grid, covariance, anchors.

    An anchor much larger than the effective receptive field asks for what the unit hardly sees;
    its centre belongs where the unit looks, which for even kernels, or padding on one side, is not
    the middle of the stride's cell.

    Parameters
    ----------
    network : Network
        The detector, or its backbone.
    levels : sequence of str
        Names of the nodes that the heads read.
    unit : int or tuple of int
        The unit, whose phase matters behind an upsampling.
    image_size : int or tuple of int, optional
        Size of the input, which TensorFlow's padding depends on.

    Returns
    -------
    AnchorPrior

    Raises
    ------
    ErfTheoryError
        If there is no such node, or no rule is known for a layer.

    Notes
    -----
    The suggested anchor is the box whose uniform distribution has the variance of the energy on
    every axis, s²/12 for a side s. It is a prior: data decide.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> down = Conv(8, 8, 3, stride=2, padding=1)
    >>> print(anchor_prior(Chain({"c1": down, "c2": down, "c3": down}), ["c2", "c3"]))
    level  stride  offset  TRF  std    anchor
    c2     4       0       7    1.826  6.325
    c3     8       0       15   3.742  12.96
    Lengths are input pixels; the centre of the first one is at 0.
    """
    if isinstance(levels, str):
        raise ErfTheoryError(f"levels are a sequence of names, as [{levels!r}]")
    exact = resolved(network, image_size)
    geometry = receptive_field(exact)
    units = per_axis(unit, exact.ndim)
    found = []
    for name in levels:
        erf = network_erf(exact, layer=name, unit=unit)
        stride = tuple(float(jump) for jump in geometry[name].jump)
        first = sum((tuple(factor.start) for factor in erf.factors), ())
        rows = zip(first, erf.shape, erf.mean, stride, units, strict=True)
        found.append(
            AnchorLevel(
                name=name,
                stride=stride,
                offset=tuple(a + (m - 1) / 2 + x - s * u for a, m, x, s, u in rows),
                trf=erf.theoretical_rf,
                covariance=erf.covariance,
                reasons=erf.reasons,
            )
        )
    return AnchorPrior(tuple(found), f"anchor_prior({network.label}, {list(levels)}, unit={unit})")


def _joined(lengths: Sequence[float]) -> str:
    """One text for all axes if they agree, else one per axis."""
    texts = [f"{length:.4g}" for length in lengths]
    return texts[0] if len(set(texts)) == 1 else " × ".join(texts)
