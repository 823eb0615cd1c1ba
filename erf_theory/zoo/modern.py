"""Networks after the transformers: ConvNeXt."""

from __future__ import annotations

from erf_theory.network import Activation, Chain, Conv, Norm, Residual
from erf_theory.network.nodes import Part

__all__ = ["convnext_t"]


def convnext_t() -> Chain:
    """ConvNeXt-T, up to its global pool.

    Liu et al., "A ConvNet for the 2020s", CVPR 2022 (arXiv 2201.03545). Left out: the factors of
    the branches (layer scale, 10⁻⁶ before training), stochastic depth, and the head.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(convnext_t()).output.size
    (1688, 1688)
    """
    widths = (96, 192, 384, 768)
    parts: dict[str, Part] = {"stem": Chain([Conv(3, 96, 4, stride=4), Norm("place")])}
    for stage, (width, depth) in enumerate(zip(widths, (3, 3, 9, 3), strict=True), 1):
        if stage > 1:
            down = Conv(width // 2, width, 2, stride=2)
            parts[f"down{stage}"] = Chain([Norm("place"), down])
        parts[f"stage{stage}"] = Chain([_block(width)] * depth)
    return Chain(parts)


def _block(width: int) -> Residual:
    return Residual(
        Chain(
            [
                Conv(width, width, 7, padding=3, groups=width),
                Norm("place"),
                Conv(width, 4 * width, 1),
                Activation("gelu"),
                Conv(4 * width, width, 1),
            ]
        )
    )
