from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv

LAYERS = st.sampled_from(
    [Conv(4, 4, 3), Conv(4, 4, 2, init=Fraction(1, 3)), Activation("relu"), Activation("linear")]
)


@given(st.lists(LAYERS, min_size=1, max_size=9), st.integers(1, 3))
def test_a_repr_is_read_back(layers, ndim):
    chain = Chain(layers, ndim)
    names = {"Activation": Activation, "Chain": Chain, "Conv": Conv, "Fraction": Fraction}
    found = eval(repr(chain), names)  # noqa: S307
    assert found == chain
    assert hash(found) == hash(chain)


def test_what_is_repeated_is_written_once():
    block = [Conv(8, 8, 3), Activation("relu")]
    text = repr(Chain([Conv(3, 8, 1), *block * 30, Conv(8, 8, 3)], ndim=1))
    assert text.count("relu") == 1
    assert "*[Conv(8, 8, 3), Activation('relu')] * 30" in text


def test_chains_that_differ_are_not_equal():
    conv = Conv(4, 4, 3)
    assert len({Chain([conv]), Chain([conv], 1), Chain([conv, conv])}) == 3


@pytest.mark.parametrize(
    ("layers", "given", "expected"),
    [
        ([Conv(1, 1, 3)], None, 2),
        ([Conv(1, 1, 3)], 3, 3),
        ([Activation("relu")], 1, 1),
        ([Conv(1, 1, 3), Conv(1, 1, 3, stride=(2,))], None, 1),
        ([Conv(1, 1, 3), Conv(1, 1, 3, padding=(1, 0, 1))], None, 3),
        ([Conv(1, 1, (3, 3))], 2, 2),
    ],
)
def test_the_axes_are_those_of_the_tuples_or_as_said_or_2(layers, given, expected):
    assert Chain(layers, given).ndim == expected


def test_channels():
    chain = Chain([Activation("relu"), Conv(3, 8, 3), Activation("relu"), Conv(8, 6, 3, groups=2)])
    assert (chain.in_channels, chain.out_channels) == (3, 6)
    alone = Chain([Activation("relu")])
    assert (alone.in_channels, alone.out_channels) == (1, 1)


@pytest.mark.parametrize(
    ("layers", "ndim", "message"),
    [
        ([], None, "a chain has at least one layer"),
        (["relu"], None, "made of layers.* not of 'relu'"),
        ([Conv(1, 4, 3), Activation("relu"), Conv(5, 4, 3)], None, "2.*in_channels=5 is given 4"),
        ([Conv(1, 1, 3), Conv(1, 1, 3, init=[1, 2])], None, "1.* variances of shape"),
        ([Conv(1, 1, (3, 3)), Conv(1, 1, (3,))], None, "1 and 2 axes: let them agree"),
        ([Conv(1, 1, (3, 3))], 1, "1 and 2 axes"),
        ([Conv(1, 1, (3, 3), stride=(1, 1, 1))], None, "2 and 3 axes"),
        ([Conv(1, 1, 3)], 4, "1, 2 or 3 spatial axes, not 4"),
        ([Conv(1, 1, 3)], 0, "ndim of a network is 1 or more, not 0"),
        ([Conv(1, 1, 3)], 1.5, "ndim of a network is a whole number, not 1.5"),
        ([Conv(1, 1, (1, 1, 1, 1))], None, "1, 2 or 3 spatial axes, not 4"),
        ([Conv(1, 1, (3, 3))], "2", "ndim of a network is a whole number, not '2'"),
    ],
)
def test_layers_that_make_no_chain_are_refused(layers, ndim, message):
    with pytest.raises(ErfTheoryError, match=message):
        Chain(layers, ndim)
