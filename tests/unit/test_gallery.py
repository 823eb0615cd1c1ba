"""The gallery's examples run: they assert what their texts claim."""

import runpy
from pathlib import Path

import pytest
from matplotlib import pyplot as plt

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SCRIPTS = {path.stem: path for path in sorted(EXAMPLES.rglob("plot_*.py"))}
QUICK = ("binomial", "borders", "depth", "dilation", "resnet50", "skips", "strides_and_dilations")


@pytest.fixture
def pyplot():
    """Figures without windows; none of them are left."""
    plt.switch_backend("agg")
    yield plt
    plt.close("all")


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_holds_what_it_claims_and_describes_its_figures(
    name, pyplot, times, monkeypatch
):
    if name not in times([f"plot_{quick}" for quick in QUICK], SCRIPTS):
        pytest.skip("takes seconds: run it with --thorough")
    if "import torch" in SCRIPTS[name].read_text(encoding="utf-8"):
        pytest.importorskip("torch")
    monkeypatch.chdir(SCRIPTS[name].parent)
    monkeypatch.setattr("sys.argv", [str(SCRIPTS[name])])
    runpy.run_path(str(SCRIPTS[name]), run_name="__main__")
    for number in pyplot.get_fignums():
        assert len(pyplot.figure(number).get_label().split()) > 10


def test_every_quick_example_is_there():
    assert set(SCRIPTS) > {f"plot_{quick}" for quick in QUICK}
