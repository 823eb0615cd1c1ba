from functools import reduce
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Add, Chain, Conv, Graph, MaxPool, Parallel, Residual, Upsample
from erf_theory.network.geometry import Region, image_sizes, regions, resolved
from tests.unit.network.sets import LAYERS, hull, places, places_of_all


def units_that_fit(layer, size):
    """Number of units: those whose places all lie within the padded input.

    A transposed convolution has all that some input reaches, without those that its padding
    takes away at the ends.
    """
    ends = getattr(layer, "padding", None) or getattr(layer, "ends", None)
    match type(layer).__name__:
        case "Conv" | "MaxPool" | "AvgPool":
            inside = set(range(-ends[0][0], size + ends[0][1]))
            return sum(set(places(layer, unit)) <= inside for unit in range(60))
        case "ConvTranspose":
            taps = range(0, layer.dilation * layer.size, layer.dilation)
            last = max(layer.stride * x + tap for x in range(size) for tap in taps)
            return last + 1 - sum(ends[0])
        case "Upsample":
            return size * layer.scale
        case "Pad":
            return size + sum(ends[0])
    return size - sum(ends[0])


@given(LAYERS, st.integers(1, 12))
def test_sizes_count_the_units_that_fit(layer, size):
    expected = units_that_fit(layer, size)
    if expected < 1:
        with pytest.raises(ErfTheoryError, match="node 0: nothing is left"):
            image_sizes(Chain([layer], ndim=1), size)
    else:
        assert image_sizes(Chain([layer], ndim=1), size) == ((expected,),)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 40))
def test_tensorflow_keeps_the_size_over_the_stride(size, stride, dilation, image):
    net = Chain([Conv(1, 1, size, stride=stride, padding="same_tf", dilation=dilation)], ndim=1)
    assert image_sizes(net, image) == ((ceil(image / stride),),)
    ((before, after),) = resolved(net, image).nodes[0].layer.padding
    assert after - before in (0, 1)


def test_resolved_padding_is_that_of_every_place_of_the_network():
    net = Chain([Conv(1, 1, 3, stride=2, padding="same_tf")] * 2, ndim=1)
    assert [node.layer.padding for node in resolved(net, 10).nodes] == [((0, 1),), ((1, 1),)]
    assert resolved(Chain([MaxPool(2)]), None).nodes == Chain([MaxPool(2)]).nodes


def test_tensorflows_padding_needs_the_size():
    with pytest.raises(ErfTheoryError, match=r"node 0: TensorFlow's padding depends on the size"):
        resolved(Chain([Conv(1, 1, 3, stride=2, padding="same_tf")]), None)


def test_what_does_not_fit_is_named():
    with pytest.raises(ErfTheoryError, match=r"node big: nothing is left of an image of \(4,\)"):
        image_sizes(Chain({"small": MaxPool(2), "big": Conv(1, 1, 5)}, ndim=1), 8)
    branches = Residual(Conv(1, 1, 3), ndim=1)
    with pytest.raises(ErfTheoryError, match=r"node add: its inputs differ in size: .*\(6,\)"):
        image_sizes(branches, 8)


@given(st.lists(LAYERS, min_size=1, max_size=3), st.integers(-5, 5))
def test_regions_hold_what_the_unit_needs(layers, unit):
    found = regions(Chain(layers, ndim=1), unit)
    assert found[-1] == Region((unit,), (1,))
    units = {unit}
    for region, layer in zip(reversed(found[:-1]), reversed(layers), strict=True):
        units = places_of_all(layer, units)
        if units:
            low, high = hull(units)
            assert region.start[0] <= low
            assert high < region.start[0] + region.shape[0]


def test_regions_of_branches_and_of_nodes_that_do_not_matter():
    net = Graph(
        {
            "a": (Conv(1, 1, 3), "input"),
            "b": (Conv(1, 1, (1, 5)), "a"),
            "sum": (Add(), "a", "b"),
            "up": (Upsample(2), "sum"),
        }
    )
    assert [region.shape for region in regions(net)] == [(3, 7), (1, 5), (1, 1), (1, 1), (1, 1)]
    boxes = [Region((0,), (2,)), Region((-3,), (1,)), Region((4,), (2,))]
    assert reduce(Region.__or__, boxes) == Region((-3,), (9,))


def test_sizes_of_parallel_branches_in_two_axes():
    net = Parallel([Conv(1, 1, (3, 1), padding=(1, 0)), MaxPool(3, stride=1, padding=1)])
    assert image_sizes(net, (6, 8)) == ((6, 8),) * 3
