"""Lengths of a Gaussian: each constant against the same length of sampled densities."""

from dataclasses import dataclass
from math import erf, pi, sqrt

import numpy as np
import pytest

from erf_theory import measures
from erf_theory.gaussian.lengths import LENGTHS
from erf_theory.measures import LUO_LEVEL
from erf_theory.theory import theoretical_erf, variance_erf

SPREAD = {1: 400.0, 2: 100.0, 3: 20.0}


@dataclass
class Sampled:
    """A Gaussian on pixels, measured as an ERF is."""

    ndim: int

    def __post_init__(self):
        self.std = SPREAD[self.ndim]
        self.axis = np.arange(-7 * self.std, 7 * self.std + 1)
        line = np.exp(-(self.axis**2) / (2 * self.std**2))
        self.lines = [line / line.sum()] * self.ndim

    def size(self):
        return measures.count_above(self.lines, 1 - LUO_LEVEL) ** (1 / self.ndim)

    def radius(self, mass, centre):
        assert centre == "mean"
        return measures.radius(self.lines, [self.axis] * self.ndim, mass)

    def participation(self):
        return measures.participation(self.lines)

    def half_width(self):
        return measures.half_width(self.lines[0], self.axis)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("name", LENGTHS)
def test_constants_are_those_of_sampled_gaussians(name, ndim):
    length, gaussian = LENGTHS[name], Sampled(ndim)
    step = {"size": 1, "radius": 0.5}.get(name, 0.05 / gaussian.std)
    assert length.of(gaussian) == pytest.approx(length.of_gaussian(ndim) * gaussian.std, abs=step)


def test_the_size_that_theory_states():
    constant = LENGTHS["size"].of_gaussian(2)
    assert constant == pytest.approx(sqrt(2 * pi * np.log(1 / 0.0455)), rel=1e-14)
    assert constant == pytest.approx(4.4063, abs=5e-5)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_radius_holds_its_share(ndim):
    radius = LENGTHS["radius"].of_gaussian(ndim)
    assert erf(radius / sqrt(2)) ** ndim == pytest.approx(LUO_LEVEL, rel=1e-12)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_lengths_are_the_measures_of_the_erf(ndim):
    for erf_ in (theoretical_erf(4, 7, ndim=ndim), variance_erf(4, 7, ndim=ndim).rms()):
        found = {name: length.of(erf_) for name, length in LENGTHS.items()}
        assert found == {
            "std": erf_.std,
            "size": erf_.size(),
            "radius": erf_.radius(0.9545),
            "participation": erf_.participation() ** (1 / ndim),
            "half_width": erf_.half_width(),
        }
