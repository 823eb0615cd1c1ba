"""How layers follow each other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from erf_theory.errors import ErfTheoryError
from erf_theory.network.layers import Conv, Layer, need_whole

__all__ = ["Chain"]


@final
@dataclass(frozen=True, init=False)
class Chain:
    """Layers one after the other, from the input to the output.

    Parameters
    ----------
    layers : iterable of Layer
        At least one.
    ndim : int, optional
        Spatial axes: 1, 2 or 3. Default: as many as the tuples among the layers' sizes have
        entries, and 2 if there are none.

    Raises
    ------
    ErfTheoryError
        If the layers do not fit each other; the message names the layer.

    Examples
    --------
    >>> from erf_theory.network.layers import Activation
    >>> net = Chain([Conv(3, 8, 3), Activation("relu"), Conv(8, 8, 3)])
    >>> net.ndim, net.in_channels, net.out_channels
    (2, 3, 8)
    """

    layers: tuple[Layer, ...]
    ndim: int

    def __init__(self, layers: Iterable[Layer], ndim: int | None = None) -> None:
        object.__setattr__(self, "layers", tuple(layers))
        if not self.layers:
            raise ErfTheoryError("a chain has at least one layer: give it a list of them")
        for layer in self.layers:
            if not isinstance(layer, Layer):
                raise ErfTheoryError(
                    f"a chain is made of layers such as Conv and Activation, not of {layer!r}"
                )
        object.__setattr__(self, "ndim", _ndim(self.layers, ndim))
        channels = self.in_channels
        for place, layer in enumerate(self.layers):
            try:
                channels = layer.out_of(channels)
                if isinstance(layer, Conv):
                    layer.variances(self.ndim)
            except ErfTheoryError as error:
                raise ErfTheoryError(f"layer {place} of the chain: {error}") from None

    @property
    def convolutions(self) -> tuple[Conv, ...]:
        """The layers with weights."""
        return tuple(layer for layer in self.layers if isinstance(layer, Conv))

    @property
    def in_channels(self) -> int:
        """Channels of the input: those of the first convolution, 1 if there is none."""
        return next((layer.in_channels for layer in self.convolutions), 1)

    @property
    def out_channels(self) -> int:
        """Channels of the output."""
        channels = self.in_channels
        for layer in self.layers:
            channels = layer.out_of(channels)
        return channels

    def __repr__(self) -> str:
        return f"Chain([{', '.join(_runs([repr(layer) for layer in self.layers]))}], {self.ndim})"


def _runs(texts: list[str]) -> list[str]:
    """The texts, with what is repeated written once: "*[A, B] * 3"."""
    found: list[str] = []
    while texts:
        block, times = max(
            ((texts[:size], _times(texts, size)) for size in range(1, len(texts) // 2 + 1)),
            key=lambda run: (len(run[0]) * run[1] * (run[1] > 1), -len(run[0])),
            default=(texts[:1], 1),
        )
        if times == 1:
            block = texts[:1]
        found.append(f"*[{', '.join(block)}] * {times}" if times > 1 else block[0])
        texts = texts[len(block) * times :]
    return found


def _times(texts: list[str], size: int) -> int:
    """How often the first ``size`` texts stand one after the other at the start."""
    times = 1
    while texts[times * size : (times + 1) * size] == texts[:size]:
        times += 1
    return times


def _ndim(layers: tuple[Layer, ...], ndim: int | None) -> int:
    """Number of axes that all layers agree on."""
    lengths = {len(v) for layer in layers for v in layer.steps if isinstance(v, tuple)}
    said = lengths if ndim is None else lengths | {need_whole("ndim of a chain", ndim, 1)}
    if len(said) > 1:
        texts = " and ".join(map(str, sorted(said)))
        raise ErfTheoryError(
            f"the tuples in a chain, and its ndim, speak of {texts} axes: let them agree"
        )
    axes = next(iter(said), 2)
    if axes not in (1, 2, 3):
        raise ErfTheoryError(f"a network has 1, 2 or 3 spatial axes, not {axes}")
    return axes
