import csv
import json
from io import StringIO

import pytest
from click.testing import CliRunner

from erf_theory import zoo
from erf_theory.cli import main
from erf_theory.cli.networks import load_network
from erf_theory.network import Chain, Conv, receptive_field, save


def run(*arguments):
    return CliRunner().invoke(main, ["layers", *arguments])


def test_the_geometry_of_a_network_of_the_zoo():
    result = run("resnet50", "--geometry")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{receptive_field(zoo.resnet50())}\n"


def test_a_network_from_a_file_as_json_and_csv(tmp_path):
    path = str(tmp_path / "net.json")
    save(Chain([Conv(3, 8, 3, stride=2, padding="same_tf")]), path)
    record = json.loads(run(path, "--geometry", "--image-size", "8,9", "--json").stdout)
    assert record["call"] == "receptive_field(network, image_size=(8, 9))"
    assert [axis["padding"] for axis in record["nodes"][0]["axes"]] == [0, 1]
    rows = list(
        csv.DictReader(StringIO(run(path, "--geometry", "--image-size", "9", "--csv").stdout))
    )
    assert [row["output_size"] for row in rows] == ["5", "5"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["resnet"], "'resnet' is no file, and no network of the zoo: alexnet, "),
        (["resnet50_slim"], "give image_size"),
        (["vgg16", "--image-size", "16"], "node pool5: nothing is left"),
        (["vgg16", "--image-size", "big"], "'big' is no size: write 224 or 480,640"),
        (["vgg16", "--image-size", "1,2,3"], "3 entries for 2 axes"),
        (["vgg16", "--json", "--csv"], "choose one"),
        (["vgg16", "--geometry", "--axis", "1"], "--geometry is in pixels on all axes"),
        (["vgg16", "--geometry", "--unit", "mm"], "--geometry is in pixels on all axes"),
        ([], "Missing argument 'NETWORK'"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, text):
    result = run(*arguments)
    assert result.exit_code == 2
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)
    assert text in result.stderr


def test_a_damaged_file(tmp_path):
    path = tmp_path / "net.json"
    path.write_text('{"format": 1}', encoding="utf-8")
    result = run(str(path))
    assert result.exit_code == 2
    assert f"Error: {path}: this is no saved network" in result.stderr


def test_the_zoo_comes_before_files():
    assert load_network("tcn") == zoo.tcn()
