"""Architecture versus training: the field predicted and measured, with random and real weights."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.display import Card
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.progress import Watcher
from erf_theory.empirical.seeds import Seed, seed_from
from erf_theory.errors import ErfTheoryError
from erf_theory.network.geometry import image_sizes, resolved
from erf_theory.readers.overriding import Overrides
from erf_theory.readers.torch import read_torch
from erf_theory.report.stages import stage_ends
from erf_theory.verdict.agreement import Agreement, crosscheck
from erf_theory.verdict.widths import MeasuredStd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from erf_theory.network.nodes import Network

__all__ = ["TrainingRow", "TrainingTable", "compare_training", "measurable"]

_NAMES = (
    "layer",
    "untrained: predicted std",
    "measured",
    "profile TV",
    "if true",
    "trained: predicted std",
    "measured",
    "profile TV",
    "if true",
)


@final
@dataclass(frozen=True)
class TrainingRow:
    """One layer, untrained and trained.

    Attributes
    ----------
    layer : str
        The submodule.
    untrained, trained : Agreement
        Theory beside measurement: weights drawn anew on noise, and the module's own on images.
    """

    layer: str
    untrained: Agreement
    trained: Agreement

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        return (self.layer, *_cells(self.untrained), *_cells(self.trained))


@final
@dataclass(frozen=True, eq=False, repr=False)
class TrainingTable(Card):
    """Fields of a module before and after its training, predicted and measured.

    Result of `compare_training`; not made by hand. The difference of the two halves is what
    training did, that of prediction and measurement what the theory does not know.

    Attributes
    ----------
    rows : tuple of TrainingRow
        One per layer.
    call : str
        The call that made it.
    """

    rows: tuple[TrainingRow, ...]
    call: str
    kind = "energy"

    def lines(self) -> list[tuple[str, ...]]:
        """The title, and a table with one row per layer."""
        return [("", f"architecture versus training: {self.call}"), _NAMES, *self._cells()]

    def _cells(self) -> list[tuple[str, ...]]:
        return [row.cells() for row in self.rows]

    def __repr__(self) -> str:
        from erf_theory.network.text import table

        title, *rows = self.lines()
        return "\n".join([title[1], *table([list(row) for row in rows])])

    def plot(self) -> Figure:
        """Draw predicted and measured widths by layer.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        halves = {
            "untrained": [row.untrained for row in self.rows],
            "trained": [row.trained for row in self.rows],
        }
        return plotting.widths_figure(
            [row.layer for row in self.rows],
            {name: [one.theory.std for one in half] for name, half in halves.items()},
            {
                name: ([_std(one).value for one in half], [_std(one).error for one in half])
                for name, half in halves.items()
            },
            title=self.call,
        )

    def to_dict(self) -> dict[str, Any]:
        """Every comparison, as JSON knows it."""
        return {
            "format": "erf_theory.TrainingTable/1",
            **records.provenance("energy", self.call),
            "layers": [
                {
                    "layer": row.layer,
                    "untrained": _record(row.untrained),
                    "trained": _record(row.trained),
                }
                for row in self.rows
            ],
        }


def compare_training(
    module: Any,
    images: Any,
    layers: Sequence[str],
    *,
    samples: int = 64,
    rng: Seed = 0,
    overrides: Overrides | None = None,
    progress: Watcher = False,
) -> TrainingTable:
    """Put the fields of a module beside those of the same module with weights drawn anew.

    Parameters
    ----------
    module : torch.nn.Module
        The trained one, in eval mode.
    images : array_like, shape (images, channels, place...)
        What it is measured on, normalised as in its training.
    layers : sequence of str
        Paths of submodules; the unit in the middle of each one's output is looked at.
    samples : int
        Of every measurement, 32 or more.
    rng : int, SeedSequence or Generator
        The seed.
    overrides : mapping, optional
        What parts of the module are, as for `read_torch`; they are measured as they run.
    progress : bool or callable
        As for `measure_erf`; what is called is told the samples of all measurements together.

    Returns
    -------
    TrainingTable

    Raises
    ------
    ErfTheoryError
        If the module cannot be read, or an argument makes no sense.

    Notes
    -----
    Predictions are `network_erf` on an image of that size, of the weights' laws and of the weights
    as given. Measurements are `measure_erf`, of weights drawn by ``reset_parameters`` on noise and
    of the module's own on the images, with random output directions. Batch norms in eval mode
    divide by a variance that their training has found, and by 1 where weights are drawn anew:
    those are calibrated on noise first, so that they do what batch norms do in training.
    """
    import torch

    shape = tuple(images.shape[1:])
    like = next(iter(module.parameters()), torch.zeros(1))
    example = torch.zeros((1, *shape), dtype=like.dtype, device=like.device)
    drawn, given = (
        read_torch(module, example, weights=weights, overrides=overrides)
        for weights in ("law", "given")
    )
    seeds = iter(seed_from(rng).spawn(2 * len(layers)))
    rows = []
    for place, layer in enumerate(layers):
        unit = _middle(drawn, layer, shape[1:])
        measure = partial(measure_erf, module, layer=layer, unit=unit, samples=samples)
        watchers = (_after((2 * place + half) * samples, progress) for half in (0, 1))
        measured = (
            measure(input_shape=shape, weights="law", rng=next(seeds), progress=next(watchers)),
            measure(images=images, rng=next(seeds), progress=next(watchers)),
        )
        theories = (
            network_erf(net, layer=layer, unit=unit, image_size=shape[1:]) for net in (drawn, given)
        )
        pairs = zip(theories, measured, strict=True)
        rows.append(TrainingRow(layer, *(crosscheck(*pair) for pair in pairs)))
    name = type(module).__name__
    call = f"compare_training(<{name}>, <{len(images)} images>, {list(layers)}, samples={samples})"
    return TrainingTable(tuple(rows), call)


def _after(first: int, watcher: Watcher) -> Watcher:
    """What is told the samples of one measurement where another is told those of all."""
    if not callable(watcher):
        return watcher
    told = watcher
    return lambda done: told(first + done)


def measurable(
    module: Any, network: Network, image: Sequence[int], layer: str | None = None
) -> list[str]:
    """The submodules whose outputs end a network's stages, with several units on an image.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    network : Network
        What `read_torch` read.
    image : sequence of int
        Size of the image.
    layer : str, optional
        Where the network ends, if that is before the module does: modules around it go on.

    Raises
    ------
    ErfTheoryError
        If there is none.
    """
    whole = resolved(network, tuple(image))
    sizes = image_sizes(whole, tuple(image))
    stages = stage_ends(whole, image)
    ends = [node for node in stages if max(sizes[whole.place_of(node)]) > 1]
    paths = set(dict(module.named_modules()))
    if layer is not None:
        ends = [node for node in ends if whole.place_of(node) < len(whole.nodes) - 1]
    found = [path for node in ends for path in _submodule(paths, whole, node)]
    if layer is not None and layer in paths and max(sizes[-1]) > 1:
        found.append(layer)
    if not found:
        raise ErfTheoryError("no stage of the model ends with one of its submodules")
    return found


def _submodule(paths: AbstractSet[str], network: Network, node: str) -> list[str]:
    """The outermost submodule whose output a node is, if there is one."""
    parts, place = node.split("."), network.place_of(node)
    found = (".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return [path for path in found if path in paths and network.place_of(path) == place][:1]


def _middle(network: Network, layer: str, image: tuple[int, ...]) -> tuple[int, ...]:
    """The unit in the middle of a layer's output."""
    whole = resolved(network.until(layer), image)
    return tuple(size // 2 for size in image_sizes(whole, image)[-1])


def _std(found: Agreement) -> MeasuredStd:
    return MeasuredStd.of(found.measurement.blocks, found.measurement.counts)


def _along(found: Agreement, axis: int) -> Agreement:
    """The comparison of the profiles along an axis."""
    measured = found.measurement
    others = tuple(other + 1 for other in range(measured.mean.ndim) if other != axis)
    line = Measurement(
        measured.blocks.sum(axis=others), measured.counts, (measured.start[axis],), measured.call
    )
    return crosscheck(found.theory.profile(axis), line)


def _variations(found: Agreement) -> tuple[float, float]:
    """Total variation of the profiles, and what it would be if the theory is true: mean of axes."""
    both = [_along(found, axis).variation for axis in range(found.theory.ndim)]
    return fmean(one.value for one in both), fmean(one.expected for one in both)


def _cells(found: Agreement) -> tuple[str, ...]:
    std, (variation, expected) = _std(found), _variations(found)
    return (
        f"{found.theory.std:.2f}",
        f"{std.value:.2f} ± {std.error:.2f}",
        f"{variation:.3f}",
        f"{expected:.3f}",
    )


def _record(found: Agreement) -> dict[str, Any]:
    std, (variation, expected) = _std(found), _variations(found)
    return {
        "predicted_std": found.theory.std,
        "measured_std": std.value,
        "measured_std_error": std.error,
        "total_variation": variation,
        "total_variation_if_true": expected,
        "measured_mass": found.measurement.mass,
        "predicted_mass": found.theory.mass,
        "samples": found.measurement.samples,
    }
