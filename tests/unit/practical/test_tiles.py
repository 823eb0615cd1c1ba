"""The overlap of tiles: what it promises, and what it refuses."""

import json

import numpy as np
import pytest

from erf_theory import tile_overlap, zoo
from erf_theory.empirical.torch_modules import torch_module
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv
from erf_theory.practical.edges import Tiling
from tests.unit.practical.twin import NETWORKS, sums

PLANE = NETWORKS["plane"]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("mass", [0.5, 0.9, 0.999, 1])
def test_an_overlap_keeps_its_promise_and_no_shorter_one_does(network, mass):
    found = tile_overlap(network, mass)
    assert found.cut <= 1 - mass + 1e-11
    budget = (1 - mass) / (2 * network.ndim)
    for row in found.axes:
        assert max(row.cut_before, row.cut_after) <= budget + 1e-11
        assert row.before <= row.support_before
        assert row.after <= row.support_after
    if mass == 1:
        assert [row.overlap for row in found.axes] == [row.support for row in found.axes]


@pytest.mark.torch
@pytest.mark.parametrize("mass", [0.7, 0.95, 0.99])
def test_the_corner_of_a_tile_loses_no_more_than_the_sum_over_its_edges(mass):
    found = tile_overlap(PLANE, mass)
    rows = found.axes
    whole = sums(PLANE, [row.support_before + row.period + row.support_after for row in rows])
    tile = sums(PLANE, [row.before + row.period + row.after for row in rows])
    kept = tile[tuple(row.before // row.period for row in rows)]
    lost = 1 - kept / whole[tuple(row.support_before // row.period for row in rows)]
    assert max(max(row.cut_before, row.cut_after) for row in rows) <= lost + 1e-12
    assert lost <= found.cut + 1e-12


@pytest.mark.torch
@pytest.mark.parametrize("channels", [1, 3])
def test_given_weights_count_by_their_squares(channels):
    import torch

    rng = np.random.default_rng(0)
    weights = rng.standard_normal((4, channels, channels, 3))
    convs = [Conv(channels, channels, 3, padding=1, weights=each) for each in weights]
    network = Chain(convs, ndim=1)
    (row,) = tile_overlap(network, overlap=2).axes
    squares = torch_module(network, dict(enumerate(weights**2)), {})
    whole, tile = (
        squares(torch.ones((1, channels, size), dtype=torch.float64))[0].sum(0) for size in (21, 11)
    )
    assert row.cut_before == pytest.approx(1 - float(tile[1] / whole[10]), rel=1e-12)
    assert row.cut_after == pytest.approx(1 - float(tile[-2] / whole[10]), rel=1e-12)


def test_an_overlap_costs_less_the_longer_it_is():
    cuts = [tile_overlap(zoo.resnet18(), overlap=32 * n).cut for n in (2, 4, 6, 8, 14)]
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[-1] == 0 < cuts[-2]
    (before, after) = [(row.before, row.after) for row in tile_overlap(PLANE, overlap=(3, 6)).axes]
    assert (before, after) == ((2, 1), (4, 2))


def test_a_padding_may_need_the_tile_s_size():
    net = Chain([Conv(1, 1, 3, stride=2, padding="same_tf", init=1)] * 2, ndim=1)
    with pytest.raises(ErfTheoryError, match="give image_size"):
        tile_overlap(net)
    (row,) = tile_overlap(net, 1, image_size=32).axes
    assert (row.period, row.before, row.after) == (4, 0, 4)


def test_it_says_all_it_knows():
    found = tile_overlap(zoo.resnet18(), 0.99)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["format"] == "erf_theory.TileOverlap/1"
    assert record["call"] == found.call == f"tile_overlap({zoo.resnet18().label}, mass=0.99)"
    assert [axis["overlap"] for axis in record["axes"]] == list(found.overlap)
    assert record["cut"] == found.cut
    assert "Approximate: the lags" in str(found)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"mass": 0}, "above 0 and at most 1, not 0"),
        ({"mass": 1.1}, "above 0 and at most 1, not 1.1"),
        ({"mass": 0.9, "overlap": 4}, "give mass or overlap, not both"),
        ({"overlap": 3}, "choose a multiple of it"),
        ({"overlap": -4}, "choose a multiple of it"),
        ({"overlap": (4, 4)}, "has 2 entries for 1 axes"),
    ],
)
def test_bad_input_is_refused(arguments, text):
    with pytest.raises(ErfTheoryError, match=text):
        tile_overlap(NETWORKS["strides"], **arguments)


def test_axes_that_are_alike_are_computed_once_and_others_are_not(monkeypatch):
    alike = Chain([Conv(4, 4, 3, stride=2, padding=1), Conv(4, 4, (3, 3), padding=(1, 1))])
    found = tile_overlap(alike, 0.99)
    assert Tiling.of(alike).is_alike
    monkeypatch.setattr(Tiling, "is_alike", False)
    assert tile_overlap(alike, 0.99).axes == found.axes
    monkeypatch.undo()
    weights = np.arange(9.0).reshape(1, 1, 3, 3)
    for layer in (
        Conv(1, 1, (3, 5), padding=(1, 2)),
        Conv(1, 1, 3, stride=(1, 2), padding=1),
        Conv(1, 1, 3, padding=1, weights=weights),
    ):
        other = Chain([layer])
        assert not Tiling.of(other).is_alike
        monkeypatch.setattr(Tiling, "_cut", lambda _, axis, *__: 0.001 * axis)
        assert tile_overlap(other, 0.5).axes[1].cut_before == 0.001
        monkeypatch.undo()
