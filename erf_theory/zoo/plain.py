"""Networks without branches: AlexNet and VGG."""

from __future__ import annotations

from typing import Literal

from erf_theory.network import Activation, Chain, Conv, Layer, MaxPool
from erf_theory.zoo.blocks import need_one_of

__all__ = ["alexnet", "vgg11", "vgg16", "vgg19"]


def alexnet(variant: Literal["torchvision", "slim"] = "torchvision") -> Chain:
    """AlexNet, up to its last pool.

    Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014
    (arXiv 1404.5997). Left out: dropout and the fully connected layers.

    Parameters
    ----------
    variant : {"torchvision", "slim"}
        As torchvision has it, or TF-slim's AlexNet v2: no padding of the first layer, and 384
        channels in the fourth.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(alexnet())["pool5"].size
    (195, 195)
    """
    need_one_of("variant", variant, ("torchvision", "slim"))
    first, fourth = (2, 256) if variant == "torchvision" else (0, 384)
    convs = {
        "conv1": Conv(3, 64, 11, stride=4, padding=first),
        "conv2": Conv(64, 192, 5, padding=2),
        "conv3": Conv(192, 384, 3, padding=1),
        "conv4": Conv(384, fourth, 3, padding=1),
        "conv5": Conv(fourth, 256, 3, padding=1),
    }
    parts: dict[str, Layer] = {}
    for name, conv in convs.items():
        parts |= {name: conv, name.replace("conv", "relu"): Activation("relu")}
        if name not in ("conv3", "conv4"):
            parts[name.replace("conv", "pool")] = MaxPool(3, stride=2)
    return Chain(parts)


def vgg11() -> Chain:
    """VGG-11 (configuration A), up to its last pool; see `vgg16`."""
    return _vgg(1, 1, 2, 2, 2)


def vgg16() -> Chain:
    """VGG-16 (configuration D), up to its last pool.

    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition",
    2014 (arXiv 1409.1556). Left out: dropout and the fully connected layers.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(vgg16())["pool5"].size
    (212, 212)
    """
    return _vgg(2, 2, 3, 3, 3)


def vgg19() -> Chain:
    """VGG-19 (configuration E), up to its last pool; see `vgg16`."""
    return _vgg(2, 2, 4, 4, 4)


def _vgg(*depths: int) -> Chain:
    parts: dict[str, Layer] = {}
    channels = 3
    for stage, (depth, width) in enumerate(zip(depths, (64, 128, 256, 512, 512), strict=True), 1):
        for place in range(1, depth + 1):
            parts[f"conv{stage}_{place}"] = Conv(channels, width, 3, padding=1)
            parts[f"relu{stage}_{place}"] = Activation("relu")
            channels = width
        parts[f"pool{stage}"] = MaxPool(2)
    return Chain(parts)
