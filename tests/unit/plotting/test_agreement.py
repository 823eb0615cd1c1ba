import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting.agreement import agreement_figure, agreement_maps

X = np.arange(-2.0, 3.0)
THEORY = np.array([1, 2, 3, 2, 1]) / 9
ERROR = np.array([0.01, 0.02, 0.01, 0.02, 0.0])
MEASURED = THEORY + ERROR * [1, -2, 0, 3, 0]


@pytest.fixture
def figure():
    return agreement_figure(X, THEORY, MEASURED, ERROR, title="A verdict")


def test_the_profiles_are_the_given_ones(figure, labels, gaussian_of):
    above, _ = figure.axes
    x, y = gaussian_of(above)
    assert (x.tolist(), y.tolist()) == (X.tolist(), THEORY.tolist())
    (bars,) = above.containers
    assert bars[0].get_ydata() == pytest.approx(MEASURED)
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    assert ends == pytest.approx(np.stack([MEASURED - 2 * ERROR, MEASURED + 2 * ERROR], axis=1))
    assert labels(figure) == ["theory", "measured, ± 2 standard errors"]
    assert figure.get_suptitle() == "A verdict"


def test_the_difference_counts_in_standard_errors(figure):
    below = figure.axes[1]
    assert below.lines[0].get_ydata()[:4] == pytest.approx([1, -2, 0, 3])
    assert np.isnan(below.lines[0].get_ydata()[4]), "no error, nothing to count in"


def test_everything_is_inside_the_figure(figure, overhang):
    assert overhang(figure) == 0


@pytest.mark.parametrize("place", range(3))
def test_one_value_for_every_place(place):
    rows = [THEORY, MEASURED, ERROR]
    rows[place] = rows[place][:-1]
    with pytest.raises(ErfTheoryError, match="one value for every offset"):
        agreement_figure(X, *rows)


ROWS = np.arange(-1.0, 2.0)
PLANE = np.outer([1, 2, 1], THEORY) / 4
PLANE_ERROR = np.outer([1, 2, 0], ERROR)


@pytest.fixture
def maps():
    return agreement_maps((ROWS, X), PLANE, PLANE - 2 * PLANE_ERROR, PLANE_ERROR, title="A verdict")


def test_theory_and_measurement_share_their_colours(maps):
    theory, measured, off = (ax.images[0] for ax in maps.axes[:3])
    assert np.asarray(theory.get_array()) == pytest.approx(PLANE)
    assert np.asarray(measured.get_array()) == pytest.approx(PLANE - 2 * PLANE_ERROR)
    assert theory.get_clim() == measured.get_clim() == (0, PLANE.max())
    assert theory.cmap.name == measured.cmap.name == "cividis"
    assert off.cmap.name == "PuOr"
    assert off.get_clim() == (-4, 4)
    assert theory.get_extent() == [-2.5, 2.5, 1.5, -1.5]
    assert maps.get_suptitle() == "A verdict"


def test_the_map_of_differences_counts_in_standard_errors(maps):
    off = np.ma.filled(maps.axes[2].images[0].get_array(), np.nan)
    assert off[:2, :4] == pytest.approx(np.full((2, 4), -2))
    assert np.isnan(off[2]).all()
    assert np.isnan(off[:, 4]).all()


@pytest.mark.parametrize("shape", [(3, 5), (90, 4), (4, 90)])
def test_all_of_the_maps_is_inside_the_figure(shape, overhang):
    plane = np.ones(shape)
    figure = agreement_maps(
        [np.arange(size) for size in shape], plane, plane, plane, title="long " * 20
    )
    assert overhang(figure) == 0


def test_one_value_for_every_pixel():
    with pytest.raises(ErfTheoryError, match="one value for every offset"):
        agreement_maps((ROWS, X), PLANE, PLANE, PLANE[:2])
