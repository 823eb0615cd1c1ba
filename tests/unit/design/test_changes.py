"""A network before and after a change."""

import json

import pytest

from erf_theory.architectures import network_erf
from erf_theory.design.changes import compare, with_layers
from erf_theory.design.costs import network_cost
from erf_theory.design.widening import corner_taps, widened
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Residual
from erf_theory.zoo import resnet18

NET = Chain(
    {
        "stem": Conv(3, 8, 3, padding=1),
        "block": Residual(Chain([Activation("relu"), Conv(8, 8, 3, padding=1)])),
        "last": Conv(8, 4, 3, padding=1, stride=2),
    }
)
NAME = "block.body.1"
WIDE = Conv(8, 8, 5, padding=4, dilation=2)


def test_facts_are_those_of_both_networks():
    found, after = compare(NET, {NAME: WIDE}), with_layers(NET, {NAME: WIDE})
    for facts, network in ((found.before, NET), (found.after, after)):
        erf = network_erf(network, ndim=1)
        expected = erf.std, erf.size(), erf.log_mass
        assert (facts.std, facts.size, facts.log_mass) == expected
        assert facts.theoretical_rf == erf.theoretical_rf[0]
        assert facts.parameters == network_cost(network).parameters
        assert facts.multiply_adds == float(network_cost(network).multiply_adds)
    assert found.after.std > found.before.std
    assert found.after.parameters - found.before.parameters == 16 * 8 * 8


def test_other_nodes_stay_as_they_are():
    after = with_layers(NET, {NAME: WIDE})
    pairs = list(zip(NET.nodes, after.nodes, strict=True))
    assert [b.name for a, b in pairs if a != b] == [NAME]
    assert after.ndim == NET.ndim


def test_a_function_changes_a_network():
    found = compare(resnet18(), lambda net: widened(net, corner_taps))
    assert found.after.std / found.before.std == pytest.approx(1.225, abs=2e-3)
    assert found.after.log_mass == pytest.approx(found.before.log_mass, rel=1e-12)
    assert found.after.parameters == found.before.parameters
    assert "widened" in compare(NET, widened).call


def test_another_layer_axis_and_unit():
    found = compare(NET, {NAME: Conv(8, 8, (3, 7), padding=(1, 3))}, layer="block", axis=1)
    assert (found.before.theoretical_rf, found.after.theoretical_rf) == (5, 9)
    assert found.before.parameters == 9 * 8 * (3 + 8)
    assert found.after.parameters == 8 * (9 * 3 + 21 * 8)
    corner = compare(NET, {NAME: WIDE}, image_size=16, unit=0)
    assert corner.before.std < compare(NET, {NAME: WIDE}).before.std


def test_what_it_says(tmp_path):
    found = compare(NET, {NAME: WIDE})
    text = str(found)
    assert [line.split("  ")[0].strip() for line in text.splitlines()[1:7]] == [
        "std",
        "size",
        "TRF",
        "log mass",
        "weights",
        "multiply-adds",
    ]
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["format"] == "erf_theory.Comparison/1"
    assert record["after"]["std"] == found.after.std
    assert "std" in repr(found)
    assert "<table>" in found._repr_html_()
    found.save_figure(tmp_path / "change.svg")
    assert "after" in (tmp_path / "change.svg").read_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nothing": WIDE}, "no node 'nothing'"),
        ({"block": WIDE}, "block of several nodes"),
        ({NAME: "wide"}, "a layer such as Conv, not str"),
        ({NAME: Conv(4, 8, 3)}, f"node {NAME}"),
        (lambda _: None, "makes a network, not NoneType"),
    ],
)
def test_bad_changes_are_refused(change, message):
    with pytest.raises(ErfTheoryError, match=message):
        compare(NET, change)
