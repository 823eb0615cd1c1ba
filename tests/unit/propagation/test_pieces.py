"""Ranges of channels against lists with one thing per channel."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.propagation.pieces import Pieces

COUNT = 12


@st.composite
def pieces(draw, count=COUNT, *, gaps=True):
    """Ranges in any places, and the list of what every channel holds; None for nothing."""
    ends = draw(st.lists(st.integers(1, count - 1), unique=True, max_size=5).map(sorted))
    parts = [
        (a, b, draw(st.sampled_from("abcd")))
        for a, b in zip([0, *ends], [*ends, count], strict=True)
        if not gaps or draw(st.booleans())
    ]
    return Pieces(tuple(parts))


def listed(found, count=COUNT):
    """What every channel holds."""
    assert all(a < b for a, b, _ in found.parts)
    assert all(b <= a for (_, b, _), (a, _, _) in zip(found.parts, found.parts[1:], strict=False))
    assert all(a >= 0 and b <= count for a, b, _ in found.parts)
    things = {channel: thing for a, b, thing in found.parts for channel in range(a, b)}
    return [things.get(channel) for channel in range(count)]


@given(pieces(), st.integers(-1, COUNT))
def test_at_finds_what_a_channel_holds(one, channel):
    expected = listed(one)[channel] if 0 <= channel < COUNT else None
    assert one.at(channel) == ([] if expected is None else [expected])


@given(pieces(), st.integers(0, COUNT - 1), st.integers(1, COUNT))
def test_take_and_moved(one, start, length):
    stop = min(start + length, COUNT)
    assert listed(one.take(start, stop), stop - start) == listed(one)[start:stop]
    assert listed(one.moved(3), COUNT + 3) == [None] * 3 + listed(one)


@given(pieces(), pieces())
def test_joined_meets_channel_by_channel(one, other):
    pairs = zip(listed(one), listed(other), strict=True)
    expected = [(a or "") + (b or "") or None for a, b in pairs]
    assert listed(one.joined(other, str.__add__)) == expected
    alike = one.each(str.upper)
    assert alike.joined(alike, str.__add__) == one.each(lambda x: 2 * x.upper())


@given(pieces(), pieces())
def test_met_keeps_the_channels_of_both(one, other):
    pairs = zip(listed(one), listed(other), strict=True)
    assert listed(one.met(other, lambda a, b: (a, b))) == [
        None if None in pair else pair for pair in pairs
    ]


@given(pieces(), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_dealt_brings_channels_back_through_a_shuffle(one, groups):
    size = COUNT // groups
    behind = listed(one)
    before = [behind[i * groups + g] for g in range(groups) for i in range(size)]
    found = sorted(one.dealt(groups, COUNT).parts)
    assert listed(Pieces(tuple(found))) == before


@given(pieces(), st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_grouped_runs_hold_what_each_of_their_groups_holds(one, groups):
    size = COUNT // groups
    whole, covered = listed(one), []
    for first, last, inside in one.grouped(groups, size):
        for group in range(first, last):
            covered.append(group)
            channels = whole[group * size : (group + 1) * size]
            expected = [thing for thing in channels if thing is not None]
            assert [thing for count, thing in inside for _ in range(count)] == expected
    assert covered == list(range(groups))


def test_uniform():
    assert listed(Pieces.uniform(COUNT, "a")) == ["a"] * COUNT


@pytest.mark.parametrize("groups", [2, 3])
def test_dealing_twice_with_the_other_number_of_groups_is_nothing(groups):
    one = Pieces(((0, 1, "a"), (1, 4, "b"), (4, 6, "c")))
    back = one.dealt(groups, 6).dealt(6 // groups, 6)
    assert listed(Pieces(tuple(sorted(back.parts))), 6) == listed(one, 6)
