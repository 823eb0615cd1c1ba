"""Fluctuations at finite width: how far one random network is from the average of all.

A linear network with few channels does not average over its weights by itself. Its measured
energy then has heavy tails, and a mean over samples needs many of them.
"""

from __future__ import annotations

from math import ceil
from typing import Literal

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.kernel import Kernel
from erf_theory.lattice import per_axis
from erf_theory.network.convolutions import Conv
from erf_theory.network.nodes import Network, Node, need_network
from erf_theory.network.pointwise import Identity
from erf_theory.network.routing import Crop, Pad
from erf_theory.network.weights import law

__all__ = ["fluctuation", "samples_for"]


def fluctuation(
    network: Network,
    *omega: npt.ArrayLike,
    channels: int | None = None,
    direction: Literal["channel", "random"] = "channel",
) -> FloatArray:
    """Relative second moment E S²/(E S)² of a random linear stack's energy at a frequency.

    S(ω) is the squared magnitude of the transform G(ω) of an output unit's gradient, averaged over
    the input's channels. For independent normal weights it is exact at any width. Where it is 1,
    every network is like the average; at ω = 0 it is (1 + 2/N)ⁿ for n layers of N channels.

    Parameters
    ----------
    network : Network
        A chain of `Conv` layers without groups, whose weights are random and normal.
    *omega : array_like
        Angular frequencies in radians per input pixel, one array per axis, broadcast. Default: 0.
    channels : int, optional
        Channels at the input of every layer. Default: as the network has them.
    direction : {"channel", "random"}
        The gradient at the output unit: 1 in one channel, or normal numbers in all, as
        `measure_erf` draws them.

    Returns
    -------
    ndarray
        One number per frequency.

    Raises
    ------
    ErfTheoryError
        If the network is none of these.

    Notes
    -----
    Let T(ω) be the mean of G(ω)², A = E S²/(E S)² and B = E abs(T)²/(E S)². A layer with N channels
    at its input and variances of transfer function V, at ρ = abs(V(2ω))/V(0), makes of them

        A' = (1 + 1/N)·A + (ρ²/N)·B,   B' = ρ²·B + (2/N)·A,

    because its weights at ω are complex normal numbers W with E abs(W)² = V(0) and E W² = V(2ω).

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> stack = Chain([Conv(8, 8, 3)] * 10, ndim=1)
    >>> float(fluctuation(stack)), 1.25**10
    (9.313225746154785, 9.313225746154785)
    >>> fluctuation(stack, [0.5, 1.5]).round(3).tolist()
    [4.176, 3.376]
    """
    need_network(network)
    if direction not in ("channel", "random"):
        raise ErfTheoryError(f"the direction is channel or random, not {direction!r}")
    ndim = network.ndim
    if len(omega) not in (0, ndim):
        raise ErfTheoryError(
            f"a network of {ndim} axes needs {ndim} frequencies or none, not {len(omega)}"
        )
    grid = np.broadcast_arrays(*(np.asarray(w, dtype=np.float64) for w in omega or (0.0,) * ndim))
    layers = _convolutions(network)
    spread = 1 + 2 / (channels or network.out_channels) if direction == "random" else 1.0
    whole = pseudo = np.full(grid[0].shape, spread)
    for layer, jump in reversed(list(zip(layers, _jumps(layers, ndim), strict=True))):
        width = channels or layer.in_channels
        steps = [j * d for j, d in zip(jump, per_axis(layer.dilation, ndim), strict=True)]
        squared = _coherence(
            layer.variances(ndim), [w * s for w, s in zip(grid, steps, strict=True)]
        )
        whole, pseudo = (
            (1 + 1 / width) * whole + squared / width * pseudo,
            squared * pseudo + 2 / width * whole,
        )
    return whole


def samples_for(network: Network, error: float) -> int:
    """Samples after which `measure_erf` knows every pixel of a linear stack to a relative error.

    No pixel's energy fluctuates more than that at ω = 0, where all paths are in phase, so that
    (A(0) - 1)/error² samples are enough. In wide networks of one input channel these are 2/error².

    Parameters
    ----------
    network : Network
        As for `fluctuation`.
    error : float
        Standard error of a pixel over its value, above 0.

    Raises
    ------
    ErfTheoryError
        If the error is not above 0, or the network is no random linear stack.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> samples_for(Chain([Conv(1, 512, 3), *[Conv(512, 512, 3)] * 8]), 0.1)
    211
    """
    if not error > 0:
        raise ErfTheoryError(f"a relative error is above 0, not {error}")
    return ceil((float(fluctuation(network, direction="random")) - 1) / error**2)


def _convolutions(network: Network) -> list[Conv]:
    """The layers of a random linear stack."""
    found = []
    for place, node in enumerate(network.nodes):
        if node.inputs != (place - 1,):
            raise ErfTheoryError(f"node {node.name}: fluctuations are known for chains alone")
        if isinstance(node.layer, Conv):
            found.append(_need_normal(node, node.layer))
        elif not isinstance(node.layer, Identity | Pad | Crop):
            raise ErfTheoryError(
                f"node {node.name}: fluctuations are known for linear stacks, without "
                f"{type(node.layer).__name__}"
            )
    return found


def _need_normal(node: Node, layer: Conv) -> Conv:
    """The layer, if its weights are normal and mix all channels."""
    named = isinstance(layer.init, str) and law(layer.init).distribution != "normal"
    if layer.groups > 1 or named or layer.given_weights is not None:
        raise ErfTheoryError(
            f"node {node.name}: fluctuations are known for normal random weights without groups"
        )
    return layer


def _jumps(layers: list[Conv], ndim: int) -> list[tuple[int, ...]]:
    """Input pixels between neighbours before every layer."""
    found = [(1,) * ndim]
    for layer in layers:
        strides = per_axis(layer.stride, ndim)
        found.append(tuple(j * s for j, s in zip(found[-1], strides, strict=True)))
    return found[:-1]


def _coherence(variances: Kernel, omega: list[FloatArray]) -> FloatArray:
    """|V(2ω)|²/V(0)²."""
    transfer = variances.transfer(*(2 * w for w in omega))
    return np.asarray(np.abs(transfer) ** 2 / float(variances.mass) ** 2)
