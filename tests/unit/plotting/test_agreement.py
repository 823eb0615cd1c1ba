import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting.agreement import agreement_figure

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
