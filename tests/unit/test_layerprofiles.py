import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.layerprofiles import layer_profiles
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Conv,
    Identity,
    MaxPool,
    Network,
    Norm,
    Parallel,
    Residual,
    Upsample,
)

RNG = np.random.default_rng(3)


def conv(before, after, size, **options):
    """A convolution with weights as given."""
    groups = options.get("groups", 1)
    return Conv(
        before,
        after,
        size,
        weights=RNG.standard_normal((after, before // groups, size, size)),
        **options,
    )


def norm(channels):
    """A batch norm with the numbers of a trained one."""
    scale, variance = RNG.uniform(0.5, 1.5, (2, channels))
    shift, mean = RNG.standard_normal((2, channels))
    return Norm(scale=scale, shift=shift, mean=mean, variance=variance)


def mobile(channels, stride):
    """Depthwise and dense convolutions, with a shortcut where nothing is left out."""
    body = Chain(
        [
            conv(channels, 2 * channels, 1),
            norm(2 * channels),
            Activation("relu6"),
            conv(2 * channels, 2 * channels, 3, groups=2 * channels, stride=stride, padding=1),
            norm(2 * channels),
            Activation("relu6"),
            conv(2 * channels, channels, 1),
            norm(channels),
        ]
    )
    return Residual(body) if stride == 1 else body


NETWORKS = {
    "mobile": Chain([conv(3, 4, 3, stride=2), mobile(4, 1), mobile(4, 2), mobile(4, 1)]),
    "branches": Chain(
        [
            MaxPool(2),
            Parallel([conv(2, 4, 3, padding=1), conv(2, 2, 1)], "concat"),
            ChannelShuffle(2),
            AvgPool(3, stride=2),
            Parallel([Identity(), conv(6, 6, 3, padding=1, groups=2)], "add"),
            conv(6, 1, 1),
        ]
    ),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("axis", [0, 1])
def test_profiles_are_those_of_one_question_after_another(network: Network, axis):
    places = range(len(network.nodes))
    found = layer_profiles(network, axis, places)
    first = 1 if isinstance(network.nodes[0].layer, MaxPool) else 0
    assert set(found) == set(places[first:])
    for place, line in found.items():
        erf = network_erf(network, layer=network.nodes[place].name, ndim=1, axis=axis)
        np.testing.assert_allclose(line.values, erf.values, rtol=1e-12)
        assert line.std == pytest.approx(erf.std, rel=1e-12, abs=1e-12)
        assert line.log_mass == pytest.approx(erf.log_mass, rel=1e-12, abs=1e-12)


def test_only_wanted_places_and_given_weights():
    network = NETWORKS["mobile"]
    assert set(layer_profiles(network, 0, {3, 5})) == {3, 5}
    assert layer_profiles(Chain([Conv(2, 2, 3)]), 0, {0}) == {}


def test_units_that_do_not_see_alike_are_left_to_the_maps():
    network = Chain([conv(2, 2, 3), Upsample(2), conv(2, 2, 3)])
    assert layer_profiles(network, 0, {0, 2}) == {}
