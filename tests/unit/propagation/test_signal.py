import numpy as np
import pytest

from erf_theory.propagation.signal import Signal, normal


def test_a_normal_signal():
    signal = normal(4.0, 1.0)
    assert (signal.second, signal.shared, signal.mean, signal.before) == (4, 1, 0, (4, 1))
    assert (signal.variance, signal.correlation) == (3, 0.25)
    assert signal.is_normal
    assert signal.is_symmetric


def test_second_moments_stay_among_the_normal_doubles():
    limits = np.finfo(np.float64)
    assert Signal(0.0).second == Signal(5e-324).second == limits.tiny
    assert Signal(np.inf).second == limits.max


@pytest.mark.parametrize(("shared", "correlation"), [(1.1, 1), (-1.1, -1), (-0.5, -0.5)])
def test_correlations_stay_between_their_limits(shared, correlation):
    assert Signal(1.0, shared).correlation == correlation
