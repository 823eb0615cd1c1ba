"""A user's own images as a model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import final

import numpy as np

from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["IMAGENET", "Images", "load_images"]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of ImageNet's images by colour, from 0 to 1."""
_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"}


@final
@dataclass(frozen=True, eq=False)
class Images:
    """Images, resized and cropped.

    Attributes
    ----------
    pictures : ndarray, shape (images, rows, columns, 3)
        As they are looked at: numbers from 0 to 1.
    inputs : ndarray, shape (images, channels, rows, columns)
        As the model takes them: normalised.
    """

    pictures: FloatArray
    inputs: FloatArray


def load_images(
    folder: str | PathLike[str],
    shape: Sequence[int],
    *,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> Images:
    """All images in a folder, in the order of their names.

    They are resized so that they just cover the input, and its middle is cut out.

    Parameters
    ----------
    folder : path
        Where they are; .bmp, .gif, .jpg, .png, .ppm, .tif and .webp are looked for.
    shape : sequence of int
        Shape (channels, rows, columns) of the model's input, with 1 or 3 channels.
    mean, std : sequence of float, optional
        What is subtracted from numbers between 0 and 1, and what they are divided by then, per
        channel. Default: ImageNet's for 3 channels.

    Raises
    ------
    ErfTheoryError
        If there is no such folder, no image in it, or one that cannot be read; or if the shape is
        no image's.
    """
    channels = shape[0]
    if len(shape) != 3 or channels not in (1, 3):
        raise ErfTheoryError(
            f"images have 1 or 3 channels, rows and columns, not the shape {tuple(shape)}"
        )
    centre, scale = _normalisation(channels, mean, std)
    paths = _paths(Path(folder))
    pictures = np.stack([_picture(path, (shape[1], shape[2]), channels) for path in paths])
    inputs = np.moveaxis((pictures - centre) / scale, -1, 1)
    return Images(np.broadcast_to(pictures, (*pictures.shape[:-1], 3)), inputs)


def _normalisation(
    channels: int, mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of every channel."""
    if channels != len(IMAGENET[0]) and (mean is None or std is None):
        raise ErfTheoryError(
            f"ImageNet's images have 3 channels, not {channels}: give mean and std"
        )
    centre, scale = (
        np.array(default if given is None else given, dtype=np.float64)
        for given, default in zip((mean, std), IMAGENET, strict=True)
    )
    for what, found in (("mean", centre), ("std", scale)):
        if found.shape != (channels,) or not np.all(np.isfinite(found)):
            raise ErfTheoryError(
                f"{what} holds a number for each of {channels} channels, not {found.tolist()}"
            )
    if np.any(scale <= 0):
        raise ErfTheoryError(f"standard deviations are above 0, not {scale.tolist()}")
    return centre, scale


def _paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ErfTheoryError(f"there is no folder {folder}")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not found:
        kinds = ", ".join(sorted(_SUFFIXES))
        raise ErfTheoryError(f"there are no images in {folder}: it has no {kinds}")
    return found


def _picture(path: Path, size: tuple[int, int], channels: int) -> FloatArray:
    """One image of so many rows and columns."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            found = image.convert("RGB" if channels == 3 else "L")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ErfTheoryError(f"{path} is no image that can be read: {error}") from None
    fitted = np.asarray(ImageOps.fit(found, size[::-1]), dtype=np.float64) / 255
    return fitted.reshape(*size, channels)
