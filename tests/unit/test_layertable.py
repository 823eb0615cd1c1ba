import csv
import json
from io import StringIO

import numpy as np
import pytest

from erf_theory import layer_table, network_erf, receptive_field
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Chain,
    ChannelShuffle,
    Conv,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Parallel,
    Residual,
    Upsample,
)
from erf_theory.zoo import resnet18

NET = Chain(
    {
        "stem": Conv(3, 8, (5, 3), stride=(2, 1), padding=(2, 1)),
        "relu": Activation("relu"),
        "pool": MaxPool(2),
        "block": Residual(Chain([Conv(8, 8, 3, padding=1), Norm()])),
        "up": Upsample(2),
    }
)


CONV, RELU = Conv(4, 4, 3, padding=1), Activation("relu")
NARROW = np.random.default_rng(3).normal(size=(4, 4, 5, 5))
NARROW[:2, :, [0, 1, 3, 4]] = 0
GIVEN = Chain([Conv(4, 4, 5, padding=2, weights=NARROW, bias=[9, 9, -9, -9]), RELU])
SIDE = Chain([Parallel({"given": GIVEN, "random": CONV})])
UNLIKE = [Chain([CONV, RELU]), Conv(4, 4, 1), MaxPool(1)]
NETWORKS = {
    "plain": NET,
    "joint gates": Chain([Chain([Residual(Chain([CONV, Norm()])), RELU])] * 3),
    "unlike channels": Chain(
        [Conv(1, 4, 3), Parallel(UNLIKE, "concat"), Norm(), Activation("gelu"), Conv(12, 4, 1)]
    ),
    "shuffled": Chain([Conv(1, 4, 3), Parallel(UNLIKE, "concat"), ChannelShuffle(2), Dropout(0.5)]),
    "numbers of a norm": Chain([Conv(1, 3, 3), Norm(scale=[1, 2, 3]), RELU, Conv(3, 3, 3)]),
    "given": Chain(
        [
            Conv(1, 3, 3, weights=np.arange(27).reshape(3, 1, 3, 3)),
            Norm(scale=[1, 2, 3], variance=[1, 1, 2]),
            RELU,
            Identity(),
        ]
    ),
    "groups of unlike channels": Chain(
        [Parallel([Conv(1, 4, 1), Conv(1, 4, 3, padding=1)], "concat"), Norm("group", 2)]
    ),
    "given beside the output": SIDE.until("0.random"),
    "gates in a row": Chain([CONV, RELU, MaxPool(1), Norm(), RELU, MaxPool(2), RELU, CONV, RELU]),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("axis", [0, 1])
def test_every_row_is_what_the_two_questions_say_of_its_layer(network, axis):
    table, geometry = layer_table(network, axis=axis), receptive_field(network)
    assert [row.name for row in table] == [node.name for node in network.nodes]
    for row, place in zip(table, geometry, strict=True):
        erf = network_erf(network, layer=row.name)
        assert row.trf == place.axes[axis].size
        assert row.jump == float(place.axes[axis].jump)
        line = network_erf(network, layer=row.name, ndim=1, axis=axis)
        assert row.std == pytest.approx(line.std, rel=1e-12)
        assert row.size == pytest.approx(erf.size(), rel=1e-12)
        assert row.share == row.size / row.trf
        assert row.log_mass == pytest.approx(erf.log_mass, rel=1e-12, abs=1e-12)
        assert row.is_exact == (erf.exactness == "exact")


def test_lengths_in_another_unit():
    pixels, seconds = layer_table(NET), layer_table(NET, spacing=0.5, unit="s")
    for one, other in zip(pixels, seconds, strict=True):
        for name in ("jump", "trf", "std", "size"):
            assert getattr(other, name) == pytest.approx(0.5 * getattr(one, name))
        assert (other.share, other.log_mass) == (one.share, one.log_mass)
    assert "Lengths are s on axis 0." in str(seconds)
    assert "spacing=0.5, unit='s'" in seconds.call


def test_three_forms():
    table = layer_table(NET)
    record = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert record["format"] == "erf_theory.LayerTable/1"
    assert [row["name"] for row in record["layers"]] == [row.name for row in table]
    rows = list(csv.DictReader(StringIO(table.to_csv())))
    assert [float(row["std"]) for row in rows] == [row.std for row in table]
    lines = str(table).splitlines()
    assert lines[0].split()[:3] == ["node", "layer", "channels"]
    assert len(lines) == 1 + len(table) + 1 + len(table.reasons)
    assert repr(table).startswith(f"<{len(table)} layers; the last one's")


def test_rows_by_name_and_progress():
    seen = []
    table = layer_table(NET, progress=seen.append)
    assert seen == list(range(1, len(table) + 1))
    assert table["pool"].channels == 8
    with pytest.raises(ErfTheoryError, match="no layer 'pond'"):
        table["pond"]


def test_a_padding_that_depends_on_the_image():
    same = Chain([Conv(1, 1, 3, stride=2, padding="same_tf")] * 3, 1)
    with pytest.raises(ErfTheoryError, match="give image_size"):
        layer_table(same)
    assert [row.trf for row in layer_table(same, image_size=20)] == [3, 7, 15]
    with pytest.raises(ErfTheoryError, match="nothing is left"):
        layer_table(Chain([MaxPool(4)]), image_size=3)


@pytest.mark.parametrize("spacing", [0, -1, float("nan"), float("inf")])
def test_bad_spacings(spacing):
    with pytest.raises(ErfTheoryError, match="the spacing of samples is above 0"):
        layer_table(NET, spacing=spacing)


def test_axes():
    assert layer_table(NET, axis=-1)["stem"].trf == layer_table(NET, axis=1)["stem"].trf == 3
    with pytest.raises(ErfTheoryError, match="a network of 2 axes has no axis 2"):
        layer_table(NET, axis=2)


def test_given_weights_are_those_of_the_rows():
    weights = np.random.default_rng(0).standard_normal((4, 1, 3))
    net = Chain([Conv(1, 4, 3, weights=weights), Conv(4, 2, 3)], 1)
    table = layer_table(net)
    assert table["0"].log_mass == pytest.approx(np.log(np.sum(weights**2) / 4))
    assert not table["1"].is_exact


def test_rows_of_some_layers_are_those_of_the_whole_table():
    network = resnet18()
    whole = layer_table(network)
    told = []
    part = layer_table(network, layers=["stage2.1", "stem.act"], progress=told.append)
    names = [row.name for row in part]
    assert names == ["stem.act", "stage2.1.relu", network.nodes[-1].name]
    for row in part:
        assert (row.std, row.size, row.trf) == (
            whole[row.name].std,
            whole[row.name].size,
            whole[row.name].trf,
        )
        assert row.log_mass == pytest.approx(whole[row.name].log_mass, rel=1e-9)
    assert told == [1, 2, 3]
    with pytest.raises(ErfTheoryError, match="there is no node 'stage9'"):
        layer_table(network, layers=["stage9"])


def test_sizes_with_given_weights_are_those_of_profiles_or_of_whole_maps():
    weights = np.random.default_rng(1).standard_normal((2, 4, 2, 3, 3))
    net = Chain(
        [Conv(2, 4, 3, weights=weights[0]), Conv(4, 2, 3, weights=weights[1].swapaxes(0, 1))]
    )
    quick, whole = layer_table(net), layer_table(net, whole_maps=True)
    for one, other in zip(quick, whole, strict=True):
        erf = network_erf(net, layer=one.name)
        assert other.size == pytest.approx(erf.size(), rel=1e-12)
        lines = [erf.profile(axis).values for axis in (0, 1)]
        outer = np.multiply.outer(*lines)
        assert one.size == np.sqrt(np.sum(outer > 0.0455 * outer.max()))
        assert one.std == pytest.approx(other.std, rel=1e-12)
        assert one.log_mass == pytest.approx(other.log_mass, rel=1e-12)
    assert any("product of the profiles" in text for text in quick.reasons)
    assert not any("product of the profiles" in text for text in whole.reasons)
    assert "whole_maps=True" in whole.call
