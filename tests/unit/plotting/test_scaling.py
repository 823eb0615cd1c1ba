"""The figure of power laws: what is drawn, and ticks that can be read."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import Panel, scaling_figure

DEPTHS = np.array([5, 10, 20, 40, 80])


def panel(x, exponent, **changes):
    law = 2.0 * np.asarray(x, dtype=float) ** exponent
    parts = {"points": 1.1 * law, "fit": 1.05 * law, "law": law}
    names = {"fit_name": f"fitted {exponent}", "law_name": f"law {exponent}"}
    return Panel(**({"title": f"power {exponent}", "ylabel": "size"} | parts | names | changes))


def shown(axis):
    """The labels of the ticks that lie on the axis."""
    axis.figure.draw_without_rendering()
    low, high = axis.get_view_interval()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [t.label1.get_text() for t in ticks if low <= t.get_loc() <= high]


def test_every_panel_has_its_points_and_laws(labels):
    panels = [panel(DEPTHS, 0.5), panel(DEPTHS, -0.5)]
    figure = scaling_figure(DEPTHS, panels, title="five depths")
    assert figure.get_suptitle() == "five depths"
    assert labels(figure) == ["law 0.5", "fitted 0.5", "law -0.5", "fitted -0.5"]
    for ax, given in zip(figure.axes, panels, strict=True):
        assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == (given.title, "layers", "size")
        assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
        law, fit, _, points = ax.lines
        for line, values in ((law, given.law), (fit, given.fit), (points, given.points)):
            assert np.array_equal(line.get_data(), (DEPTHS, values))
        assert (points.get_linestyle(), points.get_marker()) == ("None", "o")
        assert law.get_linestyle() != fit.get_linestyle()
        assert law.get_color() != fit.get_color()


@pytest.mark.parametrize(
    "depths",
    [[5, 10, 20, 40, 80], [6, 7], [1, 2], [11, 12, 13], [100, 50_000], [1, 10**7], [3, 299]],
)
@pytest.mark.parametrize("exponent", [0.5, -0.5, 2])
def test_both_axes_can_be_read(depths, exponent):
    (ax,) = scaling_figure(depths, [panel(depths, exponent)]).axes
    for axis in (ax.xaxis, ax.yaxis):
        named = [text for text in shown(axis) if text]
        assert 2 <= len(named) <= 9
        assert len(set(named)) == len(named)
    if max(depths) < 300 * min(depths):
        assert all(float(text) == int(float(text)) for text in shown(ax.xaxis))


@pytest.mark.parametrize("depths", [DEPTHS, [6, 7], [1, 10**7]])
def test_nothing_reaches_over_the_edge(depths, overhang):
    long = "fitted power -0.440 (95 %: -0.492 to -0.389), and more"
    panels = [panel(depths, e, fit_name=f"{long} {e}") for e in (0.5, -0.5)]
    assert overhang(scaling_figure(depths, panels, title="a call that is long, " * 8)) < 0.01


@pytest.mark.parametrize("name", ["points", "fit", "law"])
def test_every_depth_has_one_value(name):
    with pytest.raises(ErfTheoryError, match="one value for every offset"):
        scaling_figure(DEPTHS, [panel(DEPTHS, 0.5, **{name: [1.0, 2.0]})])
