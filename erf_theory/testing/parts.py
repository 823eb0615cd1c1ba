"""Random layers, drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Crop,
    Dropout,
    Gate,
    Identity,
    Layer,
    MaxPool,
    Network,
    Norm,
    Pad,
    PReLU,
    Scale,
    Upsample,
)
from erf_theory.testing.windows import convolutions, divisors, halves, per_axis, transposed, windows

__all__ = ["layers", "plain", "resizing"]

_ACTIVATIONS = ("relu", "tanh", "gelu", "leaky_relu(0.2)", "elu", "abs", "softplus", "sin", "relu6")


@st.composite
def layers(draw: DrawFn, channels: int, ndim: int = 2, *, linear: bool = False) -> Layer | Network:
    """Layers of all kinds that take so many channels.

    Parameters
    ----------
    channels : int
        Channels of the input.
    ndim : int
        Spatial axes.
    linear : bool
        Whether to leave out activations, max pools, norms and dropouts.

    Examples
    --------
    >>> from hypothesis import given
    >>> from erf_theory.network import Chain, Conv, receptive_field
    >>> @given(layers(4))
    ... def test_every_layer_sees_something(layer):
    ...     network = Chain([Conv(1, 4, 1), layer], ndim=2)
    ...     assert min(receptive_field(network).output.size) >= 1
    >>> test_every_layer_sees_something()
    """
    kinds: SearchStrategy[Layer | Network] = st.one_of(
        convolutions(channels, ndim, keeps=True),
        plain(channels, ndim, linear=linear),
        resizing(channels, ndim, linear=linear),
    )
    return draw(kinds)


@st.composite
def plain(draw: DrawFn, channels: int, ndim: int, *, linear: bool) -> Layer | Network:
    """Layers that keep all places and all channels."""
    ends = draw(per_axis(halves(draw(st.integers(0, 2))), ndim))
    kinds: dict[str, Callable[[], Layer | Network]] = {
        "average": lambda: AvgPool(**draw(windows(ndim, keeps=True))),
        "shuffle": lambda: ChannelShuffle(draw(divisors(channels))),
        "shift": lambda: Chain([Pad(ends), Crop(ends[::-1])], ndim),
        "identity": Identity,
        "factor": lambda: draw(_factors(channels, linear=linear)),
    }
    if not linear:
        kinds |= {
            "activation": lambda: Activation(draw(st.sampled_from(_ACTIVATIONS))),
            "max": lambda: MaxPool(**draw(windows(ndim, keeps=True))),
            "norm": lambda: draw(_norms(channels)),
            "dropout": lambda: Dropout(draw(st.floats(0, 0.5))),
        }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def resizing(draw: DrawFn, channels: int, ndim: int, *, linear: bool) -> Layer:
    """Layers that change the number of places."""
    kinds = ["conv", "transposed", "upsample", "crop", "pad", "pool"]
    match draw(st.sampled_from(kinds)):
        case "conv":
            return draw(convolutions(channels, ndim, keeps=False))
        case "transposed":
            return draw(transposed(channels, ndim))
        case "upsample":
            return draw(_upsamplings(ndim))
        case "crop":
            return Crop(draw(per_axis(halves(1), ndim)))
        case "pad":
            return Pad(draw(per_axis(halves(2), ndim)))
    pool = AvgPool if linear or draw(st.booleans()) else MaxPool
    return pool(**draw(windows(ndim, keeps=False)))


@st.composite
def _norms(draw: DrawFn, channels: int) -> Norm:
    """A norm."""
    kinds: list[Literal["batch", "layer", "place", "group", "instance"]]
    kinds = ["batch", "layer", "place", "group", "instance"]
    numbers = st.none() | _numbers(channels, 0.5, 2)
    return Norm(
        draw(st.sampled_from(kinds)),
        draw(divisors(channels)),
        scale=draw(numbers),
        shift=draw(numbers),
    )


@st.composite
def _factors(draw: DrawFn, channels: int, *, linear: bool) -> Gate | PReLU | Scale:
    """A factor for all channels or for every one, and maybe something added; or two slopes."""
    sign = draw(st.sampled_from([-1, 1]))
    kind = "scale" if linear else draw(st.sampled_from(["scale", "line", "gate", "prelu"]))
    if kind == "scale":
        return Scale(sign * draw(st.sampled_from([0.5, 1, 2])))
    if kind == "prelu":
        return PReLU(draw(_numbers(channels, 0, 1)))
    factors = [sign * factor for factor in draw(_numbers(channels, 0.5, 2))]
    return Gate(factors) if kind == "gate" else Scale(factors, draw(st.floats(-1, 1)))


def _numbers(channels: int, low: float, high: float) -> SearchStrategy[list[float]]:
    """One number for every channel."""
    return st.lists(st.floats(low, high), min_size=channels, max_size=channels)


def _upsamplings(ndim: int) -> SearchStrategy[Upsample]:
    """An upsampling by 1, 2 or 3."""
    mode = st.sampled_from(["nearest", "linear"])
    scale = st.integers(1, 3 if ndim == 1 else 2)
    return st.builds(Upsample, per_axis(scale, ndim), mode)
