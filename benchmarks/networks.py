"""Networks: the theory beside one forward and one backward pass of the real thing, and alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.process import Peak
from benchmarks.row import Bound, Exponent, Ratio, Row
from benchmarks.truth import given_squares
from erf_theory import network_erf, receptive_field, zoo
from erf_theory.exact import FloatArray
from erf_theory.network import Chain, Conv, Network, Norm, Residual
from erf_theory.network.nodes import Flat

__all__ = ["numbered", "rows"]


def rows(*, smoke: bool) -> list[Row]:
    """All questions about networks; small ones for a smoke run.

    Those beside PyTorch are left out where it is not installed.
    """
    small, large = ("resnet18", 435), ("resnet152", 1451)
    name, side = small if smoke else ("resnet50", 427)
    alone, most = small if smoke else large
    found: list[Row] = [
        *(_beside_torch(name, side) if find_spec("torch") else ()),
        _map(alone, most),
        _geometry(alone, most),
        _given(),
        _growth((20, 50) if smoke else (50, 160, 500, 1600, 5000)),
    ]
    if not smoke:
        statement = "network_erf(zoo.resnet152()).values"
        imports = "from erf_theory import network_erf, zoo"
        found.append(Peak(statement, reach=500, imports=imports))
    return found


def _beside_torch(name: str, side: int) -> list[Row]:
    network = zoo.ZOO[name]()
    passes = _passes(network, side)

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        assert ours.shape == (side,) * ours.ndim
        assert abs(ours.sum() - 1) < 1e-12
        assert np.count_nonzero(theirs) > 0.9 * theirs.size
        assert np.abs(theirs[:, side // 2]).max() > np.abs(theirs[0]).max()

    beside = f"PyTorch forward and backward to the input at {side}²"
    goals = (("profile", 1, 1 / 150), (f"map of {side}²", 2, 1 / 25))
    return [
        Ratio(f"{name}, {text}", beside, reach, partial(_values, network, ndim), passes, check)
        for text, ndim, reach in goals
    ]


def _values(network: Network, ndim: int) -> FloatArray:
    return network_erf(network, ndim=ndim).values


def _passes(network: Network, side: int) -> Callable[[], FloatArray]:
    """One forward and one backward pass to the input, everything built beforehand."""
    import torch

    from erf_theory.empirical.torch_modules import torch_module

    torch.set_flush_denormal(True)
    rng = np.random.default_rng(0)
    weights = {
        place: node.layer.draw(2, rng)
        for place, node in enumerate(network.nodes)
        if hasattr(node.layer, "draw")
    }
    module = torch_module(network, weights, {}).eval().float()
    for parameter in module.parameters():
        parameter.requires_grad_(requires_grad=False)
    image = torch.randn(1, network.in_channels, side, side, requires_grad=True)

    def passes() -> FloatArray:
        image.grad = None
        output = module(image)
        middle = [size // 2 for size in output.shape[2:]]
        output[(0, slice(None), *middle)].sum().backward()
        gradient: Any = image.grad
        return np.asarray(gradient[0, 0])

    return passes


def _map(name: str, side: int) -> Row:
    network = zoo.ZOO[name]()

    def check(values: Any) -> None:
        assert values.shape == (side, side)
        assert abs(values.sum() - 1) < 1e-12

    return Bound(f"{name}, map of {side}²", 0.4, lambda: _values(network, 2), check)


def _geometry(name: str, side: int) -> Row:
    network = zoo.ZOO[name]()

    def check(geometry: Any) -> None:
        assert geometry.output.size == (side, side)

    return Bound(f"{name}, receptive fields", 0.03, lambda: receptive_field(network), check)


def _given() -> Row:
    """MobileNetV2 with drawn numbers in the places of trained ones, on 1-D after all its blocks."""
    network = numbered(zoo.mobilenet_v2())
    small = network.until("3.add")

    def check(values: Any) -> None:
        assert values.shape == (491,)
        assert abs(values.sum() - 1) < 1e-12
        found, whole = network_erf(small, ndim=1), given_squares(small).sum(axis=1)
        start = found.factors[0].start[0] + len(whole) // 2
        inside = whole[start : start + len(found.values)]
        assert abs(inside.sum() / whole.sum() - 1) < 1e-12
        np.testing.assert_allclose(found.values * float(found.mass), inside, rtol=1e-10)

    work = "mobilenet_v2, weights as given, profile"
    return Bound(work, 0.1, lambda: _values(network, 1), check)


def numbered(network: Network) -> Network:
    """The network with weights, and numbers of its norms, as a trained one has them."""
    rng, nodes = np.random.default_rng(0), []
    for node, channels in zip(network.nodes, network.channels, strict=True):
        layer: Any = node.layer
        if isinstance(layer, Conv):
            layer = replace(layer, weights=layer.draw(2, rng))
        elif isinstance(layer, Norm):
            scale, variance = rng.uniform(0.5, 1.5, (2, channels))
            shift, mean = rng.standard_normal((2, channels))
            layer = replace(layer, scale=scale, shift=shift, mean=mean, variance=variance)
        nodes.append(replace(node, layer=layer))
    return Flat(tuple(nodes), network.ndim)


def _growth(depths: tuple[int, ...]) -> Row:
    """The exponent of the time in layers times places, for blocks that all differ."""
    networks = [_unequal(n) for n in depths]
    work = np.log([n * (2 * n + 1) for n in depths])

    def exponent() -> float:
        seconds = []
        for network in networks:
            begin = perf_counter()
            _values(network, 1)
            seconds.append(perf_counter() - begin)
        return float(np.polyfit(work, np.log(seconds), 1)[0])

    first, last = depths[0], depths[-1]
    return Exponent(f"{first} to {last} unequal residual blocks, profile", 1.1, exponent)


def _unequal(n: int) -> Network:
    blocks = [Conv(8, 8, 3, padding=1, init=1 / (24 * (1 + i % 7 + i / n))) for i in range(n)]
    return Chain([Residual(block) for block in blocks], ndim=1)
