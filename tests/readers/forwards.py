"""What a network makes of a whole image: the package's own layers, with borders put around."""

from functools import reduce

import numpy as np

from erf_theory.empirical import norms
from erf_theory.empirical.layers import At, forward, matrices
from erf_theory.network import Conv, ConvTranspose, Crop, MaxPool, Pad
from erf_theory.network.base import Window
from erf_theory.network.geometry import Region, seen, shape_behind
from erf_theory.network.nodes import INPUT

_ = norms  # it enters what norms do
MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def outputs(network, image):
    """Samples behind every node, by name; the image has the shape (channels, place...)."""
    values = {INPUT: np.asarray(image, dtype=np.float64)}
    for place, node in enumerate(network.nodes):
        values[place] = _passed(node.layer, [values[i] for i in node.inputs])
    return {node.name: values[place] for place, node in enumerate(network.nodes)}


def output(network, image):
    """The last node's samples."""
    return list(outputs(network, image).values())[-1]


def _passed(layer, xs):
    if isinstance(layer, Pad):
        return np.pad(xs[0], [(0, 0), *layer.per_axis(xs[0].ndim - 1)], MODES[layer.border])
    if isinstance(layer, Crop):
        spans = zip(xs[0].shape[1:], layer.per_axis(xs[0].ndim - 1), strict=True)
        return xs[0][(..., *(slice(a, m - b) for m, (a, b) in spans))]
    shape = xs[0].shape[1:]
    after = Region((0,) * len(shape), shape_behind(layer, shape))
    box = seen(layer, after) if moves(layer) else after
    xs = [_held(x, box, layer) for x in xs] if moves(layer) else xs
    weights = bias = None
    if isinstance(layer, Conv | ConvTranspose):
        weights = matrices(layer, layer.given_weights[None])
        bias = None if layer.bias is None else layer.bias.array[None]
    y, _ = forward(layer, [x[None, None] for x in xs], At(box, after, np, weights, bias))
    return y[0, 0]


def moves(layer):
    """Whether a layer's output sees other places than its own."""
    return isinstance(layer, Window) or type(layer).__name__ == "Upsample"


def _held(x, box, layer):
    """The samples in a box; beyond the border zeros, what no maximum is, or the nearest sample."""
    places = [a + np.arange(m) for a, m in zip(box.start, box.shape, strict=True)]
    clipped = [np.clip(at, 0, m - 1) for at, m in zip(places, x.shape[1:], strict=True)]
    found = x[np.ix_(np.arange(len(x)), *clipped)]
    if not isinstance(layer, Window):
        return found
    inside = [at == near for at, near in zip(places, clipped, strict=True)]
    held = reduce(
        np.logical_and, (m.reshape(-1, *(1,) * (len(inside) - 1 - i)) for i, m in enumerate(inside))
    )
    return np.where(held, found, -np.inf if isinstance(layer, MaxPool) else 0.0)
