"""The command ``shares``."""

import json

import pytest
from click.testing import CliRunner

from erf_theory.cli import main
from erf_theory.design.shares import variance_shares
from erf_theory.network import save
from erf_theory.zoo import resnet18


def shares(*arguments):
    return CliRunner().invoke(main, ["shares", *map(str, arguments)])


def test_the_table_and_the_record_are_those_of_the_function():
    expected = variance_shares(resnet18())
    assert str(expected) in shares("resnet18").output
    result = shares("resnet18", "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 0
    assert record["call"] == "variance_shares(resnet18, axis=0)"
    assert record["layers"] == json.loads(json.dumps(expected.to_dict()))["layers"]


def test_a_file_a_layer_and_a_picture(tmp_path):
    save(resnet18(), tmp_path / "net.json")
    result = shares(
        tmp_path / "net.json", "--layer", "stage1", "--axis", 1, "--plot", tmp_path / "s.png"
    )
    assert result.exit_code == 0
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"
    assert str(variance_shares(resnet18(), layer="stage1", axis=1)) in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "no file"),
        (["resnet18", "--axis", "2"], "no axis 2"),
        (["resnet18", "--layer", "x"], "no node 'x'"),
        (["resnet50_slim"], "image_size"),
        (["resnet18", "--plot", "s.gif"], "not '.gif'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments, message):
    result = shares(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
