"""Ends of stages and blocks, against all paths of small graphs."""

from erf_theory import zoo
from erf_theory.architectures import network_erf
from erf_theory.gaussian.limit import gaussian_limit
from erf_theory.network import Activation, Chain, Conv, Residual
from erf_theory.network.nodes import INPUT
from erf_theory.report.stages import Stage, _passed_by_all, block_ends, stage_ends

HALF = Conv(4, 4, 3, stride=2, padding=1)
BLOCK = Residual(Chain([Conv(4, 4, 3, padding=1), Activation("relu")]))


def paths(network, place):
    """All paths from the input to a node, as sets of places."""
    if place == INPUT:
        return [frozenset()]
    before = network.nodes[place].inputs
    return [path | {place} for source in before for path in paths(network, source)]


def test_nodes_that_all_paths_pass_through():
    for network in (Chain([HALF, BLOCK, BLOCK]), zoo.unet("nearest"), zoo.resnet18()):
        found = paths(network, len(network.nodes) - 1)
        assert _passed_by_all(network) == set(frozenset.intersection(*found))


def test_stages_end_before_the_next_stride_and_at_the_output():
    network = Chain([HALF, BLOCK, BLOCK, HALF, Activation("relu"), Conv(4, 4, 1)])
    assert stage_ends(network) == ["2.add", "5"]
    assert block_ends(network) == ["0", "1.add", "2.add", "5"]


def test_a_stage_that_every_path_can_avoid_still_ends():
    network = zoo.unet("nearest")
    assert len(stage_ends(network)) == 5
    assert stage_ends(network)[-1] == network.nodes[-1].name


def test_one_unit_is_a_stage_of_its_own():
    network = Chain([HALF, BLOCK, Conv(4, 10, 4)])
    assert stage_ends(network) == ["2"]
    assert stage_ends(network, (8, 8)) == ["1.add", "2"]


def test_the_verdict_is_that_of_the_map():
    network = Chain([BLOCK] * 4)
    stage = Stage.of(network, "3.add")
    assert stage.limit.verdict == gaussian_limit(network_erf(network)).verdict
    uneven = Chain([Conv(1, 1, (3, 9)), Conv(1, 1, (3, 9))])
    assert Stage.of(uneven, "1").limit.verdict == gaussian_limit(network_erf(uneven)).verdict
