"""Contours over an image: where the unit is, and how much they hold."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting.overlay import overlay_figure
from erf_theory.plotting.widths import widths_figure

X = np.arange(-30.0, 31.0)
BELL = np.exp(-(X[:, None] ** 2 + X**2) / 72)
FRAME = [(-30.5, 30.5), (-30.5, 30.5)]


def test_contours_are_circles_around_the_unit_that_hold_their_shares():
    figure = overlay_figure(np.zeros((80, 100, 3)), (40, 70), (X, X), BELL, FRAME)
    (ax,) = figure.axes
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 100), (80, 0))
    contours = [part for part in ax.collections if len(part.get_paths()) == 3]
    for path, share in zip(contours[-1].get_paths(), (0.99, 0.9, 0.5), strict=True):
        away = path.vertices[np.any(path.vertices != 0, axis=1)] - (70, 40)
        radius = 6 * np.sqrt(-2 * np.log(1 - share))
        assert np.allclose(np.hypot(*away.T), radius, atol=1)


def test_maps_that_do_not_fit_are_refused():
    with pytest.raises(ErfTheoryError, match="does not fit"):
        overlay_figure(np.zeros((8, 8, 3)), (4, 4), (X, X[1:]), BELL, FRAME)
    with pytest.raises(ErfTheoryError, match="does not fit"):
        widths_figure(["a", "b"], {"now": [1, 2, 3]}, {"now": ([1, 2], [0, 0])})


def test_states_differ_without_colour():
    figure = widths_figure(
        ["a", "b"],
        {"one": [1, 2], "other": [2, 3]},
        {"one": ([1, 2], [0.1, 0.1]), "other": ([2, 3], [0.1, 0.1])},
    )
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    marked = [line for line in figure.axes[0].lines if line.get_marker() not in ("None", "")]
    assert len({line.get_linestyle() for line in drawn}) == 2
    assert len({line.get_marker() for line in marked}) >= 2
