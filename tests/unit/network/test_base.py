import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import AvgPool, Conv, ConvTranspose, Crop, MaxPool, Norm, Pad
from erf_theory.network.base import given, need_number, need_steps, need_whole


@pytest.mark.parametrize(
    ("padding", "ndim", "expected"),
    [
        (0, 2, ((0, 0), (0, 0))),
        (3, 1, ((3, 3),)),
        ((1, 2), 2, ((1, 1), (2, 2))),
        (((1, 2), 3), 2, ((1, 2), (3, 3))),
        ("same", 2, ((1, 1), (4, 5))),
        ("causal", 2, ((2, 0), (9, 0))),
    ],
)
def test_paddings_in_numbers(padding, ndim, expected):
    size, dilation = (3, 4)[:ndim], (1, 3)[:ndim]
    assert Conv(1, 1, size, padding=padding, dilation=dilation).pads(ndim) == expected
    assert AvgPool(size, 1, padding, dilation).pads(ndim) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("image", [5, 6, 7, 12])
def test_tensorflow_pads_just_what_the_last_output_lacks(size, stride, image):
    ((before, after),) = MaxPool(size, stride, "same_tf").pads(1, (image,))
    last = stride * (-(-image // stride) - 1)
    assert before + after == max(last + size - image, 0)
    assert after - before in (0, 1)


def test_numbers_that_are_kept_cannot_be_changed():
    numbers = np.array([1.0, 2.0])
    kept = given("scale", numbers)
    numbers[0] = 5.0
    assert kept.array.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        kept.array[0] = 3.0
    assert given("scale", kept) is kept
    assert given("scale", None) is None
    assert repr(given("scale", np.zeros((2, 3)))) == "<2×3 numbers>"


def test_layers_with_the_same_numbers_are_equal_if_they_share_them():
    norm = Norm(scale=[1.0, 2.0])
    assert Norm(scale=norm.scale) == norm
    assert Norm(scale=[1.0, 2.0]) != norm
    assert hash(Norm(scale=norm.scale)) == hash(norm)


def test_whole_numbers():
    assert need_whole("n", np.int64(3), 3) == 3
    assert need_steps("n", (1, (2, 3)), 1) == (1, (2, 3))
    for value in (2.0, "2", None):
        with pytest.raises(ErfTheoryError, match="the n is a whole number"):
            need_steps("n", (1, value), 1)
    with pytest.raises(ErfTheoryError, match="the n is 1 or more, not 0"):
        need_steps("n", ((1, 0),), 1)


def test_numbers():
    assert need_number("x", 0.5, 1) == 0.5
    assert need_number("x", 10**400) == 10**400
    for value in (1, -1e-9, float("nan"), "a", None):
        with pytest.raises(ErfTheoryError, match="the x is a number of at least 0 and below 1"):
            need_number("x", value, 1)
    with pytest.raises(ErfTheoryError, match="at least 0 and finite, not inf"):
        need_number("x", float("inf"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(1, 1, 3, padding="valid"), "one of same, same_tf, causal, not 'valid'"),
        (lambda: MaxPool(3, 2, "same"), 'no padding "same" for a stride above 1'),
        (lambda: Conv(1, 1, 3, padding=((1, 2, 3), 0)), r"a pair for every axis, not \(1, 2, 3\)"),
        (lambda: ConvTranspose(1, 1, 3, padding="same"), "ConvTranspose is given in numbers"),
        (lambda: Pad(-1), "ends of Pad is 0 or more, not -1"),
        (lambda: Crop(((1, 2, 3),)), "ends of Crop is a number or a pair"),
        (lambda: Norm(scale=[1, float("nan")]), "the scale of a layer are finite numbers"),
        (lambda: MaxPool(3, 2, "same_tf").pads(1), "depends on the size of the image"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
