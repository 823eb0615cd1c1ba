"""Verdicts on measurements that are made by hand, where the truth is known."""

import json

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv
from erf_theory.theory import theoretical_erf
from erf_theory.verdict.agreement import crosscheck, need_decidable

LINE = Chain([Conv(1, 1, 3, padding=1, init=2)] * 2, 1)
PLANE = Chain([Conv(1, 1, (3, 2), padding=(1, 0), init=1)] * 2)
CROSS = [[0, 1, 0], [1, 2, 1], [0, 1, 0]]


def start_of(erf):
    return sum((tuple(factor.start) for factor in erf.factors), ())


def measured(erf, seed=0, *, noise=0.3, counts=64 * (3,), gain=1.0):
    """A measurement of just that map: every block's places have independent normal noise."""
    rng, counts = np.random.default_rng(seed), np.array(counts)
    spread = noise / np.sqrt(counts).reshape(-1, *(1,) * erf.ndim)
    scatter = 1 + spread * rng.standard_normal((len(counts), *erf.shape))
    return Measurement(gain * float(erf.mass) * erf.values * scatter, counts, start_of(erf), "it")


@pytest.mark.parametrize("network", [LINE, PLANE], ids=["line", "plane"])
def test_p_values_are_uniform_where_the_theory_is_true(network):
    from scipy.stats import kstest

    erf, counts = network_erf(network), (*[4] * 10, *[3] * 54)
    found = [crosscheck(erf, measured(erf, seed, counts=counts)) for seed in range(300)]
    for name in ("shape_p_value", "mass_p_value"):
        values = [getattr(one, name) for one in found]
        assert kstest(values, "uniform").pvalue > 1e-3, "false alarms: 1 in 1000"
    assert all(one.agrees == (min(one.shape_p_value, one.mass_p_value) >= 0.005) for one in found)


def test_a_wrong_mass_is_seen_by_the_mass_alone():
    erf = network_erf(LINE)
    found = crosscheck(erf, measured(erf, gain=1.1))
    assert found.mass_p_value < 1e-6
    assert found.shape_p_value > 0.01
    assert not found.agrees
    assert found.mass_ratio[0] == pytest.approx(1.1, abs=0.02)


def false_theories():
    return {
        "wider": Chain([Conv(1, 1, 5, padding=2, init=2)] * 2, 1),
        "narrower": Chain([Conv(1, 1, 3, padding=1, init=4)], 1),
        "moved": Chain([Conv(1, 1, 3, init=2), Conv(1, 1, 3, padding=1, init=2)], 1),
        "far away": Chain([Conv(1, 1, 3, padding=40, init=2)] * 2, 1),
        "one-sided": Chain([Conv(1, 1, 3, padding=1, init=[1, 2, 4])] * 2, 1),
        "thick tails": Chain([Conv(1, 1, 9, padding=4, init=[1, 0, 0, 10, 33, 10, 0, 0, 1])], 1),
        "holes": Chain([Conv(1, 1, 2, dilation=2, padding=1)] * 2, 1),
    }


@pytest.mark.parametrize("theory", false_theories().values(), ids=false_theories())
def test_a_wrong_shape_is_seen_by_the_shape(theory):
    erf = network_erf(LINE)
    found = crosscheck(network_erf(theory), measured(erf))
    assert found.shape_p_value < 1e-6
    assert found.power(erf) > 0.99


def test_energy_where_the_theory_has_none_rejects_at_once():
    apart = network_erf(Chain([Conv(1, 1, 2, dilation=2, padding=1, init=3)], 1))
    together = network_erf(Chain([Conv(1, 1, 3, padding=1, init=2)], 1))
    found = crosscheck(apart, measured(together))
    assert (found.shape_p_value, found.power(together)) == (0, 1)


def test_a_plane_that_differs_off_its_axes_only():
    diagonal = network_erf(Chain([Conv(1, 1, (2, 2), init=[[1, 0], [0, 1]])]))
    whole = network_erf(Chain([Conv(1, 1, (2, 2), init=0.5)]))
    assert crosscheck(diagonal, measured(diagonal)).agrees
    assert crosscheck(whole, measured(diagonal)).shape_p_value < 1e-6
    assert crosscheck(diagonal, measured(whole)).shape_p_value == 0


def test_a_map_of_one_place_has_no_shape_to_test():
    point = network_erf(Chain([Conv(1, 1, 1, init=3)], 1))
    assert crosscheck(point, measured(point)).shape_p_value == 1
    assert crosscheck(network_erf(LINE), measured(point)).shape_p_value < 1e-6
    assert crosscheck(point, measured(network_erf(LINE))).shape_p_value == 0


def test_without_noise_the_verdict_is_certain():
    erf = network_erf(LINE)
    assert crosscheck(erf, measured(erf, noise=0)).agrees
    off = crosscheck(erf, measured(erf, noise=0, gain=1.001))
    assert (off.mass_p_value, off.shape_p_value) == (0, 1)


def test_power_is_the_rate_of_rejections():
    truth = network_erf(LINE)
    nearby = network_erf(Chain([Conv(1, 1, 3, padding=1, init=[2, 2.4, 2])] * 2, 1))
    found = [crosscheck(nearby, measured(truth, seed, noise=1.2)) for seed in range(300)]
    rate, power = (
        np.mean([not one.agrees for one in found]),
        np.mean([o.power(truth) for o in found]),
    )
    assert 0.2 < power < 0.9
    assert power - 0.1 < rate < power + 0.25, "of the better test alone, from 300 trials"


@pytest.mark.parametrize("network", [LINE, PLANE], ids=["line", "plane"])
def test_measures_beside_the_verdict(network):
    erf = network_erf(network)
    found = crosscheck(erf, measured(erf, noise=0.01))
    assert found.measured_std == pytest.approx(erf.std, rel=0.01)
    assert 0 < found.total_variation < 0.01
    ratio, low, high = found.mass_ratio
    assert low < ratio < high
    assert ratio == pytest.approx(found.measurement.mass / float(erf.mass))
    assert (low + high) / 2 == pytest.approx(ratio)


def test_total_variation_counts_what_lies_outside():
    left, right = (network_erf(Chain([Conv(1, 1, 3, padding=p, init=1)], 1)) for p in (0, 1))
    assert crosscheck(left, measured(right, noise=0)).total_variation == pytest.approx(1 / 3)
    far = network_erf(Chain([Conv(1, 1, 3, padding=9, init=1)], 1))
    assert crosscheck(far, measured(right, noise=0)).total_variation == pytest.approx(1)


def test_the_interval_of_the_mass_holds_it_19_times_in_20():
    from scipy.stats import binom

    erf, trials = network_erf(LINE), 400
    held = 0
    for seed in range(trials):
        _, low, high = crosscheck(erf, measured(erf, seed)).mass_ratio
        held += low < 1 < high
    assert binom.ppf(5e-4, trials, 0.95) <= held <= binom.isf(5e-4, trials, 0.95)


@pytest.mark.parametrize("network", [LINE, PLANE], ids=["line", "plane"])
def test_json_has_the_verdict_and_its_numbers(network):
    erf = network_erf(network)
    found = crosscheck(erf, measured(erf), false_alarm=0.02)
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["format"] == "erf_theory.Agreement/1"
    assert record["package"].startswith("erf_theory ")
    assert record["agrees"] is found.agrees
    assert record["false_alarm"] == 0.02
    assert record["samples"] == 192
    assert record["shape_p_value"] == found.shape_p_value
    assert record["mass_p_value"] == found.mass_p_value
    assert record["start"] == list(start_of(erf))
    assert np.array(record["theory"]) == pytest.approx(float(erf.mass) * erf.values)
    assert np.array(record["measured"]) == pytest.approx(found.measurement.mean)
    assert np.shape(record["standard_error"]) == erf.shape
    assert record["call"] == f"crosscheck({erf.call}, it, false_alarm=0.02)"


def test_repr_and_card_speak_the_verdict():
    erf = network_erf(LINE)
    good, bad = crosscheck(erf, measured(erf)), crosscheck(erf, measured(erf, gain=2.0))
    assert repr(good).startswith("Theory and 192 samples agree\n  theory network_erf(Chain(")
    assert "false alarms 1 % of true theories, mass of the theory 36," in repr(good)
    assert "samples DISAGREE" in repr(bad)
    assert "samples agree</b>" in good._repr_html_()


@pytest.mark.parametrize("network", [LINE, PLANE], ids=["line", "plane"])
def test_the_figure_shows_profile_error_and_difference(network):
    erf = network_erf(network)
    found = crosscheck(erf, measured(erf))
    above, below = found.plot().axes
    places, theory = above.lines[0].get_data()
    line = erf.profile(0)
    assert places == pytest.approx(np.arange(len(line.values)) + start_of(erf)[0])
    assert theory == pytest.approx(line.values)
    others = tuple(range(1, erf.ndim))
    profiles = found.measurement.blocks.sum(axis=tuple(a + 1 for a in others)) / float(erf.mass)
    off = (profiles.mean(axis=0) - line.values) / (profiles.std(axis=0, ddof=1) / 8)
    assert below.lines[0].get_ydata() == pytest.approx(off, rel=1e-9)


def few():
    return Measurement(np.ones((4, 3)), np.ones(4), (0,), "few")


def dead():
    return Measurement(np.zeros((64, 3)), np.ones(64), (0,), "dead")


@pytest.mark.parametrize(
    ("theory", "measurement", "named", "message"),
    [
        (theoretical_erf(3, 2), dead(), {}, "compared with an energy, not amplitude"),
        (network_erf(LINE, kind="rms"), dead(), {}, "compared with an energy, not rms"),
        (network_erf(PLANE), dead(), {}, "a map of 2 axes and a measurement of 1"),
        (network_erf(LINE), few(), {}, "4 samples are too few for a verdict: measure 32 or more"),
        (network_erf(LINE), dead(), {}, "none of 64 gradients reached the input: take more chan"),
        (network_erf(LINE), dead(), {"false_alarm": 0}, "lies between 0 and 1, not 0"),
        (network_erf(LINE), dead(), {"false_alarm": 1.0}, "lies between 0 and 1, not 1.0"),
        (network_erf(LINE), dead(), {"false_alarm": float("nan")}, "between 0 and 1, not nan"),
        (
            network_erf(Chain([Conv(1, 1, 3, init=1e9)] * 30, 1)),
            dead(),
            {},
            r"a mass of e\^654.656 is none that doubles can measure: take fewer layers",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(theory, measurement, named, message):
    with pytest.raises(ErfTheoryError, match=message):
        crosscheck(theory, measurement, **named)


def test_what_cannot_be_decided_is_refused_before_the_experiment():
    need_decidable(network_erf(LINE), 32, 0.5)
    with pytest.raises(ErfTheoryError, match="31 samples are too few"):
        need_decidable(network_erf(LINE), 31, 0.5)
