"""A map beside its approximations: ratios, table, picture, record."""

import json

import numpy as np
import pytest

from erf_theory import theoretical_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.edgeworth import edgeworth
from erf_theory.gaussian.expansions import compare_expansions
from erf_theory.gaussian.saddlepoint import saddlepoint

ERF = theoretical_erf(3, 20)
FOUND = compare_expansions(ERF)


def test_ratios_are_those_to_the_map():
    assert FOUND.offsets.tolist() == list(range(21))
    values = ERF.values[20:]
    for order, ratios in zip((0, 2, 6), FOUND.ratios, strict=False):
        assert ratios == pytest.approx(edgeworth(ERF, order).mass(FOUND.offsets) / values, rel=1e-9)
    points = np.exp(saddlepoint(ERF).log_mass(FOUND.offsets))
    assert FOUND.ratios[-1] == pytest.approx(points / values, rel=1e-9)


def test_what_the_picture_is_to_show():
    """Near the centre every term helps; at the last pixels only the saddle point holds."""
    gaussian, first, third, points = FOUND.errors
    assert np.all(first[:14] < gaussian[:14])
    assert np.all(third < first)
    assert np.all(points < 0.09)
    assert np.all(np.array([gaussian[-1], first[-1], third[-1]]) > 1)
    assert points[-1] == pytest.approx(0, abs=1e-13)


def test_the_table_ends_with_the_last_two_places():
    _, heads, *rows = FOUND.lines()
    assert (
        heads[3:]
        == FOUND.names
        == (
            "Gaussian",
            "Edgeworth through n⁻¹",
            "Edgeworth through n⁻³",
            "saddle point",
        )
    )
    assert [row[0] for row in rows] == ["0", "4", "7", "11", "15", "18", "19", "20"]


def test_the_figure_has_its_names(tmp_path):
    figure = FOUND.plot()
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(named) == {"exact map", *FOUND.names}
    FOUND.save_figure(tmp_path / "limit.png")
    assert b"theoretical_erf(3, 20)" in (tmp_path / "limit.png").read_bytes()
    assert "<table>" in FOUND._repr_html_()


def test_the_record_is_json():
    record = json.loads(json.dumps(FOUND.to_dict()))
    assert record["format"] == "erf_theory.Expansions/1"
    assert record["call"] == "theoretical_erf(3, 20)"
    assert record["ratios"]["saddle point"] == FOUND.ratios[-1].tolist()


def test_holes_are_left_out_and_skew_maps_have_odd_orders():
    erf = theoretical_erf(None, 8, kernel=[5, 0, 2, 0, 1])
    found = compare_expansions(erf, orders=[1])
    assert np.all(np.diff(found.offsets) == 2)
    assert found.names[0] == "Edgeworth through n^(-1/2)"
    assert np.all(found.errors[:, 0] < 0.04)


def test_deep_maps_end_where_axes_do():
    found = compare_expansions(theoretical_erf(3, 2000))
    assert found.log_values[-1] > -500 > found.log_values[-1] - 2
    assert np.all(np.isfinite(found.ratios))
    found.plot().draw_without_rendering()


def test_a_single_layer_has_a_table_too():
    assert [row[0] for row in compare_expansions(theoretical_erf(2, 1)).lines()[2:]] == ["0.5"]


@pytest.mark.parametrize("orders", [(), (0, 1, 2, 3)])
def test_there_are_one_to_three_orders(orders):
    with pytest.raises(ErfTheoryError, match="give one to 3 orders"):
        compare_expansions(ERF, orders)


def test_orders_are_a_list():
    with pytest.raises(ErfTheoryError, match="orders are a list of whole numbers"):
        compare_expansions(ERF, 3)


def test_a_saddle_point_that_is_no_share_has_its_error_beside_it():
    found = compare_expansions(theoretical_erf(None, 5, kernel=[1, 1000, 1]), orders=[0])
    assert found.ratios[-1, 0] == pytest.approx(4.03, abs=0.01)
