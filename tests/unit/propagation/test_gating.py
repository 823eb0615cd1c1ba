"""Factors, gates, slopes of every channel, and what sees all places."""

import numpy as np
import pytest

from erf_theory import measure_erf, network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Add,
    Chain,
    Concat,
    Conv,
    Gate,
    Global,
    Graph,
    Norm,
    PReLU,
    Residual,
    Scale,
    receptive_field,
)
from erf_theory.testing import assert_agrees

CONVS = Conv(8, 8, 3), Conv(8, 8, 3)


def chain(*layers):
    return Chain([CONVS[0], *layers, CONVS[1]], 1)


@pytest.mark.parametrize("layer", [Scale(-0.5), Gate(0.5), Scale([-0.5] * 8), Gate([0.5] * 8)])
def test_a_factor_multiplies_the_energy_by_its_square(layer):
    plain, found = network_erf(chain()), network_erf(chain(layer))
    assert found.mass == pytest.approx(plain.mass / 4, rel=1e-12)
    assert found.values == pytest.approx(plain.values, rel=1e-12)
    assert found.exactness == ("approximate" if isinstance(layer, Gate) else "exact")


def test_factors_of_channels_count_by_their_mean_square():
    factors = np.arange(8.0)
    found = network_erf(chain(Scale(factors)))
    assert found.mass == pytest.approx(network_erf(chain()).mass * np.mean(factors**2), rel=1e-12)


def test_a_small_branch_narrows_a_residual_network():
    widths = [
        network_erf(Residual(Chain([Conv(8, 8, 3, padding=1), Scale(factor)]), ndim=1)).std
        for factor in (1, 0.1)
    ]
    energies = np.array([1, 0.01]) * 2
    assert widths == pytest.approx(np.sqrt(energies / (1 + energies) * 2 / 3), rel=1e-12)


SHIFTED = chain(Scale(0.5, 1.0), Activation("tanh"))
SLOPES = np.linspace(0, 1, 8)
EXPERIMENTS = {
    "shift": (SHIFTED, network_erf(chain(Scale(0.5), Activation("tanh")))),
    "slopes": (chain(PReLU(SLOPES)), network_erf(chain(Activation("relu")))),
}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_theory_agrees_with_the_experiment_and_its_control_does_not(name):
    """One verdict in 10⁴ is a false alarm; the control leaves the layer out."""
    network, control = EXPERIMENTS[name]
    measured = measure_erf(network, samples=2000, rng=0)
    assert_agrees(network_erf(network), measured)
    with pytest.raises(AssertionError):
        assert_agrees(control, measured)


def test_norms_of_places_are_off_by_what_is_said():
    """One over few squares is more than one over their mean: by 7 ± 1.2 % here, four deviations."""
    network = Chain([Conv(8, 32, 3), Norm("place"), Activation("tanh"), Conv(32, 8, 3)], 1)
    found, measured = network_erf(network), measure_erf(network, samples=2000, rng=0)
    assert 1.02 < measured.mean.sum() / found.mass < 1.12
    (reason,) = found.reasons
    assert reason.startswith("a norm over the channels of one place is taken as that over many")


def test_slopes_of_channels_have_the_energy_of_their_mean():
    mean = np.mean((1 + SLOPES**2) / 2)
    assert network_erf(chain(PReLU(SLOPES))).mass == pytest.approx(
        network_erf(chain()).mass * mean, rel=1e-12
    )


def test_slopes_are_not_linear():
    weights = np.ones((2, 2, 1))
    network = Chain([Conv(2, 2, 1, weights=weights), PReLU([1, 0.5])], 1)
    with pytest.raises(ErfTheoryError, match="amplitude needs a linear network"):
        network_erf(network, kind="amplitude", channel=0, input_channel=0)


def test_given_weights_behind_factors_and_slopes():
    """Centred samples: a gate is open half of the time, by its slope the other half."""
    first, second = (np.random.default_rng(i).standard_normal((2, 2, 3)) for i in (0, 1))
    slopes, factors = np.array([0.5, 0.1]), np.array([2.0, -3.0])
    network = Chain(
        [
            Conv(2, 2, 3, weights=first),
            PReLU(slopes),
            Scale(factors),
            Conv(2, 2, 3, weights=second),
        ],
        1,
    )
    open_ = factors**2 * (1 + slopes**2) / 2
    parts = [
        np.convolve(second[o, i] ** 2, first[i, j] ** 2) * open_[i]
        for o in (0, 1)
        for i in (0, 1)
        for j in (0, 1)
    ]
    whole = np.sum(parts, axis=0) / 4
    found = network_erf(network)
    assert found.values * found.mass == pytest.approx(whole, rel=1e-12)


def branches(layer):
    """A local branch, beside one that sees all places."""
    parts = {
        "a": (Conv(4, 4, 3, padding=1), "input"),
        "b": (Global(4), "input"),
        "both": (layer, "a", "b"),
        "end": (Conv(layer.out_of(4, 4), 4, 3, padding=1), "both"),
    }
    return Graph(parts, ndim=1)


@pytest.mark.parametrize("layer", [Add(), Concat()])
def test_what_sees_all_places_is_no_part_of_the_map_and_is_named(layer):
    found = network_erf(branches(layer))
    alone = network_erf(Chain([Conv(4, 4, 3), Conv(4, 4, 3)], 1))
    assert found.values == pytest.approx(alone.values, rel=1e-12)
    assert found.reasons[0] == "what sees all places of the image alike is not in the map (b)"
    assert receptive_field(branches(layer)).output.size == (5,)
    assert receptive_field(branches(layer))["b"].size == (0,)
    measured = measure_erf(branches(layer), samples=20, rng=0)
    assert measured.mean.shape == (5,)


def test_a_network_that_sees_all_places_alike_alone_has_no_map():
    with pytest.raises(ErfTheoryError, match="or only on all of it alike"):
        network_erf(Chain([Conv(4, 4, 3), Global(4)], 1))


def test_gates_off_the_way_are_not_named():
    parts = {
        "a": (Conv(4, 4, 3), "input"),
        "gate": (Gate(0.5), "a"),
        "end": (Conv(4, 4, 3), "a"),
    }
    assert network_erf(Graph(parts, ndim=1)).reasons == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scale(np.inf), "the factor of Scale is finite, not inf"),
        (lambda: Scale(1, np.nan), "the shift of Scale is finite, not nan"),
        (lambda: Gate([1, 2]).out_of(3), r"factor of Gate has shape \(2,\), and 3 channels go in"),
        (lambda: Global(0), "channels of Global is 1 or more, not 0"),
        (lambda: PReLU(0.25), "slopes are one number per channel, not 0-D"),
        (lambda: PReLU([0.25]).out_of(2), "1 slopes do not fit 2 channels"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
