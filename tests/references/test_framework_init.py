"""The laws of random weights beside PyTorch's initialisers and its layers' own defaults.

A sample variance of N weights differs from the true one by a standard error of √(2/N) of it for
normal weights, √(0.8/N) for uniform ones. A law passes within 4.5 of them: false alarms are 1 in
150 000 per case. Neighbouring laws are 20 % or more away: 40 standard errors or more.
"""

from math import sqrt

import numpy as np
import pytest

from erf_theory.network import Conv, ConvTranspose
from erf_theory.network.weights import LAWS, law

pytestmark = pytest.mark.torch

SHAPES = {
    "1-D": (256, 128, 3),
    "2-D": (96, 64, 3, 5),
    "3-D": (32, 32, 3, 3, 3),
    "groups": (256, 32, 3, 3),
    "depthwise": (4096, 1, 3, 3),
    "transposed": (64, 256, 4, 4),
    "transposed groups": (256, 32, 2, 2),
}
INITIALISERS = {
    "he": lambda init, weights: init.kaiming_normal_(weights, nonlinearity="relu"),
    "xavier": lambda init, weights: init.xavier_normal_(weights),
    "lecun": lambda init, weights: init.kaiming_normal_(weights, nonlinearity="linear"),
    "pytorch": lambda init, weights: init.kaiming_uniform_(weights, a=sqrt(5)),
}
LAYERS = {
    "Conv1d": ("Conv1d", (64, 96, 5), {}),
    "Conv2d": ("Conv2d", (64, 96, 3), {}),
    "Conv2d, sizes": ("Conv2d", (64, 96, (1, 7)), {"stride": 2}),
    "Conv3d": ("Conv3d", (24, 48, 3), {}),
    "Conv2d, groups": ("Conv2d", (128, 256, 3), {"groups": 4}),
    "Conv2d, depthwise": ("Conv2d", (4096, 4096, 3), {"groups": 4096}),
    "ConvTranspose1d": ("ConvTranspose1d", (128, 64, 4), {"stride": 2}),
    "ConvTranspose2d": ("ConvTranspose2d", (128, 64, 4), {"stride": 2}),
    "ConvTranspose2d, groups": ("ConvTranspose2d", (128, 256, 2), {"groups": 4}),
}


def errors_off(weights, variance, distribution):
    """By how many standard errors a sample variance about 0 misses the true one."""
    spread = sqrt((2 if distribution == "normal" else 0.8) / weights.size)
    return abs(np.mean(weights**2) / float(variance) - 1) / spread


def initialised(name, shape):
    """Weights as PyTorch's initialiser draws them."""
    import torch

    torch.manual_seed(0)
    weights = torch.empty(shape, dtype=torch.float64)
    return INITIALISERS[name](torch.nn.init, weights).numpy()


def by_default(name, arguments, named):
    """Weights of a fresh PyTorch layer."""
    import torch

    torch.manual_seed(0)
    layer = getattr(torch.nn, name)(*arguments, **named, dtype=torch.float64)
    return layer.weight.detach().numpy()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("name", INITIALISERS)
def test_initialisers_have_the_law_s_variance_and_distribution(name, shape):
    from scipy.stats import ks_2samp

    drawn = initialised(name, shape)
    assert errors_off(drawn, law(name).variance(shape), LAWS[name].distribution) < 4.5
    own = law(name).draw(shape, np.random.default_rng(0))
    assert errors_off(own, law(name).variance(shape), LAWS[name].distribution) < 4.5
    assert ks_2samp(drawn.ravel(), own.ravel()).pvalue > 1e-5, "false alarms: 1 in 100 000"


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_neighbouring_law_is_told_apart(shape):
    drawn = {name: initialised(name, shape) for name in INITIALISERS}
    for name, weights in drawn.items():
        for other in INITIALISERS:
            variance = law(other).variance(shape)
            if variance != law(name).variance(shape):
                assert errors_off(weights, variance, LAWS[name].distribution) > 35


@pytest.mark.parametrize(("name", "arguments", "named"), LAYERS.values(), ids=LAYERS)
def test_fresh_layers_have_pytorch_s_law(name, arguments, named):
    weights = by_default(name, arguments, named)
    variance = law("pytorch").variance(weights.shape)
    assert errors_off(weights, variance, "uniform") < 4.5
    assert errors_off(weights, law("he").variance(weights.shape), "uniform") > 40
    bound = sqrt(3 * variance)
    assert 0.999 * bound < np.max(np.abs(weights)) <= bound
    own = law("pytorch").draw(weights.shape, np.random.default_rng(0))
    assert 0.999 * bound < np.max(np.abs(own)) <= bound


@pytest.mark.parametrize(("outer", "inner"), [(32, 16), (16, 48), (24, 24)])
def test_an_orthogonal_matrix_has_the_law_s_variance(outer, inner):
    import torch

    torch.manual_seed(0)
    matrix = torch.nn.init.orthogonal_(torch.empty((outer, inner), dtype=torch.float64)).numpy()
    variance = float(law("delta_orthogonal").variance((outer, inner, 3, 3)))
    own = law("delta_orthogonal").draw((outer, inner, 3, 3), np.random.default_rng(0))
    assert np.mean(matrix**2) == pytest.approx(variance, rel=1e-12)
    assert np.mean(own[:, :, 1, 1] ** 2) == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize(("name", "arguments", "named"), LAYERS.values(), ids=LAYERS)
def test_a_convolution_has_the_weights_of_pytorch_s(name, arguments, named):
    kind, ndim = ConvTranspose if "Transpose" in name else Conv, int(name[-2])
    conv = kind(*arguments, **named, init="pytorch")
    weights = by_default(name, arguments, named)
    assert conv.weight_shape(ndim) == weights.shape
    assert conv.draw(ndim, np.random.default_rng(0)).shape == weights.shape
    (variance,) = set(conv.variances(ndim).taps.flat)
    assert variance == law("pytorch").variance(weights.shape)


def test_a_fan_out_in_place_of_the_fan_in_is_told_apart():
    transposed = by_default("ConvTranspose2d", (128, 64, 4), {"stride": 2})
    wrong = law("pytorch").variance((64, 128, 4, 4))
    assert errors_off(transposed, wrong, "uniform") > 40
