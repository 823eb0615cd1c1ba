"""Densely connected networks: DenseNet-121."""

from __future__ import annotations

from erf_theory.network import Activation, AvgPool, Chain, Conv, Identity, MaxPool, Norm, Parallel
from erf_theory.network.nodes import Part
from erf_theory.zoo.blocks import conv_norm_relu

__all__ = ["densenet121"]


def densenet121() -> Chain:
    """DenseNet-121, up to its global pool.

    Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks", CVPR
    2017 (arXiv 1608.06993). Left out: the pool and the fully connected layer.

    Examples
    --------
    >>> densenet121().out_channels
    1024
    """
    parts: dict[str, Part] = {
        "stem": conv_norm_relu(3, 64, 7, 2),
        "pool": MaxPool(3, stride=2, padding=1),
    }
    channels, growth = 64, 32
    for block, depth in enumerate((6, 12, 24, 16), 1):
        layers = (_dense(channels + place * growth, growth) for place in range(depth))
        parts[f"block{block}"] = Chain(layers)
        channels += depth * growth
        if block < 4:
            parts[f"transition{block}"] = Chain([_pre(channels, channels // 2, 1), AvgPool(2)])
            channels //= 2
    return Chain({**parts, "norm": Norm(), "relu": Activation("relu")})


def _dense(channels: int, growth: int) -> Parallel:
    """Growth channels from all before them, put behind them."""
    body = Chain({"1": _pre(channels, 4 * growth, 1), "2": _pre(4 * growth, growth, 3)})
    branches: dict[str, Part] = {"all": Identity(), "new": body}
    return Parallel(branches, "concat")


def _pre(channels: int, out: int, size: int) -> Chain:
    """Norm and ReLU before a convolution."""
    conv = Conv(channels, out, size, padding=size // 2)
    return Chain({"norm": Norm(), "relu": Activation("relu"), "conv": conv})
