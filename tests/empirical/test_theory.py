"""The energy of every kind of network against real back-propagation, and controls that must fail.

False alarms: every comparison rejects a true theory at a rate of 1 in 1000.
"""

from functools import cache

import pytest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.network import Chain, Conv, Norm, Residual
from erf_theory.propagation import backward, forward
from erf_theory.propagation.gates import Runs
from erf_theory.verdict.agreement import crosscheck
from tests.empirical.networks import NETWORKS, conv

RATE = 0.001
EXACT = (
    "plain",
    "strided",
    "max_2",
    "average_2",
    "residual",
    "post",
    "post_rectified",
    "averaged",
    "doubled",
    "gelu",
    "tanh",
    "unet_nearest",
    "unet_transposed",
    "unet_pooled",
    "grouped",
    "depthwise",
)
SLOW = (
    "pre_batch",
    "post_batch",
    "cropped",
    "pre_layer",
    "post_layer",
    "pre_instance",
    "separable",
    "separable_sin",
    "separable_tanh",
    "inverted",
)


@cache
def measured(name, width, samples):
    return measure_erf(NETWORKS[name](width), samples=samples, rng=3)


@pytest.mark.parametrize("name", EXACT)
def test_what_is_called_exact_agrees_with_the_experiment(name, times):
    width, samples = times(48, 96), times(96, 640)
    theory = network_erf(NETWORKS[name](width))
    assert theory.exactness == "exact"
    agreement = crosscheck(theory, measured(name, width, samples), false_alarm=RATE)
    assert agreement.agrees, agreement


@pytest.mark.parametrize("name", SLOW)
def test_norms_agree_with_the_experiment(name, times):
    width, samples = times(32, 96), times(48, 128)
    theory = network_erf(NETWORKS[name](width))
    assert theory.exactness == "exact"
    agreement = crosscheck(theory, measured(name, width, samples), false_alarm=RATE)
    assert agreement.agrees, agreement


@pytest.mark.parametrize(
    ("name", "off"), [("pre_group", 1.1), ("dropout", 1.1), ("max_3", 1.2), ("unet_linear", 1.1)]
)
def test_what_is_called_approximate_is_near_the_experiment(name, off, times):
    width, samples = times(48, 96), times(96, 256)
    theory = network_erf(NETWORKS[name](width))
    assert theory.exactness == "approximate"
    agreement = crosscheck(theory, measured(name, width, samples))
    _, low, high = agreement.mass_ratio
    assert low < off
    assert high > 1 / off
    assert agreement.measured_std == pytest.approx(theory.std, rel=0.05)


def halved(width):
    """The residual network with 1/4 in place of 1/2 for a ReLU: half of the weights' variance."""
    weak = conv(width, init=1 / (3 * width))
    body = Chain([weak if isinstance(part, Conv) else part for part in residual_body(width)], 1)
    return Chain([conv(width), *[Residual(body)] * 6], 1)


def residual_body(width):
    return NETWORKS["residual"](width).parts[1].body.parts


def with_second_moments(width):
    """The batch-normalised network with q in place of q(1 - c), as a wide layer norm has it."""

    def changed(part):
        if isinstance(part, Norm):
            return Norm("layer")
        if isinstance(part, Chain):
            return Chain([changed(inner) for inner in part.parts], 1)
        return Residual(changed(part.body)) if isinstance(part, Residual) else part

    return changed(NETWORKS["pre_batch"](width))


@pytest.mark.parametrize(
    ("name", "false", "width"),
    [
        ("residual", halved, 48),
        ("pre_batch", with_second_moments, 32),
        ("plain", NETWORKS["strided"], 48),
    ],
)
def test_false_theories_are_rejected(name, false, width, times):
    samples = times(96, 128) if name != "pre_batch" else times(48, 128)
    found = measured(name, width, samples)
    assert not crosscheck(network_erf(false(width)), found, false_alarm=RATE).agrees


@pytest.mark.parametrize("name", ["post", "post_rectified"])
def test_independent_gates_along_a_shortcut_are_rejected(name, times, monkeypatch):
    width, samples = times(48, 96), times(448, 640)
    monkeypatch.setattr(Runs, "ratio", lambda *_: 1.0)
    theory = network_erf(NETWORKS[name](width))
    assert not crosscheck(theory, measured(name, width, samples), false_alarm=RATE).agrees


@pytest.mark.parametrize("name", ["averaged", "doubled"])
def test_fields_without_their_lags_are_rejected(name, times, monkeypatch):
    width, samples = times(48, 96), times(96, 640)
    monkeypatch.setattr(backward, "_needs_lags", lambda *_: False)
    theory = network_erf(NETWORKS[name](width))
    assert theory.exactness == "approximate"
    assert not crosscheck(theory, measured(name, width, samples), false_alarm=RATE).agrees


@pytest.mark.parametrize("name", ["separable_sin"])
def test_few_samples_taken_as_normal_are_rejected(name, times, monkeypatch):
    width, samples = times(32, 96), times(48, 128)
    monkeypatch.setattr(forward, "_MANY", 0)
    forward._behind.cache_clear()
    theory = network_erf(NETWORKS[name](width))
    forward._behind.cache_clear()
    assert not crosscheck(theory, measured(name, width, samples), false_alarm=RATE).agrees
