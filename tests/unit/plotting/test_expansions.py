"""The figure of a map and its approximations: what is drawn, and what cannot be."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import Approximation, expansions_figure

X = np.arange(4.0)
LOGS = np.array([-0.7, -1.4, -3.0, -500.0])
FIRST = Approximation("Gaussian", [-0.7, -1.5, -2.0, -2.5], [0.0, 0.1, 1.7, 1e200])
OTHERS = [
    Approximation(f"number {i}", [-0.7, -1.4, np.nan, -3], [1e-9, 1e-3, 2, 1]) for i in (1, 2)
]


def test_values_are_above_their_relative_errors(labels):
    figure = expansions_figure(X, LOGS[:4], [FIRST, *OTHERS], title="three of them")
    top, bottom = figure.axes
    assert figure.get_suptitle() == "three of them"
    assert labels(figure) == ["exact map", "Gaussian", "number 1", "number 2"]
    assert top.get_yscale() == bottom.get_yscale() == "log"
    assert top.get_shared_x_axes().joined(top, bottom)
    exact, gaussian = top.lines[0], top.lines[1]
    assert np.array_equal(exact.get_ydata(), np.exp(LOGS))
    assert np.array_equal(gaussian.get_ydata(), np.exp(FIRST.log_values))
    errors = bottom.lines[0].get_ydata()
    assert np.isnan(errors[0])
    assert np.array_equal(errors[1:], FIRST.error[1:])


def test_lines_differ_by_more_than_their_colours():
    _, bottom = expansions_figure(X, -X, [FIRST, *OTHERS]).axes
    looks = [(line.get_marker(), line.get_color()) for line in bottom.lines]
    assert [len(set(parts)) for parts in zip(*looks, strict=True)] == [3, 3]
    assert looks[0][1] == "#D55E00"


def test_nothing_reaches_over_the_edge(overhang):
    assert overhang(expansions_figure(X, -X, [FIRST, *OTHERS], title="a title")) == 0


def test_without_errors_there_is_nothing_below():
    _, bottom = expansions_figure(X, -X, [Approximation("itself", -X, 0 * X)]).axes
    assert np.all(np.isnan(bottom.lines[0].get_ydata()))


def test_shapes_must_fit():
    with pytest.raises(ErfTheoryError, match="does not fit"):
        expansions_figure(X, -X, [Approximation("short", [1.0], [1.0])])
