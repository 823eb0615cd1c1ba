"""The energy that tiles cut, against the same networks run on tiles."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Upsample, receptive_field
from erf_theory.network.geometry import image_sizes
from erf_theory.practical.edges import Tiling, fitting, least, periods_of
from erf_theory.zoo import unet
from tests.unit.practical.twin import NETWORKS, sums

pytestmark = pytest.mark.torch


def by_definition(tiling, axis, ends):
    """The largest share that is lost over the outputs of a period, far from other edges."""

    def kept(before, after):
        contexts = [(tiling.far, tiling.far)] * tiling.network.ndim
        contexts[axis] = (before, after)
        rows = list(zip(tiling.periods, contexts, strict=True))
        size = [p * (a + 1 + b) + tiling.extra for p, (a, b) in rows]
        try:
            image_sizes(tiling.network, size)
        except ErfTheoryError:
            return np.array([])
        found = sums(tiling.network, size)
        phases = [int(p / jump) for p, jump in zip(tiling.periods, tiling.jumps, strict=True)]
        at = [n * a for n, (a, _) in zip(phases, contexts, strict=True)]
        at[axis] = slice(at[axis], at[axis] + phases[axis])
        return found[tuple(at)]

    whole, left = kept(tiling.far, tiling.far), kept(*ends)
    return 1.0 if len(left) < len(whole) else max(1 - left / whole)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_cut_is_what_a_tile_loses(network):
    tiling = Tiling.of(network)
    for axis in range(network.ndim):
        for context in range(tiling.far + 1):
            for ends in ((context, tiling.far), (tiling.far, context), (context, context)):
                expected = by_definition(tiling, axis, ends)
                assert tiling.cut(axis, ends) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_support_is_the_fewest_periods_that_lose_nothing(network):
    tiling = Tiling.of(network)
    for axis in range(network.ndim):
        for side in (0, 1):
            lost = []
            for context in range(tiling.far + 1):
                ends = (context, tiling.far) if side == 0 else (tiling.far, context)
                lost.append(by_definition(tiling, axis, ends))
            nothing = next(context for context, share in enumerate(lost) if share < 1e-12)
            assert tiling.support(axis, side) == nothing
            for budget in (0.3, 0.05, 0.001):
                enough = next(
                    context for context, share in enumerate(lost) if share <= budget + 1e-12
                )
                assert tiling.needed(axis, side, budget) == enough


def test_gates_are_those_of_the_whole_image():
    """Near an edge tanh is steeper, which is not what tiles cut."""
    convs = [Conv(8, 8, 3, padding=1), Conv(8, 8, 3, padding=1)]
    linear, gated = (
        Tiling.of(Chain([convs[0], *gate, convs[1]], ndim=1)) for gate in ([], [Activation("tanh")])
    )
    assert gated.cut(0, (0, 2)) == pytest.approx(linear.cut(0, (0, 2)), rel=1e-12)


def test_other_axes_do_not_count_where_a_sum_over_them_is_no_field():
    net = Chain([Conv(1, 1, 3, padding=1, init=1), Upsample(3, "linear")])
    line = Chain(net.children, ndim=1)
    found = [Tiling.of(one).cut(0, (0, 2)) for one in (net, line)]
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_periods_are_the_strides_of_the_coarsest_layers():
    assert periods_of(receptive_field(unet())) == (16, 16)
    assert Tiling.of(NETWORKS["valid u-net"]).extra == 2
    with pytest.raises(ErfTheoryError, match="its inputs differ in size"):
        fitting(unet(), (100, 100), 3)


def test_least_asks_for_every_number_once():
    for most in range(20):
        asked = []
        assert least(lambda n: asked.append(n) or n >= most, 19) == most  # noqa: B023
        assert len(asked) == len(set(asked)) <= 5
