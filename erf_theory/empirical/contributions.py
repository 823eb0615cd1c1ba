"""RepLKNet's contribution scores of a PyTorch module: clipped gradients, averaged over images."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from erf_theory.empirical.progress import Watcher, watched
from erf_theory.empirical.torch_import import import_torch
from erf_theory.empirical.torch_model import TorchModel, model_for
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["contributions"]


def contributions(module: Any, images: Any, *, progress: Watcher = False) -> FloatArray:
    """The contribution scores of all pixels, as RepLKNet's script has them.

    The outputs at the central unit, negative ones left out, are added up; their gradient by the
    image is clipped at 0, added up over the image's channels, and averaged over the images, each
    of which goes in once. A copy of the module runs in eval mode.

    Parameters
    ----------
    module : torch.nn.Module
        From images to a feature map.
    images : array_like, shape (images, channels, place...)
        As the module wants them.
    progress : bool or callable
        Whether to show a bar, on a terminal only; or what is called with the number of images
        that are done.

    Returns
    -------
    ndarray, shape (place...)

    Raises
    ------
    ErfTheoryError
        If the arguments make no sense, or a gradient is not finite.

    Notes
    -----
    Ding, Zhang, Han and Ding, "Scaling up your kernels to 31×31", CVPR 2022; the file
    erf/visualize_erf.py beside it.
    """
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(
            f"contributions are measured of a torch.nn.Module, not {type(module).__name__}"
        )
    array = np.array(images, dtype=np.float64)
    if array.ndim < 3 or not len(array):
        raise ErfTheoryError(f"images have the shape (images, channels, place…), not {array.shape}")
    found = model_for(
        torch.nn.Sequential(deepcopy(module).eval(), torch.nn.ReLU()),
        input_shape=None,
        unit=None,
        weights="given",
        images=array,
        direction=np.ones,
    )
    total = np.zeros(array.shape[2:])
    with watched(progress, len(array), "images") as report:
        for place in range(len(array)):
            total += _clipped(replace(found, images=array[place : place + 1]), place)
            if report is not None:
                report(place + 1, inf)
    return total / len(array)


def _clipped(experiment: TorchModel, place: int) -> FloatArray:
    """The positive part of the gradient by one image, added up over its channels."""
    gradient = experiment.gradients([np.random.SeedSequence(0)])[0]
    if not np.all(np.isfinite(gradient)):
        raise ErfTheoryError(f"the gradient of image {place} is not finite: leave it out")
    return np.asarray(np.maximum(gradient, 0).sum(axis=0))
