import json

import pytest

from erf_theory.architectures import network_erf
from erf_theory.empirical import scheduling
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, Residual
from erf_theory.verdict.networks import verify_network

BODY = Chain([Activation("relu"), Conv(16, 16, (3, 5), padding=(1, 2), dilation=(1, 1))])
NET = Chain({"stem": Conv(3, 16, 3, padding=1), "block": Residual(BODY), "head": Conv(16, 8, 1)})


@pytest.fixture(scope="module")
def found():
    return verify_network(NET, samples=128)


def test_the_truth_agrees_and_another_dilation_is_rejected(found):
    assert found.passed
    (control,) = found.controls
    assert control.claim == "twice the dilation in block.body.1"
    assert control.power > 0.99
    assert found.agreement.theory.values == pytest.approx(network_erf(NET).values)
    assert found.call.endswith(", samples=128, seed=0)")
    assert json.loads(json.dumps(found.to_dict()))["passed"] is True


def test_the_control_is_the_same_network_with_one_layer_changed(found):
    body = Chain([Activation("relu"), Conv(16, 16, (3, 5), padding=(2, 4), dilation=2)])
    other = Chain({"stem": NET.parts[0], "block": Residual(body), "head": NET.parts[2]})
    (control,) = found.controls
    assert control.agreement.theory.values == pytest.approx(network_erf(other).values)


def test_a_profile_is_the_map_summed(found):
    line = verify_network(NET, samples=128, ndim=1)
    assert line.passed
    assert line.agreement.measurement.mean == pytest.approx(
        found.agreement.measurement.mean.sum(axis=1)
    )
    assert line.agreement.mass_ratio == pytest.approx(found.agreement.mass_ratio)
    assert ", ndim=1, samples=128" in line.call


def test_a_layer_and_fewer_channels():
    other = verify_network(NET, samples=64, layer="stem", thin=2)
    assert other.agreement.theory.shape == (3, 3)
    assert "layer='stem', thin=2" in other.call
    assert any("with 1/2 of its channels the network has 8" in text for text in other.warnings)


def test_without_taps_there_is_no_control():
    assert verify_network(Chain([Conv(8, 8, 1)] * 2), samples=64).controls == ()


def test_a_checkpoint_and_a_target_error_are_those_of_the_measurement(tmp_path):
    path = tmp_path / "run.npz"
    wide = Chain([Conv(32, 32, 3, padding=1)] * 2, 1)
    found = verify_network(wide, samples=5000, target_error=0.1, checkpoint=path, n_jobs=1)
    assert path.exists()
    assert found.agreement.measurement.samples < 5000
    assert found.agreement.measurement.relative_error <= 0.1


def test_an_interruption_goes_on(monkeypatch):
    rows, calls = scheduling._rows, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return rows(*given)

    monkeypatch.setattr(scheduling, "_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verify_network(NET, samples=2000)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"samples": 31}, "31 samples are too few for a verdict"),
        ({"layer": "tail"}, "there is no node 'tail'"),
        ({"ndim": 3}, "given whole or as a profile"),
        ({"thin": 5}, "5 does not divide 16 channels"),
        ({"backend": "abacus"}, "no backend 'abacus'"),
    ],
)
def test_what_cannot_be_verified_is_refused(named, message):
    with pytest.raises(ErfTheoryError, match=message):
        verify_network(NET, **named)
