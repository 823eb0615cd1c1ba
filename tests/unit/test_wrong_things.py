"""What is no network, map or measurement is refused with a word on what makes one."""

import pytest

from erf_theory import (
    crosscheck,
    fluctuation,
    layer_table,
    measured_erf,
    network_erf,
    receptive_field,
    theoretical_erf,
    tile_overlap,
)
from erf_theory.errors import ErfTheoryError


@pytest.mark.parametrize(
    "asked", [fluctuation, layer_table, network_erf, receptive_field, tile_overlap]
)
@pytest.mark.parametrize("thing", [None, [3, 3], theoretical_erf(3, 2)], ids=type)
def test_networks(asked, thing):
    with pytest.raises(ErfTheoryError, match=f"not {type(thing).__name__}: Chain .* read_torch"):
        asked(thing)


@pytest.mark.parametrize("image_size", [None, 32])
def test_geometry_of_nothing_in_an_image(image_size):
    with pytest.raises(ErfTheoryError, match="not NoneType"):
        receptive_field(None, image_size=image_size)


def test_measurements():
    with pytest.raises(ErfTheoryError, match=r"of measure_erf .* not ERF"):
        measured_erf(theoretical_erf(3, 2))
    with pytest.raises(ErfTheoryError, match="not ERF with NoneType"):
        crosscheck(theoretical_erf(3, 2), None)
    with pytest.raises(ErfTheoryError, match="not str with NoneType"):
        crosscheck("theory", None)
