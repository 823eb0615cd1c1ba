"""The picture of what designs cost."""

import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import Point, front_figure

POINTS = [
    Point("deep", 100.0, 50.0, "a", is_best=False),
    Point("large", 10.0, 40.0, "b", is_best=True),
    Point("deep", 20.0, 30.0, "c", is_best=True),
]


def test_every_design_has_its_place_and_its_number():
    (ax,) = front_figure(POINTS, title="two").axes
    places = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert places["deep"] == [[20.0, 30.0]]
    assert places["deep, beaten"] == [[100.0, 50.0]]
    assert places["large"] == [[10.0, 40.0]]
    numbers = {text.get_text(): text.xy for text in ax.texts if text.get_text().isdigit()}
    assert numbers == {str(i): point[1:3] for i, point in enumerate(POINTS, 1)}
    assert ax.texts[-1].get_text() == "1  a\n2  b\n3  c"


def test_beaten_designs_are_hollow_and_families_have_their_own_markers():
    (ax,) = front_figure(POINTS).axes
    drawn = [line for line in ax.lines if len(line.get_xdata())]
    hollow = {line.get_label(): line.get_markerfacecolor() == "none" for line in drawn}
    assert hollow == {"deep": False, "deep, beaten": True, "large": False}
    assert len({line.get_marker() for line in drawn}) == 2


def test_no_design_is_no_front():
    with pytest.raises(ErfTheoryError, match="at least one design"):
        front_figure([])
