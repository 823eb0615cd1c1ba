"""Sizes of inputs, against supports and energies cut to the image."""

import json

import numpy as np
import pytest

from erf_theory import input_size_advice, network_erf, receptive_field, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv
from tests.unit.practical.twin import NETWORKS

PADDED = ["plain", "strides", "residual", "plane", "no padding", "causal"]


def holds(geometry, node, axis):
    """Whether any unit of a node lies with all that it sees within the image."""
    units = geometry[node].output_size[axis]
    size = geometry.image_size[axis]
    for unit in range(units):
        low, high = geometry.sights[axis][geometry.network.place_of(node)].of(unit)
        if low >= 0 and high < size:
            return True
    return False


@pytest.mark.parametrize("name", PADDED)
def test_the_smallest_input_that_holds_the_theoretical_field(name):
    network = NETWORKS[name]
    for axis in range(network.ndim):
        for row in input_size_advice(network, axis=axis):
            until = network.until(row.name)
            for size, expected in ((row.trf_input, True), (row.trf_input - 1, False)):
                try:
                    geometry = receptive_field(until, image_size=size)
                except ErfTheoryError:
                    assert not expected
                    continue
                assert holds(geometry, row.name, axis) == expected


@pytest.mark.parametrize("name", PADDED)
@pytest.mark.parametrize("mass", [0.5, 0.9, 1])
def test_the_smallest_input_that_holds_the_energy(name, mass):
    network = NETWORKS[name]
    (jump, *_) = receptive_field(network).output.jump
    row = list(input_size_advice(network, mass=mass))[-1]
    line = network_erf(network, ndim=1)
    inside = np.abs(line.offsets[0]) <= (row.erf - 1) / 2
    assert np.sum(line.values[inside]) >= mass - 1e-12
    assert row.erf <= row.trf
    assert row.erf_input <= row.trf_input <= row.trf + jump - 1
    if mass == 1:
        assert row.erf_input == row.trf_input


def test_an_image_is_compared_with_every_layer():
    network = zoo.resnet18()
    found = input_size_advice(network, image_size=224)
    geometry = receptive_field(network)
    assert set(found.beyond_erf) < set(found.beyond_trf)
    for row in found:
        assert row.trf == geometry[row.name].size[0]
        assert (row.name in found.beyond_trf) == (row.trf_input > 224)
        assert (row.name in found.beyond_erf) == (row.erf_input > 224)
    assert f"by the TRF from {found.beyond_trf[0]} on" in str(found)
    assert found["pool"].trf == 11
    with pytest.raises(ErfTheoryError, match="no layer 'nothing'"):
        found["nothing"]


def test_a_u_net_gets_sizes_that_fit():
    last = list(input_size_advice(zoo.unet()))[-1]
    assert last.trf_input % 16 == last.erf_input % 16 == 0
    assert last.trf_input >= last.trf


def test_it_says_all_it_knows():
    found = input_size_advice(NETWORKS["plane"], axis=-1, image_size=(5, 9))
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (record["image_size"], record["axis"], record["mass"]) == (9, -1, 0.99)
    assert [row["trf"] for row in record["layers"]] == [row.trf for row in found] == [5, 9, 13]
    assert repr(found).startswith("<an input of ")
    assert "nowhere" in str(input_size_advice(Chain([Conv(1, 1, 3)]), image_size=99))


@pytest.mark.parametrize("mass", [0, 2])
def test_bad_input_is_refused(mass):
    with pytest.raises(ErfTheoryError, match="above 0 and at most 1"):
        input_size_advice(NETWORKS["plain"], mass=mass)
