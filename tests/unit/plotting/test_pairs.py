"""Pairs of maps."""

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import pairs_figure

MAP = np.outer([1, 2, 1], [1, 3, 1.0])


def test_every_map_has_its_axes_and_its_scale():
    figure = pairs_figure({"a": [(MAP, 2 * MAP)] * 2, "b": [(MAP, MAP)] * 2}, ["x", "y"])
    assert len(figure.axes) == 8
    tops = [axes.images[0].get_clim()[1] for axes in figure.axes[:2]]
    assert tops == [6, 12]
    assert figure.axes[0].get_title() == "x\nmeasured"
    assert figure.axes[4].get_ylabel() == "b"


def test_a_row_that_does_not_fit_is_refused():
    with pytest.raises(ErfTheoryError, match="row 'a'"):
        pairs_figure({"a": [(MAP, MAP)]}, ["x", "y"])
    with pytest.raises(ErfTheoryError, match="2-D"):
        pairs_figure({"a": [(MAP[0], MAP[0])]}, ["x"])
