"""Tiled inference by random networks: what outputs lose is what `tile_overlap` says."""

import numpy as np
import pytest

from erf_theory import network_erf, tile_overlap
from erf_theory.empirical.torch_modules import torch_module
from erf_theory.network import Activation, Chain, Conv, Residual, Upsample

pytestmark = pytest.mark.torch
CONV, DOWN = Conv(8, 8, 3, padding=1), Conv(8, 8, 3, stride=2, padding=1)
NETWORKS = {
    "plain": Chain([CONV] * 8, ndim=1),
    "strided": Chain([DOWN, CONV, DOWN, CONV, CONV], ndim=1),
    "residual": Chain([DOWN, *[Residual(Chain([CONV, CONV]))] * 3], ndim=1),
    "up": Chain([DOWN, CONV, DOWN, CONV, Upsample(2), CONV, Upsample(2), CONV], ndim=1),
}
DRAWS, IMAGES, CONTEXT = 400, 8, 2
LIMIT = 4.5
"""Standard errors: 1 false alarm in 150 000 comparisons of normal means."""


def drawn(network, rng):
    weights = {
        place: rng.standard_normal((8, 8, 3)) * np.sqrt(float(node.layer.variances(1).taps[0]))
        for place, node in enumerate(network.nodes)
        if isinstance(node.layer, Conv)
    }
    return torch_module(network, weights, {})


def losses(network, period, seed=0):
    """Squares of what the first outputs lose, and of the outputs: shape (draws, outputs)."""
    import torch

    rng, far = np.random.default_rng(seed), 16
    found = []
    for _ in range(DRAWS):
        module = drawn(network, rng)
        image = torch.asarray(rng.standard_normal((IMAGES, 8, 2 * far * period)))
        whole, tile = module(image), module(image[..., (far - CONTEXT) * period :])
        first, outputs = CONTEXT * tile.shape[-1] // (far + CONTEXT), whole.shape[-1] // (2 * far)
        kept = slice(first, first + outputs)
        y = whole[..., whole.shape[-1] // 2 :][..., :outputs]
        found.append([((tile[..., kept] - y) ** 2).mean((0, 1)), (y**2).mean((0, 1))])
    return np.moveaxis(np.array([[a.numpy(), b.numpy()] for a, b in found]), 1, 0)


def off(lost, kept, share):
    """By how many standard errors the mean loss is off a share of the mean energy."""
    differences = lost - share * kept
    return abs(differences.mean()) / (differences.std(ddof=1) / np.sqrt(len(differences)))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_outputs_lose_the_share_that_is_cut(network):
    (row,) = tile_overlap(network, 1).axes
    (cut,) = tile_overlap(network, overlap=2 * CONTEXT * row.period).axes
    lost, kept = losses(network, row.period)
    worst = np.argmax(lost.mean(axis=0))
    assert off(lost[:, worst], kept[:, worst], cut.cut_before) < LIMIT


def test_what_lies_beyond_the_edge_is_less():
    """The control: the share of the map beyond the edge, without paths that come back, fails."""
    network = NETWORKS["plain"]
    erf = network_erf(network)
    beyond, further = (
        float(np.sum(erf.values[erf.offsets[0] <= -CONTEXT - nearest])) for nearest in (1, 2)
    )
    lost, kept = losses(network, 1)
    assert off(lost[:, 0], kept[:, 0], beyond) > LIMIT
    reflected = pytest.approx(beyond + further, rel=1e-12)
    assert tile_overlap(network, overlap=2 * CONTEXT).axes[0].cut_before == reflected


def test_a_network_with_relu_loses_less():
    network = Chain([*[CONV, Activation("relu")] * 7, CONV], ndim=1)
    (cut,) = tile_overlap(network, overlap=2 * CONTEXT).axes
    lost, kept = losses(network, 1)
    assert 0.6 < lost.mean() / kept.mean() / cut.cut_before < 0.9
