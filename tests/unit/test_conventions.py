"""One measurement under every convention."""

import numpy as np
import pytest

from erf_theory import ERF, ErfTheoryError, measure_erf, network_erf
from erf_theory.conventions import measured_erf
from erf_theory.empirical.described import DescribedNetwork
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.plan import plan
from erf_theory.empirical.seeds import child
from erf_theory.network import Activation, Chain, Conv

NETWORK = Chain([Conv(2, 8, 3), Activation("relu"), Conv(8, 4, (5, 3))])
FOUND = measure_erf(NETWORK, samples=70, direction=[1, 1, 1, 1], rng=5)


def gradients():
    """Every sample's gradient, by itself."""
    run = DescribedNetwork(plan(NETWORK, 0), "numpy", None, np.ones(4))
    seed = np.random.SeedSequence(5)
    return run.gradients([child(seed, number) for number in range(70)])


@pytest.mark.parametrize(
    ("name", "definition"),
    [
        ("energy", lambda g: np.mean(g**2, axis=(0, 1))),
        ("rms", lambda g: np.sqrt(np.mean(g**2, axis=(0, 1)))),
        ("magnitude", lambda g: np.mean(np.abs(g), axis=(0, 1))),
        ("relu", lambda g: np.mean(np.maximum(g, 0), axis=(0, 1))),
        ("log10", lambda g: np.log10(1 + np.mean(np.maximum(g, 0), axis=(0, 1)))),
    ],
)
def test_a_convention_is_its_definition(name, definition):
    expected = definition(gradients())
    found = measured_erf(FOUND, name)
    np.testing.assert_allclose(found.values, expected / expected.sum(), rtol=1e-12)
    assert found.log_mass == pytest.approx(np.log(expected.sum()), rel=1e-12)
    assert found.theoretical_rf == network_erf(NETWORK).theoretical_rf
    assert found.exactness == "approximate"
    assert "70 samples" in found.reasons[0]


def test_it_has_all_measures_and_comes_back_from_a_file(tmp_path):
    found = measured_erf(FOUND, "relu")
    found.save(tmp_path / "erf.json")
    again = ERF.load(tmp_path / "erf.json")
    assert again.kind == "relu"
    np.testing.assert_array_equal(again.values, found.values)
    assert again.size() == found.size() > 1
    assert again.area_ratio(0.5) == found.area_ratio(0.5)


def test_log10_is_what_area_ratio_does_to_relu():
    by_ratio = measured_erf(FOUND, "relu").area_ratio(0.5, log=True)
    assert measured_erf(FOUND, "log10").area_ratio(0.5) == by_ratio


def test_refusals():
    with pytest.raises(ErfTheoryError, match="no convention"):
        measured_erf(FOUND, "median")
    plain = Measurement(FOUND.blocks, FOUND.counts, FOUND.start, FOUND.call)
    with pytest.raises(ErfTheoryError, match="no mean of"):
        measured_erf(plain, "relu")
    empty = Measurement(0 * FOUND.blocks, FOUND.counts, FOUND.start, FOUND.call)
    with pytest.raises(ErfTheoryError, match="0 everywhere"):
        measured_erf(empty)
