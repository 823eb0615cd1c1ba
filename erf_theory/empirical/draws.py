"""The random numbers of a sample: drawn by NumPy in one order, whatever computes with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from erf_theory.empirical.inputs import Inputs, noise
from erf_theory.empirical.plan import INPUTS, Boxes, Plan
from erf_theory.exact import FloatArray
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import Region
from erf_theory.network.nodes import Network
from erf_theory.network.pointwise import Dropout

__all__ = ["Noise", "Sample", "draw"]


@dataclass(frozen=True)
class Noise:
    """What goes into one run.

    Attributes
    ----------
    images : ndarray, shape (inputs, channels, place...)
        In the input's box.
    masks : mapping from int to ndarray
        Of every dropout: 0, or what its samples are multiplied by.
    """

    images: FloatArray
    masks: Mapping[int, FloatArray]


@dataclass(frozen=True)
class Sample:
    """One random network, and what goes into it.

    Attributes
    ----------
    weights, biases : mapping from int to ndarray
        Of the nodes that have them, by their places.
    direction : ndarray, shape (channels,)
        The gradient of the output unit: as given, or normal numbers divided by √channels.
    measured : Noise
        Of the run that is measured.
    calibrating : Noise, optional
        Of the run that calibrates batch norms.
    """

    weights: Mapping[int, FloatArray]
    biases: Mapping[int, FloatArray]
    direction: FloatArray
    measured: Noise
    calibrating: Noise | None


def draw(
    plan: Plan,
    rng: np.random.Generator,
    inputs: Inputs = noise,
    direction: FloatArray | None = None,
) -> Sample:
    """Draw one sample; what is given in place of a random number changes no other."""
    network = plan.network
    layers = {
        place: node.layer
        for place, node in enumerate(network.nodes)
        if plan.needs(place) and isinstance(node.layer, Weighted)
    }
    weights = {place: layer.draw(network.ndim, rng) for place, layer in layers.items()}
    drawn = {place: _bias(layer, rng) for place, layer in layers.items()}
    biases = {place: bias for place, bias in drawn.items() if bias is not None}
    at_random = rng.standard_normal(network.out_channels) / sqrt(network.out_channels)
    measured = _noise(network, plan.boxes, 1, rng, inputs)
    calibrating = None if plan.wide is None else _noise(network, plan.wide, INPUTS, rng, inputs)
    return Sample(
        weights, biases, at_random if direction is None else direction, measured, calibrating
    )


def _noise(
    network: Network, boxes: Boxes, count: int, rng: np.random.Generator, inputs: Inputs
) -> Noise:
    """Images and masks for one run."""
    images = inputs(rng, (count, network.in_channels, *_shape(boxes[0])))
    masks = {}
    for place, node in enumerate(network.nodes):
        if isinstance(node.layer, Dropout) and node.layer.training and boxes[place + 1] is not None:
            shape = (count, network.channels[place], *_shape(boxes[place + 1]))
            kept = rng.random(shape) >= node.layer.rate
            masks[place] = kept / (1 - node.layer.rate)
    return Noise(images, masks)


def _bias(layer: Weighted, rng: np.random.Generator) -> FloatArray | None:
    """The biases of a layer, as given or normal; None without any."""
    if layer.given_bias is not None or layer.given_weights is not None or not layer.bias_variance:
        return layer.given_bias
    return rng.standard_normal(layer.out_channels) * sqrt(layer.bias_variance)


def _shape(region: Region | None) -> tuple[int, ...]:
    return () if region is None else region.shape
