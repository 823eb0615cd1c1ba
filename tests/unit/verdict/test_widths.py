import numpy as np
import pytest
from scipy.stats import binom

from erf_theory.architectures import network_erf
from erf_theory.network import Chain, Conv
from erf_theory.verdict.widths import MeasuredStd, wider

LINE = network_erf(Chain([Conv(1, 1, 3, padding=1)] * 3, 1))
PLANE = network_erf(Chain([Conv(1, 1, (3, 2), padding=(1, 0))] * 3))


def std_of(values):
    """By the definition: the root of the mean variance of the axes."""
    spreads = []
    for axis in range(values.ndim):
        line = values.sum(axis=tuple(i for i in range(values.ndim) if i != axis))
        x = np.arange(len(line))
        mean = line @ x / line.sum()
        spreads.append(line @ (x - mean) ** 2 / line.sum())
    return np.sqrt(np.mean(spreads))


@pytest.mark.parametrize("erf", [LINE, PLANE], ids=["line", "plane"])
def test_the_width_is_that_of_the_mean_over_samples(erf):
    rng = np.random.default_rng(0)
    counts = np.array([*[2] * 20, *[1] * 12])
    blocks = erf.values * rng.gamma(2, size=(32, *erf.shape))
    found = MeasuredStd.of(blocks, counts)
    assert found.value == pytest.approx(std_of(np.tensordot(counts, blocks, 1)))
    exact = MeasuredStd.of(np.stack([erf.values] * 32), counts)
    assert (exact.value, exact.error) == (pytest.approx(erf.std), pytest.approx(0, abs=1e-12))


def test_the_interval_holds_the_truth_19_times_in_20():
    held, trials = 0, 400
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        blocks = (
            PLANE.values * rng.lognormal(0, 0.5, (64, 1, 1)) * rng.gamma(2, size=(64, *PLANE.shape))
        )
        low, high = MeasuredStd.of(blocks, np.ones(64)).interval(0.95)
        held += low < PLANE.std < high
    assert binom.ppf(1e-3, trials, 0.94) <= held <= binom.isf(1e-3, trials, 0.96)


@pytest.mark.parametrize("erf", [LINE, PLANE], ids=["line", "plane"])
def test_a_wider_map_has_the_same_mass_and_a_larger_std(erf):
    found = erf.values + wider(erf, 0.05)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()
    assert std_of(found) == pytest.approx(1.05 * erf.std, rel=1e-6)


@pytest.mark.parametrize("size", [1, 2])
def test_one_or_two_places_are_never_wider(size):
    assert wider(network_erf(Chain([Conv(1, 1, size)], 1)), 0.05) is None


def test_nothing_has_no_width():
    assert MeasuredStd.of(np.zeros((4, 3)), np.ones(4)).value == 0
