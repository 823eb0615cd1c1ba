"""Any network, judged by experiment, beside a control that must fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.lattice import per_axis
from erf_theory.network.convolutions import Conv
from erf_theory.network.nodes import Flat, Network
from erf_theory.verdict.agreement import crosscheck
from erf_theory.verdict.doubts import fluctuation_doubts, need_decidable
from erf_theory.verdict.thinning import thinned
from erf_theory.verdict.verification import Control, Verification

__all__ = ["measured_whole", "verify_network"]


def verify_network(
    network: Network,
    *,
    layer: str | None = None,
    ndim: int | None = None,
    thin: int = 1,
    samples: int = 200,
    seed: int = 0,
    false_alarm: float = 0.01,
    **measuring: Any,
) -> Verification:
    """Measure a network, and judge the theory by it.

    The same measurement also judges a theory that is false, and that it must reject: the last
    convolution with several taps has twice its dilation. The verdict tells its power against 10 %
    more mass and a std that is 5 % wider.

    Parameters
    ----------
    network : Network
        What to measure.
    layer : str, optional
        Name of the node whose unit it is. Default: the last one.
    ndim : int, optional
        The network's number of axes for the whole map, or 1 for its profile along the first one.
        Default: the whole map.
    thin : int
        Divides the channels, and the time by about its square: see
        `erf_theory.verdict.thinning.thinned`.
    samples : int
        Networks to draw, 32 or more; with ``target_error``, no more than these.
    seed : int
        Of the random numbers.
    false_alarm : float
        Rate at which a true theory is rejected.
    **measuring
        ``backend``, ``target_error``, ``n_jobs``, ``checkpoint`` and ``progress`` of `measure_erf`.

    Returns
    -------
    Verification

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no theory is known for a layer.

    Examples
    --------
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> net = Chain([Conv(8, 8, 3, padding=1), Activation("relu"), Conv(8, 8, 3, padding=1)])
    >>> found = verify_network(net, samples=100)
    >>> found.passed, [control.claim for control in found.controls]
    (True, ['twice the dilation in 2'])
    """
    whole = thinned(network if layer is None else network.until(layer), thin)
    theory = network_erf(whole, ndim=ndim)
    need_decidable(theory, samples, false_alarm)
    found = measured_whole(whole, samples=samples, rng=seed, **measuring)
    if theory.ndim < whole.ndim:
        found = _profile(found)
    controls = [
        Control.of(claim, network_erf(other, ndim=ndim), theory, found, false_alarm)
        for claim, other in _dilated(whole)
    ]
    asked = {"layer": layer, "ndim": ndim, "thin": thin, "samples": samples, "seed": seed}
    defaults = {"layer": None, "ndim": None, "thin": 1}
    said = [f"{key}={v!r}" for key, v in asked.items() if v != defaults.get(key, ...)]
    return Verification(
        crosscheck(theory, found, false_alarm=false_alarm),
        tuple(controls),
        f"verify_network({', '.join([network.label, *said])})",
        (*_narrow(whole, thin), *fluctuation_doubts(whole, found.samples)),
    )


def measured_whole(network: Network, **named: Any) -> Measurement:
    """A measurement with all its samples.

    Raises
    ------
    KeyboardInterrupt
        If it was interrupted; a checkpoint has what there was.
    """
    found = measure_erf(network, **named)
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def _narrow(network: Network, thin: int) -> tuple[str, ...]:
    """What a network with fewer channels does to the verdict."""
    if thin == 1:
        return ()
    said = (
        f"with 1/{thin} of its channels the network has {min(network.channels)} at its narrowest: "
        "the theory is that of a wide one, up to terms of 1/channels"
    )
    return (said,)


def _profile(found: Measurement) -> Measurement:
    """The sum over all axes but the first."""
    blocks = found.blocks.sum(axis=tuple(range(2, found.blocks.ndim)))
    return Measurement(blocks, found.counts, found.start[:1], found.call)


def _dilated(network: Network) -> list[tuple[str, Network]]:
    """The network with twice the dilation in its last wide convolution; none without one."""
    for place, node in reversed(list(enumerate(network.nodes))):
        layer = node.layer
        if isinstance(layer, Conv) and max(per_axis(layer.size, network.ndim)) > 1:
            wide = replace(layer, dilation=_twice(layer.dilation), padding=_twice(layer.padding))
            nodes = list(network.nodes)
            nodes[place] = replace(node, layer=wide)
            return [(f"twice the dilation in {node.name}", Flat(tuple(nodes), network.ndim))]
    return []


def _twice(steps: Any) -> Any:
    """Twice every number; a rule by name stays."""
    if isinstance(steps, tuple):
        return tuple(map(_twice, steps))
    return steps if isinstance(steps, str) else 2 * steps
