"""Priors of anchors, against gradients of networks whose weights are the variances."""

import json

import numpy as np
import pytest

from erf_theory import anchor_prior, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain
from tests.unit.practical.twin import CONV, NETWORKS, module_of

LEVELS = {name: NETWORKS[name] for name in ("strides", "residual", "u-net", "up", "plane")}


def by_gradient(network, unit, size):
    """Mean and covariance of the gradient of an output of an image."""
    import torch

    image = torch.ones((1, 1, *(size,) * network.ndim), dtype=torch.float64, requires_grad=True)
    module_of(network)(image)[(0, 0, *unit)].backward()
    weights = image.grad[0, 0].numpy()
    weights = weights / weights.sum()
    places = np.stack(np.meshgrid(*map(np.arange, weights.shape), indexing="ij"))
    mean = np.array([np.sum(weights * place) for place in places])
    far = places - mean.reshape(-1, *(1,) * network.ndim)
    return mean, np.array([[np.sum(weights * a * b) for a in far] for b in far])


@pytest.mark.torch
@pytest.mark.parametrize("network", LEVELS.values(), ids=LEVELS)
@pytest.mark.parametrize("phase", [0, 1])
def test_a_grid_of_centres_and_a_covariance(network, phase):
    name = network.nodes[-1].name
    level = anchor_prior(network, [name], unit=phase)[name]
    turns = [int(48 / stride) for stride in level.stride]
    unit = [phase + turn for turn in turns]
    mean, covariance = by_gradient(network, unit, 112)
    expected = np.array(level.offset) + np.array(level.stride) * unit
    assert mean == pytest.approx(expected, abs=1e-9)
    assert covariance == pytest.approx(level.covariance, abs=1e-8)
    assert level.std == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-8)


def test_an_anchor_is_as_wide_as_the_energy():
    level = anchor_prior(Chain([CONV]), ["0"])["0"]
    assert level.anchor == pytest.approx([np.sqrt(8)] * 2)
    side = 9
    uniform = np.var(np.linspace(-side / 2, side / 2, 100_001))
    assert np.sqrt(12 * uniform) == pytest.approx(side, rel=1e-4)


def test_levels_of_a_backbone():
    found = anchor_prior(zoo.resnet18(), ["stage2.1.relu", "stage3.1.relu"])
    assert [level.stride for level in found] == [(8, 8), (16, 16)]
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [level["std"] for level in record["levels"]] == [list(level.std) for level in found]
    assert "stage2.1.relu  8 " in str(found)
    assert "Approximate: " in str(found)
    assert repr(found).startswith("<anchors: stage2.1.relu ")


def test_bad_input_is_refused():
    with pytest.raises(ErfTheoryError, match="nothing"):
        anchor_prior(LEVELS["plane"], ["nothing"])
    with pytest.raises(ErfTheoryError, match=r"as \['0'\]"):
        anchor_prior(LEVELS["plane"], "0")
    with pytest.raises(ErfTheoryError, match="no level '1' here"):
        anchor_prior(LEVELS["plane"], ["0"])["1"]
