"""Regions against their definition: which samples reach the output unit is found tap by tap."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv
from erf_theory.network.geometry import Region, input_region, regions


def dependencies(chain, axis):
    """Coordinates that the output unit depends on along an axis, before every layer and behind."""
    places = {0}
    found = [places]
    for layer in reversed(chain.layers):
        if isinstance(layer, Conv):
            size, stride, padding, dilation = (
                value[axis] if isinstance(value, tuple) else value
                for value in (layer.size, layer.stride, layer.padding, layer.dilation)
            )
            taps = range(size)
            places = {stride * i + dilation * a - padding for i, a in product(places, taps)}
        found.append(places)
    return found[::-1]


def each(low, high):
    """One number for both axes, or two."""
    return st.integers(low, high) | st.tuples(st.integers(low, high), st.integers(low, high))


CONVS = st.builds(
    Conv,
    st.just(1),
    st.just(1),
    each(1, 4),
    stride=each(1, 3),
    padding=each(0, 3),
    dilation=each(1, 3),
)


@given(st.lists(CONVS | st.just(Activation("relu")), min_size=1, max_size=5))
def test_regions_hold_what_the_unit_depends_on_and_no_more(layers):
    chain = Chain(layers, 2)
    found = regions(chain)
    assert len(found) == len(layers) + 1
    for axis in (0, 1):
        for region, places in zip(found, dependencies(chain, axis), strict=True):
            first, size = region.start[axis], region.shape[axis]
            assert (first, first + size - 1) == (min(places), max(places))


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="no geometry is known for a layer of type Unknown"):
        input_region(unknown_layer, Region((0,), (1,)))
