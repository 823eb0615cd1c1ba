"""Pictures of shares and of changes."""

import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import changes_figure, shares_figure


def test_bars_are_shares_and_points_the_energy():
    figure = shares_figure(["a", "b", "c"], [0.5, 0.75, -0.25], [1, 0.5, 0.25], title="all")
    top, bottom = figure.axes
    assert [bar.get_height() for bar in top.patches] == [50, 75, -25]
    assert bottom.lines[0].get_ydata().tolist() == [100, 50, 25]
    assert [text.get_text() for text in bottom.get_xticklabels()] == ["a", "b", "c"]
    assert figure.get_suptitle() == "all"


def test_many_layers_have_numbers():
    figure = shares_figure(list("x" * 50), [0.02] * 50, [1] * 50)
    assert "x" not in [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert "input" in figure.axes[1].get_xlabel()


def test_of_long_names_the_end_is_shown():
    figure = shares_figure(["a" * 30 + ".conv"], [1], [1])
    (text,) = [text.get_text() for text in figure.axes[1].get_xticklabels()]
    assert text == "…" + "a" * 19 + ".conv"


def test_profiles_before_and_after(labels):
    lines = [([-1, 0, 1], [0.25, 0.5, 0.25]), ([0, 1], [0.5, 0.5])]
    figure = changes_figure(lines, names=("before", "after"), title="wider")
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [
        [0.25, 0.75, 1],
        [0.5, 1],
    ]
    assert labels(figure) == ["before", "after"]


def test_values_that_do_not_fit_are_refused():
    with pytest.raises(ErfTheoryError, match="does not fit"):
        shares_figure(["a"], [0.5, 0.5], [1, 1])
    with pytest.raises(ErfTheoryError, match="does not fit"):
        changes_figure([([0], [0.5, 0.5])], names=("one",))
