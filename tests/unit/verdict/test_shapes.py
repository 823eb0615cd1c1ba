import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.network import Chain, Conv
from erf_theory.verdict.shapes import Grid, shape_functions, start_of

LINE = network_erf(Chain([Conv(1, 1, 3, padding=1, init=[1, 2, 5])] * 2, 1))
PLANE = network_erf(Chain([Conv(1, 1, (3, 2), padding=(1, 0))] * 2))
VOLUME = network_erf(Chain([Conv(1, 1, 2)] * 2, 3))


def own(erf):
    return Grid(start_of(erf), erf.shape)


@pytest.mark.parametrize(("erf", "functions"), [(LINE, 4), (PLANE, 4 + 2 + 2), (VOLUME, 6 + 6)])
def test_they_are_bounded_and_their_mean_under_the_theory_is_0(erf, functions):
    found = shape_functions(erf, own(erf))
    assert found.shape == (erf.values.size, functions)
    assert erf.values.ravel() @ found == pytest.approx(np.zeros(functions), abs=1e-14)
    assert np.max(np.abs(found)) <= 2
    assert np.linalg.matrix_rank(found) == functions


def test_they_are_cosines_of_the_energy_below_a_place():
    weights = LINE.values
    for place, row in enumerate(shape_functions(LINE, own(LINE))):
        below = weights[:place].sum() + weights[place] / 2
        wave = np.cos(np.pi * np.arange(1, 5) * below)
        others = [np.cos(np.pi * np.arange(1, 5) * u) for u in np.cumsum(weights) - weights / 2]
        assert row == pytest.approx(wave - weights @ np.array(others))


def test_outside_the_map_they_go_on_with_their_ends():
    here = shape_functions(LINE, Grid((start_of(LINE)[0] - 5,), (LINE.shape[0] + 10,)))
    assert here[5:-5] == pytest.approx(shape_functions(LINE, own(LINE)))
    assert np.ptp(here[:5], axis=0) == pytest.approx(0)
    assert here[0] - here[-1] == pytest.approx([2, 0, 2, 0])


def test_a_point_has_none():
    point = network_erf(Chain([Conv(1, 1, 1)], 1))
    assert shape_functions(point, Grid((0,), (3,))).shape == (3, 0)


def test_values_on_another_grid():
    start = start_of(PLANE)
    grid = Grid((start[0] + 1, start[1] - 2), (PLANE.shape[0], PLANE.shape[1] + 2))
    found = grid.values_of(PLANE)
    assert found[:-1, 2:] == pytest.approx(PLANE.values[1:])
    assert (found[-1] == 0).all()
    assert (found[:, :2] == 0).all()
    assert (Grid((90, 90), (2, 2)).values_of(PLANE) == 0).all()
    assert [axis[0] for axis in grid.coordinates] == list(grid.start)
