"""The rules of single layers: their factors, by hand and by integrals."""

from fractions import Fraction
from math import pi

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from erf_theory import network_erf
from erf_theory.engines import cumulants, multinomial
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    Conv,
    ConvTranspose,
    Dropout,
    MaxPool,
    Norm,
    Residual,
    Upsample,
)
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.energy import Context, correlates, energy
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import Signal, normal
from erf_theory.propagation.tabled import tabled_normal

RELU = Activation("relu")


def context(channels=1, signal=None, *, axes=None, notes=None, correlated=False):
    signals = signal if isinstance(signal, Pieces) else Pieces.uniform(channels, signal)
    return Context("a", axes or Axes(1), channels, signals, notes or Notes(), correlated)


def mass(layer, signal=None, **more):
    """What a rule multiplies an impulse by."""
    fields = Pieces.uniform(1, cumulants.impulse(1, order=0))
    return energy(layer, fields, context(signal=signal, **more)).parts[0][2].mass


@pytest.mark.parametrize("moment", [0.1, 1.0, 30.0])
@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("linear", np.ones_like),
        ("relu", lambda z: np.where(z > 0, 1, 0)),
        ("tanh", lambda z: np.cosh(z) ** -2),
        ("leaky_relu", lambda z: np.where(z > 0, 1, 0.01)),
    ],
)
def test_an_activation_multiplies_by_the_second_moment_of_its_slope(name, slope, moment):
    z = np.linspace(-10, 10, 400_000)
    density = np.exp(-(z**2) / 2) / np.sum(np.exp(-(z**2) / 2))
    expected = np.sum(density * slope(z * moment**0.5) ** 2)
    assert float(mass(Activation(name), normal(moment))) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("moment", [0.0, 5e-324, np.inf])
def test_a_signal_beyond_doubles_leaves_the_slopes_at_their_limits(moment):
    assert mass(RELU, normal(moment)) == Fraction(1, 2)
    limit = 0 if moment > 1 else 1
    assert float(mass(Activation("tanh"), normal(moment))) == pytest.approx(limit, abs=1e-12)


def test_a_factor_of_one_leaves_the_field_as_it_is():
    impulse = multinomial.impulse(1)
    fields = Pieces.uniform(1, impulse)
    found = energy(Activation("linear"), fields, context(signal=normal(1.0)))
    assert found.parts[0][2] is impulse


def test_a_gate_on_a_law_is_the_mean_over_it():
    law = tabled_normal(1.0).mapped(lambda z: np.maximum(z, 0)).plus(tabled_normal(1.0))
    found = float(mass(RELU, Signal(1.5, 0.2, 0.4, law=law)))
    expected = 0.25 + quad(lambda z: norm.pdf(z) * norm.cdf(z), 0, 9)[0]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("ndim", [1, 2])
def test_a_relu_and_the_pool_behind_it_act_jointly(ndim):
    layers = [Conv(4, 4, 1, init=1), RELU, MaxPool(2), Conv(4, 4, 1, init=1)]
    alone = network_erf(Chain(layers, ndim))
    assert alone.mass == pytest.approx(4 * (1 - 2.0 ** -(2**ndim)), rel=1e-12)
    beside = Residual(Chain([MaxPool(1), Conv(4, 4, 1, init=1)]))
    forked = network_erf(Chain([*layers[:2], beside, Conv(4, 4, 1, init=1)], ndim))
    assert forked.mass == pytest.approx(4 / 2 * 5, rel=1e-12)


def test_norms_divide_by_the_variance_of_what_they_normalise():
    signal = Signal(3.0, 1.0)
    assert mass(Norm("batch", eps=0), signal) == 1 / 2
    assert mass(Norm("batch", eps=0.5), signal) == 1 / 2.5
    assert mass(Norm("instance", eps=0), signal) == 1 / 2
    wide = context(4096, Signal(3.0, 0.0))
    fields = Pieces.uniform(4096, cumulants.impulse(1, order=0))
    found = energy(Norm("layer", eps=0), fields, wide).parts[0][2].mass
    assert float(found) == pytest.approx(1 / 3, rel=1e-3)


def test_groups_of_a_norm_have_factors_of_their_own():
    signals = Pieces(((0, 512, normal(2.0)), (512, 1024, normal(8.0)), (1024, 2048, normal(4.0))))
    fields = Pieces.uniform(2048, cumulants.impulse(1, order=0))
    found = energy(Norm("group", 2, eps=0), fields, context(2048, signals))
    shares = {channel: float(found.at(channel)[0].mass) for channel in (0, 600, 1023, 1024, 2047)}
    assert [shares[c] for c in (0, 600, 1023)] == pytest.approx([1 / 5] * 3, rel=1e-2)
    assert [shares[c] for c in (1024, 2047)] == pytest.approx([1 / 4] * 2, rel=1e-2)


def test_a_dropout_in_train_mode_scales_up():
    assert mass(Dropout(0.5)) == 2
    assert mass(Dropout(0.5, training=False)) == 1


def test_conv_batch_norm_relu_gains_1_467_per_layer():
    block = [Conv(8, 8, 3), Norm(eps=0), RELU]
    deep, deeper = (network_erf(Chain(block * n, 1)).log_mass for n in (4, 5))
    assert np.exp(deeper - deep) == pytest.approx(1 / (1 - 1 / pi), rel=1e-9)


@pytest.mark.parametrize(
    ("layer", "ndim", "found"),
    [
        (AvgPool(2), 1, True),
        (AvgPool((1, 1)), 2, False),
        (Upsample(2, "linear"), 1, True),
        (Upsample(2), 1, False),
        (MaxPool(2), 1, False),
        (Conv(1, 1, 3), 1, False),
        (ConvTranspose(1, 1, 3), 1, False),
    ],
)
def test_fixed_windows_leave_the_field_correlated(layer, ndim, found):
    assert correlates(layer, ndim) is found


C = Conv(4, 4, 3, padding=1)


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        ([C, MaxPool(2), C], None),
        ([C, AvgPool(3, 1), C], None),
        ([C, AvgPool(2), C, AvgPool(2), C], None),
        ([C, Upsample(2, "linear"), C], None),
        ([C, MaxPool(3, 2), C], "a max pool's winner is taken to be anywhere"),
        ([C, AvgPool(3, 2), C, AvgPool(2), C], None),
        ([C, Upsample(2), C, AvgPool(2), C], None),
        ([*[AvgPool(9, 1), C] * 5, C], "what several fixed windows correlate, at too many lags"),
        ([C, MaxPool(2, 1), C, AvgPool(2), C], "windows of a max pool that overlap"),
        ([C, Norm("group", 2), C], "a group norm is known to first order"),
        ([C, RELU, RELU, C], "samples before an activation are taken as normal"),
        ([C, RELU, Upsample(2), C, RELU, C], None),
        ([C, Activation("tanh"), Upsample(2), C, AvgPool(2), Activation("tanh"), C], "the lags"),
    ],
)
def test_what_is_approximate_says_so(layers, text):
    erf = network_erf(Chain(layers, 1))
    assert (erf.exactness == "exact") == (text is None)
    assert text is None or any(text in reason for reason in erf.reasons)


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    fields = Pieces.uniform(1, multinomial.impulse(1))
    with pytest.raises(ErfTheoryError, match=r"node a: no energy is known for .* type Unknown"):
        energy(unknown_layer, fields, context())
