"""Small wide networks, one for every kind of layer, and what an experiment says of them."""

from dataclasses import dataclass

import numpy as np

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Parallel,
    Residual,
    Upsample,
)

RELU = Activation("relu")


def conv(width, size=3, **more):
    """A convolution that keeps all places, unless it is told otherwise."""
    return Conv(width, width, size, **{"padding": size // 2} | more)


def plain(width, ndim=1):
    """Six convolutions with ReLU between them."""
    return Chain([*[conv(width), RELU] * 5, conv(width)], ndim)


def strided(width, ndim=1):
    """Strides 2 in the second and the fourth of six convolutions."""
    pair = [conv(width), RELU, conv(width, stride=2), RELU]
    return Chain([*pair * 2, conv(width), RELU, conv(width)], ndim)


def pooled(pool):
    """Two pools in a stack of convolutions with ReLU."""

    def network(width, ndim=1):
        return Chain([*[conv(width), RELU, pool] * 2, conv(width), RELU, conv(width)], ndim)

    return network


def residual(width, ndim=1):
    """Six pre-activation blocks of two convolutions, without norms."""
    body = Chain([RELU, conv(width), RELU, conv(width)], ndim)
    return Chain([conv(width), *[Residual(body)] * 6], ndim)


def pre_activation(kind, groups=1, blocks=12):
    """Pre-activation blocks behind a convolution, a norm, a ReLU and a convolution."""

    def network(width, ndim=1):
        half = [Norm(kind, groups), RELU, conv(width)]
        return Chain([conv(width), *half, *[Residual(Chain(half * 2, ndim))] * blocks], ndim)

    return network


def post_activation(kind, groups=1, blocks=12):
    """Post-activation blocks, as torchvision has them, behind a convolution, a norm and a ReLU."""

    def network(width, ndim=1):
        norm = Norm(kind, groups)
        body = Chain([conv(width), norm, RELU, conv(width), norm], ndim)
        block = Chain([Residual(body), RELU], ndim)
        return Chain([conv(width), norm, RELU, *[block] * blocks], ndim)

    return network


def unnormalised(*last, blocks=2):
    """Post-activation blocks without norms; ``last`` ends their branches."""

    def network(width, ndim=1):
        body = Chain([conv(width), RELU, conv(width), *last], ndim)
        block = Chain([Residual(body), RELU], ndim)
        return Chain([conv(width), RELU, *[block] * blocks, conv(width)], ndim)

    return network


def activated(name):
    """Eight blocks x + conv(σ(conv(x))) behind a convolution."""

    def network(width, ndim=1):
        body = Chain([conv(width), Activation(name), conv(width)], ndim)
        return Chain([conv(width), *[Residual(body)] * 8], ndim)

    return network


def averaged(width, ndim=1):
    """Average pools that overlap, in a residual block and behind it."""
    half = [RELU, conv(width), AvgPool(3, 1, 1)]
    layers = [Residual(Chain(half * 2, ndim)), RELU, conv(width, stride=2), AvgPool(4, 1)]
    return Chain([conv(width), *layers, Activation("tanh"), conv(width), AvgPool(2), RELU], ndim)


def doubled(width, ndim=1):
    """Linear upsamplings and an average pool between convolutions."""
    pair = [conv(width), Upsample(2, "linear")]
    return Chain([*pair * 2, conv(width), AvgPool(2), conv(width)], ndim)


def dropped(width, ndim=1):
    """Six residual blocks with a dropout in each branch."""
    body = Chain([RELU, conv(width), Dropout(0.3), RELU, conv(width)], ndim)
    return Chain([conv(width), *[Residual(body)] * 6], ndim)


def unet(mode, levels=2):
    """A U-Net: down by strides, up as ``mode`` says, and skips that are concatenated."""

    def level(width, ndim, depth):
        if depth == 0:
            return Chain([conv(width), RELU], ndim)
        up = ConvTranspose(width, width, 2, stride=2) if mode == "transposed" else Upsample(2, mode)
        inner = [conv(width, stride=2), RELU, level(width, ndim, depth - 1), up]
        join = Parallel([Chain(inner, ndim), Identity()], "concat", ndim)
        return Chain([conv(width), RELU, join, Conv(2 * width, width, 3, padding=1), RELU], ndim)

    def network(width, ndim=1):
        return Chain([level(width, ndim, levels), conv(width, 1)], ndim)

    return network


def pooled_unet(width, ndim=1):
    """Two levels of a U-Net that goes down by max pools."""
    inner = Chain([conv(width), RELU], ndim)
    for _ in range(2):
        deep = Chain([MaxPool(2), inner, Upsample(2), conv(width)], ndim)
        join = Parallel([deep, Identity()], "concat", ndim)
        last = Conv(2 * width, width, 3, padding=1)
        inner = Chain([conv(width), RELU, join, last, RELU], ndim)
    return Chain([inner, conv(width, 1)], ndim)


def cropped(width, ndim=1):
    """Post-activation blocks without padding, beside crops."""
    body = Chain([conv(width, padding=0), Norm()], ndim)
    return Chain([conv(width), Norm(), RELU, *[Residual(body, Crop(1)), RELU] * 4], ndim)


def grouped(width, ndim=1):
    """Residual blocks whose convolutions have groups of eight channels."""
    body = Chain([conv(width, groups=width // 8), RELU, conv(width, groups=width // 8)], ndim)
    return Chain([conv(width), *[Residual(body)] * 4], ndim)


def depthwise(width, ndim=1):
    """Residual blocks of a depthwise convolution, and two that mix the channels."""
    body = Chain([conv(width, 5, groups=width), conv(width, 1), RELU, conv(width, 1)], ndim)
    return Chain([conv(width), *[Residual(body)] * 4], ndim)


def separable(name, blocks, **more):
    """Depthwise convolutions of three samples and those that mix channels, with batch norms."""

    def network(width, ndim=1):
        norm, gate = Norm(), Activation(name)
        body = [norm, gate, conv(width, groups=width, **more), norm, gate, conv(width, 1)]
        return Chain([conv(width), *body * blocks], ndim)

    return network


def inverted(width, ndim=1):
    """Residual blocks as in MobileNet v2: wide inside, with a depthwise convolution."""
    wide, norm, gate = 2 * width, Norm(), Activation("relu6")
    deep = [Conv(wide, wide, 3, padding=1, groups=wide), norm, gate]
    body = [Conv(width, wide, 1), norm, gate, *deep, Conv(wide, width, 1), norm]
    return Chain([conv(width), norm, *[Residual(Chain(body, ndim))] * 4], ndim)


NETWORKS = {
    "plain": plain,
    "strided": strided,
    "max_2": pooled(MaxPool(2)),
    "max_3": pooled(MaxPool(3, stride=2, padding=1)),
    "average_2": pooled(AvgPool(2)),
    "average_3": pooled(AvgPool(3, stride=2, padding=1)),
    "residual": residual,
    "pre_batch": pre_activation("batch"),
    "post_batch": post_activation("batch"),
    "pre_layer": pre_activation("layer", blocks=6),
    "pre_group": pre_activation("group", groups=4, blocks=6),
    "pre_instance": pre_activation("instance", blocks=6),
    "post_layer": post_activation("layer", blocks=6),
    "post": unnormalised(),
    "post_rectified": unnormalised(RELU),
    "gelu": activated("gelu"),
    "tanh": activated("tanh"),
    "averaged": averaged,
    "doubled": doubled,
    "dropout": dropped,
    "unet_pooled": pooled_unet,
    "cropped": cropped,
    "grouped": grouped,
    "depthwise": depthwise,
    "separable": separable("relu", 6),
    "separable_sin": separable("sin", 6),
    "separable_tanh": separable("tanh", 3, init="pytorch"),
    "inverted": inverted,
    "unet_nearest": unet("nearest"),
    "unet_transposed": unet("transposed"),
    "unet_linear": unet("linear"),
}
"""All of them: functions from the width, and the number of axes, to the network."""


@dataclass(frozen=True)
class Figures:
    """Mass, mean and standard deviation of a measured profile, each with its standard error."""

    mass: tuple[float, float]
    mean: tuple[float, float]
    std: tuple[float, float]


def measured(name, width=96, samples=256, seed=0, unit=0):
    """The figures of a network's 1-D profile, by experiment."""
    network = NETWORKS[name](width)
    return figures(measure_erf(network, samples=samples, rng=seed, unit=unit))


def figures(found: Measurement) -> Figures:
    """The figures of a 1-D measurement; errors by the jackknife over its blocks."""
    shares = found.counts / found.samples
    whole = _figures(found.mean, found.start[0])
    left = [
        _figures((found.mean - share * block) / (1 - share), found.start[0])
        for share, block in zip(shares, found.blocks, strict=True)
    ]
    blocks = len(left)
    errors = np.sqrt((blocks - 1) * np.var(left, axis=0))
    return Figures(*zip(whole.tolist(), errors.tolist(), strict=True))


def _figures(profile, start):
    place = start + np.arange(len(profile))
    mass = profile.sum()
    mean = profile @ place / mass
    return np.array([mass, mean, np.sqrt(profile @ (place - mean) ** 2 / mass)])
