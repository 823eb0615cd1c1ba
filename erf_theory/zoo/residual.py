"""Residual networks: ResNet-18 to 152."""

from __future__ import annotations

from typing import Literal

from erf_theory.network import Activation, Chain, Identity, MaxPool, Network, Residual
from erf_theory.network.nodes import Part
from erf_theory.zoo.blocks import conv_norm, conv_norm_relu, need_one_of

__all__ = [
    "Variant",
    "basic_block",
    "bottleneck",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
]

Variant = Literal["torchvision", "original", "slim"]
"""Where a bottleneck's stride is: in the 3×3 of a stage's first block (torchvision, "v1.5"), in
the first 1×1 of it (He et al.), or in the 3×3 of a stage's last block (TF-slim, whose pool pads
as TensorFlow does)."""


def resnet18() -> Chain:
    """ResNet-18, up to its global pool; see `resnet50`."""
    return _basic(2, 2, 2, 2)


def resnet34() -> Chain:
    """ResNet-34, up to its global pool; see `resnet50`."""
    return _basic(3, 4, 6, 3)


def resnet50(variant: Variant = "torchvision") -> Chain:
    """ResNet-50, up to its global pool.

    He, Zhang, Ren and Sun, "Deep residual learning for image recognition", CVPR 2016
    (arXiv 1512.03385). Left out: the pool and the fully connected layer.

    Parameters
    ----------
    variant : {"torchvision", "original", "slim"}
        Where the strides are; see `erf_theory.zoo.residual.Variant`.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(resnet50()).output.size
    (427, 427)
    >>> receptive_field(resnet50("slim"), image_size=224).output.size
    (483, 483)
    """
    return _bottlenecks(variant, 3, 4, 6, 3)


def resnet101(variant: Variant = "torchvision") -> Chain:
    """ResNet-101, up to its global pool; see `resnet50`."""
    return _bottlenecks(variant, 3, 4, 23, 3)


def resnet152(variant: Variant = "torchvision") -> Chain:
    """ResNet-152, up to its global pool; see `resnet50`."""
    return _bottlenecks(variant, 3, 8, 36, 3)


def basic_block(channels: int, out: int, stride: int = 1) -> Chain:
    """Two 3×3 convolutions beside a shortcut, and a ReLU."""
    body = Chain({"1": conv_norm_relu(channels, out, 3, stride), "2": conv_norm(out, out, 3)})
    return _block(body, _shortcut(channels, out, stride))


def bottleneck(
    channels: int, width: int, stride: int = 1, variant: Variant = "torchvision"
) -> Chain:
    """A 1×1, a 3×3 and a 1×1 convolution beside a shortcut, and a ReLU."""
    first, second = (stride, 1) if variant == "original" else (1, stride)
    body = Chain(
        {
            "1": conv_norm_relu(channels, width, 1, first),
            "2": conv_norm_relu(width, width, 3, second),
            "3": conv_norm(width, 4 * width),
        }
    )
    return _block(body, _shortcut(channels, 4 * width, stride))


def _basic(*depths: int) -> Chain:
    parts = _stem(1)
    channels = 64
    for stage, depth in enumerate(depths):
        blocks = []
        for place in range(depth):
            blocks.append(basic_block(channels, 64 << stage, 2 if place == 0 < stage else 1))
            channels = 64 << stage
        parts[f"stage{stage + 1}"] = Chain(blocks)
    return Chain(parts)


def _bottlenecks(variant: Variant, *depths: int) -> Chain:
    need_one_of("variant", variant, ("torchvision", "original", "slim"))
    slim = variant == "slim"
    parts = _stem("same_tf" if slim else 1)
    channels = 64
    for stage, depth in enumerate(depths):
        strided = (stage < 3, depth - 1) if slim else (stage > 0, 0)
        blocks = []
        for place in range(depth):
            stride = 2 if (True, place) == strided else 1
            blocks.append(bottleneck(channels, 64 << stage, stride, variant))
            channels = 256 << stage
        parts[f"stage{stage + 1}"] = Chain(blocks)
    return Chain(parts)


def _block(body: Network, shortcut: Part) -> Chain:
    parts: dict[str, Part] = {"residual": Residual(body, shortcut), "relu": Activation("relu")}
    return Chain(parts)


def _shortcut(channels: int, out: int, stride: int) -> Part:
    """The identity where it fits; every other place of it in TF-slim; else a projection."""
    if channels != out:
        return conv_norm(channels, out, 1, stride)
    return Identity() if stride == 1 else MaxPool(1, stride)


def _stem(padding: int | str) -> dict[str, Part]:
    pool = MaxPool(3, stride=2, padding=padding)
    return {"stem": conv_norm_relu(3, 64, 7, 2), "pool": pool}
