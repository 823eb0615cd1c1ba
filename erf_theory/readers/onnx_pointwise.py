"""ONNX's operators that act on every sample or place alike, and those with several inputs."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from erf_theory.readers.calls import Found
from erf_theory.readers.onnx_node import Seen, Translate, becomes, moved
from erf_theory.readers.trace import Constant
from erf_theory.readers.values import Refused

__all__: list[str] = []

_SELU = (1.67326319217681884765625, 1.05070102214813232421875)
_FLOATS = (1, 10, 11, 16)
"""ONNX's numbers for float32, float16, float64 and bfloat16."""


def _function(name: str | Callable[[Seen], str]) -> Translate:
    def translate(seen: Seen) -> Found:
        function = name if isinstance(name, str) else name(seen)
        return Found("activation", seen.inputs[:1], {"function": function})

    return translate


def _curve(seen: Seen, curve: Callable[[Any], Any]) -> Found:
    return Found("activation", seen.inputs[:1], {"curve": curve})


for _op in (
    "Relu",
    "Tanh",
    "Sigmoid",
    "Softsign",
    "Mish",
    "HardSwish",
    "Erf",
    "Abs",
    "Sin",
    "Softplus",
):
    becomes(_op)(_function(_op.lower()))
becomes("LeakyRelu")(_function(lambda seen: f"leaky_relu({seen.get('alpha', 0.01)!r})"))
becomes("Elu")(_function(lambda seen: f"elu({seen.get('alpha', 1.0)!r})"))
becomes("Celu")(_function(lambda seen: f"celu({seen.get('alpha', 1.0)!r})"))
becomes("Gelu")(
    _function(lambda seen: "gelu_tanh" if seen.get("approximate") == "tanh" else "gelu")
)
_CURVES: dict[str, Callable[[Any], Any]] = {
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Cos": np.cos,
}


@becomes(*_CURVES)
def _(seen: Seen) -> Found:
    return _curve(seen, _CURVES[seen.op])


@becomes("Neg")
def _(seen: Seen) -> Found:
    return Found("mul", (seen.inputs[0], -1.0))


@becomes("Selu")
def _(seen: Seen) -> Found:
    alpha, gamma = (seen.get(n, d) for n, d in zip(("alpha", "gamma"), _SELU, strict=True))
    return _curve(seen, lambda x: gamma * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))))


@becomes("HardSigmoid")
def _(seen: Seen) -> Found:
    alpha, beta = seen.get("alpha", 0.2), seen.get("beta", 0.5)
    return _curve(seen, lambda x: np.clip(alpha * x + beta, 0, 1))


@becomes("ThresholdedRelu")
def _(seen: Seen) -> Found:
    alpha = seen.get("alpha", 1.0)
    return _curve(seen, lambda x: np.where(x > alpha, x, 0.0))


@becomes("Swish")
def _(seen: Seen) -> Found:
    alpha = seen.get("alpha", 1.0)
    return _curve(seen, lambda x: x * np.exp(-np.logaddexp(0, -alpha * x)))


@becomes("Clip")
def _(seen: Seen) -> Found:
    ends = (seen.numbers(1, "minimum"), seen.numbers(2, "maximum"))
    low, high = (d if e is None else float(e) for e, d in zip(ends, (-np.inf, np.inf), strict=True))
    if (low, high) == (-np.inf, np.inf):
        return Found("identity", seen.inputs[:1])
    if (low, high) == (0, 6):
        return Found("activation", seen.inputs[:1], {"function": "relu6"})
    return _curve(seen, lambda x: np.clip(x, low, high))


@becomes("Max", "Min")
def _(seen: Seen) -> Found:
    images = [one for one in seen.inputs if not isinstance(one, Constant)]
    fixed = [one.array for one in seen.inputs if isinstance(one, Constant)]
    if len(images) != 1 or any(array.size != 1 for array in fixed):
        raise Refused("it takes the larger or smaller of activations")
    function, numbers = getattr(np, f"{seen.op.lower()}imum"), [float(x.ravel()[0]) for x in fixed]
    return Found("activation", tuple(images), {"curve": lambda x: reduce(function, numbers, x)})


@becomes("Pow")
def _(seen: Seen) -> Found:
    base, exponent = seen.inputs
    if isinstance(base, Constant) or not isinstance(exponent, Constant) or exponent.array.size != 1:
        raise Refused("its exponent is not one fixed number")
    power = float(exponent.array.ravel()[0])
    return _curve(seen, lambda x: np.power(x, power))


@becomes("PRelu")
def _(seen: Seen) -> Found:
    return Found("prelu", seen.inputs[:1], {}, seen.arrays(slopes=1))


@becomes("Identity")
def _(seen: Seen) -> Found:
    return Found("identity", seen.inputs[:1])


@becomes("Cast", "CastLike")
def _(seen: Seen) -> Found:
    if seen.op == "Cast" and seen.get("to") not in _FLOATS:
        raise Refused("it rounds to whole numbers")
    return Found("identity", seen.inputs[:1])


@becomes("Dropout")
def _(seen: Seen) -> Found:
    training = seen.numbers(2, "training_mode")
    return Found("dropout" if training is not None and training else "identity", seen.inputs[:1])


@becomes("Add", "Sub", "Mul", "Div")
def _(seen: Seen) -> Found:
    return Found(seen.op.lower(), seen.inputs)


@becomes("Sum")
def _sum(seen: Seen) -> Found:
    first, *others = seen.inputs
    found = reduce(lambda one, other: Found("add", (one, other)), others, first)
    return found if isinstance(found, Found) else Found("identity", seen.inputs)


@becomes("Mean")
def _(seen: Seen) -> Found:
    return Found("mul", (_sum(seen), 1 / len(seen.inputs)))


@becomes("BatchNormalization")
def _(seen: Seen) -> Found:
    if seen.get("training_mode"):
        raise Refused("it is a batch norm in training mode: export the model in eval mode")
    arrays = seen.arrays(scale=1, shift=2, mean=3, variance=4)
    return Found(
        "norm", seen.inputs[:1], {"norm": "batch", "eps": seen.get("epsilon", 1e-5)}, arrays
    )


@becomes("InstanceNormalization")
def _(seen: Seen) -> Found:
    what = {"norm": "instance", "eps": seen.get("epsilon", 1e-5)}
    return Found("norm", seen.inputs[:1], what, seen.arrays(scale=1, shift=2))


@becomes("LayerNormalization")
def _(seen: Seen) -> Found:
    axis = seen.get("axis", -1) % len(seen.shape)
    what = {"norm": "layer", "eps": seen.get("epsilon", 1e-5), "axes": len(seen.shape) - axis}
    return Found("norm", seen.inputs[:1], what, seen.arrays(scale=1, shift=2))


@becomes("GroupNormalization")
def _(seen: Seen) -> Found:
    groups = seen.get("num_groups")
    what = {"norm": "group", "eps": seen.get("epsilon", 1e-5), "groups": groups}
    arrays = seen.arrays(scale=1, shift=2)
    each = seen.shape[1] // groups
    if seen.shapes[1] == (groups,) and each > 1:
        arrays = {name: _repeated(one, each) for name, one in arrays.items()}
    return Found("norm", seen.inputs[:1], what, arrays)


def _repeated(one: Constant, times: int) -> Constant:
    return Constant((one.shape[0] * times,), lambda: np.repeat(one.array, times), one.is_learned)


@becomes("Gemm")
def _(seen: Seen) -> Found:
    """A linear layer: alpha·A·B + beta·C."""
    image, weight = seen.inputs[:2]
    if isinstance(image, Constant) or not isinstance(weight, Constant):
        raise Refused("it multiplies activations with each other, or its weights come first")
    if seen.get("transA"):
        image = moved(image, lambda index: index.T)
    flip = not seen.get("transB")
    alpha, beta = seen.get("alpha", 1.0), seen.get("beta", 1.0)
    rows = _weight(seen, weight, flip=flip, factor=alpha)
    if not seen.has(2) or beta == 0:
        return Found("linear", (image,), {}, {"weight": rows})
    bias, out = seen.inputs[2], rows.shape[0]
    if not isinstance(bias, Constant):
        more = bias if beta == 1 else Found("mul", (bias, beta))
        return Found("add", (Found("linear", (image,), {}, {"weight": rows}), more))
    each = Constant(
        (out,), lambda: beta * np.broadcast_to(bias.array.ravel(), (out,)), bias.is_learned
    )
    return Found("linear", (image,), {}, {"weight": rows, "bias": each})


@becomes("MatMul")
def _(seen: Seen) -> Found:
    """A linear layer on the last axis, or on the one before it if the weights come first."""
    one, other = seen.inputs
    if isinstance(other, Constant) and len(other.shape) == 2:
        return Found("linear", (one,), {}, {"weight": _weight(seen, other, flip=True)})
    if isinstance(one, Constant) and len(one.shape) == 2 and len(seen.shapes[1]) > 1:
        turned = moved(other, _swapped)
        return moved(Found("linear", (turned,), {}, {"weight": one}), _swapped)
    return Found("MatMul", tuple(x for x in seen.inputs if isinstance(x, str)))


def _swapped(index: Any) -> Any:
    return index.swapaxes(-1, -2)


def _weight(seen: Seen, weight: Constant, *, flip: bool, factor: float = 1.0) -> Constant:
    """A matrix (outputs, inputs); the same object for the same one, as two layers may share it."""
    if not flip and factor == 1:
        return weight
    key = (weight, flip, factor)
    if key not in seen.made:
        shape = weight.shape[::-1] if flip else weight.shape
        seen.made[key] = Constant(
            shape, lambda: factor * (weight.array.T if flip else weight.array), weight.is_learned
        )
    return seen.made[key]


@becomes("Concat")
def _(seen: Seen) -> Found:
    if len(seen.inputs) == 1:
        return Found("identity", seen.inputs)
    return Found("concat", seen.inputs, {"axis": seen.get("axis")})
