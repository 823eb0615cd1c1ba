"""Designed networks, measured by back-propagation."""

import pytest

from erf_theory import crosscheck, design_network, measure_erf

FAMILIES = ("deep", "dilated", "strided")


def test_a_residual_network_with_a_field_of_60_pixels_has_it(times):
    design = design_network(60, residual=True, channels=16, ndim=1, families=FAMILIES)
    assert design.reached >= 60
    found = measure_erf(design.network, samples=times(48, 1000), rng=3, progress=False)
    assert crosscheck(design.erf, found, false_alarm=1e-3).agrees
    other = design_network(30, residual=True, channels=16, ndim=1, families=FAMILIES)
    assert not crosscheck(other.erf, found, false_alarm=1e-3).agrees


@pytest.mark.torch
def test_so_has_it_in_the_plane(times):
    size, samples = times((12, 64), (60, 64))
    design = design_network(size, residual=True, channels=8)
    assert design.reached >= size
    found = measure_erf(
        design.network, backend="torch", dtype="float32", samples=samples, rng=3, progress=False
    )
    assert crosscheck(design.erf, found, false_alarm=1e-3).agrees
