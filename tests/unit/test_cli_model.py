"""The command ``model`` on saved networks; modules of PyTorch are in tests/readers."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from erf_theory import erf_of, network_erf
from erf_theory.cli import main
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, save

NET = Chain({"a": Conv(3, 8, 3, padding=1), "b": Activation("relu"), "c": Conv(8, 8, 3, stride=2)})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(NET, "net.json")
    (tmp_path / "photos").mkdir()
    Image.fromarray(np.full((9, 9, 3), 80, dtype=np.uint8)).save(tmp_path / "photos" / "a.png")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["model", *arguments])


def test_the_table_is_printed_and_all_files_are_saved(folder):
    outputs = ["--html", "r.html", "--json", "r.json", "--plot-dir", "plots"]
    found = run("net.json", "--input", "1,3,16,16", "--images", "photos", *outputs)
    assert found.exit_code == 0, found.output
    assert "A unit of c can depend on 5 × 5 input pixels" in found.stdout
    assert "nothing is measured" in found.stderr
    record = json.loads((folder / "r.json").read_text())
    assert [row["name"] for row in record["layers"]["layers"]] == ["a", "b", "c"]
    assert record["call"].startswith("erf-theory ")
    assert "On an image" in (folder / "r.html").read_text()
    names = sorted(path.name for path in (folder / "plots").iterdir())
    assert names == ["map-b.png", "map-c.png", "profile.png"]


def test_a_layer_is_looked_at_alone(folder):
    found = run("net.json", "--layer", "b")
    assert found.exit_code == 0
    assert "A unit of b can depend on 3 × 3" in found.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["net.json", "photos"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["none.json"], "there is no file none.json"),
        (["photos"], "models are read from .onnx files"),
        (["net.json", "--input", "3,16,16"], "takes inputs of 4 axes"),
        (["net.json", "--input", "1,4,16,16"], "takes 3 channels"),
        (["net.json", "--input", "1,3,x,16"], "are no numbers separated by commas"),
        (["net.json", "--layer", "d"], "there is no node 'd': did you mean"),
        (["net.json", "--images", "photos"], "images need the shape of the input"),
        (["net.json", "--input", "1,3,9,9", "--images", "none"], "there is no folder none"),
        (["net.json", "--input", "1,3,9,9", "--images", "."], "there are no images in"),
        (["net.json", "--override", "a=identity"], "without overrides"),
        (["net.json", "--override", "a"], "'a' is no override"),
        (["net.json", "--weights", "net.json"], "a file holds its own"),
        (["net.json", "--html", "none/r.html"], "there is no folder none to save r.html in"),
        (["net.json", "--html", "./r.json"], "two outputs cannot be saved in one place"),
        (["net.json", "--samples", "2"], "2 is not in the range x>=32"),
        ([], "Missing argument 'MODEL'"),
    ],
)
def test_bad_input_is_one_line_exit_code_2_and_nothing_written(folder, arguments, text):
    outputs = [] if "--html" in arguments else ["--html", "r.html"]
    found = run(*arguments, *outputs, "--json", "r.json", "--plot-dir", "plots")
    assert found.exit_code == 2
    assert (found.stdout, found.stderr.count("\n")) == ("", 1)
    assert text in found.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["net.json", "photos"]


def test_erf_of_a_network_and_of_its_file(folder):
    wanted = network_erf(NET, layer="b")
    for model in (NET, "net.json", folder / "net.json"):
        found = erf_of(model, (1, 3, 16, 16), "b")
        assert np.array_equal(found.values, wanted.values)
    assert erf_of(NET, ndim=1).ndim == 1
    assert erf_of(NET, kind="rms").kind == "rms"


def test_erf_of_needs_the_size_for_tensorflows_padding():
    network = Chain([Conv(3, 8, 3, stride=2, padding="same_tf"), Conv(8, 8, 3)])
    with pytest.raises(ErfTheoryError, match="image_size"):
        erf_of(network)
    found = erf_of(network, (1, 3, 16, 16))
    assert np.array_equal(found.values, erf_of(network, np.zeros((5, 3, 16, 16))).values)


@pytest.mark.parametrize("shape", [(3, 8), (1, 3, 0, 8), (1, 3, 8.0, 8)])
def test_shapes_that_are_none(shape):
    with pytest.raises(ErfTheoryError, match="the shape of an input is"):
        erf_of(NET, shape)
