"""A stack of random convolutions, judged by experiment, beside controls that must fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from erf_theory.architectures import network_erf
from erf_theory.network.base import Layer, need_whole
from erf_theory.network.convolutions import Conv
from erf_theory.network.graph import Chain
from erf_theory.network.pointwise import Activation
from erf_theory.verdict.agreement import crosscheck
from erf_theory.verdict.doubts import fluctuation_doubts, need_decidable
from erf_theory.verdict.networks import measured_whole
from erf_theory.verdict.verification import Control, Verification

if TYPE_CHECKING:
    from erf_theory.exact import Number

__all__ = ["verify_stack"]

_MORE = 1.1
"""Factor of the weights' variance in the control of the mass."""


def verify_stack(
    k: int,
    n: int,
    *,
    channels: int = 32,
    samples: int = 200,
    activation: str = "relu",
    init: str | Number = "he",
    ndim: int = 1,
    seed: int = 0,
    false_alarm: float = 0.01,
    **measuring: Any,
) -> Verification:
    """Measure n random convolutions with k taps per axis, and judge the theory by it.

    The same measurement also judges theories that are false, and that it must reject: the kernel
    sizes k - 1 and k + 1, and weights with 10 % more variance.

    Parameters
    ----------
    k, n : int
        Taps per axis and number of convolutions, with activations between them.
    channels, samples : int
        Channels of every layer, and networks to draw; 32 or more.
    activation : str
        Its name; "linear" for none.
    init : str or number
        Law of the weights, or their variance.
    ndim : int
        Spatial axes.
    seed : int
        Of the random numbers.
    false_alarm : float
        Rate at which a true theory is rejected.
    **measuring
        ``backend``, ``target_error``, ``n_jobs``, ``checkpoint`` and ``progress`` of
        `erf_theory.empirical.measure.measure_erf`.

    Returns
    -------
    Verification

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense.

    Examples
    --------
    >>> verify_stack(3, 4, channels=16, activation="linear").passed
    True
    """
    layers = need_whole("number of convolutions", n, 1)
    conv = partial(Conv, channels, channels)
    true = _stack(k, layers, activation, ndim, partial(conv, init=init))
    theory = network_erf(true)
    need_decidable(theory, samples, false_alarm)
    found = measured_whole(true, samples=samples, rng=seed, **measuring)
    verdict = crosscheck(theory, found, false_alarm=false_alarm)
    more = _MORE * float(conv(k, init=init).variances(ndim).taps.flat[0])
    others = {f"k = {size}": (size, init) for size in (k - 1, k + 1) if size >= 1}
    others["10 % more variance"] = (k, more)
    controls = []
    for claim, (size, law) in others.items():
        false = network_erf(_stack(size, layers, activation, ndim, partial(conv, init=law)))
        controls.append(Control.of(claim, false, theory, found, false_alarm))
    call = (
        f"verify_stack({k}, {n}, channels={channels}, samples={samples}, "
        f"activation={activation!r}, init={init!r}, ndim={ndim}, seed={seed})"
    )
    return Verification(verdict, tuple(controls), call, fluctuation_doubts(true, found.samples))


def _stack(k: int, n: int, activation: str, ndim: int, conv: Callable[..., Conv]) -> Chain:
    """The network, its map within half a pixel of the unit whatever k is."""
    layers: list[Layer] = []
    for place in range(n):
        layers.append(conv(k, padding=(k - 1 + place % 2) // 2))
        if activation != "linear":
            layers.append(Activation(activation))
    return Chain(layers[: len(layers) - (activation != "linear")], ndim)
