"""One page about a model: what its units see, predicted and measured, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from json import dumps
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.layertable import LayerTable, layer_table
from erf_theory.network.geometry import image_sizes, resolved
from erf_theory.network.nodes import Network
from erf_theory.network.receptive import Geometry, receptive_field
from erf_theory.practical.sizes import InputAdvice, LayerInput, input_size_advice
from erf_theory.practical.tiles import TileOverlap, tile_overlap
from erf_theory.propagation.perchannel import has_given_weights
from erf_theory.report import sections
from erf_theory.report.outputs import save_all
from erf_theory.report.page import page
from erf_theory.report.stages import Stage, block_ends, stage_ends

if TYPE_CHECKING:
    from erf_theory.report.training import TrainingTable

__all__ = ["Report", "model_report"]

_FORMAT = "erf_theory.Report/1"
_FEW = 64
"""Nodes of a network that is small enough for all of them to have a row."""
_SMALL = 64
"""Pixels of a map whose single pixels are seen on the page."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """What a model's units see, on one page.

    Result of `model_report`; not made by hand.

    Attributes
    ----------
    name : str
        What the model is called.
    network : Network
        Its description, paddings in numbers.
    image_size : tuple of int or None
        The image that it is meant for.
    layers : LayerTable
        What its layers see; of more than 64 nodes, or with weights as given, the ends of blocks
        and of stages.
    stages : tuple of Stage
        The last layer at every resolution, from the input to the output.
    training : TrainingTable or None
        Prediction beside measurement.
    image : ndarray, shape (rows, columns, 3), or None
        A picture that the field is drawn over.
    call : str
        The call that made it.
    """

    name: str
    network: Network
    image_size: tuple[int, ...] | None
    layers: LayerTable
    stages: tuple[Stage, ...]
    training: TrainingTable | None
    image: FloatArray | None
    call: str

    @cached_property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Units on every axis, by node; empty without the size of an image."""
        if self.image_size is None:
            return {}
        sizes = image_sizes(self.network, self.image_size)
        return {node.name: s for node, s in zip(self.network.nodes, sizes, strict=True)}

    @cached_property
    def main(self) -> Stage:
        """The last stage that has several units: what comes behind it sees all of them."""
        several = [stage for stage in self.stages if max(self.sizes.get(stage.name, (2,))) > 1]
        return several[-1] if several else self.stages[-1]

    @property
    def has_head(self) -> bool:
        """Whether the output is behind the last stage that has several units."""
        return self.main is not self.stages[-1]

    @cached_property
    def geometry(self) -> Geometry:
        """The theoretical receptive fields."""
        return receptive_field(self.network)

    @cached_property
    def advice(self) -> InputAdvice:
        """The smallest inputs that hold what its layers see."""
        return input_size_advice(self.network, image_size=self.image_size, table=self.layers)

    @property
    def needed(self) -> LayerInput:
        """What the last stage needs of an input: it sees as much as the last layer in `advice`."""
        place = self.network.place_of(self.main.name)
        rows = (row for row in self.advice if self.network.place_of(row.name) <= place)
        return list(rows)[-1]

    @cached_property
    def tiles(self) -> TileOverlap | None:
        """The overlap that tiled inference of the last stage needs; None if no tile fits."""
        try:
            return tile_overlap(self.network.until(self.main.name))
        except ErfTheoryError:
            return None

    def cell(self, name: str, erf: ERF) -> tuple[int, ...]:
        """What pictures of a map of a node average over: the distance of units, of small maps 1."""
        if max(erf.theoretical_rf) <= _SMALL:
            return (1,) * erf.ndim
        return tuple(max(1, round(float(axis.jump))) for axis in self.geometry[name].axes)

    def html(self) -> str:
        """The page."""
        parts = [make(self) for make in sections.SECTIONS]
        return page(f"What {self.name} sees", parts, records.provenance("energy", self.call))

    def to_dict(self) -> dict[str, Any]:
        """Everything on the page, as JSON knows it."""
        return {
            "format": _FORMAT,
            **records.provenance("energy", self.call),
            "name": self.name,
            "image_size": None if self.image_size is None else list(self.image_size),
            "layers": self.layers.to_dict(),
            "stages": [_stage_record(stage) for stage in self.stages],
            "main": self.main.name,
            "training": None if self.training is None else self.training.to_dict(),
            "input_sizes": self.advice.to_dict(),
            "tiles": None if self.tiles is None else self.tiles.to_dict(),
            "remarks": list(self.network.remarks),
        }

    def json(self) -> str:
        """The record, as text."""
        return dumps(self.to_dict(), allow_nan=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Save the page, or the record where the name ends in .json."""
        text = self.json() if Path(path).suffix == ".json" else self.html()
        save_all({Path(path): text})

    def _repr_html_(self) -> str:
        """The page in a frame, so that its style stays its own."""
        held = f'srcdoc="{escape(self.html())}" title="What {escape(self.name)} sees"'
        return f'<iframe {held} style="width: 100%; height: 40rem; border: 0"></iframe>'

    def __str__(self) -> str:
        told = [sections.sees(self), str(self.layers)]
        if self.training is not None:
            told.append(str(self.training))
        return "\n\n".join([*told, "\n".join(sections.advised(self))])

    def __repr__(self) -> str:
        return f"<report on {self.name}: {self.layers!r}>"


def model_report(
    network: Network,
    *,
    name: str,
    image_size: Sequence[int] | None = None,
    training: TrainingTable | None = None,
    image: FloatArray | None = None,
    progress: Callable[[int], object] | None = None,
) -> Report:
    """Put what a network's units see on one page.

    Parameters
    ----------
    network : Network
        The network, as `read_torch` or `read_onnx` reads it. Without images, weights drawn by
        their law (``weights="law"``) tell what the architecture sees.
    name : str
        What it is called.
    image_size : sequence of int, optional
        The image that it is meant for.
    training : TrainingTable, optional
        What `compare_training` found.
    image : ndarray, shape (rows, columns, 3), optional
        A picture of that size, numbers from 0 to 1, that the field is drawn over.
    progress : callable, optional
        Called with the number of layers that are done.

    Returns
    -------
    Report

    Raises
    ------
    ErfTheoryError
        If no rule is known for a layer, or no image of that size fits through the layers.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> found = model_report(zoo.alexnet(), name="AlexNet", image_size=(224, 224))
    >>> found.main.name, found.geometry[found.main.name].axes[0].size
    ('pool5', 195)
    >>> "What AlexNet sees" in found.html()
    True
    """
    size = None if image_size is None else tuple(image_size)
    exact = resolved(network, size)
    ends = stage_ends(exact, size)
    has_few = len(exact.nodes) <= _FEW and not has_given_weights(exact)
    rows = None if has_few else [*block_ends(exact), *ends]
    table = layer_table(exact, image_size=size, layers=rows, progress=progress)
    stages = tuple(Stage.of(exact, node) for node in ends)
    call = f"model_report({network.label}, name={name!r}, image_size={size})"
    return Report(name, exact, size, table, stages, training, image, call)


def _stage_record(stage: Stage) -> dict[str, Any]:
    erf: ERF = stage.erf
    return {
        "name": stage.name,
        "measures": erf.summary(),
        "gaussian": stage.limit.answer,
        "verdict": stage.limit.verdict,
    }
