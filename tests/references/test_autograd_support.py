"""What an output unit sees, by the geometry and by PyTorch's autograd: positive weights, so that
nothing cancels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.empirical.torch_backend import image
from erf_theory.empirical.torch_modules import torch_module
from erf_theory.errors import ErfTheoryError
from erf_theory.network.convolutions import Weighted
from erf_theory.network.geometry import Region, regions, sights
from erf_theory.network.sight import sight
from erf_theory.testing import networks, units

pytestmark = pytest.mark.torch


@st.composite
def cases(draw):
    """A linear network, a unit, and a full image around it."""
    network = draw(networks(linear=True))
    unit = draw(units(network))
    try:
        return network, unit, image(network, regions(network, unit))
    except ErfTheoryError:
        assume(condition=False)


def support(network, unit, where):
    """The box of the pixels with a gradient, by autograd; None without any."""
    import torch

    rng = np.random.default_rng(0)
    weights = {
        place: rng.uniform(0.5, 1.5, node.layer.weight_shape(network.ndim))
        for place, node in enumerate(network.nodes)
        if isinstance(node.layer, Weighted)
    }
    pixels = torch.ones((1, network.in_channels, *where.sizes[0]), dtype=torch.float64)
    output = torch_module(network, weights, {})(pixels.requires_grad_())
    assert tuple(output.shape[2:]) == where.sizes[-1]
    at = tuple(np.add(unit, where.shifts[-1]))
    output[(0, slice(None), *at)].sum().backward()
    places = np.nonzero(pixels.grad.numpy()[0].sum(axis=0))
    if not places[0].size:
        return None
    low, high = ([int(end(along)) for along in places] for end in (np.min, np.max))
    shape = tuple(b - a + 1 for a, b in zip(low, high, strict=True))
    return Region(tuple(np.subtract(low, where.shifts[0]).tolist()), shape)


def by_sights(network, unit):
    """The box of the unit by the sights of every axis."""
    ends = [sights(network, axis)[-1].of(at) for axis, at in enumerate(unit)]
    if any(low > high for low, high in ends):
        return None
    return Region(tuple(low for low, _ in ends), tuple(high - low + 1 for low, high in ends))


def goes_forwards(one):
    """Whether every unit sees something, and none less far than the unit before it."""
    ends = [one.of(unit) for unit in range(one.period + 1)]
    ordered = all(a <= c and b <= d for (a, b), (c, d) in pairwise(ends))
    return ordered and all(low <= high for low, high in ends)


def is_plain(network):
    """Whether all layers go forwards, which transposed convolutions with holes do not."""
    axes = range(network.ndim)
    return all(
        goes_forwards(sight(node.layer, network.ndim, axis))
        for node in network.nodes
        for axis in axes
    )


@given(cases())
def test_the_box_of_a_unit_is_that_of_its_gradient(case):
    """Through holes, boxes may be larger; sights only where one axis hides a branch of others."""
    network, unit, where = case
    found = support(network, unit, where)
    box, seen = regions(network, unit)[0], by_sights(network, unit)
    if is_plain(network):
        assert found == box == seen
    elif network.ndim == 1:
        assert found == seen
    if found is not None:
        assert box | found == box
        assert seen | found == seen
