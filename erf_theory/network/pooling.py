"""Layers without weights that see several places: pools and upsamplings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.base import Layer, Padding, Window, keep, need_one, need_steps

__all__ = ["AvgPool", "MaxPool", "Pool", "Upsample", "overlaps"]


@dataclass(frozen=True, repr=False)
class Pool(Window, Layer):
    """A pool over a window of every channel: the base of both pools.

    Parameters
    ----------
    size : int or tuple of int
        Places per axis.
    stride : int or tuple of int, optional
        Distance of the windows. Default: ``size``.
    padding : int, tuple or str
        See `erf_theory.network.base.Padding`.
    dilation : int or tuple of int
        Distance of the places in a window.
    """

    size: Steps
    stride: Steps = 0
    padding: Padding = 0
    dilation: Steps = 1

    def __post_init__(self) -> None:
        if self.stride == 0:
            keep(self, "stride", self.size)
        self.check()

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        return need_one(channels)


@final
@dataclass(frozen=True, repr=False)
class MaxPool(Pool):
    """The largest sample of every window; its parameters are those of `Pool`.

    Examples
    --------
    >>> MaxPool(3, stride=2, padding=1)
    MaxPool(3, stride=2, padding=1)
    """


@final
@dataclass(frozen=True, repr=False)
class AvgPool(Pool):
    """The mean of every window; its parameters are those of `Pool`.

    Examples
    --------
    >>> AvgPool(2)
    AvgPool(2, stride=2)
    """


@final
@dataclass(frozen=True, repr=False)
class Upsample(Layer):
    """An upsampling by a whole number.

    Parameters
    ----------
    scale : int or tuple of int
        Outputs for one input, per axis.
    mode : {"nearest", "linear"}
        Copies, or linear interpolation between the centres of pixels (bilinear in 2-D; PyTorch's
        ``align_corners=False``).

    Examples
    --------
    >>> Upsample(2, "linear")
    Upsample(2, mode='linear')
    """

    scale: Steps
    mode: Literal["nearest", "linear"] = "nearest"

    def __post_init__(self) -> None:
        keep(self, "scale", need_steps("scale of Upsample", self.scale, 1))
        if self.mode not in ("nearest", "linear"):
            raise ErfTheoryError(f"the mode of Upsample is nearest or linear, not {self.mode!r}")

    def out_of(self, *channels: int) -> int:
        """As many as go in."""
        return need_one(channels)

    @property
    def lengths(self) -> set[int]:
        """Number of axes that its scale speaks of."""
        return {len(self.scale)} if isinstance(self.scale, tuple) else set()


def overlaps(layer: Pool, ndim: int) -> bool:
    """Whether the windows of a pool share places, or interleave.

    Examples
    --------
    >>> overlaps(MaxPool(2), 2), overlaps(MaxPool(3, stride=2), 2)
    (False, True)
    """
    pairs = zip(per_axis(layer.size, ndim), per_axis(layer.stride, ndim), strict=True)
    return any(k > s for k, s in pairs) or any(d > 1 for d in per_axis(layer.dilation, ndim))
