"""The command ``design``."""

import json

import pytest
from click.testing import CliRunner

from erf_theory import design_network, network_erf
from erf_theory.cli import main
from erf_theory.network import load


def run(*arguments):
    return CliRunner().invoke(main, ["design", *arguments])


def test_the_cheapest_design_is_that_of_python():
    result = run("--std", "30", "--kernel", "3", "--max-layers", "40", "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    found = design_network(std=30, kernels=3, max_layers=40)
    assert record["plan"] == found.plan.to_dict()
    assert record["reached"] == found.reached >= 30
    assert record["call"] == "design_network(std=30, budget=Budget(layers=40))"
    assert record["package"].startswith("erf_theory")


def test_a_network_and_its_picture_are_saved(tmp_path):
    net, picture = tmp_path / "net.json", tmp_path / "net.png"
    result = run("--size", "27", "--family", "dilated", "--save", str(net), "--plot", str(picture))
    assert result.exit_code == 0
    assert "dilated: 3, 3 (dilation 3), 3 (dilation 9)" in result.stdout
    assert f"network saved to {net}" in result.stderr
    assert network_erf(load(net)).size() == 27
    assert picture.stat().st_size > 1000


def test_residual_networks_and_fronts(tmp_path):
    result = run("--size", "12", "--residual", "--channels", "4")
    assert "residual" in result.stdout
    picture = tmp_path / "front.svg"
    result = run("--size", "9", "--front", "--large-kernels", "7,9", "--plot", str(picture))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "designs with a size of 9 px"
    assert len(result.stdout.splitlines()) > 5
    result = run("--equal-cost", "120000", "--max-layers", "3", "--json")
    record = json.loads(result.stdout)
    families = [row["family"] for row in record["designs"]]
    assert families == ["deep", "dilated", "strided", "large"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of std, size and radius"),
        (["--std", "3", "--size", "4"], "not std and size"),
        (["--size", "-3"], "above 0"),
        (["--size", "x"], "no number"),
        (["--size", "9", "--family", "wide"], "families are"),
        (["--size", "9", "--kernel", "4"], "kernels are odd"),
        (["--size", "9", "--kernel", "a"], "no numbers"),
        (["--size", "9", "--objective", "time"], "the objective is"),
        (["--size", "90", "--max-layers", "1", "--family", "deep"], "3 whole px are reached"),
        (["--size", "9", "--equal-cost", "9"], "goes without --size"),
        (["--equal-cost", "9", "--front"], "neither --front"),
        (["--size", "9", "--front", "--objective", "parameters"], "goes without --objective"),
        (["--size", "9", "--front", "--save", "x.json"], "--save saves one network"),
        (["--size", "9", "--plot", "x.gif"], ".png"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
