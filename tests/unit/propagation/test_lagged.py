"""Lags of a backward field against the whole matrix of covariances, place by place."""

from fractions import Fraction

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.engines.multinomial import impulse
from erf_theory.kernel import Kernel
from erf_theory.network import (
    AvgPool,
    Chain,
    Conv,
    ConvTranspose,
    MaxPool,
    Residual,
    Upsample,
)
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.interpolation import interpolation
from erf_theory.propagation.lagged import (
    Lagged,
    TooManyLagsError,
    furthest,
    gathered,
    kept_within,
    pooled_back,
    spread,
    weighed_by_lag,
)

SIZE, CENTRE = 96, 48
C = Conv(2, 2, 3, padding=1, init=[1, 2, 1])


def taps_of(layer):
    """From every tap to the matrix from places by the output to places by the input."""
    stride = layer.scale if isinstance(layer, Upsample) else layer.stride
    if isinstance(layer, Upsample):
        weights, last = interpolation(stride, layer.mode)
        rows = [(w, t + last - len(weights) + 1) for t, w in enumerate(weights)]
    elif isinstance(layer, AvgPool):
        rows = [
            (1 / layer.size, layer.dilation * a - layer.pads(1)[0][0]) for a in range(layer.size)
        ]
    else:
        variances = layer.variances(1).taps
        rows = [(v**0.5, layer.dilation * a - layer.pads(1)[0][0]) for a, v in enumerate(variances)]
    for weight, offset in rows:
        matrix = np.zeros((SIZE, SIZE))
        for x in range(-CENTRE, SIZE - CENTRE):
            upwards = isinstance(layer, Upsample | ConvTranspose)
            to, here = (x, stride * x + offset) if upwards else (stride * x + offset, x)
            if max(abs(to), abs(here)) < CENTRE:
                matrix[to + CENTRE, here + CENTRE] = weight
        yield matrix


def covariances(layers, unit):
    """E g(x) g(y) for all pairs of places by the input of a linear chain."""
    found = np.zeros((SIZE, SIZE))
    found[unit + CENTRE, unit + CENTRE] = 1 / 2
    for layer in reversed(layers):
        matrices = list(taps_of(layer))
        if isinstance(layer, Conv | ConvTranspose):
            found = 2 * sum(m @ found @ m.T for m in matrices)
        else:
            found = sum(matrices) @ found @ sum(matrices).T
    return found


@pytest.mark.parametrize("unit", [0, 1])
@pytest.mark.parametrize(
    "layers",
    [
        [C, AvgPool(3, 1), C, AvgPool(2), C],
        [C, AvgPool(3, 2, padding=1), C, AvgPool(2, 1, dilation=2), C],
        [C, AvgPool(3, 1), Conv(2, 2, 3, stride=2, dilation=2), AvgPool(4, 1), C],
        [C, Upsample(2, "linear"), C, Upsample(3, "linear"), C, AvgPool(3)],
        [C, AvgPool(2, 1), Upsample(2), C, Upsample(2, "linear"), C],
        [AvgPool(4, 1), ConvTranspose(2, 2, 4, stride=2, padding=1), C, AvgPool(3, 1), C],
    ],
)
def test_a_linear_chain_has_the_diagonal_of_the_matrix(layers, unit):
    found = network_erf(Chain(layers, 1), unit=unit)
    assert found.exactness == "exact"
    start = found.factors[0].start[0] + CENTRE
    values = np.zeros(SIZE)
    values[start : start + len(found.values)] = found.values * found.mass
    assert values == pytest.approx(np.diag(covariances(layers, unit)), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("ndim", [1, 2])
def test_a_blur_and_an_average(ndim):
    mix = Conv(1, 1, 1, init=1)
    found = network_erf(Chain([AvgPool(2, 1), mix, AvgPool(2, 1), mix, AvgPool(2)], ndim), ndim=1)
    assert found.values == pytest.approx(np.array([1, 9, 9, 1]) / 20, rel=1e-14)


@pytest.mark.parametrize(("levels", "ratio"), [(2, 1.46), (3, 2.29), (4, 3.64)])
def test_what_bilinear_upsamplings_would_lose(levels, ratio):
    mix = Conv(1, 1, 3, padding=1, init=1 / 3)
    found = network_erf(Chain([*[mix, Upsample(2, "linear")] * levels, mix], 1))
    squares = (1 / 4) ** 2 + (3 / 4) ** 2
    assert found.mass / squares**levels == pytest.approx(ratio, abs=0.005)


def test_a_profile_is_the_sum_of_the_map():
    half = [C, AvgPool((3, 2), (1, 2))]
    network = Chain([*half, Residual(C), *half, C], 2)
    whole = network_erf(network)
    for axis in (0, 1):
        line = network_erf(network, ndim=1, axis=axis)
        assert line.exactness == "exact"
        assert line.values == pytest.approx(whole.values.sum(axis=1 - axis), rel=1e-12)
        assert line.mass == pytest.approx(whole.mass, rel=1e-12)


def test_too_many_lags_and_borders_leave_it_approximate():
    many = Chain([C, AvgPool(20, 1), C, AvgPool(20, 1), C], 1)
    few = Chain([C, AvgPool(3, 1), C, AvgPool(3, 1), C], 1)
    for erf in (network_erf(many), network_erf(few, image_size=20, unit=8)):
        assert any("at too many lags or near a border" in reason for reason in erf.reasons)
    assert network_erf(few).exactness == "exact"


def lagged():
    one = impulse(1)
    return Lagged({(0,): one, (2,): one.scale(3), (3,): one.scale(5)})


def mass(field):
    return Fraction(sum(field.numerators.tolist()), field.denominator)


def masses(field):
    return {lag[0]: mass(part) for lag, part in field.parts.items()}


def test_lags_are_fields():
    field = lagged()
    assert masses(field + field) == {0: 2, 2: 6, 3: 10}
    assert masses(field.convolve(Kernel.uniform(3)).scale(2)) == {0: 6, 2: 18, 3: 30}
    assert masses(field.expand(2).decimate(2)) == {0: 1, 2: 3, 3: 5}
    assert masses(spread(field, (2,))) == {0: 1, 4: 3, 6: 5}
    assert masses(gathered(field, (2,))) == {0: 1, 1: 3}
    assert masses(kept_within(field, (2,))) == {0: 1, 2: 3}
    assert masses(weighed_by_lag(field, Axes(1), 1, lambda lag: 1 + lag[0])) == {0: 1, 2: 9, 3: 20}
    with pytest.raises(TooManyLagsError, match="33 lags are more than 32"):
        kept_within(Lagged({(h,): impulse(1) for h in range(33)}), (40,))


def test_a_field_without_lags_stays_as_it_is():
    field = impulse(1)
    assert spread(field, (2,)) is gathered(field, (2,)) is kept_within(field, (0,)) is field
    assert weighed_by_lag(field, Axes(1), 2, lambda lag: 2 + lag[0]).numerators.tolist() == [2]


def test_two_places_of_one_window_are_never_both_the_largest():
    one = impulse(1)
    found = pooled_back(Lagged({(0,): one, (1,): one}), MaxPool(2), Axes(1), (3,))
    assert masses(found) == {0: 1, 1: Fraction(1, 4), 2: Fraction(1, 2), 3: Fraction(1, 4)}


def test_the_furthest_lags_that_count():
    network = Chain([AvgPool(3, 1), C, Upsample(2, "linear"), Conv(2, 2, 3, stride=3), C], 1)
    assert furthest(network, -1) == [(0,), (2,), (2,), (7,), (2,)]
    assert furthest(network, 1) == [(0,), (0,), (0,), (3,), (1,)]
