import pytest

from erf_theory import network_erf, theoretical_erf, variance_erf, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.steps import steps_of
from erf_theory.kernel import Kernel


def shown(erf, axis=0):
    return [(s.kernel, s.step[0], s.times) for s in steps_of(erf, axis)]


def test_equal_layers():
    assert shown(theoretical_erf(3, 20)) == [(Kernel.uniform(3), 1, 20)]


def test_every_axis_has_its_own_steps():
    erf = theoretical_erf(3, 4, ndim=2, dilation=(1, 2))
    assert [shown(erf, axis)[0][1] for axis in (0, 1)] == [1, 2]


def test_planes_that_are_no_product_are_summed_over_the_other_axis():
    erf = theoretical_erf(2, 3, ndim=2, kernel=[[1, 2], [0, 5]])
    assert shown(erf, 0) == shown(erf.profile(0)) == [(Kernel([3, 5]), 1, 3)]
    assert shown(erf, 1) == shown(erf.profile(1)) == [(Kernel([1, 7]), 1, 3)]


def test_blocks_of_residual_networks_are_steps():
    steps = steps_of(network_erf(zoo.resnet50(), ndim=1))
    assert len(steps) > 8
    variance = sum(s.times * s.step[0] ** 2 * s.kernel.cumulant(2) for s in steps)
    assert variance == pytest.approx(network_erf(zoo.resnet50(), ndim=1).cumulant(2), rel=1e-12)


def test_maps_by_samples_are_refused():
    with pytest.raises(ErfTheoryError, match=r"known by its samples \(Root\)"):
        steps_of(variance_erf(3, 4).rms())
    with pytest.raises(ErfTheoryError, match=r"known by its samples \(Samples\)"):
        steps_of(network_erf(zoo.unet(), ndim=1))
