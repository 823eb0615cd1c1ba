import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Add, ChannelShuffle, Concat, Crop, Pad, Split


def test_ends_on_every_axis():
    assert Pad(2).per_axis(2) == ((2, 2), (2, 2))
    assert Crop(((1, 0), 3)).per_axis(2) == ((1, 0), (3, 3))
    assert Pad((1, 2, 3)).lengths == {3}


def test_channels():
    assert Split(2, 5).out_of(6) == 3
    assert ChannelShuffle(3).out_of(6) == Pad(1).out_of(6) == Add().out_of(6, 6) == 6
    assert Concat().out_of(1, 2, 3) == 6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pad(1, "mirror"), "zeros, reflect, replicate, circular, not 'mirror'"),
        (lambda: Pad((1, -1)), "ends of Pad is 0 or more, not -1"),
        (lambda: Split(3, 3), "stop of Split is 4 or more, not 3"),
        (lambda: Split(0, 5).out_of(4), "no channels 0 to 5 of 4"),
        (lambda: ChannelShuffle(0), "groups of ChannelShuffle is 1 or more, not 0"),
        (lambda: ChannelShuffle(4).out_of(6), "4 groups do not divide 6 channels"),
        (lambda: Add().out_of(3, 4), "inputs with 3, 4 channels do not add"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
