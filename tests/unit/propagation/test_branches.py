from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import measure_erf, network_erf
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    Concat,
    Conv,
    Dropout,
    Graph,
    Identity,
    Parallel,
    Residual,
)
from erf_theory.network.nodes import INPUT
from erf_theory.propagation.branches import coherent_sums

RELU, CONV = Activation("relu"), Conv(2, 2, 1)


@st.composite
def graphs(draw):
    """Up to nine nodes that read any earlier ones."""
    parts, names = {}, ["input"]
    for place in range(draw(st.integers(1, 9))):
        layer = draw(st.sampled_from([RELU, CONV, Add(), Add()]))
        count = draw(st.integers(2, 3)) if isinstance(layer, Add) else 1
        reads = [draw(st.sampled_from(names)) for _ in range(count)]
        parts[f"n{place}"] = (layer, *reads)
        names.append(f"n{place}")
    return Graph(parts, ndim=1)


def origins(network, place):
    """Nodes from which paths without weights lead to a node, once for every path."""
    yield place
    if place != INPUT and not isinstance(network.nodes[place].layer, Conv):
        for source in network.nodes[place].inputs:
            yield from origins(network, source)


@given(graphs())
def test_sums_of_branches_that_share_an_origin(network):
    expected = []
    for node in network.nodes:
        if isinstance(node.layer, Add):
            seen = [set(origins(network, source)) for source in node.inputs]
            pairs = product(range(len(seen)), repeat=2)
            if any(i < j and seen[i] & seen[j] for i, j in pairs):
                expected.append(node.name)
    assert coherent_sums(network) == tuple(expected)


def test_what_they_do_to_the_energy_is_noted():
    for body in (Identity(), RELU, AvgPool(3, 1, 1), Dropout(0.5)):
        erf = network_erf(Chain([Conv(4, 4, 3), Residual(body), Conv(4, 4, 3)], 1))
        assert "branches without weights of their own" in erf.reasons[0]
    apart = Parallel([Identity(), RELU], "concat")
    assert network_erf(Chain([Conv(4, 4, 3), apart, Conv(8, 4, 3)], 1)).exactness == "exact"


def test_deep_residual_networks_take_time_in_proportion():
    deep = Chain([Residual(Chain([RELU, CONV]))] * 3000, 1)
    assert coherent_sums(deep) == ()
    joined = Graph({"a": (Concat(), "input", "input"), "b": (Add(), "a", "a")})
    assert coherent_sums(joined) == ("b",)


@pytest.mark.parametrize(("body", "share"), [(Identity(), 1 / 2), (RELU, 3 / 5)])
def test_the_shares_that_the_reason_names(body, share):
    network = Chain([Conv(32, 32, 1), Residual(body), Conv(32, 32, 1)], 1)
    found = measure_erf(network, samples=400, rng=0)
    off = network_erf(network).mass - share * found.mass
    assert abs(off) < 4.5 * share * found.standard_error[0], "false alarms: 1 in 150 000"
    assert found.standard_error[0] < 0.03 * found.mass, "power: half or three fifths, or all"
