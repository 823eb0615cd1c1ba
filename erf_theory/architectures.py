"""The effective receptive field of any network with random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from erf_theory.derived import Samples
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.maps import Map, ProgramMap
from erf_theory.network.base import Layer
from erf_theory.network.convolutions import ConvTranspose
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Norm
from erf_theory.network.pooling import Upsample
from erf_theory.network.routing import Add
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.backward import Question, energy_program, is_chain
from erf_theory.propagation.forward import Notes, Signals, signals

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["network_erf"]


def network_erf(
    network: Network,
    *,
    kind: Literal["energy", "rms"] = "energy",
    ndim: int | None = None,
    axis: int = 0,
    layer: str | None = None,
    source: str | None = None,
    unit: Steps = 0,
    image_size: Steps | None = None,
    engine: str = "auto",
) -> ERF:
    """Effective receptive field of a network with random weights: E g², or its root.

    The gradient of one output unit by the input, squared, averaged over the weights, over an input
    of standard normal noise, and over the channels of both. It is exact in the wide limit, and at
    any width for a network without activations, unless its `ERF.reasons` say why not.

    Parameters
    ----------
    network : Network
        The network.
    kind : {"energy", "rms"}
        E g², or √(E g²).
    ndim : int, optional
        The network's number of axes for the whole map, or 1 for its profile: the sum over all
        axes but one. Default: the whole map.
    axis : int
        The axis of the profile.
    layer : str, optional
        Name of the node whose unit it is. Default: the last one.
    source : str, optional
        Name of the node whose output takes the place of the input.
    unit : int or tuple of int
        Coordinate of the unit; behind an upsampling the map depends on it.
    image_size : int or tuple of int, optional
        Size of the input, whose borders then count. Default: no border is near.
    engine : str
        As for `theoretical_erf`.

    Returns
    -------
    ERF
        Its mass is that of the whole map.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no rule is known for a layer; the message names it.

    Examples
    --------
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> net = Chain([Conv(32, 32, 3), Activation("relu"), Conv(32, 32, 3)], ndim=1)
    >>> erf = network_erf(net)
    >>> erf.values.round(3).tolist(), round(erf.mass, 4)
    ([0.111, 0.222, 0.333, 0.222, 0.111], 0.0625)
    """
    if not -network.ndim <= axis < network.ndim:
        raise ErfTheoryError(f"a network of {network.ndim} axes has no axis {axis}")
    if ndim not in (None, 1, network.ndim):
        raise ErfTheoryError(
            f"a map of {network.ndim} axes is given whole or as a profile (ndim = 1), not with "
            f"{ndim} axes"
        )
    if kind not in ("energy", "rms"):
        raise ErfTheoryError(f"the kind of a random network's map is energy or rms, not {kind!r}")
    whole = network if layer is None else network.until(layer)
    image = None if image_size is None else per_axis(image_size, network.ndim)
    question = Question(
        network=resolved(whole, image),
        unit=per_axis(unit, network.ndim),
        source=INPUT if source is None else whole.place_of(source),
        image=image,
    )
    call = _call(
        network,
        kind=kind,
        ndim=ndim,
        axis=axis,
        layer=layer,
        source=source,
        unit=unit,
        image_size=image_size,
    )
    profile = ndim == 1 and network.ndim > 1
    along = axis % network.ndim
    found = _energy(question, along if profile and kind == "energy" else None, engine, call)
    mapped = found if kind == "energy" else found.rms()
    return mapped.profile(along) if profile and mapped.ndim > 1 else mapped


def _energy(question: Question, axis: int | None, engine: str, call: str) -> ERF:
    """The energy on all axes, or on one if the sum over the others is a field of its own."""
    notes = Notes()
    before = signals(question.network, notes)
    _note_borders(question, before, notes)
    ndim = question.network.ndim
    shorter: tuple[Axes, ...] = ()
    if axis is not None:
        shorter = (Axes(ndim, axis, "marginal"),)
    elif is_chain(question.network) and ndim > 1:
        shorter = tuple(Axes(ndim, i, "factor") for i in range(ndim))
    try:
        factors = _maps(question, before, shorter, notes, engine)
    except NoMarginalError:
        factors = ()
    maps: Sequence[Map] = factors or _maps(question, before, (Axes(ndim),), notes, engine)
    if question.image is not None or any(_decimates(node.layer) for node in question.network.nodes):
        maps = [Samples(factor) for factor in maps]
    return ERF(tuple(maps), "energy", call, notes.texts())


def _decimates(layer: Layer) -> bool:
    """Whether a layer keeps some phases of a field only, so that its moments are lost."""
    return isinstance(layer, ConvTranspose | Upsample)


def _note_borders(question: Question, before: Sequence[Signals], notes: Notes) -> None:
    """Note the nodes whose factors change where the zeros of a border weaken the signal."""
    if question.image is None:
        return
    for node, signal in zip(question.network.nodes, before, strict=True):
        layer = node.layer
        if isinstance(layer, Activation):
            second = signal.parts[0][2].second
            gate = layer.nonlinearity.slope_second_moment
            changes = abs(gate(second).value - gate(second / 2).value) > 1e-12
        else:
            changes = isinstance(layer, Norm | Add)
        if changes:
            notes.add("near a border the signal is taken as that far from it", node.name)


def _maps(
    question: Question,
    before: Sequence[Signals],
    ways: Sequence[Axes],
    notes: Notes,
    engine: str,
) -> tuple[ProgramMap, ...]:
    """One map for every set of axes, its geometry run through."""
    maps = []
    for axes in ways:
        program = energy_program(question, before, axes, notes)
        maps.append(ProgramMap(program, len(axes.kept), engine))
        _ = maps[-1].extent
    return tuple(maps)


def _call(network: Network, **options: object) -> str:
    """The call as one would write it, defaults left out."""
    defaults = {"kind": "energy", "axis": 0, "unit": 0}
    given = [f"{key}={v!r}" for key, v in options.items() if v != defaults.get(key)]
    return f"network_erf({', '.join([repr(network), *given])})"
