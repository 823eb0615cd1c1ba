"""The activations by name, and any function as one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from erf_theory.activations import functions as f
from erf_theory.activations.closed import CLIP, ELU, ERF, GELU, LEAKY, NONE, SIN, Closed
from erf_theory.activations.moments import Nonlinearity
from erf_theory.errors import ErfTheoryError

__all__ = ["ACTIVATIONS", "nonlinearity"]

_SELU = 1.6732632423543772, 1.0507009873554805


@dataclass(frozen=True)
class _Plain:
    """A function of z alone, called like one of an array namespace."""

    function: Callable[[Any], Any]

    def __call__(self, z: Any, xp: Any) -> Any:
        del xp
        return self.function(z)


def _leaky(name: str, slope: float, derivative: Callable[..., Any] = f.leaky_slope) -> Nonlinearity:
    return Nonlinearity(name, f.leaky_value, derivative, (slope,), (0.0,), LEAKY)


def _clip(name: str, low: float, high: float) -> Nonlinearity:
    return Nonlinearity(name, f.clip_value, f.clip_slope, (low, high, 1.0), (low, high), CLIP)


def _elu(name: str, alpha: float, rate: float = 1.0, gain: float = 1.0) -> Nonlinearity:
    return Nonlinearity(name, f.elu_value, f.elu_slope, (alpha, rate, gain), (0.0,), ELU)


def _celu(name: str, alpha: float) -> Nonlinearity:
    if alpha == 0:
        raise ErfTheoryError("celu divides by its parameter, which must not be 0")
    return _elu(name, alpha, 1 / alpha)


def _smooth(
    name: str, value: Callable[..., Any], slope: Callable[..., Any], closed: Closed = NONE
) -> Nonlinearity:
    return Nonlinearity(name, value, slope, closed=closed)


_FIXED = {
    made.name: made
    for made in (
        _leaky("identity", 1.0),
        _leaky("relu", 0.0),
        _leaky("abs", -1.0, f.abs_slope),
        _clip("relu6", 0.0, 6.0),
        _clip("hardtanh", -1.0, 1.0),
        Nonlinearity(
            "hardsigmoid", f.rise_value, f.clip_slope, (-3.0, 3.0, 1 / 6), (-3.0, 3.0), CLIP
        ),
        Nonlinearity("hardswish", f.hardswish_value, f.hardswish_slope, (), (-3.0, 3.0)),
        _elu("selu", _SELU[0], gain=_SELU[1]),
        _smooth("erf", f.erf_value, f.erf_slope, ERF),
        _smooth("sin", f.sin_value, f.sin_slope, SIN),
        _smooth("gelu", f.gelu_value, f.gelu_slope, GELU),
        _smooth("gelu_tanh", f.gelu_tanh_value, f.gelu_tanh_slope),
        _smooth("tanh", f.tanh_value, f.tanh_slope),
        _smooth("sigmoid", f.sigmoid_value, f.sigmoid_slope),
        _smooth("silu", f.silu_value, f.silu_slope),
        _smooth("mish", f.mish_value, f.mish_slope),
        _smooth("softplus", f.softplus_value, f.softplus_slope),
        _smooth("softsign", f.softsign_value, f.softsign_slope),
    )
}
_FAMILIES: dict[str, tuple[Callable[[str, float], Nonlinearity], float]] = {
    "leaky_relu": (_leaky, 0.01),
    "prelu": (_leaky, 0.25),
    "elu": (_elu, 1.0),
    "celu": (_celu, 1.0),
}
_ALIASES = {"linear": "identity", "swish": "silu"}

ACTIVATIONS = tuple(sorted({*_FIXED, *_FAMILIES, *_ALIASES}))


def nonlinearity(
    function: str | Callable[[Any], Any], derivative: Callable[[Any], Any] | None = None
) -> Nonlinearity:
    """An activation by name, or any function of one variable as one.

    Parameters
    ----------
    function : str or callable
        One of ``ACTIVATIONS``; four of them take a parameter in brackets, ``leaky_relu(0.01)``,
        ``prelu(0.25)``, ``elu(1.0)`` and ``celu(1.0)``, with these defaults. Or a function that
        works on arrays, element by element, NumPy's among them.
    derivative : callable, optional
        σ' for a σ given as a function: without it there are no moments of the slope.

    Returns
    -------
    Nonlinearity
        Its ``name`` gives an activation of the table back.

    Raises
    ------
    ErfTheoryError
        For an unknown name, a parameter that does not fit, or a derivative beside a name.

    Examples
    --------
    >>> nonlinearity("leaky_relu(0.2)").slope_second_moment(1.0).value
    0.52
    >>> import numpy as np
    >>> square = nonlinearity(np.square, lambda z: 2 * z)
    >>> value, error = square.slope_second_moment(3.0)
    >>> abs(value - 12) <= error < 1e-12
    True
    """
    if isinstance(function, str):
        if derivative is not None:
            raise ErfTheoryError(f"{function!r} brings its own derivative: give none")
        return _named(function)
    if not callable(function):
        raise ErfTheoryError(f"an activation is a name or a function, not {function!r}")
    slope = None if derivative is None else _Plain(derivative)
    return Nonlinearity(getattr(function, "__name__", repr(function)), _Plain(function), slope)


@lru_cache(maxsize=256)
def _named(name: str) -> Nonlinearity:
    found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", name)
    family = _ALIASES.get(found[1], found[1]) if found else ""
    argument = found[2] if found else None
    if family in _FAMILIES:
        make, default = _FAMILIES[family]
        parameter = default if argument is None else _parameter(name, argument)
        return make(family if argument is None else f"{family}({parameter!r})", parameter)
    if family not in _FIXED:
        raise ErfTheoryError(
            f"there is no activation {name!r}: choose one of {', '.join(ACTIVATIONS)}, or give a "
            "function with its derivative"
        )
    if argument is not None:
        raise ErfTheoryError(f"{family} takes no parameter, unlike {name!r}: give its name alone")
    return _FIXED[family]


def _parameter(name: str, argument: str) -> float:
    try:
        parameter = float(argument)
    except ValueError:
        parameter = float("nan")
    if not isfinite(parameter):
        raise ErfTheoryError(f"{name!r} needs one finite number in its brackets")
    return parameter
