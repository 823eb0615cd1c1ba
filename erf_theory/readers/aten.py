"""PyTorch's operators (ATen) in the readers' vocabulary: one small function for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["OPERATORS", "Found", "Told"]


@dataclass(frozen=True)
class Told:
    """An operator's call: its arguments by name, and the shapes of what it reads.

    Attributes
    ----------
    arguments : mapping
        As PyTorch's schema names them, defaults filled in; tensors are names or constants.
    shape : tuple of int
        Shape of its first tensor.
    after : tuple of int
        Shape of what comes out.
    """

    arguments: Mapping[str, Any]
    shape: tuple[int, ...]
    after: tuple[int, ...]

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def data(self) -> Any:
        """Its first argument: the tensor that it acts on."""
        return next(iter(self.arguments.values()))

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, where the operator has it and it is not None."""
        found = self.arguments.get(name)
        return default if found is None else found

    def per_axis(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An argument with one number for every place axis."""
        ndim = len(self.shape) - 2
        values = self.get(name, default)
        found = tuple(values) if isinstance(values, Sequence) else (values,)
        return found * ndim if len(found) == 1 else found


@dataclass(frozen=True)
class Found:
    """What an operator is: a kind, what it reads, its attributes and arrays; see `trace`."""

    kind: str
    inputs: tuple[Any, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)


Translate = Callable[[Told], Found]
OPERATORS: dict[str, Translate] = {}
"""By an operator's name without its overload, and without the underscore of an in-place one."""


def _is(*names: str) -> Callable[[Translate], Translate]:
    def enter(function: Translate) -> Translate:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def _arrays(**arrays: Any) -> dict[str, Any]:
    return {name: array for name, array in arrays.items() if array is not None}


@_is("conv1d", "conv2d", "conv3d", "convolution")
def _(told: Told) -> Found:
    if told.get("transposed"):
        return _transposed(told)
    size = told["weight"].shape[2:]
    dilation = told.per_axis("dilation")
    padding = told["padding"]
    if padding == "same":
        reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
        pads = [(r // 2, r - r // 2) for r in reach]
    elif padding == "valid":
        pads = [(0, 0)] * len(size)
    else:
        pads = [(p, p) for p in told.per_axis("padding")]
    what = {"stride": told.per_axis("stride"), "padding": pads, "dilation": dilation}
    arrays = _arrays(weight=told["weight"], bias=told["bias"])
    return Found("conv", (told.data,), what | {"groups": told["groups"]}, arrays)


@_is("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _transposed(told: Told) -> Found:
    what = {
        "stride": told.per_axis("stride"),
        "padding": [(p, p) for p in told.per_axis("padding")],
        "dilation": told.per_axis("dilation"),
        "groups": told["groups"],
        "output_padding": told.per_axis("output_padding"),
    }
    arrays = _arrays(weight=told["weight"], bias=told["bias"])
    return Found("conv_transpose", (told.data,), what, arrays)


@_is("linear")
def _(told: Told) -> Found:
    arrays = _arrays(weight=told["weight"], bias=told["bias"])
    return Found("linear", (told.data,), {}, arrays)


@_is("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d")
def _(told: Told) -> Found:
    is_max = "dilation" in told.arguments
    pads = [(p, p) for p in told.per_axis("padding")]
    what = {"size": told.per_axis("kernel_size"), "padding": pads}
    what["dilation"] = told.per_axis("dilation")
    what["stride"] = told.per_axis("stride") if told.get("stride") else what["size"]
    return Found("max_pool" if is_max else "avg_pool", (told.data,), what)


def _adaptive(kind: str) -> Translate:
    return lambda told: Found(kind, (told.data,), {"size": told.per_axis("output_size")})


for _n in (1, 2, 3):
    OPERATORS[f"adaptive_avg_pool{_n}d"] = _adaptive("adaptive_avg_pool")
    OPERATORS[f"adaptive_max_pool{_n}d"] = _adaptive("adaptive_max_pool")


def _reduced(function: str) -> Translate:
    def translate(told: Told) -> Found:
        dims = told.get("dim")
        every = tuple(range(len(told.shape)))
        axes = every if dims is None or dims == [] else tuple(np.atleast_1d(dims).tolist())
        return Found("reduce", (told.data,), {"function": function, "axes": axes})

    return translate


OPERATORS.update(mean=_reduced("mean"), sum=_reduced("sum"), amax=_reduced("max"))
_PLAIN = {
    **{name: name for name in ("relu", "relu6", "tanh", "sigmoid", "silu", "mish", "selu", "erf")},
    **{name: name for name in ("hardswish", "hardsigmoid", "softsign", "sin", "abs")},
}


def _activated(function: str) -> Translate:
    return lambda told: Found("activation", (told.data,), {"function": function})


OPERATORS.update({name: _activated(function) for name, function in _PLAIN.items()})


@_is("gelu")
def _(told: Told) -> Found:
    name = "gelu_tanh" if told["approximate"] == "tanh" else "gelu"
    return Found("activation", (told.data,), {"function": name})


@_is("leaky_relu")
def _(told: Told) -> Found:
    function = f"leaky_relu({float(told['negative_slope'])!r})"
    return Found("activation", (told.data,), {"function": function})


@_is("prelu")
def _(told: Told) -> Found:
    slopes = told["weight"].array.ravel()
    if np.any(slopes != slopes[0]):
        return Found("prelu with a slope for every channel", (told.data,))
    function = f"prelu({float(slopes[0])!r})"
    return Found("activation", (told.data,), {"function": function})


@_is("elu")
def _(told: Told) -> Found:
    alpha, scale, rate = (float(told[name]) for name in ("alpha", "scale", "input_scale"))
    if scale == rate == 1:
        function = f"elu({alpha!r})"
    else:
        function = "selu" if rate == 1 else f"celu({1 / rate!r})"
    return Found("activation", (told.data,), {"function": function})


@_is("celu")
def _(told: Told) -> Found:
    return Found("activation", (told.data,), {"function": f"celu({float(told['alpha'])!r})"})


@_is("softplus")
def _(told: Told) -> Found:
    if told["beta"] != 1:
        beta = float(told["beta"])
        return _curve(told, lambda x: np.logaddexp(0, beta * x) / beta)
    return Found("activation", (told.data,), {"function": "softplus"})


@_is("clamp", "hardtanh", "clamp_min", "clamp_max")
def _(told: Told) -> Found:
    low, high = (
        told.get(name, told.get(other, default))
        for name, other, default in (("min", "min_val", -np.inf), ("max", "max_val", np.inf))
    )
    known = {(0, 6): "relu6", (-1, 1): "hardtanh", (0, np.inf): "relu"}
    function = known.get((low, high))
    if function is not None:
        return Found("activation", (told.data,), {"function": function})
    return _curve(told, lambda x: np.clip(x, low, high))


def _curve(told: Told, curve: Callable[[Any], Any]) -> Found:
    return Found("activation", (told.data,), {"curve": curve})


OPERATORS.update(
    exp=lambda told: _curve(told, np.exp),
    log=lambda told: _curve(told, np.log),
    log1p=lambda told: _curve(told, np.log1p),
    sqrt=lambda told: _curve(told, np.sqrt),
    rsqrt=lambda told: _curve(told, lambda x: 1 / np.sqrt(x)),
    reciprocal=lambda told: _curve(told, np.reciprocal),
    neg=lambda told: Found("mul", (told.data, -1.0)),
)


@_is("pow")
def _(told: Told) -> Found:
    exponent = told.get("exponent")
    return _curve(told, lambda x: np.power(x, exponent))


@_is("batch_norm", "instance_norm", "_native_batch_norm_legit_no_training")
def _(told: Told) -> Found:
    tracked = told["running_mean"] is not None and not told.get("use_input_stats")
    norm = "batch" if tracked else "instance"
    names = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
    arrays = _arrays(**{own: told[theirs] for own, theirs in names.items()})
    return Found("norm", (told.data,), {"norm": norm, "eps": told["eps"]}, arrays)


@_is("layer_norm")
def _(told: Told) -> Found:
    what = {"norm": "layer", "eps": told["eps"], "axes": len(told["normalized_shape"])}
    arrays = _arrays(scale=told["weight"], shift=told["bias"])
    return Found("norm", (told.data,), what, arrays)


@_is("group_norm")
def _(told: Told) -> Found:
    what = {"norm": "group", "eps": told["eps"], "groups": told["num_groups"]}
    arrays = _arrays(scale=told["weight"], shift=told["bias"])
    return Found("norm", (told.data,), what, arrays)


@_is("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def _(told: Told) -> Found:
    return Found("dropout" if told["train"] else "identity", (told.data,))


def _as_it_is(told: Told) -> Found:
    return Found("identity", (told.data,))


for _name in (
    "contiguous",
    "clone",
    "detach",
    "alias",
    "to",
    "type_as",
    "_to_copy",
    "lift_fresh_copy",
):
    OPERATORS[_name] = _as_it_is


def _arithmetic(kind: str) -> Translate:
    def translate(told: Told) -> Found:
        other = told["other"]
        alpha = told.get("alpha", 1)
        if alpha != 1:
            return Found(f"{kind} with alpha", (told.data,))
        if kind == "div" and told.get("rounding_mode") is not None:
            return Found("rounded division", (told.data,))
        return Found(kind, (told.data, other))

    return translate


OPERATORS.update({kind: _arithmetic(kind) for kind in ("add", "sub", "mul", "div")})
OPERATORS["rsub"] = lambda told: Found("sub", (told["other"], told.data))


@_is("cat", "concat", "concatenate")
def _(told: Told) -> Found:
    return Found("concat", tuple(told["tensors"]), {"axis": told["dim"]})


@_is("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")
def _(told: Told) -> Found:
    return Found("resize", (told.data,), {"mode": "nearest"})


@_is("_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d")
def _(told: Told) -> Found:
    grows = all(n >= m for m, n in zip(told.shape, told.after, strict=True))
    mode = "nearest" if grows else "nearest-exact"
    return Found("resize", (told.data,), {"mode": mode})


@_is("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")
def _(told: Told) -> Found:
    what = {"mode": "linear", "aligned": bool(told["align_corners"])}
    return Found("resize", (told.data,), what)


@_is("upsample_bicubic2d")
def _(told: Told) -> Found:
    return Found("resize", (told.data,), {"mode": "cubic"})


@_is("pad", "constant_pad_nd")
def _(told: Told) -> Found:
    flat = list(told["pad"])
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)][::-1]
    ends = [(0, 0)] * (len(told.shape) - len(pairs)) + pairs
    mode = told.get("mode", "constant")
    border = {"constant": "zeros"}.get(mode, mode)
    return Found(
        "pad", (told.data,), {"ends": ends, "border": border, "value": told.get("value", 0)}
    )


def _moved(make: Callable[[Told], Callable[[Any], Any]]) -> Translate:
    return lambda told: Found("move", (told.data,), {"move": make(told)})


def _reshaped(told: Told) -> Callable[[Any], Any]:
    return lambda index: index.reshape(told.after)


for _name in ("view", "reshape", "_unsafe_view", "flatten", "squeeze", "unsqueeze", "unflatten"):
    OPERATORS[_name] = _moved(_reshaped)
OPERATORS.update(
    permute=_moved(lambda told: lambda index: index.transpose(told["dims"])),
    transpose=_moved(lambda told: lambda index: index.swapaxes(told["dim0"], told["dim1"])),
    swapaxes=_moved(lambda told: lambda index: index.swapaxes(told["axis0"], told["axis1"])),
    movedim=_moved(
        lambda told: lambda index: np.moveaxis(index, told["source"], told["destination"])
    ),
    expand=_moved(lambda told: lambda index: np.broadcast_to(index, told.after)),
    expand_as=_moved(lambda told: lambda index: np.broadcast_to(index, told.after)),
    repeat=_moved(lambda told: lambda index: np.tile(index, told["repeats"])),
    flip=_moved(lambda told: lambda index: np.flip(index, told["dims"])),
    roll=_moved(lambda told: lambda index: np.roll(index, told["shifts"], told["dims"] or None)),
    t=_moved(lambda told: lambda index: index.T),
    numpy_T=_moved(lambda told: lambda index: index.T),
)
OPERATORS["channel_shuffle"] = _moved(
    lambda told: (
        lambda index: (
            index.reshape(1, told["groups"], -1, *index.shape[2:])
            .swapaxes(1, 2)
            .reshape(index.shape)
        )
    )
)


@_is("pixel_shuffle")
def _(told: Told) -> Found:
    r = told["upscale_factor"]

    def move(index: Any) -> Any:
        n, c, h, w = index.shape
        blocks = index.reshape(n, c // r**2, r, r, h, w)
        return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, h * r, w * r)

    return Found("move", (told.data,), {"move": move})


@_is("pixel_unshuffle")
def _(told: Told) -> Found:
    r = told["downscale_factor"]

    def move(index: Any) -> Any:
        n, c, h, w = index.shape
        blocks = index.reshape(n, c, h // r, r, w // r, r)
        return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r**2, h // r, w // r)

    return Found("move", (told.data,), {"move": move})


@_is("slice")
def _(told: Told) -> Found:
    axis = told["dim"] % len(told.shape)
    cut = slice(told.get("start"), told.get("end"), told.get("step"))
    return _moved(lambda _: lambda index: index[(slice(None),) * axis + (cut,)])(told)


@_is("narrow")
def _(told: Told) -> Found:
    axis, start = told["dim"] % len(told.shape), told["start"]
    cut = slice(start, start + told["length"])
    return _moved(lambda _: lambda index: index[(slice(None),) * axis + (cut,)])(told)


@_is("select")
def _(told: Told) -> Found:
    return _moved(lambda _: lambda index: index.take(told["index"], told["dim"]))(told)
