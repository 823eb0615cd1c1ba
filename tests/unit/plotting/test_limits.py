import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import limit_figure


def test_the_map_its_limit_and_their_difference():
    figure = limit_figure([0, 1, 2], [1, 3, 1], [1, 2, 2], ("power", "Airy"), title="three")
    above, below = figure.axes
    assert [line.get_ydata().tolist() for line in above.lines] == [[1, 3, 1], [1, 2, 2]]
    assert [line.get_label() for line in above.lines] == ["power", "Airy"]
    assert below.lines[0].get_ydata().tolist() == [0, 1, -1]
    assert above.get_title() == "three"
    assert len(figure.legends) == 1


@pytest.mark.parametrize(("values", "limit"), [([1, 2], [1, 2, 3]), ([1, 2, 3], [1])])
def test_one_value_for_every_place(values, limit):
    with pytest.raises(ErfTheoryError, match="one value for every offset"):
        limit_figure([0, 1, 2], values, limit, ("a", "b"))
