"""The page and its record: their numbers are those of the functions that they come from."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from erf_theory import zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.layertable import layer_table
from erf_theory.network import Activation, Chain, Conv, MaxPool
from erf_theory.practical.sizes import input_size_advice
from erf_theory.practical.tiles import tile_overlap
from erf_theory.report.document import model_report
from erf_theory.report.outputs import save_all
from erf_theory.report.page import page, paragraph, table
from erf_theory.report.smoothing import smoothed

NET = Chain(
    {
        "one": Conv(3, 8, 3, padding=1),
        "act": Activation("relu"),
        "pool": MaxPool(2, stride=2),
        "two": Conv(8, 8, 3, padding=1),
    }
)


class Page(HTMLParser):
    """Tags that are open, those that were seen, and what they refer to."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.places = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.places += [value for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.places += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def found():
    image = np.random.default_rng(0).random((32, 32, 3))
    return model_report(NET, name="a <model>", image_size=(32, 32), image=image)


def test_the_page_stands_alone_and_says_what_its_pictures_show(found):
    read = Page(found.html())
    assert read.open == []
    assert all(place.startswith("data:image/png;base64,") for place in read.places)
    tags = {tag for tag, _ in read.seen}
    assert tags.isdisjoint({"script", "link", "iframe"})
    assert {"img", "svg", "table", "footer"} <= tags
    assert all(attrs["alt"] for tag, attrs in read.seen if tag == "img")
    assert all(attrs["aria-label"] for tag, attrs in read.seen if tag == "svg")
    assert "a &lt;model&gt;" in found.html()


def test_the_page_is_the_same_every_time(found):
    again = model_report(NET, name="a <model>", image_size=(32, 32), image=found.image)
    assert again.html() == found.html()


def test_the_record_holds_what_the_functions_give(found):
    record = json.loads(found.json())
    assert record["layers"]["layers"] == layer_table(NET).to_dict()["layers"]
    assert record["tiles"]["axes"] == tile_overlap(NET).to_dict()["axes"]
    assert record["input_sizes"]["layers"] == input_size_advice(NET).to_dict()["layers"]
    assert [row["name"] for row in record["stages"]] == ["act", "two"]
    assert record["main"] == "two"
    assert record["package"].startswith("erf_theory ")


def test_a_large_network_has_rows_where_blocks_end():
    found = model_report(zoo.resnet18(), name="ResNet-18", image_size=(224, 224))
    whole = layer_table(zoo.resnet18())
    assert len(found.layers) < 20
    for row in found.layers:
        log_mass = pytest.approx(whole[row.name].log_mass, rel=1e-9)
        assert row == replace(whole[row.name], log_mass=log_mass)
    advice = input_size_advice(zoo.resnet18(), image_size=224)
    for row in found.advice:
        if row.name in {one.name for one in advice}:
            assert row == advice[row.name]
    assert found.advice.beyond_erf == ("stage4.1.relu",)


def test_a_head_of_one_unit_is_not_the_main_stage():
    head = Chain({"body": NET, "head": Conv(8, 10, 16)})
    found = model_report(head, name="classifier", image_size=(32, 32))
    assert (found.main.name, found.has_head) == ("body.two", True)
    assert "The output, head, has one unit" in str(found)


def test_one_axis_and_no_image_size():
    flat = model_report(Chain([Conv(1, 4, (3,)), Conv(4, 4, (3,))]), name="line")
    assert flat.main.erf.ndim == 1
    assert "What line sees" in flat.html()
    assert flat.image_size is None


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(ErfTheoryError, match="nothing is left"):
        model_report(zoo.vgg16(), name="VGG-16", image_size=(16, 16))


def test_cells_of_a_table_are_escaped():
    text = table("a & b", ["x", "y"], [["<1>", "2"]], words=["y"])
    assert "&lt;1&gt;" in text
    assert '<td class="text">2</td>' in text
    assert page("t", [paragraph("<")], {"a": "&"}).count("&lt;") == 1


def test_smoothing_keeps_mass_mean_and_takes_the_grid_away():
    x = np.arange(-20.0, 21.0)
    line = np.exp(-(x**2) / 50) * (x % 4 == 0)
    (places,), values = smoothed([x], line, [4])
    assert np.isclose(values.sum(), line.sum())
    assert np.isclose(values @ places, line @ x)
    bell = np.exp(-(places**2) / 50)
    assert np.max(np.abs(values - bell / 4)) < 0.05
    assert np.max(np.abs(line - np.exp(-(x**2) / 50) / 4)) > 0.7


def test_all_files_are_saved_or_none(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("")
    files = {tmp_path / "a.html": "new", tmp_path / "folder" / "no" / "no" / "b.json": "new"}
    with pytest.raises(OSError, match="No such file"):
        save_all(files)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]
    save_all({tmp_path / "a.html": "new", tmp_path / "made" / "b": b"1"})
    assert (tmp_path / "a.html").read_text() == "new"
    assert (tmp_path / "made" / "b").read_bytes() == b"1"


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(found):
    shown = Page(found._repr_html_())
    ((tag, held),) = shown.seen
    assert tag == "iframe"
    assert held["srcdoc"] == found.html()
    assert held["title"] == "What a <model> sees"
