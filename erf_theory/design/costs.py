"""What a network costs: weights, and multiplications with them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import final

from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.convolutions import ConvTranspose, Weighted
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.receptive import receptive_field

__all__ = ["Cost", "network_cost"]


@final
@dataclass(frozen=True)
class Cost:
    """What a network costs.

    Attributes
    ----------
    parameters : int
        Weights of all convolutions; biases, norms and activations do not count.
    multiply_adds : Fraction
        Multiplications with these weights, each with its addition, per place of the input: a
        convolution runs once per place of its output, which are fewer behind strides.
    """

    parameters: int
    multiply_adds: Fraction

    def on(self, image_size: Steps, ndim: int = 2) -> Fraction:
        """Multiply-adds for an image of this size."""
        return self.multiply_adds * prod(per_axis(image_size, ndim))


def network_cost(network: Network) -> Cost:
    """The weights of a network, and the multiply-adds that it takes per place of the input.

    Parameters
    ----------
    network : Network
        The network. Borders are not counted: every convolution keeps as many places as its stride
        leaves.

    Returns
    -------
    Cost

    Raises
    ------
    ErfTheoryError
        If branches with different strides are joined.

    Examples
    --------
    >>> from erf_theory.zoo import resnet18
    >>> cost = network_cost(resnet18())
    >>> cost.parameters, round(float(cost.on(224) / 10**9), 2)
    (11166912, 1.81)
    """
    geometry = receptive_field(network)
    parameters, multiply_adds = 0, Fraction(0)
    for place, node in enumerate(network.nodes):
        if not isinstance(node.layer, Weighted):
            continue
        weights = prod(node.layer.weight_shape(network.ndim))
        source = node.inputs[0] if isinstance(node.layer, ConvTranspose) else place
        jumps = (Fraction(1),) if source == INPUT else geometry.rows[source].jump
        parameters += weights
        multiply_adds += Fraction(weights) / prod(map(Fraction, jumps))
    if not parameters:
        raise ErfTheoryError("a network without convolutions costs nothing: give one with some")
    return Cost(parameters, multiply_adds)
