"""A user's images: resized, cropped, normalised; or one sentence about what is wrong."""

import numpy as np
import pytest
from PIL import Image

from erf_theory.errors import ErfTheoryError
from erf_theory.report.images import IMAGENET, load_images


@pytest.fixture
def folder(tmp_path):
    left = np.zeros((20, 40, 3), dtype=np.uint8)
    left[:, :20] = 255
    Image.fromarray(left).save(tmp_path / "a.png")
    Image.fromarray(np.full((30, 10), 51, dtype=np.uint8)).save(tmp_path / "b.JPG")
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_images_cover_the_input_and_are_normalised(folder):
    found = load_images(folder, (3, 10, 10))
    assert (found.pictures.shape, found.inputs.shape) == ((2, 10, 10, 3), (2, 3, 10, 10))
    assert np.all(found.pictures[0, :, :4] == 1)
    assert np.all(found.pictures[0, :, 6:] == 0)
    assert np.allclose(found.pictures[1], 0.2, atol=0.01)
    mean, std = (np.array(row)[:, None, None] for row in IMAGENET)
    assert np.allclose(found.inputs[0][:, :, :4], (1 - mean) / std)


def test_grey_images_have_one_channel_and_are_seen_in_grey(folder):
    found = load_images(folder, (1, 6, 8), mean=[0.5], std=[0.25])
    assert (found.pictures.shape, found.inputs.shape) == ((2, 6, 8, 3), (2, 1, 6, 8))
    assert np.allclose(found.inputs[1], (0.2 - 0.5) / 0.25, atol=0.05)


@pytest.mark.parametrize(
    ("shape", "options", "text"),
    [
        ((4, 8, 8), {}, "1 or 3 channels"),
        ((3, 8), {}, "1 or 3 channels"),
        ((1, 8, 8), {}, "give mean and std"),
        ((3, 8, 8), {"mean": [0.5]}, "mean holds a number for each of 3 channels"),
        ((3, 8, 8), {"std": [1, 1, 0]}, "standard deviations are above 0"),
        ((3, 8, 8), {"std": [1, 1, float("nan")]}, "std holds a number"),
    ],
)
def test_shapes_and_numbers_that_make_no_sense(folder, shape, options, text):
    with pytest.raises(ErfTheoryError, match=text):
        load_images(folder, shape, **options)


def test_folders_without_images_and_files_that_are_none(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ErfTheoryError, match="there are no images in"):
        load_images(empty, (3, 8, 8))
    with pytest.raises(ErfTheoryError, match="there is no folder"):
        load_images(empty / "none", (3, 8, 8))
    data = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(data[:60])
    with pytest.raises(ErfTheoryError, match=r"a\.png is no image that can be read"):
        load_images(folder, (3, 8, 8))
