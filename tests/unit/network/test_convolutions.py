from fractions import Fraction

import numpy as np
import pytest

from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, ConvTranspose

NAMES = {"Conv": Conv, "ConvTranspose": ConvTranspose, "Fraction": Fraction}
THIRD = Fraction(1, 3)
CONVS = {
    "plain": Conv(3, 8, 3),
    "transposed": ConvTranspose(3, 8, 3, stride=2, output_padding=1, bias_variance=THIRD),
    "all arguments": Conv(4, 8, (3, 5), stride=(2, 1), padding=1, dilation=3, groups=2),
    "law": Conv(1, 1, 3, init="pytorch"),
    "fraction": Conv(1, 1, 3, init=THIRD),
    "float": Conv(1, 1, 3, init=0.1),
    "per tap": Conv(1, 1, 3, init=[1, THIRD, 0]),
    "floats per tap": Conv(1, 1, 2, init=np.array([0.1, 2.5])),
    "plane": Conv(1, 1, (2, 2), init=[[1, 2], [3, Fraction(4, 7)]]),
    "many taps": Conv(1, 1, (6, 6), init=np.arange(36).reshape(6, 6)),
    "NumPy's numbers": Conv(np.int64(2), 2, np.int64(3), init=np.float64(0.5)),
}


@pytest.mark.parametrize("conv", CONVS.values(), ids=CONVS)
def test_a_repr_is_read_back(conv):
    found = eval(repr(conv), NAMES)  # noqa: S307
    assert found == conv
    assert hash(found) == hash(conv)
    assert repr(found) == repr(conv)
    assert (
        found.variances(2 if isinstance(conv.size, tuple) else 1).is_exact
        == conv.variances(2 if isinstance(conv.size, tuple) else 1).is_exact
    )


def test_defaults_stay_out_of_a_repr():
    assert repr(Conv(3, 8, 3, stride=1, init="he")) == "Conv(3, 8, 3)"
    assert repr(Activation("relu")) == "Activation('relu')"
    assert repr(CONVS["per tap"]) == "Conv(1, 1, 3, init=(1, Fraction(1, 3), 0))"


def test_layers_that_differ_are_not_equal():
    several = [*CONVS.values(), Conv(1, 1, 2, init=1), Conv(1, 1, 2, init=[1, 0])]
    assert len(set(several)) == len(several)
    assert Conv(3, 8, 3) != Activation("relu")


@pytest.mark.parametrize(
    ("conv", "ndim", "expected"),
    [
        (Conv(16, 32, 3), 1, [Fraction(2, 48)] * 3),
        (Conv(16, 32, (3, 1), groups=4), 2, [[Fraction(2, 12)]] * 3),
        (Conv(8, 8, 3, groups=8, init="pytorch"), 1, [Fraction(1, 9)] * 3),
        (Conv(8, 24, 2, groups=2, init="xavier"), 2, [[Fraction(2, 16 + 96)] * 2] * 2),
        (Conv(8, 8, 2, init=THIRD), 3, [[[THIRD] * 2] * 2] * 2),
        (Conv(8, 8, 2, init=[1, THIRD]), 1, [1, THIRD]),
        (Conv(8, 8, 2, init=[1, THIRD]), 2, [[1, THIRD], [THIRD, THIRD**2]]),
        (Conv(8, 8, (1, 2), init=[[1, 2]]), 2, [[1, 2]]),
        (Conv(8, 4, 4, init="delta_orthogonal"), 1, [0, Fraction(1, 8), 0, 0]),
        (Conv(8, 4, (1, 3), groups=4, init="delta_orthogonal"), 2, [[0, Fraction(1, 2), 0]]),
        (ConvTranspose(16, 32, 3), 1, [Fraction(2, 96)] * 3),
        (ConvTranspose(8, 24, 2, groups=2, init="xavier"), 1, [Fraction(2, 24 + 16)] * 2),
    ],
)
def test_variance_of_every_tap(conv, ndim, expected):
    found = conv.variances(ndim)
    assert found.taps.tolist() == expected
    assert found.is_exact
    assert found.origin == (0,) * ndim


def test_the_shape_of_the_weights_is_pytorch_s():
    assert Conv(8, 24, 3, groups=4).weight_shape(2) == (24, 2, 3, 3)
    assert Conv(8, 8, (3, 5), groups=8).weight_shape(2) == (8, 1, 3, 5)
    assert ConvTranspose(8, 24, 3, groups=4).weight_shape(1) == (8, 6, 3)


def test_given_variances_are_drawn():
    given = np.array([[1.0, 0.0], [4.0, 9.0]])
    weights = Conv(50, 40, (2, 2), init=given).draw(2, np.random.default_rng(0))
    assert weights.shape == (40, 50, 2, 2)
    ratio = np.var(weights, axis=(0, 1))[given > 0] / given[given > 0]
    assert np.all(np.abs(ratio - 1) < 4 * (2 / 2000) ** 0.5), "false alarms: 1 in 5000"
    assert np.all(weights[..., 0, 1] == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_channels": 0}, "in_channels of Conv is 1 or more, not 0"),
        ({"out_channels": 2.5}, "out_channels of Conv is a whole number, not 2.5"),
        ({"size": 0}, "size of Conv is 1 or more, not 0"),
        ({"size": (3, -1)}, "size of Conv is 1 or more, not -1"),
        ({"size": [3, 3]}, r"size of Conv is a whole number, not \[3, 3\]"),
        ({"stride": 0}, "stride of Conv is 1 or more, not 0"),
        ({"padding": -1}, "padding of Conv is 0 or more, not -1"),
        ({"dilation": "2"}, "dilation of Conv is a whole number, not '2'"),
        ({"groups": 3}, "3 groups do not divide 4 channels in and 8 out: choose a common divisor"),
        ({"groups": 0}, "groups of Conv is 1 or more, not 0"),
        ({"init": "wide"}, "no initialisation 'wide': choose he, xavier, lecun, pytorch"),
        ({"init": -1}, "variances are not negative, and not all 0, unlike -1"),
        ({"init": [1, -2, 1]}, r"variances are not negative.* unlike \[1, -2, 1\]"),
        ({"init": [0, 0, 0]}, "not all 0"),
        (
            {"init": float("nan")},
            "init is the name of a law, one variance, or one per tap, not nan",
        ),
        ({"init": [1, [2, 3]]}, r"one per tap, not \[1, \[2, 3\]\]"),
        ({"init": None}, "one per tap, not None"),
        ({"init": []}, "one per tap, not "),
        ({"bias_variance": -1}, "bias_variance of Conv is a number of at least 0 and finite"),
        ({"bias_variance": "1"}, "bias_variance of Conv is a number"),
        ({"weights": np.ones((8, 4))}, r"weights of shape \(8, 4\) do not fit"),
        ({"weights": np.ones((8, 2, 3))}, r"weights of shape \(8, 2, 3\) do not fit 4 channels"),
        ({"weights": np.full((8, 4, 3), np.inf)}, "the weights of a layer are finite numbers"),
        ({"bias": np.ones(8)}, "a bias as given stands beside weights as given: give both"),
        (
            {"bias": np.ones(4), "weights": np.ones((8, 4, 3))},
            r"a bias of shape \(4,\) does not fit 8 channels",
        ),
    ],
)
def test_what_makes_no_convolution_is_refused(arguments, message):
    with pytest.raises(ErfTheoryError, match=message):
        Conv(**{"in_channels": 4, "out_channels": 8, "size": 3} | arguments)


@pytest.mark.parametrize(
    ("size", "init", "ndim"),
    [(3, [1, 2], 1), (3, [2], 1), (3, [[1] * 3] * 3, 1), ((3, 2), [1, 2, 1], 2), (2, [[1, 2]], 2)],
)
def test_variances_that_do_not_fit_the_taps_are_refused(size, init, ndim):
    message = r"variances of shape .* do not fit taps of shape .*: give one number, one per tap"
    with pytest.raises(ErfTheoryError, match=message):
        Conv(1, 1, size, init=init).variances(ndim)


def test_weights_as_given_are_drawn_and_tell_the_axes():
    weights = np.random.default_rng(0).standard_normal((8, 2, 3, 5))
    conv = Conv(4, 8, (3, 5), groups=2, weights=weights, bias=np.arange(8.0))
    assert np.array_equal(conv.draw(2, np.random.default_rng(1)), weights)
    assert np.array_equal(conv.given_bias, np.arange(8.0))
    assert Chain([Conv(4, 8, 3, groups=2, weights=weights[..., :3])]).ndim == 2
    assert Chain([Conv(4, 8, 3, weights=np.ones((8, 4, 3)))]).ndim == 1
    assert Conv(4, 8, 3).given_weights is None
    turned = ConvTranspose(4, 8, 3, groups=2, weights=np.ones((4, 4, 3)))
    assert turned.draw(1, None).shape == (4, 4, 3)


def test_channels_that_come_out():
    assert Conv(4, 8, 3).out_of(4) == 8
    with pytest.raises(ErfTheoryError, match="in_channels=4 is given 5 channels"):
        Conv(4, 8, 3).out_of(5)
