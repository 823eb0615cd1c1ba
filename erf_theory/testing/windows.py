"""Random windows: sizes, strides, dilations and paddings that fit each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from erf_theory.network import Conv, ConvTranspose

__all__ = [
    "CHANNELS",
    "LARGEST",
    "convolutions",
    "divisors",
    "halves",
    "per_axis",
    "transposed",
    "windows",
]

_T = TypeVar("_T")

CHANNELS = st.integers(1, 4)
"""Channels of a layer."""
LARGEST: Mapping[int, int] = {1: 5, 2: 3, 3: 2}
"""Most taps per axis, by the number of axes."""


def divisors(*counts: int) -> SearchStrategy[int]:
    """Numbers that divide all counts."""
    return st.sampled_from([g for g in range(1, max(counts) + 1) if not any(c % g for c in counts)])


def per_axis(entries: SearchStrategy[_T], ndim: int) -> SearchStrategy[tuple[_T, ...]]:
    """One entry per axis."""
    return st.tuples(*[entries] * ndim)


def halves(total: int) -> SearchStrategy[tuple[int, int]]:
    """Pairs (before, after) with that sum."""
    return st.integers(0, total).map(lambda before: (before, total - before))


@st.composite
def windows(draw: DrawFn, ndim: int, *, keeps: bool) -> dict[str, Any]:
    """Size, dilation, stride and padding; where it ``keeps``, n places become ⌈n/stride⌉."""
    most = 3 if ndim == 1 else 2
    size = draw(per_axis(st.integers(1, LARGEST[ndim]), ndim))
    dilation = draw(per_axis(st.integers(1, most), ndim))
    stride = (1,) * ndim if keeps else draw(per_axis(st.integers(1, most), ndim))
    reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    ends = [halves(r) if keeps else st.tuples(*[st.integers(0, r)] * 2) for r in reach]
    padding = draw(st.tuples(*ends))
    return {"size": size, "dilation": dilation, "stride": stride, "padding": padding}


@st.composite
def convolutions(draw: DrawFn, channels: int, ndim: int, *, keeps: bool) -> Conv:
    """A convolution of so many channels."""
    out = draw(CHANNELS)
    return Conv(
        channels,
        out,
        **draw(windows(ndim, keeps=keeps)),
        groups=draw(divisors(channels, out)),
        bias_variance=draw(st.sampled_from([0, 0.1])),
    )


@st.composite
def transposed(
    draw: DrawFn, channels: int, ndim: int, *, scale: int | None = None
) -> ConvTranspose:
    """A transposed convolution; with a ``scale``, n places become scale·n."""
    out = draw(CHANNELS)
    window = draw(windows(ndim, keeps=False))
    stride = window["stride"] if scale is None else (scale,) * ndim
    steps = zip(window["size"], window["dilation"], stride, strict=True)
    reach = [(d * (k - 1), s) for k, d, s in steps]
    if scale is None:
        more = tuple(draw(st.integers(0, s - 1)) for _, s in reach)
        padding = draw(st.tuples(*(halves(r) for r, _ in reach)))
    else:
        more = tuple(draw(st.integers(max(0, s - r - 1), s - 1)) for r, s in reach)
        ends = zip(reach, more, strict=True)
        padding = draw(st.tuples(*(halves(r + 1 - s + o) for (r, s), o in ends)))
    window |= {"stride": stride, "padding": padding, "output_padding": more}
    return ConvTranspose(channels, out, **window, groups=draw(divisors(channels, out)))
