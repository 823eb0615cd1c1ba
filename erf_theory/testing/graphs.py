"""Random networks, drawn by Hypothesis: all layers, chains, residuals, branches, 1-D to 3-D.

Their branches fit each other in full images of some sizes, so that frameworks can run them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from erf_theory.network import (
    Chain,
    Conv,
    Identity,
    Layer,
    Network,
    Parallel,
    Residual,
    Split,
    Upsample,
)
from erf_theory.testing.parts import plain, resizing
from erf_theory.testing.windows import CHANNELS, convolutions, per_axis, transposed, windows

__all__ = ["networks", "stacks", "units"]

_Part = tuple[Layer | Network, int]
"""A part of a network, and the channels behind it."""


@st.composite
def networks(draw: DrawFn, *, linear: bool = False) -> Chain:
    """Networks of all kinds, small, with one to three axes.

    Parameters
    ----------
    linear : bool
        Whether they are made of weights, means and copies alone.

    Examples
    --------
    >>> from hypothesis import given
    >>> from erf_theory.network import from_dict, to_dict
    >>> @given(networks())
    ... def test_networks_can_be_kept(network):
    ...     kept = to_dict(network, arrays=True)
    ...     assert to_dict(from_dict(kept), arrays=True) == kept
    >>> test_networks_can_be_kept()
    """
    ndim = draw(st.integers(1, 3))
    depth = 2 if ndim == 1 else 1
    first = draw(convolutions(draw(CHANNELS), ndim, keeps=False))
    parts: list[Layer | Network] = [first]
    channels = first.out_channels
    for kind in draw(st.lists(st.sampled_from(["kept", "resizing", "strided"]), max_size=3)):
        branch = _kept(channels, ndim, linear=linear, depth=depth - (kind == "strided"))
        part: Layer | Network
        match kind:
            case "kept":
                part, channels = draw(branch)
            case "resizing":
                part = draw(resizing(channels, ndim, linear=linear))
                channels = part.out_of(channels)
            case _:
                part, channels = draw(_parallels(channels, ndim, branch, stride=2))
        parts.append(part)
    return Chain(parts, ndim)


@st.composite
def stacks(draw: DrawFn, ndim: int = 1) -> Chain:
    """Linear stacks: one to five convolutions of any size, stride, dilation, padding and groups.

    Parameters
    ----------
    ndim : int
        Spatial axes.

    Examples
    --------
    >>> from hypothesis import given
    >>> from erf_theory import network_erf
    >>> @given(stacks())
    ... def test_variances_add(stack):
    ...     assert network_erf(stack).cumulant(2) >= 0
    >>> test_variances_add()
    """
    layers: list[Conv] = []
    channels = draw(CHANNELS)
    for _ in range(draw(st.integers(1, 5 if ndim == 1 else 3))):
        layers.append(draw(convolutions(channels, ndim, keeps=False)))
        channels = layers[-1].out_channels
    return Chain(layers, ndim)


@st.composite
def units(draw: DrawFn, network: Network) -> tuple[int, ...]:
    """Output units of a network, near the first one."""
    return draw(per_axis(st.integers(-3, 8), network.ndim))


@st.composite
def _kept(draw: DrawFn, channels: int, ndim: int, *, linear: bool, depth: int) -> _Part:
    """Parts that keep the places, and the channels behind them."""
    parts: list[Layer | Network] = []
    for _ in range(draw(st.integers(1, 2))):
        kinds = ["conv", "plain"] + (["residual", "parallel", "hourglass", "split"] * (depth > 0))
        part: Layer | Network
        match draw(st.sampled_from(kinds)):
            case "conv":
                part = layer = draw(convolutions(channels, ndim, keeps=True))
                channels = layer.out_channels
            case "plain":
                part = draw(plain(channels, ndim, linear=linear))
            case kind:
                branch = _kept(channels, ndim, linear=linear, depth=depth - 1)
                part, channels = draw(_KINDS[kind](channels, ndim, branch))
        parts.append(part)
    return Chain(parts, ndim), channels


@st.composite
def _residuals(draw: DrawFn, channels: int, ndim: int, branch: SearchStrategy[_Part]) -> _Part:
    """A body beside a shortcut; a convolution brings its channels back."""
    body, out = draw(branch)
    if out == channels:
        return Residual(body, ndim=ndim), channels
    beside = draw(st.booleans())
    fit = Conv(channels, out, 1) if beside else Conv(out, channels, 1)
    if beside:
        return Residual(body, fit, ndim), out
    return Residual(Chain([body, fit], ndim), ndim=ndim), channels


@st.composite
def _parallels(
    draw: DrawFn, _channels: int, ndim: int, branch: SearchStrategy[_Part], stride: int = 1
) -> _Part:
    """Branches, all with the same stride, concatenated."""
    rows = draw(st.lists(branch, min_size=2, max_size=3))
    branches = []
    for body, out in rows:
        window = draw(windows(ndim, keeps=True)) | {"stride": (stride,) * ndim}
        branches.append(Chain([body, Conv(out, out, **window)], ndim))
    return Parallel(branches, "concat", ndim), sum(out for _, out in rows)


@st.composite
def _hourglasses(draw: DrawFn, channels: int, ndim: int, branch: SearchStrategy[_Part]) -> _Part:
    """Down and up again beside a skip, as in a U-Net."""
    scale = draw(st.integers(2, 3 if ndim == 1 else 2))
    down = Conv(channels, channels, **draw(windows(ndim, keeps=True)) | {"stride": (scale,) * ndim})
    body, out = draw(branch)
    up: Layer = draw(
        st.sampled_from([Upsample(scale, "nearest"), Upsample(scale, "linear")])
        | transposed(out, ndim, scale=scale)
    )
    ways: list[Layer | Network] = [Chain([down, body, up], ndim), Identity()]
    return Parallel(ways, "concat", ndim), up.out_of(out) + channels


@st.composite
def _splits(draw: DrawFn, _channels: int, ndim: int, branch: SearchStrategy[_Part]) -> _Part:
    """Channels that part after they were mixed, and come together again."""
    body, out = draw(branch)
    if out == 1:
        return body, out
    at = draw(st.integers(1, out - 1))
    window = draw(windows(ndim, keeps=True))
    ways: list[Layer | Network] = [
        Chain([Split(0, at), Conv(at, at, **window)], ndim),
        Split(at, out),
    ]
    return Chain([body, Conv(out, out, 1), Parallel(ways, "concat", ndim)], ndim), out


_KINDS: dict[str, Callable[..., SearchStrategy[Any]]] = {
    "residual": _residuals,
    "parallel": _parallels,
    "hourglass": _hourglasses,
    "split": _splits,
}
