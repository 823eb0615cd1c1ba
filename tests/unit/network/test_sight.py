from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Add, Chain, Conv, ConvTranspose, Layer, MaxPool, Residual, Upsample
from erf_theory.network.geometry import sights
from erf_theory.network.sight import NOTHING, Sight, sight
from tests.unit.network.sets import LAYERS, hull, places, places_of_all


def seen(one, unit):
    interval = one.of(unit)
    return None if interval == NOTHING else interval


@given(LAYERS)
def test_a_layer_sees_what_its_definition_reads(layer):
    found = sight(layer, 1, 0)
    for unit in range(-13, 14):
        assert seen(found, unit) == hull(places(layer, unit))


@given(st.lists(LAYERS, min_size=2, max_size=3))
def test_chains_see_what_their_layers_read_one_after_the_other(layers):
    found = sights(Chain(layers, ndim=1), 0)[-1]
    for unit in range(-7, 8):
        units = {unit}
        for layer in reversed(layers):
            units = places_of_all(layer, units)
        assert seen(found, unit) == hull(units)


def test_holes_of_a_dilation_pass_over_the_gaps_of_a_transposed_convolution():
    sparse, holes = ConvTranspose(1, 1, 1, stride=2), Conv(1, 1, 2, padding=((1, 1),), dilation=2)
    found = sights(Chain([sparse, holes], ndim=1), 0)[-1]
    assert [seen(found, unit) for unit in (0, 1, 2, 3)] == [None, (0, 1), None, (1, 2)]


SIGHTS = st.builds(
    Sight,
    st.integers(1, 4),
    st.lists(
        st.tuples(st.integers(-4, 4), st.integers(0, 4)).map(lambda i: (i[0], i[0] + i[1])),
        min_size=1,
        max_size=4,
    ).map(tuple),
    step=st.just(1),
)


@given(SIGHTS, st.integers(-9, 9), st.integers(0, 9), st.integers(1, 5))
def test_region_is_the_hull_of_all_units_in_it(one, low, count, step):
    high = low + count * step
    intervals = [one.of(unit) for unit in range(low, high + 1, step)]
    whole = min(a for a, _ in intervals), max(b for _, b in intervals)
    assert one.region(low, high, step) == whole


@given(SIGHTS, st.integers(1, 3))
def test_shortest_shows_the_same_with_the_least_period(one, copies):
    long = Sight(one.jump * copies, tuple(one.of(i) for i in range(one.period * copies)))
    short = long.shortest()
    assert short == one.shortest()
    assert [short.of(i) for i in range(-9, 9)] == [one.of(i) for i in range(-9, 9)]


@given(SIGHTS, SIGHTS)
def test_union_holds_both_and_no_more(one, other):
    if one.rate != other.rate:
        other = Sight(one.jump, one.intervals[::-1])
    both = one | other
    for unit in range(-8, 9):
        (a, b), (c, d) = one.of(unit), other.of(unit)
        assert both.of(unit) == (min(a, c), max(b, d))


@given(SIGHTS, st.integers(-5, 5))
def test_centre_moves_with_the_units(one, by):
    moved = Sight(one.jump, tuple(one.of(i + by) for i in range(one.period)))
    assert moved.centre == one.centre + by * one.rate


@pytest.mark.parametrize(
    ("layer", "centre"),
    [
        (Conv(1, 1, 3, padding=1), 0),
        (Conv(1, 1, 4, stride=2, padding=1), Fraction(1, 2)),
        (MaxPool(2), Fraction(1, 2)),
        (Upsample(2), Fraction(-1, 4)),
        (Upsample(3, "linear"), Fraction(-1, 3)),
        (ConvTranspose(1, 1, 2, stride=2), Fraction(-1, 4)),
        (ConvTranspose(1, 1, 3, stride=2, padding=1), 0),
        (ConvTranspose(1, 1, 1, stride=2), 0),
    ],
)
def test_centres(layer, centre):
    assert sight(layer, 1, 0).centre == centre


def test_sizes_of_units_and_of_one_that_sees_nothing():
    assert sight(ConvTranspose(1, 1, 1, stride=2), 1, 0).sizes == (1, 0)
    assert sight(ConvTranspose(1, 1, 3, stride=2, padding=1), 1, 0).sizes == (1, 2)


def test_where_no_unit_sees_anything_there_is_no_centre():
    gaps = ConvTranspose(1, 1, 1, stride=2)
    net = Chain([gaps, Conv(1, 1, 1, stride=2, padding=((1, 0),))], ndim=1)
    assert sights(net, 0)[-1].sizes == (0,)
    assert sights(net, 0)[-1].centre is None


def test_axes_have_their_own_sights():
    conv = Conv(1, 1, (1, 7), stride=(2, 1), padding=(0, 3))
    assert [sight(conv, 2, axis).intervals for axis in (0, 1)] == [((0, 0),), ((-3, 3),)]


def test_a_layer_of_unknown_geometry_is_refused():
    class Strange(Layer):
        def out_of(self, *channels):
            return channels[0]

    with pytest.raises(ErfTheoryError, match="no geometry is known for a layer of type Strange"):
        sight(Strange(), 1, 0)


def test_strides_that_do_not_fit_are_refused_by_name():
    net = Residual(Conv(2, 2, 3, stride=2, padding=1))
    with pytest.raises(ErfTheoryError, match=r"node add: its inputs have strides 2, 1 on axis 0"):
        sights(net, 0)


def test_the_period_is_that_of_all_upsamplings_together():
    net = Chain([Upsample(2), Upsample(3)], ndim=1)
    assert [one.period for one in sights(net, 0)] == [2, 6]
    assert sight(Add(), 3, 2) == Sight(1, ((0, 0),))
