"""The paper's experiment."""

import json

import numpy as np
import pytest

from erf_theory import ErfTheoryError, theoretical_erf, variance_erf
from erf_theory.verdict.reproduction import VARIANTS, reproduce

FOUND = reproduce([3, 6], runs=60, channels=16)


def test_it_has_every_variant_at_every_depth():
    assert [(c.variant, c.depth) for c in FOUND.cases] == [(v, n) for v in VARIANTS for n in (3, 6)]


def test_all_ones_are_the_stack_itself():
    for case in FOUND.cases[:2]:
        expected = theoretical_erf(3, case.depth, ndim=2).values
        np.testing.assert_allclose(case.theory.values, expected, rtol=1e-12)
        np.testing.assert_allclose(case.measured.values, expected, rtol=1e-12)


def test_random_weights_have_the_root_of_the_energy():
    for case in FOUND.cases[2:]:
        expected = variance_erf(3, case.depth, ndim=2).rms()
        np.testing.assert_allclose(case.theory.values, expected.values, rtol=1e-10)
        assert case.total_variation < 0.04
        assert case.measured.std == pytest.approx(expected.std, rel=0.03)


def test_the_noise_falls_with_the_runs():
    more = reproduce([6], runs=960, channels=16, variants=["relu"]).cases[0]
    fewer = next(c for c in FOUND.cases if (c.variant, c.depth) == ("relu", 6))
    assert more.total_variation < fewer.total_variation / 2


def test_it_shows_itself():
    record = json.loads(json.dumps(FOUND.to_dict(), allow_nan=False))
    assert len(record["cases"]) == 10
    assert "all ones, 3" in repr(FOUND)
    assert len(FOUND.plot().axes) == 20
    assert "<table>" in FOUND._repr_html_()


def test_progress_counts_maps():
    counted = []
    reproduce([1, 2], runs=2, channels=2, variants=["random"], progress=counted.append)
    assert counted == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variants": ["swish"]}, "without 'swish'"),
        ({"depths": []}, "nothing to do"),
        ({"depths": [0]}, "convolutions"),
        ({"runs": 1}, "runs"),
        ({"seed": -1}, "seed"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ErfTheoryError, match=message):
        reproduce(**({"depths": [1], "channels": 2} | arguments))
