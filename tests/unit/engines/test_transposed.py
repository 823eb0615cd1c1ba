import numpy as np
import pytest

from erf_theory.engines import convolution
from erf_theory.engines.tape import Recorded, Tape
from erf_theory.engines.transposed import responses
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel

RNG = np.random.default_rng(5)
MIX = Kernel(RNG.uniform(size=(3, 4, 3)), (-1,))
DEPTHWISE = Kernel(RNG.uniform(size=(4, 2)), (0,))
TAKEN = Kernel(RNG.uniform(size=(2, 4, 2)), (-1,))
LAST = Kernel(RNG.uniform(size=(4, 2, 3)), (2,))


def mixed(field):
    """Every operation that a transpose knows: a stride, branches, channels taken, shifts."""
    field = field.convolve(MIX, 2).scale(np.array([1.0, 2.0, 0.5, 3.0])).expand(2)
    both = field.convolve(DEPTHWISE, 1, 2) + field.scale(0.25).convolve(Kernel([1.0], (3,)))
    part = field.take(1, 3).convolve(TAKEN)
    return (both + part).expand(3).convolve(LAST)


def of_each_channel(program, channels, ends):
    """The definition: the field of every channel's unit carried to the end, one after another."""
    for weights in np.eye(channels):
        field = program(convolution.impulse(1, weights))
        yield field.start, np.ldexp(np.tensordot(ends, field.values, 1), field.exponent)


def test_responses_of_the_first_step_are_the_fields_of_its_channels():
    ends, tape = np.array([0.3, 0.7]), Tape()
    end = mixed(Recorded(tape, 0, 1)).placed()
    found = dict(responses(end, 3, ends, {0}))[0]
    lines = np.ldexp(found.values, found.exponent)
    for line, (start, values) in zip(lines, of_each_channel(mixed, 3, ends), strict=True):
        assert start == found.start
        np.testing.assert_allclose(line, values, rtol=1e-14)


def test_steps_on_the_way_are_told_apart():
    """A unit of a branch goes through that branch alone."""
    tape = Tape()
    start = Recorded(tape, 0, 1).convolve(Kernel([[[1.0]]], (0,)))
    branch = start.convolve(Kernel([[[1.0, 2.0]]], (0,)))
    end = (start + branch).placed()
    found = dict(responses(end, 1, np.ones(1), {start.step, branch.step}))
    whole, alone = found[start.step], found[branch.step]
    assert np.ldexp(whole.values, whole.exponent).tolist() == [[2.0, 2.0]]
    assert np.ldexp(alone.values, alone.exponent).tolist() == [[1.0]]


@pytest.mark.parametrize("change", [lambda f: f.decimate(2), lambda f: f.fold(4, "zeros")])
def test_what_units_do_not_all_see_alike_is_refused(change):
    end = change(Recorded(Tape(), 0, 1).convolve(Kernel([[[1.0, 1.0]]], (0,)))).placed()
    with pytest.raises(EngineError, match="transposed"):
        dict(responses(end, 1, np.ones(1), {0}))
