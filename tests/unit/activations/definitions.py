"""Every activation as its authors define it, in mpmath, with the places where it is not smooth.

Moments by their definition: integrals over the pieces between these places, to 25 digits.
"""

import mpmath as mp
import numpy as np

SELU = mp.mpf("1.6732632423543772848170429916717"), mp.mpf("1.0507009873554804934193349852946")


def clip(z, low, high):
    return max(low, min(high, z))


def elu(z, alpha, rate=1):
    return z if z > 0 else alpha * mp.expm1(rate * z)


def softplus(z):
    return mp.log1p(mp.exp(z))


def gelu_tanh(z):
    return z / (1 + mp.exp(-2 * mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3)))


DEFINITIONS = {
    "abs": (abs, (0,)),
    "celu(0.5)": (lambda z: elu(z, mp.mpf(1) / 2, 2), (0,)),
    "celu": (lambda z: elu(z, 1), (0,)),
    "elu": (lambda z: elu(z, 1), (0,)),
    "elu(2.0)": (lambda z: elu(z, 2), (0,)),
    "erf": (mp.erf, ()),
    "gelu": (lambda z: z * mp.erfc(-z / mp.sqrt(2)) / 2, ()),
    "gelu_tanh": (gelu_tanh, ()),
    "hardsigmoid": (lambda z: clip(z / 6 + mp.mpf(1) / 2, 0, 1), (-3, 3)),
    "hardswish": (lambda z: z * clip(z + 3, 0, 6) / 6, (-3, 3)),
    "hardtanh": (lambda z: clip(z, -1, 1), (-1, 1)),
    "identity": (lambda z: z, ()),
    "leaky_relu": (lambda z: max(z, mp.mpf(0.01) * z), (0,)),
    "leaky_relu(0.2)": (lambda z: max(z, mp.mpf(0.2) * z), (0,)),
    "linear": (lambda z: z, ()),
    "mish": (lambda z: z * mp.tanh(softplus(z)), ()),
    "prelu": (lambda z: max(z, z / 4), (0,)),
    "relu": (lambda z: max(z, mp.mpf(0)), (0,)),
    "relu6": (lambda z: clip(z, 0, 6), (0, 6)),
    "selu": (lambda z: SELU[1] * elu(z, SELU[0]), (0,)),
    "sigmoid": (lambda z: 1 / (1 + mp.exp(-z)), ()),
    "silu": (lambda z: z / (1 + mp.exp(-z)), ()),
    "sin": (mp.sin, ()),
    "softplus": (softplus, ()),
    "softsign": (lambda z: z / (1 + abs(z)), (0,)),
    "swish": (lambda z: z / (1 + mp.exp(-z)), ()),
    "tanh": (mp.tanh, ()),
}


def derivative(name):
    """σ' off the kinks."""
    function = DEFINITIONS[name][0]
    return lambda z: mp.diff(function, z, h=mp.mpf(10) ** -12 * (1 + abs(z)))


def gaussian(function, kinks, q, mean=0.0, digits=25):
    """E f(z), z ~ N(mean, q), piece by piece; z has scales of its own and those of the law."""
    with mp.workdps(digits):
        std, centre = mp.sqrt(mp.mpf(q)), mp.mpf(mean)
        scales = [s * mp.mpf(4) ** j for s in (-1, 1) for j in range(-1, 10)]
        cuts = {*kinks, 0, *scales, *(centre + std * t for t in (-4, -2, 0, 2, 4))}
        low, high = centre - 12 * std, centre + 12 * std
        inner = sorted(mp.mpf(cut) for cut in cuts if low < cut < high)
        weighted = lambda z: function(z) * mp.npdf(z, centre, std)  # noqa: E731
        return mp.quad(weighted, [low, *inner, high], method="gauss-legendre", maxdegree=6)


def smooth_pair(function, q, c):
    """E f(z₁)f(z₂) for an analytic f of scale 1 by sums, right to the last digits for q ≤ 2."""
    t = np.arange(-9, 9, 0.09)
    weights = np.exp(-t * t / 2) * 0.09 / np.sqrt(2 * np.pi)
    first = np.sqrt(q) * t[:, None] * np.ones_like(t)
    second = np.sqrt(q) * (c * t[:, None] + np.sqrt(1 - c * c) * t)
    return float(weights @ (function(first) * function(second)) @ weights)
