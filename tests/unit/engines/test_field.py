"""Every engine is a number system for the same operations, under the same names."""

import inspect

import numpy as np
import pytest

from erf_theory.engines import (
    balls,
    convolution,
    cumulants,
    dtft,
    extent,
    multinomial,
    saddle,
    support,
    symbolic,
)
from erf_theory.engines.field import Field, refusal
from erf_theory.errors import EngineError, ErfTheoryError

OPERATIONS = ("convolve", "scale", "__add__", "expand", "decimate", "fold", "take")
FIELDS = {
    "balls": balls.Balls,
    "convolution": convolution.Samples,
    "cumulants": cumulants.Cumulants,
    "dtft": dtft.Spectrum,
    "extent": extent.Extent,
    "multinomial": multinomial.Exact,
    "saddle": saddle.Saddle,
    "support": support.Support,
    "symbolic": symbolic.Symbolic,
}


def parameters(function):
    """Names and defaults, without self."""
    _, *given = inspect.signature(function).parameters.values()
    return [(parameter.name, parameter.default, parameter.kind) for parameter in given]


def test_the_operations_are_those_of_the_protocol():
    own = {name for name, value in vars(Field).items() if inspect.isfunction(value)}
    assert set(OPERATIONS) <= own
    assert {name for name in own if not name.startswith("_")} | {"__add__"} == set(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_every_engine_has_every_operation_with_the_same_arguments(field, operation):
    assert parameters(getattr(field, operation)) == parameters(getattr(Field, operation))


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_fields_do_not_change(field):
    assert issubclass(field, tuple) or field.__dataclass_params__.frozen


IMPULSES = {
    "balls": balls.impulse(1),
    "convolution": convolution.impulse(1),
    "cumulants": cumulants.impulse(1),
    "dtft": dtft.impulse(1, (12,)),
    "multinomial": multinomial.impulse(1),
    "saddle": saddle.run(lambda field: field, np.zeros(1)),
    "support": support.impulse(1),
    "symbolic": symbolic.impulse(1),
}
REQUESTS = {
    "scale by channel": lambda f: f.scale(np.ones((1, 1))),
    "decimate": lambda f: f.decimate(2),
    "fold": lambda f: f.fold(3, "zeros"),
    "take": lambda f: f.take(0, 1),
}
ABLE = {
    "scale by channel": {"convolution"},
    "decimate": {"balls", "convolution", "dtft", "multinomial", "support", "symbolic"},
    "fold": {"convolution"},
    "take": set(),
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("engine", IMPULSES)
def test_an_engine_does_what_it_can_and_refuses_the_rest(engine, request_):
    ask = REQUESTS[request_]
    if engine in ABLE[request_]:
        assert isinstance(ask(IMPULSES[engine]), FIELDS[engine])
    else:
        with pytest.raises(ErfTheoryError, match=r"can|has none to take"):
            ask(IMPULSES[engine])


def test_a_refusal_names_the_engine_the_operation_and_another_engine():
    error = refusal("dtft", "fold", "the convolution engine can")
    assert isinstance(error, EngineError)
    assert str(error) == "the dtft engine cannot fold: the convolution engine can"
