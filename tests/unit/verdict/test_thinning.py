import numpy as np
import pytest

from erf_theory import zoo
from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv, Norm, Parallel
from erf_theory.verdict.thinning import thinned


@pytest.mark.parametrize("build", [zoo.resnet18, zoo.mobilenet_v1, zoo.unet, zoo.densenet121])
def test_networks_of_the_zoo_keep_their_shape(build):
    whole = build()
    thin = thinned(whole, 8)
    assert thin.in_channels == whole.in_channels
    assert [8 * c for c in thin.channels] == list(whole.channels)
    expected = network_erf(whole, ndim=1)
    found = network_erf(thin, ndim=1)
    assert found.values == pytest.approx(expected.values, abs=1e-3)


def test_depthwise_stays_depthwise_and_groups_stay():
    net = Chain([Conv(8, 32, 1), Conv(32, 64, 3, groups=32), Norm("group", 4)], 1)
    _, depthwise, norm = (node.layer for node in thinned(net, 4).nodes)
    assert (depthwise.in_channels, depthwise.out_channels, depthwise.groups) == (8, 16, 8)
    assert norm.groups == 4


def test_the_factor_1_changes_nothing():
    net = zoo.resnet18()
    assert thinned(net, 1).nodes == net.nodes


@pytest.mark.parametrize(
    ("network", "factor", "message"),
    [
        (Chain([Conv(3, 10, 3)]), 4, "node 0: 4 does not divide 10 channels; take another"),
        (Chain([Conv(3, 8, 3), Norm("group", 4)]), 4, "node 1: 4 groups do not divide 2"),
        (Chain([Conv(1, 2, 3, weights=np.ones((2, 1, 3)))]), 2, "weights as given have their ch"),
        (Parallel([Conv(3, 8, 3), Conv(3, 8, 1)]), 0, "factor of the channels is 1 or more"),
    ],
)
def test_what_cannot_be_thinned_is_refused(network, factor, message):
    with pytest.raises(ErfTheoryError, match=message):
        thinned(network, factor)
