from fractions import Fraction

import numpy as np
import pytest

from erf_theory.engines import cumulants, multinomial
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Conv
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.energy import Context, energy
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.pieces import Pieces
from erf_theory.propagation.signal import normal


def context(axes, moment=1.0, channels=1):
    """What a rule knows of a layer whose input is normal with that second moment."""
    signals = Pieces.uniform(channels, normal(moment))
    return Context("node", axes, channels, signals, Notes(), correlated=False, pool=1)


def back(layer, field, at, channels=1):
    """The energy before a layer whose channels all have the same field behind it."""
    ((first, last, found),) = energy(layer, Pieces.uniform(channels, field), at).parts
    assert (first, last) == (0, at.channels)
    return found


def test_a_field_of_one_axis_carries_the_factors_once():
    conv, impulse = Conv(4, 6, (3, 2), groups=2, init=1), multinomial.impulse(1)
    first, second = (
        back(conv, impulse, context(Axes(2, axis, "factor"), channels=4), 6) for axis in (0, 1)
    )
    assert first.numerators.tolist() == [3, 3, 3]
    assert second.numerators.tolist() == [1, 1]


def mass(layer, moment=1.0):
    return back(layer, cumulants.impulse(1, order=0), context(Axes(1), moment)).mass


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
    assert float(mass(Activation(name), moment)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("moment", [0.0, 5e-324, np.inf])
def test_a_signal_beyond_doubles_leaves_the_slopes_at_their_limits(moment):
    assert mass(Activation("relu"), moment) == Fraction(1, 2)
    limit = 0 if moment > 1 else 1
    assert float(mass(Activation("tanh"), moment)) == pytest.approx(limit, abs=1e-12)


def test_a_factor_of_one_leaves_the_field_as_it_is():
    impulse = multinomial.impulse(1)
    assert back(Activation("linear"), impulse, context(Axes(1))) is impulse


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="no energy is known for a layer of type Unknown"):
        back(unknown_layer, multinomial.impulse(1), context(Axes(1)))
