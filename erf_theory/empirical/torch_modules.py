"""A network as a module of PyTorch, made of the modules that PyTorch itself has for its layers.

PyTorch loads inside functions. It is an argument of what needs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, singledispatch
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

from erf_theory.empirical.torch_calls import called
from erf_theory.empirical.torch_import import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import per_axis
from erf_theory.network.base import Given, Layer
from erf_theory.network.convolutions import Conv, ConvTranspose, Weighted
from erf_theory.network.gating import Gate, Global, Scale
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Activation, Dropout, Identity, Norm, PReLU
from erf_theory.network.pooling import AvgPool, MaxPool, Upsample
from erf_theory.network.routing import Add, ChannelShuffle, Concat, Crop, Pad, Split

__all__ = ["name_of", "torch_module"]

_Torch = Any
"""The module ``torch``."""
_Ends = Sequence[tuple[int, int]]
_NAMES = {
    "identity": "Identity",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "hardtanh": "Hardtanh",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "leaky_relu": "LeakyReLU",
    "prelu": "LeakyReLU",
    "elu": "ELU",
    "celu": "CELU",
    "selu": "SELU",
    "gelu": "GELU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "silu": "SiLU",
    "mish": "Mish",
    "softplus": "Softplus",
    "softsign": "Softsign",
}
"""PyTorch's modules for activations by name."""
_TAKE_A_NUMBER = {"leaky_relu", "prelu", "elu", "celu"}
_BORDERS = {
    "zeros": "ZeroPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


def torch_module(
    network: Network,
    weights: Mapping[int, FloatArray],
    biases: Mapping[int, FloatArray],
    *,
    count: int = 1,
    dtype: str = "float64",
) -> Any:
    """The ``torch.nn.Module`` that computes a network on full images.

    Parameters
    ----------
    network : Network
        The network, every padding in numbers or known to PyTorch.
    weights, biases : mapping from int to ndarray
        Of the nodes that have them, by their places; a leading axis counts networks.
    count : int
        Networks that it computes side by side, which differ in their weights. Image i goes through
        network i mod count: convolutions have a group of channels for every network.
    dtype : str
        Type of its numbers.

    Returns
    -------
    torch.fx.GraphModule
        Its submodules are named by `name_of`. No parameter asks for a gradient.

    Raises
    ------
    ErfTheoryError
        If PyTorch is not installed, or has nothing for a layer.
    """
    torch = import_torch()
    graph = import_module("torch.fx").Graph()
    values, modules = {INPUT: graph.placeholder("image")}, {}
    channels = (*network.channels, network.in_channels)
    for place, node in enumerate(network.nodes):
        before = [values[i] for i in node.inputs]
        several = count if _differs(node.layer) else 1
        found = _modules(node.layer, several * channels[node.inputs[0]], network.ndim, torch)
        value = before[0] if found else called(node.layer, before, graph, torch)
        if several > 1:
            value = graph.call_function(_side_by_side, (value, count))
        for kind, module in found.items():
            name = name_of(place, kind)
            modules[name] = module.requires_grad_(requires_grad=False)
            value = graph.call_module(name, (value,))
        values[place] = graph.call_function(_apart, (value, count)) if several > 1 else value
    graph.output(values[len(network.nodes) - 1])
    whole = import_module("torch.fx").GraphModule(modules, graph)
    _load(whole, weights, biases, getattr(torch, dtype))
    return whole.to(getattr(torch, dtype))


def _differs(layer: Layer) -> bool:
    """Whether networks that are drawn differ in a layer."""
    return isinstance(layer, Weighted) or (isinstance(layer, Norm) and layer.kind == "batch")


def _side_by_side(x: Any, count: int) -> Any:
    """Images of shape (inputs·networks, channels, …) as (inputs, networks·channels, …)."""
    return x.reshape(len(x) // count, count * x.shape[1], *x.shape[2:])


def _apart(x: Any, count: int) -> Any:
    """The inverse of `_side_by_side`."""
    return x.reshape(len(x) * count, x.shape[1] // count, *x.shape[2:])


def name_of(place: int, kind: str) -> str:
    """Name of a submodule: "conv", "norm", "dropout", "pool"… of the node at a place."""
    return f"node{place}_{kind}"


def _load(
    module: Any, weights: Mapping[int, FloatArray], biases: Mapping[int, FloatArray], dtype: Any
) -> None:
    """Put weights and biases, not copied, into a module that has zeros; no bias is one of 0."""
    torch = import_torch()
    for kind, arrays in (("weight", weights), ("bias", biases)):
        for place, numbers in arrays.items():
            conv = getattr(module, name_of(place, "conv"))
            writable = numbers if numbers.flags.writeable else numbers.copy()
            part = getattr(conv, kind)
            part.data = torch.asarray(writable).to(dtype).reshape(part.shape)


def _of(torch: _Torch, name: str, ndim: int) -> Any:
    """The class of a layer with so many axes."""
    return getattr(torch.nn, f"{name}{ndim}d")


@singledispatch
def _modules(layer: Layer, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    """PyTorch's modules for a layer, one behind the other; none for what is a function there."""
    raise ErfTheoryError(f"PyTorch has no module for a layer of type {type(layer).__name__}")


@_modules.register(Add)
@_modules.register(Concat)
@_modules.register(Gate)
@_modules.register(Global)
@_modules.register(Scale)
@_modules.register(Split)
def _(layer: Layer, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {}


@_modules.register
def _(layer: Identity, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {"identity": torch.nn.Identity()}


@_modules.register
def _(layer: Activation, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    what = layer.nonlinearity
    name = what.name.partition("(")[0]
    if name == "gelu_tanh":
        return {"activation": torch.nn.GELU(approximate="tanh")}
    if name not in _NAMES:
        return {}
    numbers = what.parameters[:1] if name in _TAKE_A_NUMBER else ()
    return {"activation": getattr(torch.nn, _NAMES[name])(*numbers)}


@_modules.register
def _(layer: PReLU, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    module = torch.nn.PReLU(channels)
    module.weight.data = torch.asarray(layer.array.copy())
    return {"activation": module}


@_modules.register
def _(layer: Dropout, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {"dropout": torch.nn.Dropout(layer.rate).train(layer.training)}


@_modules.register
def _(layer: Norm, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    if layer.kind in ("batch", "instance"):
        name = {"batch": "BatchNorm", "instance": "InstanceNorm"}[layer.kind]
        module = _of(torch, name, ndim)(channels, eps=layer.eps, affine=True).eval()
    elif layer.kind == "place":
        module = _place_norm(channels, layer.eps, torch)
    else:
        groups = 1 if layer.kind == "layer" else layer.groups
        module = torch.nn.GroupNorm(groups, channels, eps=layer.eps)
    names = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
    for own, theirs in names.items():
        numbers = getattr(layer, own)
        if isinstance(numbers, Given) and getattr(module, theirs) is not None:
            alike = np.tile(numbers.array, channels // len(numbers.array))
            getattr(module, theirs).data = torch.asarray(alike)
    return {"norm": module}


def _place_norm(channels: int, eps: float, torch: _Torch) -> Any:
    """A layer norm over the channels of every place."""

    class PlaceNorm(torch.nn.LayerNorm):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return super().forward(x.movedim(1, -1)).movedim(-1, 1)

    return PlaceNorm(channels, eps)


@_modules.register
def _(layer: Conv, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    pads = layer.pads(ndim)
    native = layer.padding == "same" or _symmetric(pads)
    padding = layer.padding if layer.padding == "same" else _before(pads)
    conv = _conv("Conv", layer, channels, ndim, torch, padding=padding if native else 0)
    return conv if native else {"pad": _zero_pad(pads, torch)} | conv


@_modules.register
def _(layer: ConvTranspose, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    pads = layer.pads(ndim)
    more = per_axis(layer.output_padding, ndim)
    padding = _before(pads) if _symmetric(pads) else 0
    conv = _conv(
        "ConvTranspose", layer, channels, ndim, torch, padding=padding, output_padding=more
    )
    return conv if _symmetric(pads) else conv | {"crop": _zero_pad(_negative(pads), torch)}


@cache
def _undrawn(kind: Any) -> Any:
    """PyTorch's class for a convolution, but that it draws no weights when it is made."""
    return type(kind.__name__, (kind,), {"reset_parameters": lambda _: None})


def _conv(
    name: str, layer: Weighted, channels: int, ndim: int, torch: _Torch, **more: Any
) -> dict[str, Any]:
    """A convolution of all channels, which may be those of several networks side by side."""
    count = channels // layer.in_channels
    size, stride, dilation = (
        per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)
    )
    conv = _undrawn(_of(torch, name, ndim))(
        count * layer.in_channels,
        count * layer.out_channels,
        size,
        stride=stride,
        dilation=dilation,
        groups=count * layer.groups,
        device="meta",
        **more,
    )
    for kind in ("weight", "bias"):
        zeros = torch.zeros(()).expand(getattr(conv, kind).shape)
        setattr(conv, kind, torch.nn.Parameter(zeros))
    return {"conv": conv}


@_modules.register
def _(layer: MaxPool, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    size, stride, dilation = (
        per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)
    )
    pads = layer.pads(ndim)
    pool = _of(torch, "MaxPool", ndim)
    if _symmetric(pads) and all(2 * p <= k for p, k in zip(_before(pads), size, strict=True)):
        return {"pool": pool(size, stride, padding=_before(pads), dilation=dilation)}
    reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    if any(max(ends) > r for ends, r in zip(pads, reach, strict=True)):
        raise ErfTheoryError(f"a window of {layer} lies in its padding alone: give it less")
    pad = _of(torch, "ConstantPad", ndim)(_last_first(pads), float("-inf"))
    return {"pad": pad, "pool": pool(size, stride, dilation=dilation)}


@_modules.register
def _(layer: AvgPool, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    size, stride, dilation = (
        per_axis(value, ndim) for value in (layer.size, layer.stride, layer.dilation)
    )
    pad = {"pad": _zero_pad(layer.pads(ndim), torch)}
    if set(dilation) == {1}:
        return pad | {"pool": _of(torch, "AvgPool", ndim)(size, stride)}
    pool = _of(torch, "Conv", ndim)(
        channels, channels, size, stride, dilation=dilation, groups=channels, bias=False
    )
    torch.nn.init.constant_(pool.double().weight, 1 / prod(size))
    return pad | {"pool": pool}


@_modules.register
def _(layer: Upsample, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    scales = tuple(map(float, per_axis(layer.scale, ndim)))
    if layer.mode == "nearest":
        return {"upsample": torch.nn.Upsample(scale_factor=scales)}
    mode = ("linear", "bilinear", "trilinear")[ndim - 1]
    return {"upsample": torch.nn.Upsample(scale_factor=scales, mode=mode, align_corners=False)}


@_modules.register
def _(layer: Pad, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {"pad": _of(torch, _BORDERS[layer.border], ndim)(_last_first(layer.per_axis(ndim)))}


@_modules.register
def _(layer: Crop, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {"crop": _zero_pad(_negative(layer.per_axis(ndim)), torch)}


@_modules.register
def _(layer: ChannelShuffle, channels: int, ndim: int, torch: _Torch) -> dict[str, Any]:
    return {"shuffle": torch.nn.ChannelShuffle(layer.groups)}


def _symmetric(pads: _Ends) -> bool:
    return all(before == after for before, after in pads)


def _before(pads: _Ends) -> tuple[int, ...]:
    return tuple(before for before, _ in pads)


def _negative(pads: _Ends) -> _Ends:
    return [(-before, -after) for before, after in pads]


def _last_first(pads: _Ends) -> tuple[int, ...]:
    """_Ends in PyTorch's order: those of the last axis first."""
    return tuple(end for ends in reversed(pads) for end in ends)


def _zero_pad(pads: _Ends, torch: _Torch) -> Any:
    return _of(torch, "ZeroPad", len(pads))(_last_first(pads))
