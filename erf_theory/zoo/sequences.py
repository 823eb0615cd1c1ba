"""Networks for sequences, causal and dilated: WaveNet and the TCN."""

from __future__ import annotations

from erf_theory.network import Activation, Add, Chain, Conv, Graph, Identity, Residual
from erf_theory.network.nodes import Part

__all__ = ["tcn", "wavenet"]


def wavenet() -> Graph:
    """WaveNet with three times the dilations 1, 2, 4, …, 512, up to the softmax.

    Van den Oord et al., "WaveNet: a generative model for raw audio", 2016 (arXiv 1609.03499); the
    paper does not say how many channels. Left out: the conditioning; and the gates, products of a
    tanh and a sigmoid with the same receptive field, are a tanh.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(wavenet()).output.size
    (3071,)
    """
    residual, skip = 32, 256
    nodes: dict[str, tuple[Part | str, ...]] = {
        "start": (Conv(256, residual, 2, padding="causal"), "input")
    }
    before, skips = "start", []
    for layer in range(30):
        conv = Conv(residual, residual, 2, padding="causal", dilation=2 ** (layer % 10))
        nodes |= {
            f"gate{layer}": (Chain({"conv": conv, "tanh": Activation("tanh")}), before),
            f"skip{layer}": (Conv(residual, skip, 1), f"gate{layer}"),
            f"conv{layer}": (Conv(residual, residual, 1), f"gate{layer}"),
            f"sum{layer}": (Add(), f"conv{layer}", before),
        }
        before = f"sum{layer}"
        skips.append(f"skip{layer}")
    nodes["skips"] = (Add(), *skips)
    nodes["end"] = (Chain([Activation("relu"), Conv(skip, skip, 1)] * 2), "skips")
    return Graph(nodes, ndim=1)


def tcn() -> Chain:
    """A temporal convolutional network: 8 residual blocks of 7 taps, dilations 1, 2, …, 128.

    Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent
    networks for sequence modeling", 2018 (arXiv 1803.01271), as for its sequential MNIST. Left
    out: weight normalisation, which does not act on random weights' shares, dropout, and the
    last layer.

    Examples
    --------
    >>> from erf_theory.network import receptive_field
    >>> receptive_field(tcn()).output.size
    (3061,)
    """
    return Chain([_block(25 if level else 1, 2**level) for level in range(8)], ndim=1)


def _block(channels: int, dilation: int) -> Chain:
    relu = Activation("relu")
    first, second = (
        Conv(count, 25, 7, padding="causal", dilation=dilation) for count in (channels, 25)
    )
    shortcut: Part = Identity() if channels == 25 else Conv(channels, 25, 1)
    return Chain([Residual(Chain([first, relu, second, relu]), shortcut), relu])
