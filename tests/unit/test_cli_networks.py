import csv
import json
from io import StringIO

import pytest
from click.testing import CliRunner

from erf_theory import zoo
from erf_theory.architectures import network_erf
from erf_theory.cli import main
from erf_theory.cli.networks import load_network
from erf_theory.cli.verify import _timed
from erf_theory.network import Activation, Chain, Conv, receptive_field, save
from erf_theory.verdict import networks
from erf_theory.verdict.networks import verify_network


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
        (["vgg16", "--geometry", "--whole-maps"], "needs no maps"),
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


NET = Chain([Conv(4, 16, 3, padding=1), Activation("relu"), Conv(16, 16, 3, padding=1)])
"""For the command ``verify``."""


@pytest.fixture
def saved(tmp_path):
    save(NET, str(tmp_path / "net.json"))
    return str(tmp_path / "net.json")


def verify(*arguments):
    return CliRunner().invoke(main, ["verify", *arguments])


def test_verify_a_network_from_a_file(saved, tmp_path):
    expected = verify_network(NET, samples=128, seed=4, thin=2, ndim=1)
    given = ("--samples", "128", "--seed", "4", "--thin", "2", "--ndim", "1")
    picture, run_file = tmp_path / "v.png", tmp_path / "run.npz"
    kept = ("--plot", str(picture), "--checkpoint", str(run_file), "--jobs", "1")
    result = verify(saved, *given, *kept, "--json")
    assert (result.exit_code, result.stderr) == (0, f"picture saved to {picture}\n")
    record = json.loads(result.stdout, parse_constant=pytest.fail)
    assert record["call"].startswith(f"verify_network({saved}, ndim=1")
    assert {**record, "call": expected.call} == json.loads(json.dumps(expected.to_dict()))
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert run_file.exists()
    table = verify(saved, *given, "--checkpoint", str(run_file)).stdout
    assert "twice the dilation in 2" in table
    assert "p of the map" in table


def test_verify_stops_at_the_target_error(saved):
    result = verify(saved, "--samples", "9000", "--target-error", "0.15", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["samples"] < 9000


def test_a_wrong_theory_is_exit_code_1(saved, monkeypatch):
    wrong = network_erf(Chain([Conv(4, 16, 3, padding=1), Conv(16, 16, 5, padding=2)]))
    monkeypatch.setattr(networks, "network_erf", lambda *_, **__: wrong)
    result = verify(saved, "--samples", "128")
    assert result.exit_code == 1
    assert result.stdout.startswith("Theory and 128 samples DISAGREE")


def test_a_long_run_tells_its_time(monkeypatch, capsys):
    seconds = iter([0.0, 10.0, 20.0])
    monkeypatch.setattr("erf_theory.cli.verify.monotonic", lambda: next(seconds))
    done = []
    report = _timed(done.append, 100)
    report(5)
    report(10)
    assert capsys.readouterr().err == "about 3 min for 100 samples\n"
    assert done == [5, 10]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["vgg16", "-k", "3"], "-k is for a stack without NETWORK: leave it out"),
        (["vgg16", "--activation", "relu"], "--activation is for a stack without NETWORK"),
        (["-n", "3", "--thin", "2"], "--thin is for a network: leave it out"),
        (["vgg17"], "'vgg17' is no file, and no network of the zoo: alexnet, "),
        (["vgg16", "--samples", "20"], "20 samples are too few for a verdict"),
        (["vgg16", "--jobs", "0"], "n_jobs is a number of workers"),
        (["vgg16", "--target-error", "0"], "a target error is a positive number"),
        (["vgg16", "--layer", "no such"], "there is no node 'no such'"),
    ],
)
def test_what_verify_cannot_do_is_one_line_and_exit_code_2(arguments, text):
    result = verify(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert text in result.stderr


def test_the_overlap_of_tiles(tmp_path):
    from erf_theory.practical.tiles import tile_overlap

    path = str(tmp_path / "net.json")
    network = Chain([Conv(3, 8, 3, stride=2, padding=1), *[Conv(8, 8, 3, padding=1)] * 4])
    save(network, path)
    result = CliRunner().invoke(main, ["tiles", path, "--mass", "0.9"])
    assert (result.exit_code, result.stdout) == (0, f"{tile_overlap(network, 0.9)}\n")
    record = json.loads(
        CliRunner().invoke(main, ["tiles", path, "--overlap", "6,8", "--json"]).stdout
    )
    assert [axis["overlap"] for axis in record["axes"]] == [6, 8]
    refused = CliRunner().invoke(main, ["tiles", path, "--overlap", "5"])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "choose a multiple" in refused.stderr
