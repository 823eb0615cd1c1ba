"""Convolutions and linear layers."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from erf_theory.network.convolutions import Conv, ConvTranspose
from erf_theory.readers.building import FROZEN, Build, one_or_all, rule
from erf_theory.readers.trace import Op
from erf_theory.readers.values import Value, is_per_place, laid_out

__all__: list[str] = []


@rule("conv")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    weight, what = op.arrays["weight"], op.attributes
    groups = what.get("groups", 1)
    return build.add(
        Conv(
            weight.shape[1] * groups,
            weight.shape[0],
            one_or_all(weight.shape[2:]),
            one_or_all(what.get("stride", 1)),
            one_or_all(what.get("padding", 0)),
            one_or_all(what.get("dilation", 1)),
            groups,
            **_numbers(build, op, weight.shape),
        ),
        build.plain(inputs[0]),
    )


@rule("conv_transpose")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    weight, what = op.arrays["weight"], op.attributes
    groups = what.get("groups", 1)
    return build.add(
        ConvTranspose(
            weight.shape[0],
            weight.shape[1] * groups,
            one_or_all(weight.shape[2:]),
            one_or_all(what.get("stride", 1)),
            one_or_all(what.get("padding", 0)),
            one_or_all(what.get("dilation", 1)),
            groups,
            output_padding=one_or_all(what.get("output_padding", 0)),
            **_numbers(build, op, weight.shape),
        ),
        build.plain(inputs[0]),
    )


@rule("linear")
def _(build: Build, op: Op, inputs: list[Value]) -> Value:
    """On every place, or from all samples of one map."""
    (value,), weight = inputs, op.arrays["weight"]
    out, features = weight.shape
    axis = len(value.shape) - 1
    if value.shape != (1, features) or features != prod(value.base):
        value = build.per_place(value, axis)
    if is_per_place(value, axis):
        shape = (out, features, *(1,) * build.ndim)
        conv = Conv(features, out, 1, **_numbers(build, op, shape))
        return build.add(conv, value.unmoved()).at(laid_out(value, axis, out))
    return _whole(build, op, value)


def _whole(build: Build, op: Op, value: Value) -> Value:
    """A linear layer that reads all samples of a map: a convolution as large as the map."""
    out = op.arrays["weight"].shape[0]
    shape = (out, *value.base)

    def sorted_by_sample(array: Any) -> Any:
        return np.asarray(array)[:, np.argsort(value.index[0])].reshape(shape)

    numbers = _numbers(build, op, shape, sorted_by_sample)
    conv = Conv(value.base[0], out, one_or_all(value.base[1:]), **numbers)
    after = build.add(conv, value.unmoved())
    build.pool(after)
    build.remark(FROZEN)
    return after.at(after.index.reshape(1, out))


def _numbers(
    build: Build, op: Op, shape: tuple[int, ...], arranged: Any = np.asarray
) -> dict[str, Any]:
    """Weights as given, or their law."""
    weight, bias = op.arrays["weight"], op.arrays.get("bias")
    if build.weights == "given" or not weight.is_learned:
        return {
            "weights": arranged(weight.array).reshape(shape),
            "bias": None if bias is None else bias.array,
        }
    build.learned.setdefault(id(weight), []).append(len(build.nodes))
    if build.weights != "law":
        return {"init": build.weights}
    fan_in = prod(shape[1:])
    return {"init": "pytorch", "bias_variance": 0 if bias is None else Fraction(1, 3 * fan_in)}
