"""What is made of block means, and how a measurement is kept."""

import json

import numpy as np
import pytest

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import FORMAT, BlockMeans, Measurement
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv

ARRAYS = ("blocks", "magnitudes", "amplitudes", "counts")


def found(**named):
    return measure_erf(Chain([Conv(2, 3, (3, 2))] * 1), samples=70, rng=0, **named)


def test_the_error_of_profiles_is_that_of_the_worse_axis():
    rng = np.random.default_rng(0)
    means = BlockMeans(rng.random((10, 4, 3)), np.full(10, 2))
    errors = []
    for axis in (1, 2):
        lines = means.blocks.sum(axis=3 - axis)
        error = lines.std(axis=0, ddof=1) / 10**0.5
        errors.append(np.sqrt(np.sum(error**2) / np.sum(lines.mean(axis=0) ** 2)))
    assert means.profile_error == pytest.approx(max(errors), rel=1e-12)
    assert BlockMeans(np.zeros((4, 3)), np.ones(4)).profile_error == np.inf


def test_the_error_is_what_repetitions_show():
    network = Chain([Conv(4, 4, 3)] * 3, 1)
    several = [measure_erf(network, samples=256, rng=seed) for seed in range(80)]
    profiles = np.array([one.mean for one in several])
    off = np.sqrt(np.sum(profiles.var(axis=0, ddof=1)) / np.sum(profiles.mean(axis=0) ** 2))
    stated = np.mean([one.relative_error for one in several])
    assert stated == pytest.approx(off, rel=0.3), "four standard errors of 80 repetitions"


def test_a_saved_measurement_comes_back_bit_for_bit(tmp_path):
    one = found()
    one.save(tmp_path / "one.json")
    back = Measurement.load(tmp_path / "one.json")
    for name in ARRAYS:
        assert np.array_equal(getattr(back, name), getattr(one, name))
    assert (back.start, back.call, back.interrupted) == (one.start, one.call, one.interrupted)
    assert repr(back) == repr(one)
    record = json.loads((tmp_path / "one.json").read_text(), parse_constant=pytest.fail)
    assert (record["format"], record["samples"], record["kind"]) == (FORMAT, 70, "energy")
    assert record["package"].startswith("erf_theory ")


def test_blocks_that_were_not_measured_stay_unknown():
    bare = Measurement(np.ones((2, 3)), np.ones(2, dtype=int), (0,), "a call", interrupted=True)
    back = Measurement.from_dict(bare.to_dict())
    assert back.magnitudes is back.amplitudes is None
    assert repr(back).endswith("on average, interrupted after 2 samples")
    for name, what in (("magnitude", r"abs\(g\)"), ("amplitude", "g")):
        with pytest.raises(ErfTheoryError, match=f"no mean of {what}: call measure_erf anew"):
            getattr(back, name)


@pytest.mark.parametrize(
    "change",
    [{"counts": [1]}, {"start": [0]}, {"blocks": None}, {"shape": [7]}, {"blocks": ["a"]}],
    ids=repr,
)
def test_records_that_make_no_sense_are_refused(change):
    with pytest.raises(ErfTheoryError, match="this is not a saved erf_theory"):
        Measurement.from_dict(found().to_dict() | change)
    record = found().to_dict()
    for name in change:
        del record[name]
    with pytest.raises(ErfTheoryError, match=f"{name}"):
        Measurement.from_dict(record)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"format": "erf_theory.ERF/1"}')
    with pytest.raises(ErfTheoryError, match="holds no saved measurement: its format is not"):
        Measurement.load(path)
