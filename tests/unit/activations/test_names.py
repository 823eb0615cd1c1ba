"""Activations by name, with parameters, and functions as activations."""

import json

import numpy as np
import pytest

from erf_theory.activations import ACTIVATIONS, nonlinearity
from erf_theory.errors import ErfTheoryError

PARAMETERS = ["leaky_relu(0.2)", "prelu(-0.5)", "elu(2.0)", "celu(0.5)", "leaky_relu(1e-05)"]


@pytest.mark.parametrize("name", [*ACTIVATIONS, *PARAMETERS])
def test_names_survive_json(name):
    activation = nonlinearity(name)
    kept = json.loads(json.dumps(activation.name))
    assert nonlinearity(kept) == activation
    assert nonlinearity(f" {name} ") == activation


def test_aliases_are_the_same_thing():
    assert nonlinearity("swish") == nonlinearity("silu")
    assert nonlinearity("linear") == nonlinearity("identity")
    assert nonlinearity("leaky_relu(0.20)") == nonlinearity("leaky_relu( 0.2 )")


@pytest.mark.parametrize(
    ("name", "twin"),
    [
        ("leaky_relu", "leaky_relu(0.01)"),
        ("prelu", "leaky_relu(0.25)"),
        ("elu", "celu(1.0)"),
        ("relu", "leaky_relu(0.0)"),
    ],
)
def test_defaults_and_relatives(name, twin):
    z = np.linspace(-3, 3, 14)
    for part in ("value", "slope"):
        left, right = (getattr(nonlinearity(n), part)(z, np) for n in (name, twin))
        assert np.array_equal(left, right)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rleu", r"no activation 'rleu': choose one of abs, celu, .*, or give a function"),
        ("", "no activation ''"),
        ("relu(1)(2)", "no activation|takes no parameter"),
        ("relu(0.1)", "relu takes no parameter"),
        ("elu()", "one finite number"),
        ("leaky_relu(a)", "one finite number"),
        ("leaky_relu(nan)", "one finite number"),
        ("celu(0)", "must not be 0"),
    ],
)
def test_names_that_mean_nothing(name, message):
    with pytest.raises(ErfTheoryError, match=message):
        nonlinearity(name)


def test_what_is_neither_a_name_nor_a_function():
    with pytest.raises(ErfTheoryError, match="a name or a function, not 3"):
        nonlinearity(3)
    with pytest.raises(ErfTheoryError, match="brings its own derivative"):
        nonlinearity("relu", np.sign)


def test_functions_bring_their_name():
    assert nonlinearity(np.sin, np.cos).name == "sin"
    assert nonlinearity(np.sin, np.cos).slope(np.zeros(2), np).tolist() == [1.0, 1.0]
