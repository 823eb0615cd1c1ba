import csv
import json
from fractions import Fraction
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Chain,
    Conv,
    ConvTranspose,
    Identity,
    MaxPool,
    Parallel,
    Residual,
    Upsample,
    receptive_field,
)
from erf_theory.network.geometry import Region
from erf_theory.network.nodes import INPUT
from tests.unit.network.sets import ENDS, SMALL, places_of_all


def conv(size, padding, dilation, stride=1):
    return Conv(1, 1, size, stride=stride, padding=padding, dilation=dilation)


def there_and_back(up, inner, down):
    """Up, a layer in between, and down again."""
    return Chain([up, inner, down], ndim=1)


CONVS = st.builds(conv, SMALL, ENDS, st.integers(1, 3))
ALIKE = st.sampled_from([2, 3]).flatmap(
    lambda s: st.builds(
        there_and_back,
        st.sampled_from([Upsample(s), Upsample(s, "linear")])
        | st.builds(
            lambda k: ConvTranspose(1, 1, k, stride=s, padding=((0, 0),)), st.integers(1, 4)
        ),
        CONVS,
        st.builds(conv, SMALL, ENDS, st.just(1), st.just(s)),
    )
)
PARTS = st.recursive(
    st.one_of(CONVS, ALIKE, st.just(Identity())),
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=2).map(lambda parts: Chain(parts, ndim=1)),
        st.builds(lambda body, beside: Residual(body, beside, ndim=1), part, part),
        st.lists(part, min_size=2, max_size=2).map(lambda parts: Parallel(parts, ndim=1)),
    ),
    max_leaves=4,
)
NETWORKS = st.builds(
    lambda part, upsampling: Chain([part, *upsampling], ndim=1),
    PARTS,
    st.lists(st.builds(Upsample, st.just(2)), max_size=1),
)


def all_paths(network, place):
    """The layers of every path from the input to a node."""
    if place == INPUT:
        yield []
        return
    node = network.nodes[place]
    for source in node.inputs:
        for path in all_paths(network, source):
            yield [*path, node.layer]


def seen_over(path, unit):
    units = {unit}
    for layer in reversed(path):
        if type(layer).__name__ not in ("Add", "Identity"):
            units = places_of_all(layer, units)
    return units


def extent(places):
    return max(places) - min(places) + 1 if places else 0


@given(NETWORKS)
def test_every_row_is_what_all_paths_see(network):
    geometry = receptive_field(network)
    for place, row in enumerate(geometry):
        (axis,) = row.axes
        paths = list(all_paths(network, place))
        seen = {u: [seen_over(path, u) for path in paths] for u in range(len(axis.phases))}
        together = [set().union(*sets) for sets in seen.values()]
        sizes = [extent(places) for sets in seen.values() for places in sets]
        assert axis.phases == tuple(map(extent, together))
        assert (axis.smallest, axis.largest) == (min(sizes), max(sizes))
        assert axis.size == max(axis.phases)
        assert axis.start == (min(together[0]) if together[0] else None)
        assert axis.padding == (None if axis.start is None else -axis.start)
        region = geometry.region(place, 1)
        found = set().union(*(seen_over(path, 1) for path in paths))
        assert region == (Region((min(found),), (extent(found),)) if found else None)


PLAIN = st.recursive(
    CONVS,
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=2).map(lambda parts: Chain(parts, ndim=1)),
        st.builds(lambda body, beside: Residual(body, beside, ndim=1), part, part),
    ),
    max_leaves=5,
)


@given(PLAIN)
def test_paths_are_aligned_where_all_have_one_centre(part):
    network = Chain([part], ndim=1)
    for place, row in enumerate(receptive_field(network)):
        boxes = [seen_over(path, 0) for path in all_paths(network, place)]
        centres = {Fraction(min(box) + max(box), 2) for box in boxes}
        assert row.axes[0].aligned == (len(centres) == 1)
        ends = [min(map(min, boxes)), max(map(max, boxes))]
        assert row.axes[0].centre == Fraction(sum(ends), 2)


def test_misaligned_branches_are_named_with_how_far():
    even = Residual(Chain([Conv(4, 4, 2, padding=((1, 0), (0, 0)))]))
    geometry = receptive_field(Chain({"stem": Conv(3, 4, 2, stride=2), "block": even}))
    assert [row.name for row in geometry.misaligned] == ["block.add"]
    assert geometry["block.add"].shift == (1, 1)
    assert geometry["stem"].axes[0].centre == Fraction(1, 2)
    assert "1 of the nodes join branches with different centres" in str(geometry)
    assert "block.add: by 1 px." in str(geometry)


def test_branches_with_other_strides_are_refused():
    with pytest.raises(ErfTheoryError, match=r"node add: its inputs have strides 2, 1"):
        receptive_field(Residual(Conv(2, 2, 3, stride=2, padding=1)))


def test_above_the_resolution_of_the_input():
    geometry = receptive_field(Chain([Conv(3, 8, 3, padding=1), Upsample(4)], ndim=1))
    assert geometry.output.jump == (Fraction(1, 4),)
    assert geometry.output.to_dict()["axes"][0]["jump"] == "1/4"
    assert "Units behind an upsampling differ" in str(geometry)
    assert [geometry.region(-1, unit).start for unit in (0, 3, 4)] == [(-1,), (-1,), (0,)]


def test_axes_of_their_own():
    net = Chain([Conv(1, 1, (1, 7), padding=(0, 3), stride=(2, 1)), MaxPool((3, 1))])
    geometry = receptive_field(net, image_size=(12, 9))
    assert (geometry.output.size, geometry.output.jump) == ((5, 7), (6, 1))
    assert geometry.output.output_size == (2, 9)
    assert "5×7   6×1   0×3" in str(geometry)
    assert geometry.region(1, (1, 8)) == Region((6, 5), (5, 7))


def test_regions_of_units_that_are_not_there_are_refused():
    geometry = receptive_field(Chain([Conv(1, 1, 3)]), image_size=8)
    assert geometry.region("0", 5) == Region((5, 5), (3, 3))
    for unit in (6, -1, (0, 6)):
        with pytest.raises(ErfTheoryError, match="there is no unit"):
            geometry.region("0", unit)
    with pytest.raises(ErfTheoryError, match="there is no node 'conv'"):
        geometry.region("conv")
    with pytest.raises(ErfTheoryError, match="there is no node 1 among 1"):
        geometry.region(1)
    with pytest.raises(ErfTheoryError, match=r"0\.5 is no whole number, nor one per axis"):
        geometry.region(0, 0.5)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "1 or more"), ((4, -1), "1 or more"), (2.5, "no whole number"), ((3, 3, 3), "3 entries")],
)
def test_bad_image_sizes(size, text):
    with pytest.raises(ErfTheoryError, match=text):
        receptive_field(Chain([Conv(1, 1, 1, padding=3)]), image_size=size)


def test_the_table_in_three_forms():
    net = Chain([Conv(3, 8, (3, 3), padding=1), Activation("relu"), Upsample((2, 1))])
    geometry = receptive_field(net, image_size=(8, 6))
    record = json.loads(json.dumps(geometry.to_dict(), allow_nan=False))
    assert [node["name"] for node in record["nodes"]] == ["0", "1", "2"]
    assert record["image_size"] == [8, 6]
    assert record["nodes"][2]["output_size"] == [16, 6]
    rows = list(csv.DictReader(StringIO(geometry.to_csv())))
    assert [(row["name"], row["axis"]) for row in rows[-2:]] == [("2", "0"), ("2", "1")]
    assert [(row["jump"], row["output_size"]) for row in rows[-2:]] == [("1/2", "16"), ("1", "6")]
    assert rows[0]["layer"] == "Conv(3, 8, (3, 3), padding=1)"
    lines = str(geometry).splitlines()
    assert len(lines) == 1 + 3 + 1
    assert lines[0].split()[-1] == "output"
    assert "output" not in str(receptive_field(net))
    assert repr(geometry) == (
        "<receptive fields of 3 nodes; the output's: size 3, jump 1/2×1, padding 1>"
    )


def test_a_unit_that_sees_nothing():
    net = Chain([ConvTranspose(1, 1, 1, stride=2, padding=((1, 0),))], ndim=1)
    geometry = receptive_field(net)
    assert (geometry.output.axes[0].phases, geometry.output.axes[0].start) == ((0, 1), None)
    assert geometry.region(0, 0) is None


def test_the_last_row_of_a_network_with_many_paths():
    (axis, other) = receptive_field(zoo.resnet50()).output.axes
    assert axis == other
    assert (axis.size, axis.jump, axis.start, axis.smallest) == (427, 32, -213, 11)
