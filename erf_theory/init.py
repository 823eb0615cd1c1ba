"""Initialisations of PyTorch modules that choose the width of the ERF.

As in ``torch.nn.init`` their names end in an underscore: they fill weights in place. What an ERF
they give is what the theory says of the same variances: `erf_theory.design.widening.widened` for
`wide_`, ``init="delta_orthogonal"`` for `delta_orthogonal_`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from math import inf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from erf_theory.design.widening import TapLaw, widest_taps
from erf_theory.empirical.torch_import import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.network.weights import middle

if TYPE_CHECKING:
    import torch

__all__ = ["delta_orthogonal_", "wide_"]


def wide_(
    module: torch.nn.Module,
    taps: TapLaw = widest_taps,
    *,
    gain: float = sqrt(2),
    generator: torch.Generator | None = None,
) -> torch.nn.Module:
    """Fill all convolutions of a module so that its ERF is wide, and leave their gain as it is.

    Weights are normal, of mean 0, independent. On a kernel of d axes the tap at (a, b, …) has the
    variance gain²·v(a)·v(b)·…/fan, where v is the axis's law and fan the channels that an output
    sees: they add up to gain²/fan, as those of ``torch.nn.init.kaiming_normal_`` do. Biases are
    set to 0.

    Parameters
    ----------
    module : torch.nn.Module
        A ``Conv1d``, ``Conv2d`` or ``Conv3d``, with groups or without, or a module that holds some.
        Its other parts, transposed convolutions among them, stay as they are.
    taps : callable
        From the number of taps on an axis to their shares of the variance:
        `erf_theory.design.widening` has some. Default: the widest law with half of the uniform
        share on every tap, which widens the ERF by √1.25 = 1.12 for k = 3.
    gain : float
        As ``torch.nn.init.calculate_gain`` gives it; √2 for ReLU.
    generator : torch.Generator, optional
        What draws. Default: PyTorch's own.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    ErfTheoryError
        If there is no convolution, or the law has not one share of at least 0 for every tap.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> from erf_theory.design.widening import corner_taps
    >>> conv = wide_(nn.Conv2d(16, 16, 3), corner_taps)  # doctest: +SKIP
    >>> (conv.weight[0, 0] != 0).int().tolist()  # doctest: +SKIP
    [[1, 0, 1], [0, 0, 0], [1, 0, 1]]
    """
    torch = import_torch()
    _need_gain(gain)
    with torch.no_grad():
        for conv in _convolutions(torch, module):
            stds = _stds(conv, taps, gain)
            conv.weight.normal_(generator=generator).mul_(torch.tensor(stds).to(conv.weight))
    return module


def delta_orthogonal_(
    module: torch.nn.Module,
    *,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
) -> torch.nn.Module:
    """Fill all convolutions of a module with an orthogonal matrix in the middle, 0 elsewhere.

    The initialisation of Xiao et al. 2018, "Dynamical Isometry and a Mean Field Theory of CNNs":
    at first every output sees one pixel, so that the ERF has no width at all. Of an even number of
    taps the one before the middle counts. Biases are set to 0.

    Parameters
    ----------
    module : torch.nn.Module
        As for `wide_`. Every group has a matrix of its own.
    gain : float
        What the matrix is multiplied by, as in ``torch.nn.init.orthogonal_``.
    generator : torch.Generator, optional
        What draws. Default: PyTorch's own.

    Returns
    -------
    torch.nn.Module
        The module.

    Raises
    ------
    ErfTheoryError
        If there is no convolution.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> conv = delta_orthogonal_(nn.Conv1d(4, 4, 3))  # doctest: +SKIP
    >>> matrix = conv.weight[:, :, 1]  # doctest: +SKIP
    >>> (matrix @ matrix.T).diagonal().round(decimals=5).tolist()  # doctest: +SKIP
    [1.0, 1.0, 1.0, 1.0]
    """
    torch = import_torch()
    _need_gain(gain)
    with torch.no_grad():
        for conv in _convolutions(torch, module):
            centre = conv.weight[(..., *middle(conv.kernel_size))]
            conv.weight.zero_()
            for block in centre.chunk(conv.groups):
                single = torch.promote_types(block.dtype, torch.float32)
                matrix = torch.empty_like(block, dtype=single)
                block.copy_(torch.nn.init.orthogonal_(matrix, gain, generator=generator))
    return module


def _convolutions(torch: Any, module: Any) -> Iterator[Any]:
    """The convolutions of a module, their biases set to 0."""
    kinds = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(
            f"what is initialised is a torch.nn.Module, not {type(module).__name__}: give the "
            "layer, not its weight"
        )
    found = [part for part in module.modules() if isinstance(part, kinds)]
    if not found:
        raise ErfTheoryError(
            f"{type(module).__name__} holds no Conv1d, Conv2d or Conv3d to initialise"
        )
    for conv in found:
        if torch.nn.parameter.is_lazy(conv.weight):
            raise ErfTheoryError(
                "a lazy convolution has no weights yet: give the module an input once, then "
                "initialise it"
            )
        if not isinstance(conv.weight, torch.nn.Parameter):
            raise ErfTheoryError(
                "the weights of a convolution are made of others (a weight norm): initialise it "
                "before they are"
            )
        if conv.bias is not None:
            conv.bias.zero_()
        yield conv


def _stds(conv: Any, taps: TapLaw, gain: float) -> Any:
    """Standard deviations of a convolution's weights, tap by tap."""
    lines = [np.array(taps(k), dtype=np.float64) for k in conv.kernel_size]
    for k, line in zip(conv.kernel_size, lines, strict=True):
        if line.shape != (k,) or not np.all(line >= 0) or not 0 < line.sum() < inf:
            raise ErfTheoryError(f"a law for {k} taps gives as many shares of at least 0: {line}")
    shares = reduce(np.multiply.outer, [line / line.sum() for line in lines])
    return gain * np.sqrt(shares / conv.weight.shape[1])


def _need_gain(gain: float) -> None:
    if not 0 < gain < inf:
        raise ErfTheoryError(f"a gain is above 0 and finite, not {gain}")
