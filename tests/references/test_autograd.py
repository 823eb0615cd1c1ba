"""Back-propagation itself, where PyTorch is installed."""

import numpy as np
import pytest

from erf_theory.theory import theoretical_erf

pytestmark = pytest.mark.torch

CASES = [
    ([1, 2, 5], 4, 1, 1),
    ([1, 1], 5, 1, 2),
    ([3, -1, 2, 7], 3, 1, 3),
    ([1, 2, 5], 3, 2, 1),
    ([1, 0, 2], 3, 3, 2),
]


@pytest.mark.parametrize(("taps", "n", "stride", "dilation"), CASES)
@pytest.mark.parametrize("ndim", [1, 2])
def test_gradients_of_linear_stacks(taps, n, stride, dilation, ndim):
    import torch

    erf = theoretical_erf(len(taps), n, kernel=taps, ndim=ndim, stride=stride, dilation=dilation)
    weight = torch.tensor(taps, dtype=torch.float64)
    weight = weight if ndim == 1 else torch.outer(weight, weight)
    conv = torch.nn.functional.conv1d if ndim == 1 else torch.nn.functional.conv2d
    image = torch.zeros((1, 1, *erf.shape), dtype=torch.float64, requires_grad=True)
    out = image
    for _ in range(n):
        out = conv(out, weight[None, None], stride=stride, dilation=dilation)
    out.sum().backward()
    assert out.numel() == 1
    gradient = image.grad.numpy()[0, 0]
    assert np.allclose(gradient / np.abs(gradient).sum(), erf.values, rtol=1e-12, atol=1e-15)
