"""The verdict itself on trial: real experiments that must agree, and controls that must fail."""

import numpy as np
import pytest
from scipy.stats import binom, kstest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Chain, Conv
from erf_theory.verdict.agreement import crosscheck
from erf_theory.verdict.stacks import verify_stack

RATE = 0.01
STACKS = {
    "relu": (3, 6, {"channels": 24, "samples": 150}),
    "linear": (3, 6, {"channels": 16, "samples": 200, "activation": "linear"}),
    "even kernel": (4, 3, {"channels": 16, "samples": 250}),
    "tanh": (3, 4, {"channels": 32, "samples": 150, "activation": "tanh", "init": "xavier"}),
    "gelu": (3, 4, {"channels": 32, "samples": 150, "activation": "gelu"}),
    "relu plane": (3, 3, {"channels": 12, "samples": 150, "ndim": 2}),
    "linear plane": (3, 3, {"channels": 8, "samples": 250, "ndim": 2, "activation": "linear"}),
    "tanh plane": (2, 3, {"channels": 16, "samples": 300, "ndim": 2, "activation": "tanh"}),
    "gelu plane": (3, 2, {"channels": 16, "samples": 250, "ndim": 2, "activation": "gelu"}),
}


@pytest.mark.parametrize(("k", "n", "named"), STACKS.values(), ids=STACKS)
def test_the_truth_agrees_and_every_control_is_rejected(k, n, named, times):
    trials = times(5, 20)
    found = [verify_stack(k, n, seed=s, false_alarm=RATE, **named) for s in range(trials)]
    alarms = sum(not one.agreement.agrees for one in found)
    assert alarms <= binom.isf(1e-3, trials, RATE), "a true rate of 1 % fails once in 1000"
    claims = {control.claim for one in found for control in one.controls}
    assert claims == {f"k = {k - 1}", f"k = {k + 1}", "10 % more variance"}
    for one in found:
        assert all(control.is_rejected for control in one.controls)
        assert one.passed == one.agreement.agrees
    assert np.median([control.power for one in found for control in one.controls]) > 0.9999


TRUE = Chain([Conv(16, 16, 3)] * 4, 1)
FALSE = {
    "mass": Chain([Conv(16, 16, 3, init=1.03 / 24)] * 4, 1),
    "shape": Chain([Conv(16, 16, 3, init=[0.96 / 24, 1.08 / 24, 0.96 / 24])] * 4, 1),
}


def p_values(theory, trials):
    """Shape and mass, one row per experiment with the same seeds."""
    erf = network_erf(theory)
    found = [crosscheck(erf, measure_erf(TRUE, samples=64, rng=seed)) for seed in range(trials)]
    return np.array([[one.shape_p_value, one.mass_p_value] for one in found])


def test_p_values_are_uniform_under_the_truth_and_not_beside_it(times):
    trials = times(60, 400)
    shape, mass = p_values(TRUE, trials).T
    assert kstest(shape, "uniform").pvalue > 1e-3, "false alarms: 1 in 1000"
    assert kstest(mass, "uniform").pvalue > 1e-3, "false alarms: 1 in 1000"
    for column, false in enumerate((FALSE["shape"], FALSE["mass"])):
        assert kstest(p_values(false, trials)[:, column], "uniform").pvalue < 1e-3


def test_a_stack_without_width_is_told_from_the_others_by_its_mass():
    found = verify_stack(1, 3, channels=16, samples=400)
    assert [control.claim for control in found.controls] == ["k = 2", "10 % more variance"]
    assert found.agreement.shape_p_value == 1
    assert found.passed


def test_too_few_samples_pass_nothing():
    found = verify_stack(3, 2, channels=2, samples=32, activation="linear")
    assert found.agreement.agrees
    assert not found.passed
    missed = [control for control in found.controls if not control.is_rejected]
    assert missed[-1].claim == "10 % more variance"
    assert missed[-1].power < 0.5
    assert "10 % more variance NOT TOLD FROM THE TRUTH; power 0." in repr(found)
    few, mass, *_, fluctuation = found.warnings
    assert few == "32 samples are few: below 64 the rates of error are rough"
    assert mass.startswith("10 % more mass would go unseen in most experiments like this one")
    assert fluctuation.startswith("at this width the theory of fluctuations asks for 175 samples")
    assert fluctuation in repr(found)
    assert found.to_dict()["warnings"] == list(found.warnings)


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((3, 0), {}, "number of convolutions is 1 or more, not 0"),
        ((3, 2.5), {}, "number of convolutions is a whole number, not 2.5"),
        ((0, 3), {}, "size of Conv is 1 or more, not 0"),
        ((3, 3), {"channels": 0}, "in_channels of Conv is 1 or more, not 0"),
        ((3, 3), {"samples": 31}, "31 samples are too few for a verdict: measure 32 or more"),
        ((3, 3), {"samples": 100.5}, "number of samples is a whole number, not 100.5"),
        ((3, 3), {"false_alarm": 1.5}, "false-alarm rate lies between 0 and 1, not 1.5"),
        ((3, 3), {"activation": "no such"}, "no such"),
        ((3, 3), {"init": "no such"}, "no initialisation 'no such'"),
        ((3, 3), {"init": -1}, "variances are not negative"),
        ((3, 3), {"ndim": 4}, "1, 2 or 3 spatial axes, not 4"),
        ((3, 3), {"seed": -1}, "seed is 0 or more, not -1"),
        ((3, 3), {"backend": "abacus"}, "no backend 'abacus'"),
        ((3, 900), {"channels": 1, "samples": 32, "init": 1e-9, "activation": "linear"}, "fewer"),
        ((3, 60), {"channels": 1, "samples": 32}, "none of 32 gradients reached the input"),
    ],
)
def test_what_cannot_be_verified_is_refused(arguments, named, message):
    with pytest.raises(ErfTheoryError, match=message):
        verify_stack(*arguments, **named)
