"""What goes into a network: noise, or places drawn from images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.network.nodes import Network

__all__ = ["Images", "Inputs", "images_for", "noise"]

Inputs = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]
"""From a generator and a shape (inputs, channels, place...) to inputs of that shape."""


def noise(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Independent standard normal numbers."""
    return rng.standard_normal(shape)


@final
@dataclass(frozen=True, eq=False)
class Images:
    """Inputs cut out of images: every one from an image and at a place that are drawn.

    All images and all places within them are equally likely. An axis that is shorter than what is
    cut out goes on by mirror images.

    Parameters
    ----------
    array : ndarray, shape (images, channels, place...)
        The images.

    Examples
    --------
    >>> images = Images(np.array([[[1.0, 2.0, 3.0]]]))
    >>> images(np.random.default_rng(0), (1, 1, 5)).tolist()
    [[[1.0, 1.0, 2.0, 3.0, 3.0]]]
    """

    array: FloatArray

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        """Draw inputs of a shape (inputs, channels, place...)."""
        return np.stack([self._one(rng, shape[2:]) for _ in range(shape[0])])

    def _one(self, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
        image = self.array[rng.integers(len(self.array))]
        places: list[Any] = [np.arange(len(image))]
        for size, length in zip(image.shape[1:], shape, strict=True):
            starts = size - length + 1 if length <= size else 2 * size
            turned = (rng.integers(starts) + np.arange(length)) % (2 * size)
            places.append(np.minimum(turned, 2 * size - 1 - turned))
        return np.asarray(image[np.ix_(*places)])


def images_for(network: Network, images: Any) -> Images:
    """Images as the inputs of a network.

    Raises
    ------
    ErfTheoryError
        If they are none for it.
    """
    array = np.array(images, dtype=np.float64)
    if array.ndim != network.ndim + 2 or array.shape[1] != network.in_channels or not array.size:
        raise ErfTheoryError(
            f"images of shape {array.shape} are none for this network: give them the shape "
            f"(images, {network.in_channels}, …) with {network.ndim} spatial axes"
        )
    if not np.all(np.isfinite(array)):
        raise ErfTheoryError("images are finite numbers: take out what is not")
    return Images(array)
