from fractions import Fraction

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.kernel import Kernel


def test_numbers_stay_exact():
    kernel = Kernel([1, Fraction(1, 3), np.int64(2)])
    assert kernel.is_exact
    assert kernel.mass == Fraction(10, 3)
    assert (kernel @ kernel).taps.tolist() == [
        1,
        Fraction(2, 3),
        Fraction(37, 9),
        Fraction(4, 3),
        4,
    ]


def test_floats_are_doubles():
    kernel = Kernel([0.1, 0.2])
    assert not kernel.is_exact
    assert (kernel @ Kernel([1, 1])).taps.tolist() == [0.1, 0.1 + 0.2, 0.2]


def test_huge_integers_have_a_scale():
    taps, exponent = Kernel([10**400, 3 * 10**400]).scaled
    assert 0.5 <= taps[1] < 1
    assert taps[0] / taps[1] == pytest.approx(1 / 3, rel=1e-15)
    assert float(Fraction(3 * 10**400) / Fraction(2) ** exponent) == taps[1]


def test_taps_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Kernel([1, 2]).taps[0] = 5


def test_matrices_of_kernels_multiply():
    weights = np.arange(12).reshape(2, 3, 2)
    left, right = Kernel(weights, (0,)), Kernel(weights.swapaxes(0, 1), (0,))
    both = left @ right
    assert both.channels == (2, 2)
    paths = sum((left[0, c] @ right[c, 1] for c in range(1, 3)), left[0, 0] @ right[0, 1])
    assert both[0, 1] == paths
    depthwise = Kernel([[1, 2], [3, 4], [5, 6]], (0,))
    assert (left @ depthwise)[1, 2] == left[1, 2] @ depthwise[2]
    assert (depthwise @ right)[2, 1] == depthwise[2] @ right[2, 1]


def test_measures_are_sifted_of_zeros():
    assert Kernel([0, 1, 2, 0], (-1,)) == Kernel([1, 2])
    assert hash(Kernel([0, 1, 2, 0], (-1,))) == hash(Kernel([1, 2]))
    assert Kernel([0, 0]).trim().taps.tolist() == [0]
    assert Kernel([1, 2]) != [1, 2]


def test_covariance_of_a_plane():
    kernel = Kernel([[1, 0], [0, 1]])
    quarter = Fraction(1, 4)
    assert kernel.mean == (Fraction(1, 2), Fraction(1, 2))
    assert kernel.covariance == ((quarter, quarter), (quarter, quarter))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Kernel([]), "at least one tap"),
        (lambda: Kernel(3), "at least one tap"),
        (lambda: Kernel([1, np.nan]), "finite"),
        (lambda: Kernel([1, "x"]), "finite real numbers"),
        (lambda: Kernel(np.ones((1, 1, 1, 1))), "1, 2 or 3 spatial axes"),
        (lambda: Kernel(np.ones((2, 2, 2, 2)), (0,)), "channel axes"),
        (lambda: Kernel.uniform(0), "at least one tap per axis"),
        (lambda: Kernel([1, 1]) @ Kernel.uniform(2, 2), "do not combine"),
        (lambda: Kernel(np.ones((2, 3)), (0,)) + Kernel([1]), "cannot be added"),
        (lambda: Kernel(np.ones((2, 3, 1)), (0,)) @ Kernel(np.ones((2, 3, 1)), (0,)), "multiply"),
        (lambda: Kernel([1, 1]) ** -1, "no power -1"),
        (lambda: Kernel(np.ones((2, 3)), (0,)) ** 2, "without channels"),
        (lambda: Kernel([1, 1]).dilate(0), "dilation is 1 or more"),
        (lambda: Kernel([1, -1]).mean, "add up to 0"),
        (lambda: Kernel([1, 1]).cumulant(0), "start at order 1"),
        (lambda: Kernel([1, 1]).transfer(0, 0), "one array of frequencies per axis"),
        (lambda: Kernel(np.ones((2, 3)), (0,)).mass, "choose one"),
        (lambda: Kernel(np.ones((2, 3)), (0,))[0, 0], "does not fit"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
