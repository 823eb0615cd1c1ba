"""RepLKNet's table of high-contribution areas: measured, by the theory, and without its log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import log, pi, prod
from typing import Any, Literal, final

import numpy as np

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.empirical.contributions import contributions
from erf_theory.empirical.progress import Watcher
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps, box, per_axis
from erf_theory.network.geometry import image_sizes
from erf_theory.network.graph import Chain
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity
from erf_theory.network.pooling import Pool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat
from erf_theory.network.text import table

__all__ = ["SHARES", "AreaRatio", "AreaRatios", "area_ratios", "square_side"]

SHARES = (0.2, 0.3, 0.5, 0.99)
"""The shares that RepLKNet's table has."""
_Source = Literal["measured", "theory"]
_Protocol = Literal["replknet", "raw"]


@final
@dataclass(frozen=True)
class AreaRatio:
    """One line of the table.

    Attributes
    ----------
    source : {"measured", "theory"}
        What it is the area of.
    protocol : {"replknet", "raw"}
        log10(1 + A) of the contributions A, as RepLKNet's script has it, or A itself.
    share : float
        Share of the contributions.
    side : int or None
        Side in pixels of the smallest square about the image's centre that holds more than this
        share; None if none does that the script tries, which all are smaller than the image.
    ratio : float or None
        Its area over the image's.
    """

    source: _Source
    protocol: _Protocol
    share: float
    side: int | None
    ratio: float | None


@final
@dataclass(frozen=True, repr=False)
class AreaRatios:
    """High-contribution areas: `area_ratios` makes them, ``print`` shows the table.

    Attributes
    ----------
    rows : tuple of AreaRatio
        All lines.
    peaks : dict of str to float
        The largest contribution A of every source: the logarithm changes nothing where it is far
        below 1, and flattens the map where it is large.
    images : int
        Images that were averaged over.
    image_size : tuple of int
        Their size.
    reasons : tuple of str
        Why the theory is only approximate.
    call : str
        The call that made it.
    """

    rows: tuple[AreaRatio, ...]
    peaks: Mapping[str, float]
    images: int
    image_size: tuple[int, ...]
    reasons: tuple[str, ...]
    call: str

    def __iter__(self) -> Iterator[AreaRatio]:
        return iter(self.rows)

    def ratio(
        self, share: float, protocol: _Protocol = "replknet", source: _Source | None = None
    ) -> float | None:
        """The area ratio for a share, by a protocol; measured, if it was.

        Raises
        ------
        ErfTheoryError
            If the table has no such line.
        """
        wanted = next(iter(self.peaks)) if source is None else source
        for row in self.rows:
            if (row.share, row.protocol, row.source) == (share, protocol, wanted):
                return row.ratio
        raise ErfTheoryError(
            f"the table has no line {wanted}, {protocol}, {share}: it has "
            f"{', '.join(self.peaks)}; replknet, raw; {', '.join(map(str, self._shares))}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All lines and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.AreaRatios/1",
            **records.provenance("log10", self.call),
            "images": self.images,
            "image_size": list(self.image_size),
            "peaks": dict(self.peaks),
            "reasons": list(self.reasons),
            "rows": [asdict(row) for row in self.rows],
        }

    def __str__(self) -> str:
        head = ["source", "protocol", *(f"{100 * share:g} %" for share in self._shares)]
        groups = dict.fromkeys((row.source, row.protocol) for row in self.rows)
        lines = [
            [*group, *(_text(row) for row in self.rows if (row.source, row.protocol) == group)]
            for group in groups
        ]
        peaks = ", ".join(f"{name} {peak:.3g}" for name, peak in self.peaks.items())
        size = " × ".join(map(str, self.image_size))
        notes = [f"Side in pixels and area over the image's, {size}.", f"Peaks of A: {peaks}."]
        return "\n".join(
            [*table([head, *lines]), *notes, *(f"Approximate: {text}." for text in self.reasons)]
        )

    def __repr__(self) -> str:
        first = next(iter(self.peaks))
        found = (f"{row.share:g}: {_text(row)}" for row in self.rows if row.source == first)
        return f"<{first} areas, {', '.join(list(found)[: len(self._shares)])}>"

    @property
    def _shares(self) -> tuple[float, ...]:
        return tuple(dict.fromkeys(row.share for row in self.rows))


def area_ratios(
    network: Network | Any,
    *,
    images: Any = None,
    description: Network | None = None,
    image_size: Steps | None = None,
    progress: Watcher = True,
) -> AreaRatios:
    """RepLKNet's high-contribution area ratios r at 20, 30, 50 and 99 %, and the raw ones.

    The protocol "replknet": the outputs of the central unit, clipped at 0, are added up; A is
    the gradient of that by the image, clipped at 0, added up over channels and averaged over
    images; r(t) is the area of the smallest square about the image's centre with more than a
    share t of log10(1 + A), over the image's area. "raw" is the same without the logarithm.

    Parameters
    ----------
    network : torch.nn.Module or Network
        A module from images to a feature map, which runs in eval mode on the images; or a
        description, for the theory alone.
    images : array_like, shape (images, channels, place...)
        For a module: as it wants them, each taken once. The paper takes 50 of 1024 × 1024 pixels.
    description : Network, optional
        What the theory beside a module is of: its description, with random weights or its own.
    image_size : int or tuple of int
        For a description: the size of the images.
    progress : bool or callable
        Whether to show a bar over the images, on a terminal only; or what is called with the
        number of images that are done.

    Returns
    -------
    AreaRatios

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, the central unit depends on no pixel, or no rule is known
        for a layer.

    Notes
    -----
    Ding, Zhang, Han and Ding, "Scaling up your kernels to 31×31: revisiting large kernel design
    in CNNs", CVPR 2022, and erf/analyze_erf.py of its code: squares have odd sides from 3 up to
    less than the image, about the pixel at half the size, rounded down.

    The theory is √(E g²)/√(2π) per channel of the image, E g² being the energy of the sum of all
    clipped outputs: the mean of max(g, 0) where g is normal with mean 0, as in a wide network with
    random weights. Borders count. Outputs that pass the clipping are positive, so that their
    gradients are a little alike: c of them that see N pixels (participation, times channels) have
    a sum of which the energy is higher by about c/(πN), in a linear network and for white images.
    The reasons say so above 1 %.

    Examples
    --------
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> layers = [Conv(3, 64, 3, padding=1), Activation("relu")]
    >>> layers += [Conv(64, 64, 3, padding=1), Activation("relu")] * 8
    >>> net = Chain([*layers, Conv(64, 8, 3, padding=1)])
    >>> print(area_ratios(net, image_size=32))
    source  protocol  20 %       30 %       50 %       99 %
    theory  replknet  5, 2.44 %  7, 4.79 %  9, 7.91 %  19, 35.3 %
    theory  raw       5, 2.44 %  7, 4.79 %  9, 7.91 %  19, 35.3 %
    Side in pixels and area over the image's, 32 × 32.
    Peaks of A: theory 0.296.
    """
    if isinstance(network, Network):
        if images is not None or description is not None or image_size is None:
            raise ErfTheoryError(
                "a description has the areas that the theory says, for an image_size; for images "
                "give the module, and this as its description"
            )
        scores, reasons = _theory(network, per_axis(image_size, network.ndim))
        call = f"area_ratios({network.label}, image_size={image_size})"
        return _table({"theory": scores}, 0, reasons, call)
    if images is None or image_size is not None:
        raise ErfTheoryError("a module has the areas that are measured: give images, and no size")
    maps: dict[_Source, FloatArray] = {
        "measured": contributions(network, images, progress=progress)
    }
    reasons, said = (), ""
    if description is not None:
        maps["theory"], reasons = _theory(description, maps["measured"].shape)
        said = f", description={description.label}"
    call = f"area_ratios(<{type(network).__name__}>, images=<{len(images)} images>{said})"
    return _table(maps, len(images), reasons, call)


def square_side(scores: FloatArray, share: float) -> int | None:
    """Side of the smallest square about the centre with more than a share: the script's way.

    Examples
    --------
    >>> square_side(np.ones((8, 8)), 0.2), square_side(np.ones((8, 8)), 0.9)
    (5, None)
    """
    steps = [np.abs(np.arange(size) - size // 2) for size in scores.shape]
    rings = np.max(np.stack(np.meshgrid(*steps, indexing="ij")), axis=0)
    inside = np.cumsum(np.bincount(rings.ravel(), scores.ravel()))
    tried = inside[1 : scores.shape[0] // 2] / np.sum(scores)
    more = np.flatnonzero(tried > share)
    return 2 * (int(more[0]) + 1) + 1 if len(more) else None


def _table(
    maps: Mapping[_Source, FloatArray], images: int, reasons: tuple[str, ...], call: str
) -> AreaRatios:
    """The areas of contributions by both protocols."""
    rows = []
    for source, scores in maps.items():
        if not np.any(scores):
            raise ErfTheoryError(f"the {source} contributions to the central unit are 0 everywhere")
        ways: dict[_Protocol, FloatArray] = {"replknet": np.log10(scores + 1), "raw": scores}
        for protocol, values in ways.items():
            for share in SHARES:
                side = square_side(values, share)
                ratio = None if side is None else side**values.ndim / prod(values.shape)
                rows.append(AreaRatio(source, protocol, share, side, ratio))
    size = next(iter(maps.values())).shape
    peaks = {str(source): float(np.max(scores)) for source, scores in maps.items()}
    return AreaRatios(tuple(rows), peaks, images, size, reasons, call)


def _theory(network: Network, image: tuple[int, ...]) -> tuple[FloatArray, tuple[str, ...]]:
    """The contributions by the theory, and why they are only approximate."""
    if len(image) != network.ndim:
        raise ErfTheoryError(f"the description has {network.ndim} axes, the images {len(image)}")
    last = len(network.nodes) - 1
    clipped = network
    if not _is_nonnegative(network, last):
        clipped = Chain([network, Activation("relu")], ndim=network.ndim)
    unit = tuple(size // 2 for size in image_sizes(network, image)[-1])
    erf = network_erf(clipped, unit=unit, image_size=image)
    outputs, inputs = network.out_channels, network.in_channels
    gain = log(inputs) + 0.5 * log(outputs / (2 * pi))
    scores = np.zeros(image)
    first = sum((tuple(factor.start) for factor in erf.factors), ())
    scores[box(first, erf.shape)] = np.exp(gain + 0.5 * (erf.log_norm + erf.log_values))
    alike = outputs / (pi * inputs * erf.participation())
    reasons = (_ALIKE.format(outputs, 100 * alike),) if alike > _SLIGHT else ()
    return scores, erf.reasons + reasons


_ALIKE = (
    "the gradients of {} clipped outputs are taken as independent; that all of these are positive "
    "makes them alike, and the energy of their sum higher by about {:.2g} % (in a linear network)"
)
_SLIGHT = 0.01


def _is_nonnegative(network: Network, place: int) -> bool:
    """Whether what is behind a node is never negative, so that clipping changes nothing."""
    if place == INPUT:
        return False
    node = network.nodes[place]
    if isinstance(node.layer, Activation):
        return node.layer.function in _NONNEGATIVE
    passes = isinstance(node.layer, _PASSING)
    return passes and all(_is_nonnegative(network, source) for source in node.inputs)


_NONNEGATIVE = ("abs", "hardsigmoid", "relu", "relu6", "sigmoid", "softplus")
_PASSING = (Add, ChannelShuffle, Concat, Dropout, Identity, Pool, Upsample)


def _text(row: AreaRatio) -> str:
    """Side and ratio."""
    return "none" if row.side is None else f"{row.side}, {100 * float(row.ratio or 0):.3g} %"
