"""Activation functions and their derivatives, on arrays of any Array-API namespace ``xp``.

All are written without overflow and without cancellation in the tails. At a kink a derivative
is what PyTorch makes it: 0 for abs, 0 at both ends of a clipped function, else that from the left,
but 1 for hardswish at 3.
"""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

__all__ = [
    "abs_slope",
    "clip_slope",
    "clip_value",
    "elu_slope",
    "elu_value",
    "erf_slope",
    "erf_value",
    "gelu_slope",
    "gelu_tanh_slope",
    "gelu_tanh_value",
    "gelu_value",
    "hardswish_slope",
    "hardswish_value",
    "leaky_slope",
    "leaky_value",
    "mish_slope",
    "mish_value",
    "rise_value",
    "sigmoid_slope",
    "sigmoid_value",
    "silu_slope",
    "silu_value",
    "sin_slope",
    "sin_value",
    "softplus_slope",
    "softplus_value",
    "softsign_slope",
    "softsign_value",
    "tanh_slope",
    "tanh_value",
]


def leaky_value(z: Any, xp: Any, slope: float) -> Any:
    """Itself above 0, slope·z below: identity (1), ReLU (0), leaky ReLU, abs (−1)."""
    return xp.where(z > 0, z, slope * z)


def leaky_slope(z: Any, xp: Any, slope: float) -> Any:
    """1 above 0, the slope at 0 and below."""
    return xp.where(z > 0, xp.ones_like(z), xp.full_like(z, slope))


def abs_slope(z: Any, xp: Any, slope: float) -> Any:
    """The sign of z: the leaky slope −1, but 0 at 0."""
    del slope
    return xp.sign(z)


def clip_value(z: Any, xp: Any, low: float, high: float, gain: float) -> Any:
    """Gain times z, z no less than low and no more than high: ReLU6, hardtanh."""
    return gain * xp.clip(z, low, high)


def rise_value(z: Any, xp: Any, low: float, high: float, gain: float) -> Any:
    """From 0 at low up to gain·(high − low) at high: the hard sigmoid."""
    return gain * (xp.clip(z, low, high) - low)


def clip_slope(z: Any, xp: Any, low: float, high: float, gain: float) -> Any:
    """The gain between low and high, 0 elsewhere."""
    return gain * xp.astype((z > low) & (z < high), z.dtype)


def hardswish_value(z: Any, xp: Any) -> Any:
    """z·min(max(z + 3, 0), 6)/6."""
    return z * (xp.clip(z, -3.0, 3.0) + 3) / 6


def hardswish_slope(z: Any, xp: Any) -> Any:
    """0 up to −3, z/3 + 1/2 below 3, 1 from there on."""
    middle = xp.where(z <= -3, xp.zeros_like(z), z / 3 + 0.5)
    return xp.where(z >= 3, xp.ones_like(z), middle)


def elu_value(z: Any, xp: Any, alpha: float, rate: float, gain: float) -> Any:
    """Gain·(z above 0, α(e^(rate·z) − 1) below): ELU, SELU and CELU."""
    return gain * xp.where(z > 0, z, alpha * xp.expm1(rate * xp.clip(z, None, 0.0)))


def elu_slope(z: Any, xp: Any, alpha: float, rate: float, gain: float) -> Any:
    """Gain·(1 above 0, α·rate·e^(rate·z) at 0 and below)."""
    below = alpha * rate * xp.exp(rate * xp.clip(z, None, 0.0))
    return gain * xp.where(z > 0, xp.ones_like(z), below)


def erf_value(z: Any, xp: Any) -> Any:
    """The error function, 2/√π ∫₀ᶻ e^(−t²) dt."""
    return _special("erf", z, xp)


def erf_slope(z: Any, xp: Any) -> Any:
    """2/√π·e^(−z²)."""
    return 2 / sqrt(pi) * xp.exp(-z * z)


def sin_value(z: Any, xp: Any) -> Any:
    """The sine."""
    return xp.sin(z)


def sin_slope(z: Any, xp: Any) -> Any:
    """The cosine."""
    return xp.cos(z)


def tanh_value(z: Any, xp: Any) -> Any:
    """The hyperbolic tangent."""
    return xp.tanh(z)


def tanh_slope(z: Any, xp: Any) -> Any:
    """1/cosh²(z)."""
    return 4 * sigmoid_slope(2 * z, xp)


def sigmoid_value(z: Any, xp: Any) -> Any:
    """1/(1 + e^(−z))."""
    small = xp.exp(-xp.abs(z))
    return xp.where(z > 0, xp.ones_like(z), small) / (1 + small)


def sigmoid_slope(z: Any, xp: Any) -> Any:
    """s(z)·s(−z), s the sigmoid."""
    small = xp.exp(-xp.abs(z))
    return small / ((1 + small) * (1 + small))


def softplus_value(z: Any, xp: Any) -> Any:
    """log(1 + e^z)."""
    return xp.clip(z, 0.0, None) + xp.log1p(xp.exp(-xp.abs(z)))


def softplus_slope(z: Any, xp: Any) -> Any:
    """The sigmoid."""
    return sigmoid_value(z, xp)


def softsign_value(z: Any, xp: Any) -> Any:
    """``z / (1 + abs(z))``."""
    return z / (1 + xp.abs(z))


def softsign_slope(z: Any, xp: Any) -> Any:
    """``1 / (1 + abs(z))²``."""
    return 1 / (1 + xp.abs(z)) / (1 + xp.abs(z))


def silu_value(z: Any, xp: Any) -> Any:
    """z·s(z), s the sigmoid; also called swish."""
    return z * sigmoid_value(z, xp)


def silu_slope(z: Any, xp: Any) -> Any:
    """s(z)·(1 + z·s(−z)), s the sigmoid."""
    return sigmoid_value(z, xp) * (1 + z * sigmoid_value(-z, xp))


def mish_value(z: Any, xp: Any) -> Any:
    """z·tanh(log(1 + e^z))."""
    return z * xp.tanh(softplus_value(z, xp))


def mish_slope(z: Any, xp: Any) -> Any:
    """tanh(p) + z·s(z)/cosh²(p), p the softplus and s the sigmoid."""
    plus = softplus_value(z, xp)
    return xp.tanh(plus) + z * sigmoid_value(z, xp) * tanh_slope(plus, xp)


def gelu_value(z: Any, xp: Any) -> Any:
    """z·Φ(z), Φ the standard normal distribution function."""
    return z * _normal_below(z, xp)


def gelu_slope(z: Any, xp: Any) -> Any:
    """Φ(z) + z·φ(z)."""
    return _normal_below(z, xp) + z * xp.exp(-z * z / 2) / sqrt(2 * pi)


def gelu_tanh_value(z: Any, xp: Any) -> Any:
    """z·(1 + tanh(u))/2, u = √(2/π)(z + 0.044715 z³)."""
    return z * sigmoid_value(_twice_inner(z), xp)


def gelu_tanh_slope(z: Any, xp: Any) -> Any:
    """(1 + tanh(u))/2 + z·u'(z)/(2 cosh²(u)), u as in ``gelu_tanh_value``."""
    steep = sqrt(8 / pi) * (1 + 3 * 0.044715 * z * z)
    inner = _twice_inner(z)
    return sigmoid_value(inner, xp) + z * steep * sigmoid_slope(inner, xp)


def _twice_inner(z: Any) -> Any:
    return sqrt(8 / pi) * (z + 0.044715 * z * z * z)


def _normal_below(z: Any, xp: Any) -> Any:
    return 0.5 * _special("erfc", z * -sqrt(0.5), xp)


def _special(name: str, z: Any, xp: Any) -> Any:
    """A special function outside the Array-API standard, from where the array lives.

    Arrays of a namespace without one of its own pass through NumPy.
    """
    from array_api_compat import is_cupy_namespace, is_numpy_array, is_torch_namespace

    if is_torch_namespace(xp):
        import torch

        return getattr(torch.special, name)(z)
    if is_cupy_namespace(xp):
        from cupyx.scipy import special as cupy_special

        return getattr(cupy_special, name)(z)
    from scipy import special

    if is_numpy_array(z):
        return getattr(special, name)(z)
    import numpy as np

    return xp.asarray(getattr(special, name)(np.from_dlpack(z)))
