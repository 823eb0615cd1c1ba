"""Single precision: what it holds it measures, what it would lose it refuses."""

import numpy as np
import pytest

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.precision import need_normal
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Norm

RELU = Activation("relu")
NET = Chain([Conv(2, 8, 3), RELU, Norm(), Conv(8, 2, 3)], 1)


def narrow(*variances):
    """Convolutions of these variances."""
    return Chain([Conv(2, 2, 3, init=variance) for variance in variances], 1)


@pytest.mark.parametrize("backend", ["numpy", pytest.param("torch", marks=pytest.mark.torch)])
def test_single_precision_measures_the_same_up_to_its_rounding(backend):
    double = measure_erf(NET, samples=40, rng=0)
    single = measure_erf(NET, samples=40, rng=0, backend=backend, dtype="float32")
    assert single.blocks.dtype == np.float64
    assert single.blocks == pytest.approx(double.blocks, rel=1e-3)
    assert not np.array_equal(single.blocks, double.blocks)
    assert "dtype='float32'" in single.call
    assert "dtype" not in double.call


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (narrow(1e30, 1e30, 1e30), "grow to|beyond single"),
        (narrow(1e60, 1e60), "beyond single precision"),
        (narrow(1e-30, 1e-30, 1e-30), "gradients of .* lose their digits"),
        (narrow(1e-60, 1e60), "signals of .* lose their digits"),
        (narrow(1e-100), "lose their digits"),
        (narrow(1e36, 1e-36, 1), "signals grow to .* take dtype=.float64"),
        (
            Chain([Norm("instance", scale=[1, 1e-35], shift=[1, 1]), Conv(2, 1, 1)], 1),
            "gradients of",
        ),
        (Chain([Conv(1, 1, 1, weights=[[[1e-45]]]), Norm("layer", eps=1)], 1), "lose their digits"),
    ],
)
@pytest.mark.parametrize("backend", ["numpy", pytest.param("torch", marks=pytest.mark.torch)])
def test_what_may_leave_its_range_is_refused(backend, network, message):
    arguments = {"backend": backend, "samples": 4, "rng": 0}
    assert measure_erf(network, **arguments).mass > 0
    with pytest.raises(ErfTheoryError, match=message):
        measure_erf(network, dtype="float32", **arguments)


def test_an_image_beyond_it_is_refused():
    images = np.full((1, 2, 9), 1e25)
    with pytest.raises(ErfTheoryError, match=r"signals grow to 1.0e\+25"):
        measure_erf(NET, images=images, dtype="float32", samples=2)


def test_gradients_that_are_0_for_good_are_none_that_were_lost():
    shut = Conv(1, 2, 3, weights=np.ones((2, 1, 3)), bias=[-1e6, -1e6])
    dead = Chain([shut, RELU, Conv(2, 1, 1)], 1)
    assert measure_erf(dead, samples=40, rng=0, dtype="float32").mass == 0


def test_numbers_that_are_denormal_are_refused():
    smallest = float(np.finfo(np.float32).smallest_normal)
    need_normal(np.array([0.0, smallest, -1.0]), smallest)
    with pytest.raises(ErfTheoryError, match=r"gradients of 5\.9e-39 lose their digits"):
        need_normal(np.array([1.0, -smallest / 2]), smallest)


@pytest.mark.torch
def test_a_module_in_single_precision_is_refused_where_its_gradients_are_denormal():
    import torch

    module = torch.nn.Conv1d(1, 1, 3)
    torch.nn.init.constant_(module.weight, 1e-42)
    with pytest.raises(ErfTheoryError, match="lose their digits in this precision"):
        measure_erf(module, input_shape=(1, 5), samples=2, rng=0)
    assert measure_erf(module.double(), input_shape=(1, 5), samples=2, rng=0).mass > 0


@pytest.mark.parametrize("dtype", ["float16", "double", None])
def test_other_types_are_refused(dtype):
    with pytest.raises(ErfTheoryError, match=r"no dtype .* here: choose float64, float32"):
        measure_erf(NET, dtype=dtype)
