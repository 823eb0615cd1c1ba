"""Inputs cut out of images: from where, and how often."""

import numpy as np
import pytest

from erf_theory.empirical.inputs import Images
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Norm

PLANE = np.arange(2 * 3 * 4 * 5, dtype=float).reshape(2, 3, 4, 5)
NET = Chain([Conv(3, 4, 3, padding=1), Activation("relu"), Conv(4, 2, 3)])


def cuts(array, shape, count):
    rng = np.random.default_rng(0)
    return Images(array)(rng, (count, array.shape[1], *shape))


def test_every_cut_is_a_window_of_one_image_and_all_are_as_likely():
    windows = {PLANE[i, :, a : a + 2, b : b + 3].tobytes(): 0 for i, a, b in np.ndindex(2, 3, 3)}
    for cut in cuts(PLANE, (2, 3), 1800):
        windows[cut.tobytes()] += 1
    assert len(windows) == 18
    off = np.array(list(windows.values())) - 100
    assert np.sum(off**2 / 100) < 48.6, "false alarms: 1 in 20 000 of χ² with 17 degrees"


def test_short_images_go_on_by_mirror_images():
    endless = np.tile(np.concatenate([PLANE, PLANE[:, :, ::-1]], axis=2), (1, 1, 4, 1))
    windows = {endless[i, :, a : a + 9, b : b + 2].tobytes() for i, a, b in np.ndindex(2, 8, 4)}
    assert {cut.tobytes() for cut in cuts(PLANE, (9, 2), 1000)} == windows


def test_an_image_that_just_fits_is_taken_whole():
    assert np.array_equal(cuts(PLANE[:1], (4, 5), 3), np.repeat(PLANE[:1], 3, axis=0))


def test_black_images_shut_all_gates():
    network = Chain([Conv(3, 4, 3, bias_variance=0), Activation("relu"), Conv(4, 2, 3)])
    assert measure_erf(network, images=0 * PLANE, samples=4, rng=0).mass == 0
    assert measure_erf(network, images=PLANE, samples=4, rng=0).mass > 0


def test_the_weights_are_those_that_noise_would_meet():
    linear = Chain([Conv(3, 4, 3), Conv(4, 2, 3)])
    assert np.array_equal(
        measure_erf(linear, images=PLANE, samples=5, rng=0).blocks,
        measure_erf(linear, samples=5, rng=0).blocks,
    )


def test_scaled_images_are_scaled_back_by_a_batch_norm():
    network = Chain([Norm("batch", eps=0), *NET.parts])
    usual, bright = (measure_erf(network, images=c * PLANE, samples=8, rng=0) for c in (1, 8))
    assert bright.mean * 64 == pytest.approx(usual.mean, rel=1e-9)


@pytest.mark.torch
def test_backends_see_the_same_images():
    found = [
        measure_erf(NET, images=PLANE, samples=6, rng=1, backend=b) for b in ("numpy", "torch")
    ]
    assert found[0].blocks == pytest.approx(found[1].blocks, rel=1e-9)
    assert "images=<2×3×4×5 numbers>" in found[0].call


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (PLANE[0], r"images of shape \(3, 4, 5\) are none .* \(images, 3, …\) with 2 spatial axes"),
        (PLANE[:, :2], r"images of shape \(2, 2, 4, 5\) are none"),
        (PLANE[:0], r"images of shape \(0, 3, 4, 5\) are none"),
        (PLANE * np.nan, "images are finite numbers"),
    ],
)
def test_what_are_no_images_is_refused(images, message):
    with pytest.raises(ErfTheoryError, match=message):
        measure_erf(NET, images=images)
