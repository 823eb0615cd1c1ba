"""Networks with an output for every pixel: U-Net and HRNet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from erf_theory.network import (
    Activation,
    Add,
    Chain,
    Conv,
    ConvTranspose,
    Graph,
    Identity,
    MaxPool,
    Parallel,
    Upsample,
)
from erf_theory.network.nodes import Part
from erf_theory.zoo.blocks import conv_norm, conv_norm_relu, need_one_of
from erf_theory.zoo.residual import basic_block, bottleneck

__all__ = ["hrnet", "hrnet_w18", "unet"]

_Nodes = dict[str, tuple[Part | str, ...]]
"""What a `Graph` is made of."""


def unet(upsampling: Literal["transposed", "nearest", "linear"] = "transposed") -> Chain:
    """U-Net with four levels below the first, up to its last 1×1 convolution.

    Ronneberger, Fischer and Brox, "U-Net: convolutional networks for biomedical image
    segmentation", MICCAI 2015 (arXiv 1505.04597). Its 3×3 convolutions are padded here, so that
    nothing is cropped. Left out: dropout and the last 1×1 convolution.

    Parameters
    ----------
    upsampling : {"transposed", "nearest", "linear"}
        A transposed 2×2 convolution with stride 2, or an upsampling before a 3×3 convolution
        (Odena, Dumoulin and Olah, "Deconvolution and checkerboard artifacts", Distill 2016).

    Examples
    --------
    >>> unet("linear").out_channels
    64
    """
    need_one_of("upsampling", upsampling, ("transposed", "nearest", "linear"))
    return _level(1, 64, upsampling)


def _level(channels: int, width: int, upsampling: str) -> Chain:
    """Two convolutions, the level below beside an identity, and two convolutions."""
    if width == 1024:
        return _double(channels, width)
    below: dict[str, Part] = {
        "pool": MaxPool(2),
        "level": _level(width, 2 * width, upsampling),
        "up": _up(2 * width, upsampling),
    }
    branches: dict[str, Part] = {"skip": Identity(), "deep": Chain(below)}
    return Chain(
        {
            "down": _double(channels, width),
            "below": Parallel(branches, "concat"),
            "convs": _double(2 * width, width),
        }
    )


def _double(channels: int, width: int) -> Chain:
    relu = Activation("relu")
    first, second = (Conv(c, width, 3, padding=1) for c in (channels, width))
    return Chain([first, relu, second, relu])


def _up(channels: int, upsampling: str) -> Part:
    """Twice the size, half the channels."""
    if upsampling == "transposed":
        return ConvTranspose(channels, channels // 2, 2, stride=2)
    mode: Literal["nearest", "linear"] = "nearest" if upsampling == "nearest" else "linear"
    return Chain([Upsample(2, mode), Conv(channels, channels // 2, 3, padding=1)])


def hrnet_w18() -> Graph:
    """HRNet-W18, up to its output of the highest resolution.

    Wang et al., "Deep high-resolution representation learning for visual recognition", TPAMI 2021
    (arXiv 1908.07919), in the form of Sun et al., CVPR 2019 (arXiv 1902.09212): the output is a
    quarter of the image's size. Left out: the head.

    Examples
    --------
    >>> hrnet_w18().out_channels
    18
    """
    return hrnet(18)


def hrnet(width: int) -> Graph:
    """HRNet whose branch of the highest resolution has that many channels; see `hrnet_w18`."""
    nodes: _Nodes = {
        "stem": (Chain([conv_norm_relu(3, 64, 3, 2), conv_norm_relu(64, 64, 3, 2)]), "input"),
        "stage1": (Chain([bottleneck(64, 64), *[bottleneck(256, 64)] * 3]), "stem"),
    }
    wide = conv_norm_relu(256, width, 3), conv_norm_relu(256, 2 * width, 3, 2)
    nodes |= {f"start{i}": (part, "stage1") for i, part in enumerate(wide)}
    tops = list(nodes)[-2:]
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        if stage > 2:
            last = width << (stage - 2)
            nodes[f"start{stage - 1}"] = (conv_norm_relu(last, 2 * last, 3, 2), tops[-1])
            tops.append(f"start{stage - 1}")
        for module in range(modules):
            outputs = 1 if (stage, module) == (4, 2) else stage
            tops = _module(nodes, f"stage{stage}.{module}", tops, width, outputs)
    return Graph(nodes, ndim=2)


def _module(nodes: _Nodes, name: str, tops: Sequence[str], width: int, outputs: int) -> list[str]:
    """Append blocks in every branch, then sums over all branches; give their names."""
    branches = []
    for i, top in enumerate(tops):
        blocks = Chain([basic_block(width << i, width << i)] * 4)
        branches.append(f"{name}.branch{i}")
        nodes[branches[-1]] = (blocks, top)
    found = []
    for i in range(outputs):
        reads = []
        for j, branch in enumerate(branches):
            reads.append(branch)
            if i != j:
                reads[-1] = f"{name}.from{j}to{i}"
                nodes[reads[-1]] = (_exchange(width, j, i), branch)
        nodes[f"{name}.sum{i}"] = (Add(), *reads)
        nodes[f"{name}.relu{i}"] = (Activation("relu"), f"{name}.sum{i}")
        found.append(f"{name}.relu{i}")
    return found


def _exchange(width: int, source: int, target: int) -> Chain:
    """From one resolution to another: up by copies, down by strides."""
    if source > target:
        up = Upsample(2 ** (source - target))
        return Chain([conv_norm(width << source, width << target), up])
    steps = [width << source] * (target - source) + [width << target]
    convs = [conv_norm_relu(a, b, 3, 2) for a, b in pairwise(steps[:-1])]
    return Chain([*convs, conv_norm(steps[-2], steps[-1], 3, 2)])
