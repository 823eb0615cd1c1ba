"""What several networks are made of: a convolution, its norm and its activation."""

from __future__ import annotations

from typing import Any

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Norm

__all__ = ["conv_norm", "conv_norm_relu", "need_one_of", "separable"]


def conv_norm(
    channels: int, out: int, size: int | tuple[int, int] = 1, stride: int = 1, **options: Any
) -> Chain:
    """A convolution that keeps the size of the image at stride 1, and its batch norm.

    Parameters
    ----------
    channels, out : int
        Channels in and out.
    size, stride : int
        Odd numbers of taps per axis, and the stride.
    **options
        More of `Conv`, such as the groups or another padding.

    Examples
    --------
    >>> conv_norm(3, 8, 3)
    Chain({'conv': Conv(3, 8, 3, padding=1), 'norm': Norm()})
    """
    same = size // 2 if isinstance(size, int) else tuple(k // 2 for k in size)
    conv = Conv(channels, out, size, stride, **{"padding": same, **options})
    return Chain({"conv": conv, "norm": Norm()})


def conv_norm_relu(
    channels: int,
    out: int,
    size: int | tuple[int, int] = 1,
    stride: int = 1,
    activation: str = "relu",
    **options: Any,
) -> Chain:
    """A convolution, its batch norm and an activation; see `conv_norm`."""
    conv = conv_norm(channels, out, size, stride, **options)
    return Chain({**dict(zip(conv.names, conv.parts, strict=True)), "act": Activation(activation)})


def separable(channels: int, out: int, stride: int = 1, **options: Any) -> Chain:
    """A depthwise 3×3 and a pointwise convolution, each with its norm and ReLU.

    Parameters
    ----------
    channels, out, stride : int
        Channels in and out, and the stride of the depthwise one.
    **options
        More of the depthwise `Conv`.
    """
    return Chain(
        {
            "depthwise": conv_norm_relu(channels, channels, 3, stride, groups=channels, **options),
            "pointwise": conv_norm_relu(channels, out),
        }
    )


def need_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse an unknown variant of a network."""
    if value not in known:
        raise ErfTheoryError(f"the {name} is one of {', '.join(known)}, not {value!r}")
