"""Whole networks back and forth: forks add, units keep to their boxes, norms are calibrated."""

import numpy as np
import pytest

from erf_theory.empirical import plan as plans
from erf_theory.empirical import tape
from erf_theory.empirical.draws import draw
from erf_theory.empirical.plan import plan
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Add,
    Chain,
    Conv,
    ConvTranspose,
    Dropout,
    Graph,
    Identity,
    Norm,
    Parallel,
    Residual,
    Upsample,
)

A, B = [1.0, 2.0, 5.0], [3.0, -1.0, 4.0, 1.0, 7.0]


def taps(weights):
    """A convolution with these weights that keeps all places."""
    return Conv(1, 1, len(weights), padding=len(weights) // 2, weights=[[weights]])


def with_centre(weights):
    """The weights, and one more of what is in the middle."""
    return np.add(weights, np.eye(len(weights))[len(weights) // 2])


def gradient(network, seed=0, unit=0):
    """One sample and its gradient by the input."""
    what = plan(network, unit)
    sample = draw(what, np.random.default_rng(seed))
    return sample, tape.gradients(what, [sample])[0]


def test_what_comes_back_at_a_fork_adds():
    network = Chain([Residual(taps(A)), Parallel([taps(B), Identity()])], 1)
    sample, found = gradient(network)
    expected = np.convolve(with_centre(A), with_centre(B))
    assert found[0] == pytest.approx(sample.direction[0] * expected)


def test_a_node_that_is_read_again_later():
    parts = {
        "a": (taps(A), "input"),
        "b": (taps(B), "a"),
        "sum": (Add(), "a", "b", "b", "input"),
    }
    sample, found = gradient(Graph(parts, ndim=1))
    expected = np.convolve(A, 2 * np.array(B)) + np.pad(A, 2) + np.eye(7)[3]
    assert found[0] == pytest.approx(sample.direction[0] * expected)


def test_units_of_an_upsampling_have_their_phases():
    network = Chain([taps(A), Upsample(2, "linear")], 1)
    for unit, share in ((0, [0.25, 0.75]), (1, [0.75, 0.25])):
        sample, found = gradient(network, unit=unit)
        assert found[0] == pytest.approx(sample.direction[0] * np.convolve(share, A))
    assert plan(network, 5).map.start == (1,)


def test_a_layer_that_sees_nothing_brings_its_bias_alone():
    gap = ConvTranspose(1, 1, 1, stride=2, weights=[[[1.0]]], bias=[3.0])
    network = Chain([Parallel([gap, Upsample(2)]), Activation("relu")], 1)
    sample, found = gradient(network, unit=1)
    open_ = sample.measured.images.ravel() + 3 > 0
    assert found[0] == pytest.approx(sample.direction[0] * open_)
    with pytest.raises(ErfTheoryError, match=r"unit \(1,\) depends on no input"):
        plan(Chain([gap], 1), 1)


@pytest.mark.parametrize("kind", ["batch", "layer", "group", "instance"])
def test_a_norm_behind_a_convolution_divides_by_the_length_of_its_weights(kind):
    network = Chain([Conv(1, 1, 5, init=7), Norm(kind)], 1)
    ratios = []
    for seed in range(5):
        sample, found = gradient(network, seed)
        ratios.append(np.sum(found**2) / sample.direction[0] ** 2)
    assert ratios == pytest.approx(np.ones(5), rel=0.15), "5 standard errors of a variance"


def test_a_calibration_has_its_own_noise_and_the_dropouts_act_in_it():
    network = Chain([Dropout(0.75), Conv(4, 1, 3), Norm(eps=0)], 1)
    sample, found = gradient(network)
    inputs, channels, length = sample.calibrating.images.shape
    assert (inputs, channels) == (4, 4)
    kept = sample.calibrating.masks[0]
    assert set(np.unique(kept)) == {0.0, 4.0}
    x = sample.calibrating.images * kept
    y = sum(
        np.einsum("c,ncx->nx", sample.weights[1][0, :, a], x[..., a : a + length - 2])
        for a in range(3)
    )
    mask = sample.measured.masks[0][0]
    expected = sample.direction[0] * sample.weights[1][0] * mask / np.std(y)
    assert found == pytest.approx(expected)


def test_boxes_are_as_wide_as_norms_need_and_the_map_is_not():
    conv = Conv(2, 2, 3, padding=1)
    network = Chain([conv, Norm("instance"), conv, Norm("batch"), conv], 1)
    what = plan(network, 7)
    assert (what.map.start, what.map.shape) == ((4,), (7,))
    assert what.boxes[2].shape[0] >= plans._PLACES
    assert what.wide[4].shape[0] >= plans._PLACES
    given = Chain([conv, Norm(mean=[0, 0], variance=[1, 1])], 1)
    assert plan(given).wide is None
    assert plan(given).boxes[0].shape == (3,)
    assert what.numbers > 4 * 1024 > 100 > plan(given).numbers
