"""One page about a model: what its units see, predicted and measured, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.erf import ERF
from erf_theory.exact import FloatArray
from erf_theory.gaussian.limit import GaussianLimit, gaussian_limit
from erf_theory.layertable import LayerTable, layer_table
from erf_theory.network.geometry import image_sizes, resolved
from erf_theory.network.nodes import Network
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.practical.sizes import InputAdvice, input_size_advice
from erf_theory.practical.tiles import TileOverlap, tile_overlap
from erf_theory.report import sections
from erf_theory.report.page import page
from erf_theory.report.training import TrainingTable

__all__ = ["Report", "Stage", "report", "stages_of"]

FORMAT = "erf_theory.Report/1"


@final
@dataclass(frozen=True, eq=False)
class Stage:
    """The last layer at a resolution.

    Attributes
    ----------
    name : str
        Its node.
    erf : ERF
        Its map.
    limit : GaussianLimit
        Whether that is a Gaussian.
    """

    name: str
    erf: ERF
    limit: GaussianLimit


@final
@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a model's units see, on one page.

    Result of `report`; not made by hand.

    Attributes
    ----------
    name : str
        What the model is called.
    network : Network
        Its description.
    image_size : tuple of int, optional
        The image that it is meant for.
    layers : LayerTable
        What every layer sees.
    stages : tuple of Stage
        The last layer at every resolution, from the input to the output.
    training : TrainingTable, optional
        Prediction beside measurement.
    image : ndarray, shape (rows, columns, 3), optional
        A picture that the field is drawn over.
    """

    name: str
    network: Network
    image_size: tuple[int, ...] | None
    layers: LayerTable
    stages: tuple[Stage, ...]
    training: TrainingTable | None = None
    image: FloatArray | None = None

    @property
    def output(self) -> Stage:
        """The last stage."""
        return self.stages[-1]

    @cached_property
    def geometry(self) -> Geometry:
        """The theoretical receptive fields."""
        return receptive_field(self.network, image_size=self.image_size)

    @cached_property
    def advice(self) -> InputAdvice:
        """The smallest inputs that hold what its layers see."""
        return input_size_advice(self.network, image_size=self.image_size)

    @cached_property
    def tiles(self) -> TileOverlap:
        """The overlap that tiled inference needs."""
        return tile_overlap(self.network, image_size=self.image_size)

    @property
    def call(self) -> str:
        """The call that made it."""
        return f"report({self.network.label}, name={self.name!r}, image_size={self.image_size})"

    def html(self) -> str:
        """The page."""
        parts = [make(self) for make in sections.SECTIONS]
        return page(f"What {self.name} sees", parts, records.provenance("energy", self.call))

    def to_dict(self) -> dict[str, Any]:
        """Everything on the page, as JSON knows it."""
        return {
            "format": FORMAT,
            **records.provenance("energy", self.call),
            "name": self.name,
            "layers": self.layers.to_dict(),
            "stages": [
                {"name": s.name, "measures": s.erf.summary(), "gaussian": s.limit.verdict}
                for s in self.stages
            ],
            "training": None if self.training is None else self.training.to_dict(),
            "input_sizes": self.advice.to_dict(),
            "tiles": self.tiles.to_dict(),
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Save the page, or the record where the name ends in .json."""
        if Path(path).suffix == ".json":
            records.write(self.to_dict(), path)
        else:
            Path(path).write_text(self.html(), encoding="utf-8")

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"<report on {self.name}: {self.layers!r}>"


def report(
    network: Network,
    *,
    name: str,
    image_size: Sequence[int] | None = None,
    training: TrainingTable | None = None,
    image: FloatArray | None = None,
) -> Report:
    """Put what a network's units see on one page.

    Parameters
    ----------
    network : Network
        The network, as `read_torch` or `read_onnx` reads it.
    name : str
        What it is called.
    image_size : sequence of int, optional
        The image that it is meant for.
    training : TrainingTable, optional
        What `compare_training` found.
    image : ndarray, shape (rows, columns, 3), optional
        A picture, numbers from 0 to 1, that the field of the output is drawn over.

    Returns
    -------
    Report

    Raises
    ------
    ErfTheoryError
        If no rule is known for a layer.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> found = report(zoo.alexnet(), name="AlexNet", image_size=(224, 224))
    >>> [stage.name for stage in found.stages][-1] == found.layers.rows[-1].name
    True
    >>> "What AlexNet sees" in found.html()
    True
    """
    size = None if image_size is None else tuple(image_size)
    exact = resolved(network, size)
    names = stages_of(exact)
    stages = []
    for node in names:
        erf = network_erf(exact, layer=node)
        stages.append(Stage(node, erf, gaussian_limit(erf)))
    table = layer_table(network, image_size=size)
    return Report(name, network, size, table, tuple(stages), training, image)


def stages_of(network: Network) -> list[str]:
    """Names of the last nodes at every distance of units, in their order; the output is the last.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> stages_of(zoo.resnet18())[-2:]
    ['stage3.1.relu', 'stage4.1.relu']
    """
    last: dict[tuple[object, ...], str] = {}
    for row in receptive_field(network).rows:
        jump = tuple(axis.jump for axis in row.axes)
        last.pop(jump, None)
        last[jump] = row.name
    return list(last.values())
