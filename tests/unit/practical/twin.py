"""What tiles cut, by its definition: a network whose weights are the variances, on ones.

An output for an image of ones is the sum of its gradient over the image, and that gradient is the
energy if the weights are the variances and there is one channel.
"""

import numpy as np

from erf_theory.empirical.torch_modules import torch_module
from erf_theory.lattice import per_axis
from erf_theory.network import Chain, Conv, ConvTranspose, Crop, Pad, Residual, Upsample

CONV = Conv(1, 1, 3, padding=1, init=1)
DOWN = Conv(1, 1, 3, stride=2, padding=1, init=1)
LEVELS = [DOWN, CONV, DOWN, CONV, CONV, Upsample(2), CONV, ConvTranspose(1, 1, 2, stride=2, init=1)]
VALID, HALF = Conv(1, 1, 3, init=1), Conv(1, 1, 2, stride=2, init=1)
DEEPEST = Residual(Chain([HALF, VALID, Upsample(2)]), shortcut=Crop(((2, 2),)))
DEEP = Chain([HALF, VALID, DEEPEST, Upsample(2)])
NETWORKS = {
    "plain": Chain([CONV] * 6, ndim=1),
    "strides": Chain([DOWN, CONV, Conv(1, 1, 4, stride=2, padding=1, init=1), CONV], ndim=1),
    "residual": Chain([DOWN, *[Residual(Chain([CONV, CONV]))] * 3], ndim=1),
    "u-net": Chain([CONV, Residual(Chain(LEVELS)), CONV], ndim=1),
    "up": Chain([CONV, CONV, Upsample(2), CONV, Upsample(2), CONV], ndim=1),
    "causal": Chain([*[Pad(((4, 0),)), Conv(1, 1, 3, dilation=2, init=1)] * 3], ndim=1),
    "no padding": Chain([Conv(1, 1, 3, init=1), Conv(1, 1, 3, stride=2, init=1)], ndim=1),
    "valid u-net": Chain([VALID, Residual(DEEP, shortcut=Crop(((6, 6),)))], ndim=1),
    "plane": Chain([Conv(1, 1, (3, 5), padding=(1, 2), stride=(1, 2), init=1), CONV, CONV]),
}


def module_of(network):
    """A module of PyTorch whose weights are the variances."""
    weights = {
        place: np.ones((1, 1, *per_axis(node.layer.size, network.ndim)))
        for place, node in enumerate(network.nodes)
        if isinstance(node.layer, Conv | ConvTranspose)
    }
    return torch_module(network, weights, {})


def sums(network, size):
    """The energy of every output of an image of that size, from the weights."""
    import torch

    return module_of(network)(torch.ones((1, 1, *size), dtype=torch.float64))[0, 0].numpy()
