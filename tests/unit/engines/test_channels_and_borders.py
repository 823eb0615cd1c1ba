"""What only samples and spectra can do: channels, positions, borders. Against all paths."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from erf_theory.engines import convolution, dtft
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel
from tests.laws.twin import Paths, by_place

RNG = np.random.default_rng(20161210)
WEIGHTS = np.array([1.0, -2.0, 3.0])
MATRIX = Kernel(RNG.integers(-4, 6, (3, 2, 4)), (-1,))
SQUARE = Kernel(RNG.integers(-4, 6, (3, 3, 3)), (-1,))
DEPTHWISE = Kernel(RNG.integers(-4, 6, (3, 3)), (-1,))
PLANES = Kernel(RNG.integers(-4, 6, (3, 3, 2, 3)), (0, -1))
SKEW = Kernel([1, 2, 5], (-1,))

CHANNELS = {
    "matrix": (lambda f: f.convolve(MATRIX, 2), 1),
    "square matrix, twice": (lambda f: f.convolve(SQUARE, 1, 2), 1),
    "depthwise": (lambda f: f.convolve(DEPTHWISE, 3, 2), 1),
    "one for all": (lambda f: f.convolve(SKEW, 1, 3), 1),
    "strided": (lambda f: f.expand(2).convolve(SQUARE).decimate(3), 1),
    "scaled": (lambda f: f.convolve(SKEW).scale(np.array([1.0, -2.0, 0.5])), 1),
    "taken": (lambda f: f.convolve(SQUARE).take(1, 3), 1),
    "split and added": (lambda f: f.take(0, 2).convolve(SKEW) + f.take(1, 3), 1),
    "planes": (lambda f: f.convolve(PLANES, (1, 2), 2), 2),
}
every_program = pytest.mark.parametrize(("program", "ndim"), CHANNELS.values(), ids=CHANNELS)


def exactly(field):
    """A field of samples as exact numbers, by channel and place."""
    scale = Fraction(2) ** field.exponent
    places = by_place(field.values, field.start)
    return {at: Fraction(value) * scale for at, value in places.items() if value}


def nonzero(paths):
    return {at: value for at, value in paths.values.items() if value}


@every_program
def test_channels_as_samples(program, ndim):
    found = program(convolution.impulse(ndim, WEIGHTS))
    assert exactly(found) == nonzero(program(Paths.impulse(ndim, WEIGHTS)))


@every_program
def test_channels_as_spectra(program, ndim):
    one = dtft.impulse(ndim, (60,) * ndim)
    weighted = one.values[:, None] * WEIGHTS.reshape(-1, *(1,) * ndim)
    field = program(replace(one, values=weighted))
    samples, scale = field.samples()[0], np.exp(field.log_scale[0])
    paths = program(Paths.impulse(ndim, WEIGHTS))
    full = np.zeros(samples.shape)
    for (channel, x), value in paths.values.items():
        at = tuple((i - a) % m for i, a, m in zip(x, field.start, field.size, strict=True))
        full[(channel, *at)] += float(value)
    assert np.allclose(samples * scale, full, rtol=0, atol=4 * field.error()[0] * scale)
    assert field.error()[0] < 1e-12


@pytest.mark.parametrize("border", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("size", [4, 7])
@pytest.mark.parametrize("ndim", [1, 2])
def test_borders(border, size, ndim):
    kernel = Kernel(RNG.integers(1, 6, (3,) * ndim), (-1,) * ndim)
    start = Kernel(np.ones((1,) * ndim, dtype=int), (2,) * ndim)

    def program(field):
        field = field.convolve(start)
        for _ in range(3):
            field = field.convolve(kernel).fold(size, border)
        return field

    found = program(convolution.impulse(ndim))
    assert found.start == (0,) * ndim
    assert found.shape == (size,) * ndim
    assert exactly(found) == nonzero(program(Paths.impulse(ndim)))


def test_factors_by_position():
    factor = np.array([[1.0, 0.5, 0.25], [2.0, 4.0, -1.0], [0.0, 1.0, 8.0]])
    kernel = Kernel(RNG.integers(1, 6, (3, 3)), (0, 0))
    found = convolution.impulse(2).convolve(kernel).scale(factor)
    assert exactly(found) == nonzero(Paths.impulse(2).convolve(kernel).scale(factor))


def test_faint_samples_alone_are_refused():
    far = Kernel([1, Fraction(1, 2**1010)])
    with pytest.raises(EngineError, match=r"far below the rest .* multinomial"):
        convolution.impulse(1).convolve(far).scale(np.array([0.0, 1.0]))


def test_taps_that_no_double_holds_together_are_refused():
    with pytest.raises(EngineError, match=r"too far apart for doubles"):
        convolution.impulse(1).convolve(Kernel([1, Fraction(1, 2**1600)]))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: convolution.impulse(1).convolve(DEPTHWISE), "needs a field with channels"),
        (lambda: convolution.impulse(1).take(0, 1), "has none to take"),
        (lambda: dtft.impulse(1, (8,)).convolve(DEPTHWISE), "needs a field with channels"),
        (lambda: dtft.impulse(1, (8,)).take(0, 1), "has none to take"),
        (lambda: dtft.impulse(1, (8,)).fold(4, "zeros"), "the convolution engine can"),
        (lambda: dtft.impulse(1, (8,)).scale(np.ones((2, 2))), "the convolution engine can"),
    ],
)
def test_what_makes_no_sense_is_refused(ask, message):
    with pytest.raises(ErfTheoryError, match=message):
        ask()
