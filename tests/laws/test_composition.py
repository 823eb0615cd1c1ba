"""A network cut in two: from the output to the cut, and from the cut to the input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import network_erf, receptive_field, zoo
from erf_theory.network import Activation, Chain, Conv, MaxPool, Norm, Residual
from erf_theory.testing.parts import plain
from erf_theory.testing.windows import CHANNELS, convolutions

PRE = Residual(Chain([Norm("batch"), Activation("relu"), Conv(8, 8, 3, padding=1)]))


@st.composite
def chains(draw):
    """Convolutions with strides and dilations, and layers of all other kinds that copy places."""
    channels, layers = draw(CHANNELS), []
    for _ in range(draw(st.integers(2, 4))):
        layers.append(draw(convolutions(channels, 1, keeps=False)))
        channels = layers[-1].out_channels
        layers += draw(st.lists(plain(channels, 1, linear=False), max_size=2))
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


def cuts(network):
    """Where a cut parts nothing that acts jointly: no gate from the max pool that reads it."""
    pairs = zip(network.nodes, network.nodes[1:], strict=False)
    return [
        node.name
        for node, after in pairs
        if not (isinstance(node.layer, Activation) and isinstance(after.layer, MaxPool))
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
