"""Signs kept: against covariances of whole images, gate by gate, and against gates drawn."""

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.coherent import coherent_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    Conv,
    Dropout,
    MaxPool,
    Norm,
    PReLU,
    Residual,
    Upsample,
)
from erf_theory.network.geometry import image_sizes
from erf_theory.network.nodes import INPUT
from erf_theory.propagation.statistics import gate_factors, mean_slopes, statistics
from tests.unit.propagation.images import conv, passed

NORM = Norm(scale=[1, -2, 3], variance=[1, 4, 0.25], shift=[1, 1, 0.5], mean=[5, 0, 1])
RELU = Activation("relu")
NETWORKS = {
    "relu": Chain([conv(2, 3, (3,), 1), RELU, conv(3, 2, (2,), 2), RELU, conv(2, 3, (3,), 3)]),
    "ends in a gate": Chain([RELU, conv(2, 3, (3,), 1), NORM, Activation("relu6")], 1),
    "smooth": Chain([conv(1, 3, (3,), 4), NORM, Activation("tanh"), conv(3, 2, (3,), 5)]),
    "depthwise": Chain(
        [conv(3, 3, (3,), 6, groups=3, padding=1), NORM, RELU, conv(3, 2, (2,), 7, stride=2), RELU]
    ),
    "strides": Chain(
        [
            *(conv(1, 2, (3,), 8, stride=2), RELU, conv(2, 2, (3,), 9, stride=2, padding=1)),
            *(RELU, conv(2, 2, (2,), 10, dilation=3)),
        ]
    ),
    "slopes": Chain([conv(1, 2, (3,), 11), PReLU([0.2, -0.5]), conv(2, 2, (3,), 12)]),
    "max pool": Chain(
        [conv(1, 2, (2,), 13), RELU, MaxPool(3, 2, 1), conv(2, 2, (3,), 14), MaxPool(2)]
    ),
    "residual": Chain(
        [
            conv(1, 2, (3,), 15),
            Residual(Chain([RELU, conv(2, 2, (3,), 16, padding=1), RELU])),
            Residual(conv(2, 2, (3,), 17, padding=1)),
            RELU,
            AvgPool(2),
        ],
        1,
    ),
}


def covariances(network, size):
    """E g(x)² at every place of the input, mean over channels, by covariances of all places.

    The gradients behind all nodes are one long vector, and every node is a matrix.
    """
    nodes, known = network.nodes, statistics(network)
    sizes = [*(s[0] for s in image_sizes(network, (size,))), size]
    counts = [*network.channels, network.in_channels]
    ends = np.cumsum([0, *(c * s for c, s in zip(counts, sizes, strict=True))])
    block = list(map(slice, ends[:-1], ends[1:]))
    total = np.zeros((ends[-1],) * 2)
    unit = block[-2].start + np.arange(counts[-2]) * sizes[-2] + sizes[-2] // 2
    total[unit, unit] = 1 / counts[-2]
    for place in range(len(nodes) - 1, INPUT, -1):
        node, here, before = nodes[place], block[place], block[nodes[place].inputs[0]]
        energy = np.diag(total)[here].copy()
        mean, rest = matrices(node.layer, known[place], counts[node.inputs[0]], sizes[place])
        step = np.eye(ends[-1])
        for source in node.inputs:
            step[block[source], here] = mean(sizes[source])
        step[here, here] = 0
        total = step @ total @ step.T
        if isinstance(node.layer, Activation | MaxPool | PReLU):
            total[before, before] += rest(energy)
    return total[block[-1], block[-1]].diagonal().reshape(counts[-1], size).mean(axis=0)


def matrices(layer, known, channels, places):
    """The matrix of the mean gradient, and the covariance of the rest from the energy behind."""
    if isinstance(layer, Activation | PReLU):
        p, q = mean_slopes(layer, known), gate_factors(layer, known)
        each = np.repeat([p, q - p**2], places, axis=1)
        return (lambda _: np.diag(each[0])), (lambda energy: np.diag(each[1] * energy))
    if isinstance(layer, MaxPool):
        taps = windows(layer, channels, places)
        mean = taps.mean(axis=1).T

        def rest(energy):
            chosen = np.einsum("y,yax->x", energy, taps) / layer.size
            return np.diag(chosen) - (mean * energy) @ mean.T

        return (lambda _: mean), rest
    return (lambda size: on_places(layer, channels, size)), None


def windows(layer, channels, places):
    """For every unit and tap of a pool, 1 at the place that it reads."""
    ((first, _),) = layer.pads(1)
    length = layer.stride * (places - 1) + layer.size - 2 * first
    taps = np.zeros((channels, places, layer.size, channels, length))
    for c, y, a in np.ndindex(channels, places, layer.size):
        x = layer.stride * y + a - first
        if 0 <= x < length:
            taps[c, y, a, c, x] = 1
    return taps.reshape(channels * places, layer.size, -1)


def on_places(layer, channels, size):
    """The gradient's matrix of a linear layer: the transpose of what it does to images."""
    basis = np.eye(channels * size).reshape(-1, channels, size)
    out = passed(layer, [np.concatenate([basis, np.zeros((1, channels, size))])], 1)
    return (out[:-1] - out[-1]).reshape(len(basis), -1)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_energy_is_that_of_covariances_of_whole_images(name):
    network, size = NETWORKS[name], 40
    found = coherent_erf(network)
    wanted = covariances(network, size)
    wanted = wanted[wanted != 0]
    assert found.mass == pytest.approx(wanted.sum(), rel=1e-10)
    whole = found.values[found.values > 0] * found.mass
    assert whole == pytest.approx(wanted, rel=1e-9)


def test_the_axis_is_one_of_the_maps():
    """A plane whose kernels lie along one axis each, both of them through the same gates."""
    rows = Chain([conv(1, 2, (3, 1), 20), RELU, conv(2, 2, (2, 1), 21)])
    line = Chain(
        [
            Conv(1, 2, 3, weights=rows.nodes[0].layer.given_weights[..., 0]),
            RELU,
            Conv(2, 2, 2, weights=rows.nodes[2].layer.given_weights[..., 0]),
        ],
        1,
    )
    found = coherent_erf(rows)
    assert found.values == pytest.approx(coherent_erf(line).values, rel=1e-12)
    assert coherent_erf(rows, axis=1).values.tolist() == [1]


def test_random_signs_bring_back_the_squares():
    """The mean over all signs of one layer is the energy whose signs are independent."""
    first, last = conv(1, 2, (3,), 22), np.array([[[1.0, 2.0], [0.5, 3.0]]])
    signs = np.array(list(np.ndindex(2, 2, 2, 2))) * 2 - 1
    chains = [
        Chain([first, RELU, Conv(2, 1, 2, weights=last * sign.reshape(1, 2, 2))], 1)
        for sign in signs
    ]
    maps = [coherent_erf(chain) for chain in chains]
    squares = network_erf(chains[0])
    mean = np.mean([found.values * found.mass for found in maps], axis=0)
    assert mean == pytest.approx(squares.values * squares.mass, rel=1e-12)
    assert max(abs(found.std / squares.std - 1) for found in maps) > 0.05


def test_a_layer_until_which_it_goes():
    whole = NETWORKS["relu"]
    found = coherent_erf(whole, layer=whole.nodes[2].name)
    assert found.values == pytest.approx(
        coherent_erf(Chain([node.layer for node in whole.nodes[:3]])).values
    )
    assert found.exactness == "approximate"
    assert "signs kept" in found.reasons[0]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([conv(1, 1, (2,)), Upsample(2)], "node 1: signs are not followed .* type Upsample"),
        ([conv(1, 1, (2,)), Dropout(0.5)], "type Dropout"),
        ([Conv(1, 1, 3), RELU], "node 0: an amplitude needs weights"),
        ([conv(1, 2, (2,)), Norm("layer")], "batch norm with given statistics"),
    ],
)
def test_what_has_no_rule_is_refused_by_name(layers, message):
    with pytest.raises(ErfTheoryError, match=message):
        coherent_erf(Chain(layers, 1))


def test_an_axis_that_is_not_there_is_refused():
    with pytest.raises(ErfTheoryError, match="axis is one of 0 to 0, not 1"):
        coherent_erf(NETWORKS["relu"], axis=1)
