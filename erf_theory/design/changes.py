"""What a change of a network does to its effective receptive field and to its cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import exp
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.architectures import network_erf
from erf_theory.design.costs import network_cost
from erf_theory.display import Card
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps
from erf_theory.network.base import Layer
from erf_theory.network.nodes import Flat, Network, Node
from erf_theory.network.text import table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Change", "Comparison", "Facts", "compare", "with_layers"]

Change = Callable[[Network], Network] | Mapping[str, Layer]
"""From a network to another one; or the layers that take the place of others, by node."""
_NAMES = ("", "before", "after", "change")


@final
@dataclass(frozen=True)
class Facts:
    """What there is to say of a network.

    Attributes
    ----------
    std, size : float
        Of the energy's profile on the axis: standard deviation, and pixels above 4.55 % of the
        maximum.
    theoretical_rf : int
        Extent of its theoretical receptive field there.
    log_mass : float
        Natural logarithm of the energy's mass: whether gradients explode or vanish.
    parameters : int
        Weights of all convolutions.
    multiply_adds : float
        Multiplications with them per place of the input.
    """

    std: float
    size: float
    theoretical_rf: int
    log_mass: float
    parameters: int
    multiply_adds: float


@final
@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Card):
    """A network before and after a change.

    Result of `compare`; not made by hand. ``print`` shows it.

    Attributes
    ----------
    before, after : Facts
        What there is to say of both.
    profiles : tuple of ERF
        Their profiles.
    axis : int
        The axis of the lengths.
    call : str
        The call that made it.
    """

    before: Facts
    after: Facts
    profiles: tuple[ERF, ERF]
    axis: int
    call: str
    kind = "energy"

    def to_dict(self) -> dict[str, Any]:
        """All numbers and their provenance, as JSON knows them."""
        return {
            "format": "erf_theory.Comparison/1",
            **records.provenance("energy", self.call),
            "axis": self.axis,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "reasons": [list(profile.reasons) for profile in self.profiles],
        }

    def lines(self) -> list[tuple[str, ...]]:
        """The title, and a table with a row for every number."""
        one, other = self.before, self.after
        ratios = [
            ("std", one.std, other.std, "{:.4g} px"),
            ("size", one.size, other.size, "{:.4g} px"),
            ("TRF", one.theoretical_rf, other.theoretical_rf, "{} px"),
            ("weights", one.parameters, other.parameters, "{}"),
            ("multiply-adds", one.multiply_adds, other.multiply_adds, "{:.4g}"),
        ]
        rows = [
            (name, form.format(a), form.format(b), _percent(a, b)) for name, a, b, form in ratios
        ]
        logs = [one.log_mass, other.log_mass]
        mass = ("log mass", *(f"{_near(x):.4g}" for x in logs), _percent(1, exp(logs[1] - logs[0])))
        return [("", f"before and after: {self.call}"), _NAMES, *rows[:3], mass, *rows[3:]]

    def __str__(self) -> str:
        _, *rows = self.lines()
        texts = [reason for profile in self.profiles for reason in profile.reasons]
        notes = [f"Approximate: {text}." for text in dict.fromkeys(texts)]
        return "\n".join([*table(rows), *notes])

    def __repr__(self) -> str:
        std = _percent(self.before.std, self.after.std)
        return f"<{self.call}: std {self.before.std:.4g} to {self.after.std:.4g} px, {std}>"

    def plot(self) -> Figure:
        """Draw both profiles.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it; `save_figure` saves it with its provenance.
        """
        from erf_theory import plotting

        return plotting.changes_figure(
            [(profile.offsets[0], profile.values) for profile in self.profiles],
            names=("before", "after"),
            title=repr(self)[1:-1],
        )


def compare(
    network: Network,
    change: Change,
    *,
    axis: int = 0,
    layer: str | None = None,
    unit: Steps = 0,
    image_size: Steps | None = None,
) -> Comparison:
    """What a change does to the ERF and the cost of a network.

    Parameters
    ----------
    network : Network
        The network before.
    change : callable or mapping
        What makes the network after of it, such as `erf_theory.design.widening.widened`; or the
        layers that take the place of others, by the names of their nodes.
    axis : int
        The axis of the lengths.
    layer : str, optional
        Name of the node whose unit it is, in both. Default: the last one.
    unit, image_size
        As for `network_erf`.

    Returns
    -------
    Comparison

    Raises
    ------
    ErfTheoryError
        If there is no node of a name, or the network after does not fit together.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> net = Chain({"a": Conv(4, 4, 3), "b": Conv(4, 4, 3)})
    >>> print(compare(net, {"b": Conv(4, 4, 3, dilation=2)}))
                   before    after     change
    std            1.155 px  1.826 px  +58.1 %
    size           5 px      7 px      +40 %
    TRF            5 px      7 px      +40 %
    log mass       0         0         +0 %
    weights        288       288       +0 %
    multiply-adds  288       288       +0 %
    """
    after = with_layers(network, change) if isinstance(change, Mapping) else change(network)
    if not isinstance(after, Network):
        raise ErfTheoryError(f"a change makes a network, not {type(after).__name__}")
    found = [
        network_erf(one, ndim=1, axis=axis, layer=layer, unit=unit, image_size=image_size)
        for one in (network, after)
    ]
    facts = [
        _facts(one if layer is None else one.until(layer), erf)
        for one, erf in zip((network, after), found, strict=True)
    ]
    said = f"<{len(change)} layers>" if isinstance(change, Mapping) else _name(change)
    more = "" if layer is None else f", layer={layer!r}"
    call = f"compare({network.label}, {said}, axis={axis}{more})"
    return Comparison(facts[0], facts[1], (found[0], found[1]), axis, call)


def with_layers(network: Network, layers: Mapping[str, Layer]) -> Network:
    """The network with other layers in the place of some.

    Parameters
    ----------
    network : Network
        The network.
    layers : mapping
        From the name of a node to its new layer.

    Raises
    ------
    ErfTheoryError
        If there is no such node, or a layer does not fit.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> with_layers(Chain([Conv(4, 4, 3)] * 2), {"1": Conv(4, 8, 5)}).nodes[1].layer
    Conv(4, 8, 5)
    """
    for name, layer in layers.items():
        if network.nodes[network.place_of(name)].name != name:
            raise ErfTheoryError(f"{name!r} is a block of several nodes: name one of them")
        if not isinstance(layer, Layer):
            raise ErfTheoryError(
                f"in the place of {name} comes a layer such as Conv, not {type(layer).__name__}"
            )
    nodes: tuple[Node, ...] = tuple(
        replace(node, layer=layers.get(node.name, node.layer)) for node in network.nodes
    )
    after = Flat(nodes, network.ndim, network.said_channels, network.remarks)
    after.check()
    return after


def _facts(network: Network, profile: ERF) -> Facts:
    cost = network_cost(network)
    return Facts(
        std=profile.std,
        size=profile.size(),
        theoretical_rf=profile.theoretical_rf[0],
        log_mass=profile.log_mass,
        parameters=cost.parameters,
        multiply_adds=float(cost.multiply_adds),
    )


def _name(change: Callable[[Network], Network]) -> str:
    return getattr(change, "__name__", type(change).__name__)


def _near(number: float) -> float:
    """Without the last digits, in which rounding is."""
    return round(number, 12) + 0.0


def _percent(one: float, other: float) -> str:
    if one == 0:
        return "" if other else "+0 %"
    return f"{round(100 * (other / one - 1), 9) + 0.0:+.3g} %"
