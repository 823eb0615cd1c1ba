"""Files and bytes of figures: provenance, sameness, and the user's settings left alone."""

import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import pytest
from PIL import Image

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import png_bytes, profile_figure, save_figure


def figure():
    """A small profile."""
    given = {"mean": 0, "std": 0.5**0.5, "extent": (-1.5, 1.5), "threshold": 0.0455}
    return profile_figure([-1, 0, 1], [0.25, 0.5, 0.25], title="two layers", **given)


def png(file):
    """Size and description of a PNG."""
    with Image.open(file) as image:
        return image.size, image.info["Description"]


def written(path):
    """The provenance in a file, read by what is not matplotlib."""
    if path.suffix == ".png":
        return png(path)[1]
    if path.suffix == ".svg":
        return re.search("<dc:description>(.*)</dc:description>", path.read_text())[1]
    return re.search(rb"/Subject \((.*)\)", path.read_bytes())[1].decode()


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
@pytest.mark.parametrize("provenance", ["k = 3, n = 20", {"version": "0.1.0", "k": 3}])
def test_a_file_carries_its_provenance(tmp_path, suffix, provenance):
    path = tmp_path / f"erf{suffix}"
    save_figure(figure(), path, provenance)
    text = written(path)
    assert (text if isinstance(provenance, str) else json.loads(text)) == provenance


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_gives_the_same_bytes_every_time(tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path, settings in zip(paths, ({}, {"font.size": 30, "svg.hashsalt": "x"}), strict=True):
        with mpl.rc_context(settings):
            save_figure(figure(), path, "")
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert not re.search(rb"CreationDate|<dc:date>", first)


def test_a_png_is_ready_for_print(tmp_path):
    save_figure(figure(), str(tmp_path / "ERF.PNG"), "")
    assert png(tmp_path / "ERF.PNG")[0] == (1400, 620)


@pytest.mark.parametrize("name", ["erf.gif", "erf", "png"])
def test_other_suffixes_are_refused(tmp_path, name):
    suffix = repr(Path(name).suffix)
    with pytest.raises(ErfTheoryError, match=rf"\.png, \.svg or \.pdf, not {suffix}"):
        save_figure(figure(), tmp_path / name, "")
    assert not list(tmp_path.iterdir())


def test_a_notebook_gets_a_png_with_its_provenance():
    data = png_bytes(figure(), {"k": 3})
    assert json.loads(png(BytesIO(data))[1]) == {"k": 3}
    assert data == png_bytes(figure(), {"k": 3})


def test_the_users_settings_stay_as_they_are():
    before = dict(mpl.rcParams)
    png_bytes(figure(), "")
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_loaded_and_matplotlib_only_to_draw():
    code = """
import sys
from erf_theory.plotting import png_bytes, profile_figure
print("matplotlib" in sys.modules)
png_bytes(profile_figure([0], [1], mean=0, std=0, extent=(-.5, .5)), "")
print("matplotlib" in sys.modules, "matplotlib.pyplot" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["False", "True", "False"]
