"""A network cut in two: from the output to the cut, and from the cut to the input."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory import network_erf, receptive_field, zoo
from erf_theory.network import Activation, AvgPool, Chain, Conv, MaxPool, Norm, Residual
from erf_theory.network.base import Given
from erf_theory.testing.parts import plain
from erf_theory.testing.windows import CHANNELS, convolutions

PRE = Residual(Chain([Norm("batch"), Activation("relu"), Conv(8, 8, 3, padding=1)]))


def alike(layer):
    """Whether it treats all channels alike: a cut hands on the mean of the channels."""
    return not any(isinstance(value, Given) for value in vars(layer).values())


@st.composite
def chains(draw):
    """Convolutions with strides and dilations, and layers of all other kinds that copy places."""
    channels, layers = draw(CHANNELS), []
    for _ in range(draw(st.integers(2, 4))):
        layers.append(draw(convolutions(channels, 1, keeps=False)))
        channels = layers[-1].out_channels
        layers += draw(st.lists(plain(channels, 1, linear=False).filter(alike), max_size=2))
    return Chain(layers, 1)


def energy(erf):
    """Energy by place, as an array and where it starts."""
    return erf.values * np.exp(erf.log_mass), erf.factors[0].start[0]


def composed(network, name):
    """The two parts' maps, one after the other: every place of the cut sees its own input."""
    geometry, place = receptive_field(network), network.place_of(name)
    jump = int(geometry[name].jump[0])
    (rest, low), (first, start) = (
        energy(network_erf(network, **{side: name})) for side in ("source", "layer")
    )
    spread = np.zeros((len(rest) - 1) * jump + 1)
    spread[::jump] = rest
    return np.convolve(spread, first) * network.channels[place], low * jump + start


def wide(nodes, *kinds):
    """Whether pools of these kinds with windows of several places are among them."""
    return any(isinstance(n.layer, kinds) and n.layer.size != (1,) for n in nodes)


def cuts(network):
    """Where a cut parts nothing that acts jointly: no gate from the max pool that reads it.

    Nor an average from the pools before it: they need what it leaves between places.
    """
    nodes = network.nodes
    pairs = enumerate(pairwise(nodes), 1)
    return [
        node.name
        for at, (node, after) in pairs
        if not (isinstance(node.layer, Activation) and isinstance(after.layer, MaxPool))
        and not (wide(nodes[:at], AvgPool, MaxPool) and wide(nodes[at:], AvgPool))
    ]


def need_composition(network, name):
    """The whole map is the composition of its parts."""
    whole, start = energy(network_erf(network))
    found, at = composed(network, name)
    assert at == start
    assert len(found) == len(whole)
    assert found == pytest.approx(whole, rel=1e-9, abs=1e-13 * whole.max())


@given(chains(), st.data())
def test_a_chain_cut_in_two_and_composed_gives_the_same(network, data):
    assume(cuts(network))
    need_composition(network, data.draw(st.sampled_from(cuts(network))))


@pytest.mark.parametrize(
    ("network", "name"),
    [(zoo.wavenet(), "start"), (zoo.wavenet(), "skips"), (Chain([PRE] * 3, 1), "1.add")],
)
def test_networks_with_skips_cut_where_all_paths_meet(network, name):
    need_composition(network, name)


def test_gates_that_one_unit_meets_again_are_not_composed():
    """A control: in post-activation blocks a unit that is open stays open more often than not."""
    with pytest.raises(AssertionError):
        need_composition(zoo.tcn(), "3.0.add")


def test_what_acts_jointly_is_not_composed():
    """A control: a gate that a max pool chooses from is more open than one alone."""
    network = Chain([Conv(1, 8, 3), Activation("relu"), MaxPool(2), Conv(8, 8, 3)], 1)
    need_composition(network, "0")
    with pytest.raises(AssertionError):
        need_composition(network, "1")


def test_fixed_windows_in_series_are_not_composed():
    """A control: the second average meets sums that the first left correlated."""
    network = Chain([AvgPool(2, stride=1), Conv(1, 1, 1), AvgPool(2, stride=1)], 1)
    with pytest.raises(AssertionError):
        need_composition(network, "1")


def test_channels_with_numbers_of_their_own_are_not_composed():
    """A control: a gate sees its own channel's scale, and the cut's mean does not know it."""
    scaled = Norm("batch", scale=[1.0, 2.0])
    network = Chain([Conv(1, 2, 3), scaled, Activation("tanh"), Conv(2, 1, 3)], 1)
    with pytest.raises(AssertionError):
        need_composition(network, "1")
