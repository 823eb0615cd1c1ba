"""PyTorch's operators (ATen) in the readers' vocabulary: one small function for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from erf_theory.readers.aten_moves import MOVES
from erf_theory.readers.calls import Call, Found, Translation

__all__ = ["OPERATORS"]


def _conv(call: Call) -> Found:
    size, dilation = call["weight"].shape[2:], call.per_axis("dilation")
    pads = [(0, 0)] * len(size)
    if call["padding"] == "same":
        reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
        pads = [(r // 2, r - r // 2) for r in reach]
    elif call["padding"] != "valid":
        pads = [(p, p) for p in call.per_axis("padding")]
    what = {"stride": call.per_axis("stride"), "padding": pads, "dilation": dilation}
    arrays = call.arrays(weight="weight", bias="bias")
    return Found("conv", (call.data,), what | {"groups": call["groups"]}, arrays)


def _transposed(call: Call) -> Found:
    what = {
        "stride": call.per_axis("stride"),
        "padding": [(p, p) for p in call.per_axis("padding")],
        "dilation": call.per_axis("dilation"),
        "groups": call["groups"],
        "output_padding": call.per_axis("output_padding"),
    }
    arrays = call.arrays(weight="weight", bias="bias")
    return Found("conv_transpose", (call.data,), what, arrays)


def _linear(call: Call) -> Found:
    return Found("linear", (call.data,), {}, call.arrays(weight="weight", bias="bias"))


def _window(call: Call) -> dict[str, Any]:
    """What both pools have."""
    size = call.per_axis("kernel_size")
    return {
        "size": size,
        "stride": call.per_axis("stride") if call.get("stride") else size,
        "padding": [(p, p) for p in call.per_axis("padding")],
    }


def _largest(call: Call) -> Found:
    return Found("max_pool", (call.data,), _window(call) | {"dilation": call.per_axis("dilation")})


def _average(call: Call) -> Found:
    counts = bool(call["count_include_pad"]) and not call["ceil_mode"]
    more = {"counts_padding": counts, "divisor": call.get("divisor_override")}
    return Found("avg_pool", (call.data,), _window(call) | more)


def _adaptive(kind: str, call: Call) -> Found:
    return Found(kind, (call.data,), {"size": call.per_axis("output_size")})


def _reduced(function: str, call: Call) -> Found:
    dims = call.get("dim", [])
    axes = tuple(np.atleast_1d(dims).tolist()) or tuple(range(len(call.shape)))
    return Found("reduce", (call.data,), {"function": function, "axes": axes})


def _activation(function: str, call: Call) -> Found:
    return Found("activation", (call.data,), {"function": function})


def _curve(curve: Callable[[Any], Any], call: Call) -> Found:
    return Found("activation", (call.data,), {"curve": curve})


def _gelu(call: Call) -> Found:
    return _activation("gelu_tanh" if call["approximate"] == "tanh" else "gelu", call)


def _leaky(call: Call) -> Found:
    return _activation(f"leaky_relu({float(call['negative_slope'])!r})", call)


def _prelu(call: Call) -> Found:
    return Found("prelu", (call.data,), {}, {"slopes": call["weight"]})


def _elu(call: Call) -> Found:
    alpha, scale, rate = (float(call[name]) for name in ("alpha", "scale", "input_scale"))
    if scale == rate == 1:
        return _activation(f"elu({alpha!r})", call)
    return _curve(lambda x: scale * np.where(x > 0, x, alpha * np.expm1(rate * x)), call)


def _celu(call: Call) -> Found:
    return _activation(f"celu({float(call['alpha'])!r})", call)


def _softplus(call: Call) -> Found:
    beta = float(call["beta"])
    if beta == 1:
        return _activation("softplus", call)
    return _curve(lambda x: np.logaddexp(0, beta * x) / beta, call)


def _clipped(call: Call) -> Found:
    low = call.get("min", call.get("min_val", -np.inf))
    high = call.get("max", call.get("max_val", np.inf))
    function = {(0, 6): "relu6", (-1, 1): "hardtanh", (0, np.inf): "relu"}.get((low, high))
    if function is not None:
        return _activation(function, call)
    return _curve(lambda x: np.clip(x, low, high), call)


def _power(call: Call) -> Found:
    exponent = call["exponent"]
    if not isinstance(exponent, int | float):
        return Found("pow", (call.data,))
    return _curve(lambda x: np.power(x, exponent), call)


def _batch_norm(call: Call) -> Found:
    fixed = call["running_mean"] is not None and not call.get("use_input_stats")
    names = {"scale": "weight", "shift": "bias", "mean": "running_mean", "variance": "running_var"}
    what = {"norm": "batch" if fixed else "instance", "eps": call["eps"]}
    return Found("norm", (call.data,), what, call.arrays(**names))


def _layer_norm(call: Call) -> Found:
    what = {"norm": "layer", "eps": call["eps"], "axes": len(call["normalized_shape"])}
    return Found("norm", (call.data,), what, call.arrays(scale="weight", shift="bias"))


def _group_norm(call: Call) -> Found:
    what = {"norm": "group", "eps": call["eps"], "groups": call["num_groups"]}
    return Found("norm", (call.data,), what, call.arrays(scale="weight", shift="bias"))


def _dropout(call: Call) -> Found:
    return Found("active dropout" if call["train"] else "identity", (call.data,))


def _as_it_is(call: Call) -> Found:
    return Found("identity", (call.data,))


def _arithmetic(kind: str, call: Call) -> Found:
    if call.get("alpha", 1) != 1 or call.get("rounding_mode") is not None:
        return Found(f"{kind} with alpha or rounding", (call.data,))
    return Found(kind, (call.data, call["other"]))


def _subtracted_from(call: Call) -> Found:
    return Found("sub", (call["other"], call.data))


def _negative(call: Call) -> Found:
    return Found("mul", (call.data, -1.0))


def _concatenated(call: Call) -> Found:
    return Found("concat", tuple(call["tensors"]), {"axis": call["dim"]})


def _resized(mode: str, call: Call) -> Found:
    return Found("resize", (call.data,), {"mode": mode, "aligned": bool(call.get("align_corners"))})


def _nearest_exact(call: Call) -> Found:
    grows = all(n >= m for m, n in zip(call.shape, call.after, strict=True))
    return _resized("nearest" if grows else "nearest-exact", call)


def _padded(call: Call) -> Found:
    flat = list(call["pad"])
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)][::-1]
    ends = [(0, 0)] * (len(call.shape) - len(pairs)) + pairs
    mode = call.get("mode", "constant")
    border = "zeros" if mode == "constant" else mode
    what = {"ends": ends, "border": border, "value": call.get("value", 0)}
    return Found("pad", (call.data,), what)


_NAMED = ("relu", "relu6", "tanh", "sigmoid", "silu", "mish", "selu", "erf", "hardswish")
_CURVES: Mapping[str, Callable[[Any], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "reciprocal": np.reciprocal,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sqrt": np.sqrt,
}
OPERATORS: Mapping[str, Translation] = {
    **MOVES,
    **{f"conv{n}d": _conv for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _transposed for n in (1, 2, 3)},
    "linear": _linear,
    **{f"max_pool{n}d": _largest for n in (1, 2, 3)},
    **{f"avg_pool{n}d": _average for n in (1, 2, 3)},
    **{f"adaptive_avg_pool{n}d": partial(_adaptive, "adaptive_avg_pool") for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": partial(_adaptive, "adaptive_max_pool") for n in (1, 2, 3)},
    "mean": partial(_reduced, "mean"),
    "sum": partial(_reduced, "sum"),
    "amax": partial(_reduced, "max"),
    **{name: partial(_activation, name) for name in (*_NAMED, "hardsigmoid", "sin", "abs")},
    **{name: partial(_curve, curve) for name, curve in _CURVES.items()},
    "gelu": _gelu,
    "leaky_relu": _leaky,
    "prelu": _prelu,
    "elu": _elu,
    "celu": _celu,
    "softplus": _softplus,
    **dict.fromkeys(("clamp", "hardtanh", "clamp_min", "clamp_max"), _clipped),
    "pow": _power,
    "batch_norm": _batch_norm,
    "instance_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    **dict.fromkeys(("dropout", "feature_dropout", "alpha_dropout"), _dropout),
    **dict.fromkeys(("contiguous", "clone", "detach", "alias", "to", "_to_copy"), _as_it_is),
    **{kind: partial(_arithmetic, kind) for kind in ("add", "sub", "mul", "div")},
    "rsub": _subtracted_from,
    "neg": _negative,
    "cat": _concatenated,
    **{f"upsample_nearest{n}d": partial(_resized, "nearest") for n in (1, 2, 3)},
    **{f"_upsample_nearest_exact{n}d": _nearest_exact for n in (1, 2, 3)},
    **{
        f"upsample_{kind}": partial(_resized, "linear")
        for kind in ("linear1d", "bilinear2d", "trilinear3d")
    },
    "upsample_bicubic2d": partial(_resized, "cubic"),
    "pad": _padded,
    "constant_pad_nd": _padded,
}
"""By an operator's name without its overload, and without the underscore of an in-place one."""
