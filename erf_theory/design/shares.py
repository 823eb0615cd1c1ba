"""Which layer contributes how much to the width of an effective receptive field.

An energy is the law of where a random walk from the output unit ends: it takes a path with a
probability in proportion to the path's energy, and on the path every layer moves it. Call D_l what
layer l moves it by, in input pixels (0 on paths that miss the layer). Then X = Σ D_l, and

    Var X = Σ_l Cov(D_l, X),

so that Cov(D_l, X) / Var X is layer l's share of the variance. Shares add up to 1. The law of total
variance parts each one,

    Cov(D_l, X) = E Var(D_l | path) + Cov(E[D_l | path], E[X | path]).

The first part is at least 0: the variance of the layer's taps times the square of dilation and
jump, times the probability that the walk passes the layer. The second, ``between``, is 0 where all
paths have one mean, as in a chain and wherever branches are centred on each other; it may be
negative.

The share is a derivative, too. If all that the layer does to a place is stretched by 1 + ε, X
becomes X + ε D_l, and half the derivative of log Var X by ε is Cov(D_l, X) / Var X: by how many
per cent the ERF's standard deviation grows where the layer's dilation, and its padding with it,
grows by one per cent. As Var X is homogeneous of degree 2 in all dilations together, that these add
up to 1 is Euler's theorem.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, final

import numpy as np

from erf_theory import records
from erf_theory.architectures import decimates
from erf_theory.display import Card
from erf_theory.engines import sensitivity, traced
from erf_theory.engines.field import Program
from erf_theory.engines.sensitivity import Derivatives, Parameters
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import Network, Node
from erf_theory.network.text import table
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.backward import energy_program
from erf_theory.propagation.forward import signals
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.perchannel import Channelwise, has_given_weights
from erf_theory.propagation.walking import Question
from erf_theory.propagation.whole import note_global

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LayerShare", "VarianceShares", "variance_shares"]

_NAMES = ("node", "layer", "share", "cumulative", "passing", "gain")
_SEEN = 1e-12


@final
@dataclass(frozen=True)
class LayerShare:
    """What one layer does to the width of the ERF.

    Attributes
    ----------
    name, layer : str
        The node and its layer.
    share : float
        Its share of the variance: all shares add up to 1. Also by how many per cent the standard
        deviation grows where the layer's dilation and padding grow by one per cent.
    between : float
        The part of the share that comes from paths with different means.
    passing : float
        The part of the energy that passes the layer, by its input.
    gain : float
        By how many per cent the standard deviation grows where what the layer hands back has one
        per cent more energy, and all gates and norms stay as they are.
    taps : tuple of float
        The same for the variance of the weights on every tap of a convolution along the axis; they
        add up to ``gain``. () for another layer.
    """

    name: str
    layer: str
    share: float
    between: float
    passing: float
    gain: float
    taps: tuple[float, ...]


@final
@dataclass(frozen=True, eq=False, repr=False)
class VarianceShares(Card):
    """Every layer's share of the variance of an ERF.

    Result of `variance_shares`; not made by hand. ``print`` shows the layers that have one.

    Attributes
    ----------
    layers : tuple of LayerShare
        One per node, from the input to the output.
    std : float
        Standard deviation of the energy on the axis, in input pixels.
    axis : int
        The axis.
    reasons : tuple of str
        Why the theory is only approximate.
    call : str
        The call that made it.
    """

    layers: tuple[LayerShare, ...]
    std: float
    axis: int
    reasons: tuple[str, ...]
    call: str
    kind = "energy"

    def __getitem__(self, name: str) -> LayerShare:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ErfTheoryError(f"there is no node {name!r} among {len(self.layers)} layers")

    def __iter__(self) -> Iterator[LayerShare]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    @property
    def between(self) -> float:
        """Share of the variance that paths with different means have."""
        return sum(layer.between for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """All layers and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.VarianceShares/1",
            **records.provenance("energy", self.call),
            "std": self.std,
            "axis": self.axis,
            "between": self.between,
            "reasons": list(self.reasons),
            "layers": [asdict(layer) for layer in self.layers],
        }

    def lines(self) -> list[tuple[str, ...]]:
        """The title, then a table with a row for every layer that has a share."""
        kept = [layer for layer in self.layers if abs(layer.share) > _SEEN]
        total = np.cumsum([layer.share for layer in kept]).tolist()
        rows = [
            (x.name, x.layer, *map(_percent, (x.share, sum_, x.passing, x.gain)))
            for x, sum_ in zip(kept, total, strict=True)
        ]
        return [("", f"shares of the variance: {self.call}"), _NAMES, *rows]

    def __str__(self) -> str:
        _, *rows = self.lines()
        notes = [f"std {self.std:.4g} px on axis {self.axis}."]
        if abs(self.between) > _SEEN:
            notes.append(f"Paths with different means: {_percent(self.between)} of the variance.")
        notes += [f"Approximate: {text}." for text in self.reasons]
        return "\n".join([*table(rows), *notes])

    def __repr__(self) -> str:
        most = max(self.layers, key=lambda layer: layer.share)
        return (
            f"<shares of {len(self)} layers in a std of {self.std:.4g} px; the largest is "
            f"{most.name}'s, {_percent(most.share)}>"
        )

    def plot(self) -> Figure:
        """Draw the shares, layer by layer, and what part of the energy passes.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        kept = [layer for layer in self.layers if abs(layer.share) > _SEEN]
        return plotting.shares_figure(
            [layer.name for layer in kept],
            [layer.share for layer in kept],
            [layer.passing for layer in kept],
            title=f"std {self.std:.4g} px of {self.call}",
        )


def variance_shares(
    network: Network,
    *,
    axis: int = 0,
    layer: str | None = None,
    image_size: Steps | None = None,
) -> VarianceShares:
    """Which layer contributes how much to the variance of a network's ERF.

    In a chain a layer's share is the variance of its taps times (jump · dilation)²; beside skips,
    that times the part of the energy that passes it. Definition and proof are in the text above.

    Parameters
    ----------
    network : Network
        With random weights.
    axis : int
        The axis of the variance.
    layer : str, optional
        Name of the node whose unit it is. Default: the last one.
    image_size : int or tuple of int, optional
        Size of the input, which TensorFlow's padding depends on. Units are those that no border
        reaches.

    Returns
    -------
    VarianceShares

    Raises
    ------
    ErfTheoryError
        If the ERF is one pixel wide, or an argument makes no sense.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> net = Chain({"a": Conv(3, 16, 3), "b": Conv(16, 16, 5, stride=2), "c": Conv(16, 16, 3)})
    >>> print(variance_shares(net))
    node  layer                      share   cumulative  passing  gain
    a     Conv(3, 16, 3)             12.5 %  12.5 %      100 %    0 %
    b     Conv(16, 16, 5, stride=2)  37.5 %  50 %        100 %    0 %
    c     Conv(16, 16, 3)            50 %    100 %       100 %    0 %
    std 2.309 px on axis 0.
    """
    if not -network.ndim <= axis < network.ndim:
        raise ErfTheoryError(f"a network of {network.ndim} axes has no axis {axis}")
    whole = network if layer is None else network.until(layer)
    image = None if image_size is None else per_axis(image_size, network.ndim)
    question = Question(resolved(whole, image), (0,) * network.ndim)
    axes, notes = Axes(network.ndim, axis % network.ndim, "marginal"), Notes()
    parameters = Parameters(tuple(_taps(node, axes) for node in question.network.nodes))
    found = _found(question, axes, notes, parameters)
    if found.variance <= 0:
        raise ErfTheoryError(
            "the ERF is one place wide on this axis, so there is no variance to share: ask for a "
            "network, or a layer, that sees more"
        )
    rows = enumerate(zip(whole.nodes, parameters.taps, strict=True))
    more = "" if layer is None else f", layer={layer!r}"
    more += "" if image_size is None else f", image_size={image_size}"
    return VarianceShares(
        layers=tuple(_layer(node, place, found) for place, (node, _) in rows),
        std=sqrt(found.variance),
        axis=axis,
        reasons=notes.texts(question.network),
        call=f"variance_shares({network.label}, axis={axis}{more})",
    )


def _found(question: Question, axes: Axes, notes: Notes, parameters: Parameters) -> Derivatives:
    """The variance and its derivatives: from moments, or from samples where phases matter."""
    engine = traced if decimates(question.network) else sensitivity
    try:
        found: Derivatives = _program(question, axes, notes)(
            engine.impulse(parameters)
        ).derivatives()
    except NoMarginalError as error:
        raise ErfTheoryError(
            f"shares are those of a profile, and this network has none of its own ({error}): ask "
            "for a network with one axis, or for network_erf and the whole map"
        ) from None
    return found


def _program(question: Question, axes: Axes, notes: Notes) -> Program:
    """What the network does to a field on one axis."""
    note_global(question.network, notes)
    if not has_given_weights(question.network):
        return energy_program(question, signals(question.network, notes), axes, notes)
    asked = Channelwise(question, "energy")
    if asked.is_single:
        return asked.program(axes)
    raise ErfTheoryError(
        "shares are known for random weights, and this network has weights as given: read it "
        'with weights="law"'
    )


def _taps(node: Node, axes: Axes) -> int:
    """Taps of a convolution along the axis."""
    layer = node.layer
    return axes.steps(layer.size)[0] if isinstance(layer, Weighted) else 0


def _layer(node: Node, place: int, found: Derivatives) -> LayerShare:
    rows, twice = found.parameters, 2 * found.variance
    move, width, gain = rows.move(place), rows.width(place), rows.gain(place)
    by_tap = found.rates[2, rows.of_taps(place)] / twice
    total = float(found.rates[2, gain] / twice)
    return LayerShare(
        name=node.name,
        layer=repr(node.layer),
        share=float(found.rates[2, move] / twice),
        between=float((found.rates[2, move] - found.rates[2, width]) / twice),
        passing=float(found.rates[0, gain]),
        gain=total,
        taps=(total,) if len(by_tap) == 1 else tuple(by_tap.tolist()),
    )


def _percent(part: float) -> str:
    return f"{round(100 * part, 9) + 0.0:.3g} %"
