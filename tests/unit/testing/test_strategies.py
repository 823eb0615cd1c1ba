"""What the strategies draw: all kinds, valid, and found small by Hypothesis."""

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from erf_theory.kernel import Kernel
from erf_theory.network import (
    Activation,
    Chain,
    Concat,
    Conv,
    ConvTranspose,
    Layer,
    MaxPool,
    Norm,
)
from erf_theory.testing import kernels, layers, networks, stacks, units

LINEAR_ONLY = (Activation, MaxPool, Norm)


def kinds(network):
    return {type(node.layer) for node in network.nodes}


@pytest.mark.parametrize("kind", [Conv, ConvTranspose, Concat, *LINEAR_ONLY])
def test_every_kind_is_drawn(kind):
    many = settings(max_examples=300)
    found = find(networks(), lambda network: kind in kinds(network), settings=many)
    assert kind in kinds(found)


@given(networks(linear=True))
def test_linear_networks_have_no_other_layer(network):
    assert not kinds(network) & set(LINEAR_ONLY)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_layers_take_the_channels(ndim):
    @given(layers(6, ndim))
    def look(layer):
        network = Chain([Conv(1, 6, 1), layer], ndim)
        assert network.out_channels == (layer.out_of(6) if isinstance(layer, Layer) else 6)

    look()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_stacks_are_convolutions(ndim):
    @given(stacks(ndim))
    def look(stack):
        assert kinds(stack) == {Conv}
        assert stack.ndim == ndim

    look()


@given(networks(), st.data())
def test_units_belong_to_the_network(network, data):
    unit = data.draw(units(network))
    assert len(unit) == network.ndim


@given(kernels(ndim=2))
def test_kernels_are_not_0(kernel):
    assert kernel.taps.any()
    assert kernel.taps.size > 1


@pytest.mark.parametrize("wanted", [lambda k: not k.is_exact, lambda k: not k.is_nonnegative])
def test_kernels_of_all_kinds(wanted):
    assert isinstance(find(kernels(), wanted, settings=settings()), Kernel)
