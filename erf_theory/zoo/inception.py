"""Networks of parallel branches: Inception v3."""

from __future__ import annotations

from erf_theory.network import AvgPool, Chain, MaxPool, Parallel
from erf_theory.network.nodes import Part
from erf_theory.zoo.blocks import conv_norm_relu as conv

__all__ = ["inception_v3"]


def inception_v3() -> Chain:
    """Inception v3, up to its global pool.

    Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016
    (arXiv 1512.00567), as torchvision and TF-slim have it. Left out: the auxiliary classifier,
    the pool, dropout and the fully connected layer.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(inception_v3()).output.size
    (1311, 1311)
    """
    stem: dict[str, Part] = {
        "conv1a": conv(3, 32, 3, 2, padding=0),
        "conv2a": conv(32, 32, 3, padding=0),
        "conv2b": conv(32, 64, 3),
        "pool3a": MaxPool(3, stride=2),
        "conv3b": conv(64, 80),
        "conv4a": conv(80, 192, 3, padding=0),
        "pool5a": MaxPool(3, stride=2),
    }
    mixed = [
        *(_square(channels, pooled) for channels, pooled in ((192, 32), (256, 64), (288, 64))),
        _down(_path(conv(288, 384, 3, 2, padding=0)), _path(*_double(288), _strided(96, 96))),
        *(_factorised(width) for width in (128, 160, 160, 192)),
        _down(_path(conv(768, 192), _strided(192, 320)), _path(*_seven(), _strided(192, 192))),
        *(_wide(channels) for channels in (1280, 2048)),
    ]
    names = (*"bcd", *"abcde", *"abc")
    stages = (*(5,) * 3, *(6,) * 5, *(7,) * 3)
    labels = (f"mixed{stage}{name}" for stage, name in zip(stages, names, strict=True))
    return Chain({**stem, **dict(zip(labels, mixed, strict=True))})


def _path(*parts: Part) -> Chain:
    return Chain(parts)


def _strided(channels: int, out: int) -> Chain:
    return conv(channels, out, 3, 2, padding=0)


def _double(channels: int) -> tuple[Chain, Chain]:
    return conv(channels, 64), conv(64, 96, 3)


def _seven() -> tuple[Chain, ...]:
    return conv(768, 192), conv(192, 192, (1, 7)), conv(192, 192, (7, 1))


def _pooled(channels: int, out: int) -> Chain:
    return Chain([AvgPool(3, stride=1, padding=1), conv(channels, out)])


def _square(channels: int, pooled: int) -> Parallel:
    """Branches with 1×1, 5×5 and two 3×3, and a pool."""
    return Parallel(
        {
            "1x1": conv(channels, 64),
            "5x5": _path(conv(channels, 48), conv(48, 64, 5)),
            "3x3": _path(*_double(channels), conv(96, 96, 3)),
            "pool": _pooled(channels, pooled),
        },
        "concat",
    )


def _down(first: Chain, second: Chain) -> Parallel:
    """Branches that halve the image."""
    branches: dict[str, Part] = {"1": first, "2": second, "pool": MaxPool(3, stride=2)}
    return Parallel(branches, "concat")


def _factorised(width: int) -> Parallel:
    """Branches with 7×1 and 1×7."""
    row, column = (1, 7), (7, 1)
    double = (
        conv(768, width),
        *(conv(width, width, size) for size in (column, row, column)),
        conv(width, 192, row),
    )
    return Parallel(
        {
            "1x1": conv(768, 192),
            "7x7": _path(conv(768, width), conv(width, width, row), conv(width, 192, column)),
            "7x7twice": _path(*double),
            "pool": _pooled(768, 192),
        },
        "concat",
    )


def _wide(channels: int) -> Parallel:
    """Branches that end in 3×1 beside 1×3."""
    return Parallel(
        {
            "1x1": conv(channels, 320),
            "3x3": _path(conv(channels, 384), _cross()),
            "3x3twice": _path(conv(channels, 448), conv(448, 384, 3), _cross()),
            "pool": _pooled(channels, 192),
        },
        "concat",
    )


def _cross() -> Parallel:
    return Parallel([conv(384, 384, (1, 3)), conv(384, 384, (3, 1))], "concat")
