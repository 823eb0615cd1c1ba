"""Small networks with depthwise convolutions: MobileNet v1 and v2, ShuffleNet v2."""

from __future__ import annotations

from typing import Literal

from erf_theory.network import Chain, ChannelShuffle, MaxPool, Network, Parallel, Residual, Split
from erf_theory.network.nodes import Part
from erf_theory.zoo.blocks import conv_norm, conv_norm_relu, need_one_of, separable

__all__ = ["mobilenet_v1", "mobilenet_v2", "shufflenet_v2"]


def mobilenet_v1(variant: Literal["symmetric", "slim"] = "symmetric") -> Chain:
    """MobileNet v1 of width 1, up to its global pool.

    Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
    applications", 2017 (arXiv 1704.04861). Left out: the pool and the fully connected layer.

    Parameters
    ----------
    variant : {"symmetric", "slim"}
        Padding of the 3×3 convolutions: 1 at both ends, or as TensorFlow pads.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(mobilenet_v1()).output.size
    (315, 315)
    """
    need_one_of("variant", variant, ("symmetric", "slim"))
    padding = 1 if variant == "symmetric" else "same_tf"
    widths = (64, 128, 128, 256, 256, *(512,) * 6, 1024, 1024)
    parts = [conv_norm_relu(3, 32, 3, 2, padding=padding)]
    channels = 32
    for place, width in enumerate(widths):
        stride = 2 if place in (1, 3, 5, 11) else 1
        parts.append(separable(channels, width, stride, padding=padding))
        channels = width
    return Chain(parts)


def mobilenet_v2() -> Chain:
    """MobileNet v2 of width 1, up to its global pool.

    Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018
    (arXiv 1801.04381). Left out: the pool, dropout and the fully connected layer.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(mobilenet_v2()).output.size
    (491, 491)
    """
    parts: list[Part] = [conv_norm_relu(3, 32, 3, 2, "relu6")]
    channels = 32
    for expansion, width, count, first in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for place in range(count):
            parts.append(_inverted(channels, width, expansion, 1 if place else first))
            channels = width
    return Chain([*parts, conv_norm_relu(320, 1280, activation="relu6")])


def _inverted(channels: int, out: int, expansion: int, stride: int) -> Network:
    """Wide inside, narrow at its ends, which are added where they fit."""
    inner = channels * expansion
    parts: dict[str, Part] = {
        "expand": conv_norm_relu(channels, inner, activation="relu6"),
        "depthwise": conv_norm_relu(inner, inner, 3, stride, "relu6", groups=inner),
        "project": conv_norm(inner, out),
    }
    if expansion == 1:
        del parts["expand"]
    body = Chain(parts)
    return Residual(body) if stride == 1 and channels == out else body


def shufflenet_v2() -> Chain:
    """ShuffleNet v2 of width 1, up to its global pool.

    Ma, Zhang, Zheng and Sun, "ShuffleNet V2: practical guidelines for efficient CNN architecture
    design", ECCV 2018 (arXiv 1807.11164). Left out: the pool and the fully connected layer.

    Examples
    --------
    >>> shufflenet_v2().out_channels
    1024
    """
    parts: list[Part] = [conv_norm_relu(3, 24, 3, 2), MaxPool(3, stride=2, padding=1)]
    channels = 24
    for width, count in ((116, 4), (232, 8), (464, 4)):
        parts += [_shuffled_down(channels, width), *[_shuffled(width)] * (count - 1)]
        channels = width
    return Chain([*parts, conv_norm_relu(464, 1024)])


def _shuffled(channels: int) -> Chain:
    """One half of the channels as it is, the other through a branch."""
    half = channels // 2
    branch = Chain([Split(half, channels), _branch(half, half, 1)])
    branches: list[Part] = [Split(0, half), branch]
    return Chain([Parallel(branches, "concat"), ChannelShuffle(2)])


def _shuffled_down(channels: int, out: int) -> Chain:
    """Two branches with stride 2."""
    beside = Chain(
        {
            "depthwise": conv_norm(channels, channels, 3, 2, groups=channels),
            "pointwise": conv_norm_relu(channels, out // 2),
        }
    )
    both = Parallel([beside, _branch(channels, out // 2, 2)], "concat")
    return Chain([both, ChannelShuffle(2)])


def _branch(channels: int, out: int, stride: int) -> Chain:
    return Chain(
        {
            "1": conv_norm_relu(channels, out),
            "depthwise": conv_norm(out, out, 3, stride, groups=out),
            "2": conv_norm_relu(out, out),
        }
    )
