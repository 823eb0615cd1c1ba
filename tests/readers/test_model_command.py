"""``erf_of`` and ``erf-theory model`` on modules of PyTorch and on ONNX files."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from erf_theory import compare_training, erf_of, network_erf
from erf_theory.cli import main
from erf_theory.errors import ErfTheoryError
from erf_theory.readers.torch import read_torch
from erf_theory.report.training import measurable

pytestmark = pytest.mark.torch
SOURCE = """
from torch import nn

def make():
    half = nn.Conv2d(8, 8, 3, stride=2, padding=1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), half, nn.ReLU(), Mixing(8))

class Mixing(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.last = nn.Conv2d(channels, 4, 3, padding=1)

    def forward(self, x):
        return self.last(x)

class Sorting(nn.Module):
    def forward(self, x):
        return x.sort(dim=-1).values

def sorting():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Sorting())

def number():
    return 3

def failing():
    raise RuntimeError("no such machine")

def keyless():
    return {}["depth"]

def leaving():
    raise SystemExit(3)

class Deciding(nn.Conv2d):
    def forward(self, x):
        y = super().forward(x)
        return y if y.sum() > 0 else y * y

def deciding():
    return Deciding(3, 3, 3)
"""
SHAPE = ["--input", "1,3,12,12"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_model.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("raise RuntimeError('no such operator')")
    (tmp_path / "leaving.py").write_text("raise SystemExit(2)")
    (tmp_path / "photos").mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        picture = rng.integers(0, 256, (20, 15, 3)).astype(np.uint8)
        Image.fromarray(picture).save(tmp_path / "photos" / f"{name}.png")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    import sys

    sys.modules.pop("own_model", None)


def made():
    import own_model
    import torch

    torch.manual_seed(0)
    return own_model.make().eval()


def run(*arguments):
    return CliRunner().invoke(main, ["model", *arguments])


@pytest.mark.usefixtures("folder")
def test_erf_of_a_module_is_that_of_its_network():
    import torch

    module, example = made(), torch.zeros(1, 3, 12, 12)
    network = read_torch(module, example)
    wanted = network_erf(network, layer="2")
    for given in (example, (1, 3, 12, 12), [2, 3, 12, 12]):
        assert np.array_equal(erf_of(module, given, "2").values, wanted.values)
    double = made().double()
    assert erf_of(double, (1, 3, 12, 12), "2").theoretical_rf == wanted.theoretical_rf
    law = erf_of(module, example, "2", weights="law")
    assert not np.array_equal(law.values, wanted.values)


@pytest.mark.usefixtures("folder")
def test_erf_of_a_module_without_an_example():
    with pytest.raises(ErfTheoryError, match="give an example, or its shape"):
        erf_of(made())
    with pytest.raises(ErfTheoryError, match=r"a torch.nn.Module is read, not int"):
        erf_of(3, (1, 3, 12, 12))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # PyTorch's older exporter needs no more
def test_an_onnx_file_is_reported_with_its_weights_or_their_law(folder):
    import torch

    pytest.importorskip("onnx")
    module, example = made(), torch.zeros(1, 3, 12, 12)
    torch.onnx.export(module, (example,), "m.onnx", dynamo=False)
    wanted = erf_of(module, example)
    assert np.allclose(erf_of("m.onnx").values, wanted.values, rtol=0, atol=1e-9)
    stds = []
    for flag in ("--given", "--drawn", None):
        found = run("m.onnx", "--json", "r.json", *([flag] if flag else []))
        assert found.exit_code == 0, found.output
        stds.append(json.loads((folder / "r.json").read_text())["layers"]["layers"][-1]["std"])
    assert stds[0] == stds[2]
    assert stds[0] != stds[1]
    (folder / "short.onnx").write_bytes((folder / "m.onnx").read_bytes()[:900])
    found = run("short.onnx")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "is no ONNX file, or it is truncated" in found.stderr


def test_a_module_is_measured_on_images_with_its_weights(folder):
    import torch

    module = made()
    module[0].weight.data[:, :, 1, 1] *= 5
    torch.save(module.state_dict(), "w.pt")
    images = ["--images", "photos", "--samples", "32", "--weights", "w.pt"]
    found = run("own_model:make", *SHAPE, *images, "--html", "r.html", "--json", "r.json")
    assert found.exit_code == 0, found.output
    record = json.loads((folder / "r.json").read_text())
    rows = record["training"]["layers"]
    assert [row["layer"] for row in rows] == ["1", "4"]
    network = read_torch(module, _zeros())
    inside = network_erf(network, layer="4", unit=(3, 3), image_size=(12, 12))
    assert rows[1]["trained"]["predicted_std"] == pytest.approx(inside.std)
    assert rows[1]["trained"]["samples"] == 32
    page = (folder / "r.html").read_text()
    assert "Architecture versus training" in page
    drawn = network_erf(read_torch(made(), _zeros(), weights="law"), layer="4")
    assert drawn.std != pytest.approx(inside.std, rel=1e-2)
    assert f"4.last, untrained, with weights drawn by their law: std {drawn.std:.3g} px." in page
    trained = "4, trained, with its weights as given, as predicted without data"
    assert f"{trained}: std {inside.std:.3g} px." in page
    assert "architecture versus training" in found.stdout


@pytest.mark.usefixtures("folder")
def test_a_part_that_cannot_be_read_is_named_and_overridden():
    found = run("own_model:sorting", *SHAPE)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "sort" in found.stderr
    again = run("own_model:sorting", *SHAPE, "--override", "1=identity")
    assert again.exit_code == 0, again.output
    assert "3 × 3 input pixels" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no_such:make", *SHAPE], "the module 'no_such' cannot be imported"),
        (["own_model:no_such", *SHAPE], "the module 'own_model' has no callable 'no_such'"),
        ([":make", *SHAPE], "write MODULE:CALLABLE"),
        (["broken:make", *SHAPE], "the module 'broken' cannot be imported: no such operator"),
        (["own_model:number", *SHAPE], "makes no torch.nn.Module, but int"),
        (["own_model:failing", *SHAPE], "is called without arguments: no such machine"),
        (["own_model:keyless", *SHAPE], "without arguments: KeyError: 'depth'"),
        (["own_model:leaving", *SHAPE], "without arguments: SystemExit: 3"),
        (["leaving:make", *SHAPE], "'leaving' cannot be imported: SystemExit: 2"),
        (["own_model:deciding", *SHAPE], "depends on the numbers of its input"),
        (["own_model:make"], "a module does not tell the shape of its input"),
        (["own_model:make", "--input", "1,4,12,12"], "channels"),
        (["own_model:make", *SHAPE, "--layer", "9"], "there is no node '9'"),
        (["own_model:make", *SHAPE, "--weights", "own_model.py"], "holds no weights"),
        (["own_model:make", *SHAPE, "--weights", "junk.pt"], "holds no weights"),
        (["own_model:make", *SHAPE, "--weights", "other.pt"], "are not those of the model"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(folder, arguments, text):
    import torch

    torch.save({"other": torch.zeros(2)}, "other.pt")
    (folder / "junk.pt").write_bytes(b"junk" * 100)
    before = sorted(path.name for path in folder.iterdir())
    found = run(*arguments, "--html", "r.html")
    assert (found.exit_code, found.stdout) == (2, "")
    assert text in found.stderr
    assert found.stderr.startswith("Error: ")
    assert found.stderr.count("\n") == 1
    after = {path.name for path in folder.iterdir()} - {"__pycache__"}
    assert sorted(after) == [name for name in before if name != "__pycache__"]


def test_weights_do_not_run_code(folder):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, ("ran", "w"))

    (folder / "evil.pt").write_bytes(pickle.dumps({"0.weight": Evil()}, protocol=2))
    found = run("own_model:make", *SHAPE, "--weights", "evil.pt")
    assert found.exit_code == 2
    assert "holds more than weights" in found.stderr
    assert "with `weights_only` set to `False`" not in found.stderr
    assert not (folder / "ran").exists()


@pytest.mark.usefixtures("folder")
def test_progress_counts_all_measurements():
    module = made()
    told = []
    images = np.random.default_rng(0).standard_normal((2, 3, 12, 12)).astype(np.float32)
    layers = measurable(module, read_torch(module, _zeros()), (12, 12))
    found = compare_training(module, images, layers, samples=32, progress=told.append)
    assert [row.layer for row in found.rows] == layers == ["1", "4"]
    assert told == sorted(told)
    assert told[-1] == 4 * 32
    record = found.to_dict()
    assert json.loads(json.dumps(record))["layers"][0]["layer"] == "1"
    assert repr(found).count("±") == 4


@pytest.mark.usefixtures("folder")
def test_modules_around_a_layer_go_on_behind_it():
    from torch import nn

    module = nn.Sequential(made(), nn.Conv2d(4, 4, 3))
    for layer, wanted in (("0.2", ["0.1", "0.2"]), ("0", ["0.1", "0"]), (None, ["0.1", "1"])):
        network = read_torch(module, _zeros(), layer=layer)
        assert measurable(module, network, (12, 12), layer) == wanted


def _zeros():
    import torch

    return torch.zeros(1, 3, 12, 12)
