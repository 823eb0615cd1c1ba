"""The networks for experiments can be measured, and their figures are those of the profile."""

import numpy as np
import pytest

from erf_theory.empirical.measurement import Measurement
from tests.empirical.networks import NETWORKS, figures, measured


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_lets_a_gradient_through(name):
    found = measured(name, width=8, samples=4)
    assert found.mass[0] > 0
    assert found.std[0] > 0


def test_figures_and_their_errors():
    rng, shape = np.random.default_rng(0), np.array([1.0, 4.0, 2.0, 1.0])
    errors, found = [], []
    for _ in range(200):
        blocks = shape + rng.standard_normal((64, 4)) * 0.5
        one = figures(Measurement(blocks, np.full(64, 3), (-1,), "a call"))
        found.append([one.mass[0], one.mean[0], one.std[0]])
        errors.append([one.mass[1], one.mean[1], one.std[1]])
    mean = shape @ np.arange(-1, 3) / 8
    std = np.sqrt(shape @ (np.arange(-1, 3) - mean) ** 2 / 8)
    assert np.mean(found, axis=0) == pytest.approx([8, mean, std], abs=0.03)
    assert np.mean(errors, axis=0) == pytest.approx(np.std(found, axis=0), rel=0.25)
