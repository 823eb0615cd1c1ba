"""The effective receptive field of any network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from erf_theory.channelmaps import channel_map
from erf_theory.derived import Samples
from erf_theory.engines.tape import recorded
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.maps import Map, ProgramMap
from erf_theory.network.convolutions import ConvTranspose
from erf_theory.network.geometry import resolved
from erf_theory.network.nodes import INPUT, Network, need_network, remembered
from erf_theory.network.pointwise import Activation, Norm
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, Pad
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.backward import energy_program
from erf_theory.propagation.forward import Signals, signals
from erf_theory.propagation.local import is_local, varies
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.perchannel import Channelwise, given_reasons, has_given_weights
from erf_theory.propagation.walking import Question, is_chain
from erf_theory.propagation.whole import note_global

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["decimates", "network_erf"]


def network_erf(
    network: Network,
    *,
    kind: Literal["energy", "rms", "amplitude"] = "energy",
    ndim: int | None = None,
    axis: int = 0,
    layer: str | None = None,
    source: str | None = None,
    unit: Steps = 0,
    image_size: Steps | None = None,
    channel: int | None = None,
    input_channel: int | None = None,
    engine: str = "auto",
) -> ERF:
    """Effective receptive field of a network: E g², its root, or the gradient itself.

    The gradient g of one output unit by the input. An energy is averaged over random weights, over
    an input of standard normal noise, and over the channels of both ends. It is exact in the wide
    limit, and at any width for a network without activations, unless its `ERF.reasons` say why
    not. Where layers have weights as given, the energy adds their squares channel by channel, as
    if the signs of different paths were independent; convolutions in a row that mix channels, with
    no more than norms, factors and sums between them, are multiplied out before they are squared
    (with borders: only if one of them reads one place). One channel alone is not mixed, so layers
    with one channel on both sides are squared tap by tap. An amplitude is the gradient of a linear
    network with given weights, signs included.

    Parameters
    ----------
    network : Network
        The network.
    kind : {"energy", "rms", "amplitude"}
        E g², √(E g²), or g.
    ndim : int, optional
        The network's number of axes for the whole map, or 1 for its profile: the sum over all
        axes but one. Default: the whole map.
    axis : int
        The axis of the profile.
    layer : str, optional
        Name of the node whose unit it is. Default: the last one.
    source : str, optional
        Name of the node whose output takes the place of the input. Between linear layers in a row
        it is a place where gradients are squared: energies from there on, times those before it,
        are not the energies of the whole.
    unit : int or tuple of int
        Coordinate of the unit, counted from 0 where there is an image; behind an upsampling the
        map depends on it.
    image_size : int or tuple of int, optional
        Size of the input, whose borders then count. Default: no border is near.
    channel, input_channel : int, optional
        Channels of the unit and of the source, where weights are given; needed for an amplitude
        of several channels. Default: the mean over all of them.
    engine : str
        As for `theoretical_erf`; "auto" or "convolution" where several channels have given weights.

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
    _need_sense(network, kind, ndim, axis)
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
        channel=channel,
        input_channel=input_channel,
    )
    profile = ndim == 1 and network.ndim > 1
    along = axis % network.ndim
    summed = along if profile and kind != "rms" else None
    if kind == "amplitude" or has_given_weights(whole):
        base: Literal["energy", "amplitude"] = "amplitude" if kind == "amplitude" else "energy"
        found = _given(Channelwise(question, base, channel, input_channel), summed, engine, call)
    elif channel is None and input_channel is None:
        found = _energy(question, summed, engine, call)
    else:
        raise ErfTheoryError("channels are all alike where weights are random: name none")
    mapped = found.rms() if kind == "rms" else found
    summed_up = mapped.profile(along) if profile and mapped.ndim > 1 else mapped
    return replace(summed_up, call=call)


def _need_sense(network: Network, kind: str, ndim: int | None, axis: int) -> None:
    """Refuse a kind, axes or an axis that no map of the network has, and what is none."""
    need_network(network)
    if not -network.ndim <= axis < network.ndim:
        raise ErfTheoryError(f"a network of {network.ndim} axes has no axis {axis}")
    if ndim not in (None, 1, network.ndim):
        raise ErfTheoryError(
            f"a map of {network.ndim} axes is given whole or as a profile (ndim = 1), not with "
            f"{ndim} axes"
        )
    if kind not in ("energy", "rms", "amplitude"):
        raise ErfTheoryError(f"the kind of a map is energy, rms or amplitude, not {kind!r}")


def _given(asked: Channelwise, axis: int | None, engine: str, call: str) -> ERF:
    """The map of a network with given weights, on all axes or on one."""
    counts, ndim = asked.question.counts, asked.question.network.ndim
    ends = (counts[-2], asked.channel), (counts[asked.question.source], asked.input_channel)
    if asked.kind == "amplitude" and any(c > 1 and chosen is None for c, chosen in ends):
        raise ErfTheoryError(
            "an amplitude is the gradient of one channel by one channel: give channel and "
            "input_channel"
        )
    ways = [Axes(ndim)] if axis is None else [Axes(ndim, axis, "marginal"), Axes(ndim)]
    for axes in ways:
        try:
            found = _channelwise(asked, axes, engine)
        except NoMarginalError:
            continue
        reasons = given_reasons(asked.question.network, asked.kind)
        return ERF((found,), asked.kind, call, reasons)
    raise ErfTheoryError("no way to this map was found")


def _channelwise(asked: Channelwise, axes: Axes, engine: str) -> Map:
    """The map of a network with one channel on any engine, that of others by their samples."""
    if not asked.is_single:
        if engine not in ("auto", "convolution"):
            raise ErfTheoryError(
                f'maps of several channels with given weights have the engine "auto" or '
                f'"convolution", not {engine!r}'
            )
        return channel_map(asked, axes)
    found = ProgramMap(asked.program(axes), len(axes.kept), engine)
    _ = found.extent
    return Samples(found) if _is_sampled(asked.question) else found


def _energy(question: Question, axis: int | None, engine: str, call: str) -> ERF:
    """The energy on all axes, or on one if the sum over the others is a field of its own."""
    notes = Notes()
    before = signals(question.network, notes)
    note_global(question.network, notes)
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
    if _is_sampled(question):
        maps = [Samples(factor) for factor in maps]
    return ERF(tuple(maps), "energy", call, notes.texts(question.network))


def _is_sampled(question: Question) -> bool:
    """Whether borders or the phases of upsamplings leave a map whose moments no engine can tell."""
    return question.image is not None or decimates(question.network)


@remembered
def decimates(network: Network) -> bool:
    """Whether a field keeps some places of it alone: an upsampling's or a transposed window's."""
    return any(isinstance(node.layer, ConvTranspose | Upsample) for node in network.nodes)


def _note_borders(question: Question, before: Sequence[Signals], notes: Notes) -> None:
    """Note the nodes that do to a border what the energy does not know."""
    network, repeats = question.network, False
    if question.image is None:
        return
    for node, signal in zip(network.nodes, before, strict=True):
        layer = node.layer
        is_normal = all(part.is_normal for _, _, part in signal.parts)
        is_known = is_local(network) and (is_normal or not isinstance(layer, Activation))
        if isinstance(layer, Activation):
            changes = not is_normal or varies(layer.nonlinearity, signal.parts[0][2].second)
        else:
            changes = isinstance(layer, Norm | Add | MaxPool)
        if changes and not is_known:
            notes.add("near a border the signal is taken as that far from it", node.name)
        repeats |= isinstance(layer, Pad) and layer.border != "zeros"
        if isinstance(layer, MaxPool) and any(map(any, layer.pads(network.ndim))):
            notes.add("a max pool is taken to choose the zeros around an image, too", node.name)
        if isinstance(layer, Upsample) and layer.mode == "linear":
            notes.add("what a border repeats is taken as independent of the border", node.name)
        if isinstance(layer, AvgPool) and repeats:
            notes.add("what a border repeats is taken as independent of the border", node.name)


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
        program = recorded(energy_program(question, before, axes, notes), len(axes.kept))
        maps.append(ProgramMap(program, len(axes.kept), engine))
    return tuple(maps)


def _call(network: Network, **options: object) -> str:
    """The call as one would write it, defaults left out."""
    defaults = {"kind": "energy", "axis": 0, "unit": 0}
    given = [f"{key}={v!r}" for key, v in options.items() if v != defaults.get(key)]
    return f"network_erf({', '.join([network.label, *given])})"
