import numpy as np
import pytest

from erf_theory.engines import convolution, lines
from erf_theory.engines.lines import mean_lines
from erf_theory.engines.tape import Recorded, Tape
from erf_theory.engines.transposed import responses
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel

RNG = np.random.default_rng(7)
IN, WIDE, OUT = 2, 40, 30
ENDS = np.array([0.3, 0.7])


def matrix(before, after, size, start=0):
    """A kernel from so many channels to so many, some of it 0."""
    taps = RNG.uniform(size=(before, after, size)) * RNG.integers(0, 2, (before, after, size))
    return Kernel(taps, (start,))


LAST = matrix(OUT, WIDE, 1)
DENSE = [matrix(WIDE, WIDE, 1), matrix(WIDE, WIDE, 1)]
DEPTHWISE = Kernel(RNG.uniform(size=(WIDE, 3)), (-1,))
MIX, FIRST = matrix(WIDE // 2, 3, 2, -1), matrix(3, IN, 4, 2)


class Walk:
    """A network's record: strides near the end, dense branches near the impulse."""

    def __init__(self):
        self.steps = []
        field = self.shown(Recorded(Tape(), 0, 1))
        field = self.shown(field.expand(7).convolve(Kernel([1.0] * 7, (0,))))
        field = self.shown(field.convolve(LAST))
        skipped = field.scale(0.5).convolve(Kernel([1.0], (2,)))
        nothing = self.shown(field.convolve(DENSE[0]).scale(0))
        field = self.shown(field.convolve(DENSE[0])).convolve(DEPTHWISE, 2)
        field = self.shown((field.convolve(DENSE[1]) + skipped) + nothing.convolve(DENSE[1]))
        field = self.shown(field.scale(RNG.uniform(1, 2, WIDE)))
        field = self.shown(field.expand(2).take(5, 5 + WIDE // 2).convolve(MIX))
        self.end = field.expand(3).convolve(FIRST).placed()

    def shown(self, field):
        """The field with a step of its own."""
        step = field.tape.append("sum", (field.step,), field.term(1))
        self.steps.append(step)
        return Recorded(field.tape, step, 1)


WALK = Walk()


def expected(step):
    """The mean of all channels' responses."""
    found = dict(responses(WALK.end, OUT, ENDS, {step}))[step]
    return found.start, np.ldexp(found.values.mean(axis=0), found.exponent)


def need_equal(found, step):
    """Assert start and values of a line."""
    start, values = expected(step)
    line = found[step]
    assert line.start == start
    np.testing.assert_allclose(np.ldexp(line.values, line.exponent), values, rtol=1e-13)


@pytest.mark.parametrize("step", WALK.steps)
def test_every_step_has_the_mean_of_its_channels(step):
    need_equal(dict(mean_lines(WALK.end, OUT, ENDS, {step})), step)


def test_steps_that_come_to_nothing_are_left_out():
    start = Recorded(Tape(), 0, 1).convolve(LAST)
    lost = start.convolve(DENSE[0])
    end = (start + lost.scale(0).placed()).convolve(matrix(WIDE, IN, 3)).placed()
    assert set(dict(mean_lines(end, OUT, ENDS, {start.step, lost.step}))) == {start.step}


@pytest.mark.parametrize("meeting", ["chosen", "impulse", "end"])
def test_wherever_the_ways_meet(meeting, monkeypatch):
    last = {"impulse": 0, "end": WALK.end.step}
    found = []
    choose = lines._meeting

    def chosen(*args):
        found.append(last.get(meeting, choose(*args)))
        return found[-1]

    monkeypatch.setattr(lines, "_meeting", chosen)
    both = dict(mean_lines(WALK.end, OUT, ENDS, {*WALK.steps}))
    assert set(both) == {*WALK.steps}
    assert WALK.steps[0] < found[0] < WALK.steps[-1] or meeting != "chosen"
    for step in both:
        need_equal(both, step)


def test_a_step_beside_the_only_way_is_not_met():
    """A shortcut from the impulse to the end: no step between is passed by all ways."""
    start = Recorded(Tape(), 0, 1).convolve(matrix(OUT, WIDE, 1))
    field = start.convolve(DENSE[0]).convolve(DENSE[1])
    end = (field + start).convolve(matrix(WIDE, IN, 30)).placed()
    wanted = {start.step, field.step}
    found, known = dict(mean_lines(end, OUT, ENDS, wanted)), dict(responses(end, OUT, ENDS, wanted))
    for step in wanted:
        values = np.ldexp(known[step].values.mean(axis=0), known[step].exponent)
        np.testing.assert_allclose(
            np.ldexp(found[step].values, found[step].exponent), values, rtol=1e-13
        )


def test_units_join_however_large_the_field_is():
    """A factor of 1e-200 a layer: no double holds what units make of one place together."""
    tape = Tape()
    field, steps = Recorded(tape, 0, 1), []
    for _ in range(20):
        field = field.convolve(DENSE[0]).scale(np.full(WIDE, 1e-200)).placed()
        nothing = field.scale(0).placed()
        steps += [field.step, nothing.step]
        field += nothing
    end = field.convolve(matrix(WIDE, IN, 50)).placed()
    found = dict(mean_lines(end, WIDE, ENDS, {0, *steps}))
    known = dict(responses(end, WIDE, ENDS, {0, *steps}))
    for step, line in found.items():
        mean = known[step].values.mean(axis=0)
        assert np.log2(line.values.sum()) + line.exponent == pytest.approx(
            np.log2(mean.sum()) + known[step].exponent, rel=1e-12
        )
        np.testing.assert_allclose(line.values / line.values.sum(), mean / mean.sum(), rtol=1e-12)


def test_fields_that_are_lost_beside_others_are_left_out(monkeypatch):
    """One unit has a channel that goes down by 1e-100 a layer, another one that does not."""
    start = Recorded(Tape(), 0, 1).scale(np.array([1.0, 0.0]))
    other = start.take(1, 2)
    field = start + other.convolve(Kernel(np.array([[[0.0], [1.0]]]), (0,)))
    for _ in range(12):
        field = field.scale(np.array([1.0, 1e-100]))
    monkeypatch.setattr(lines, "_meeting", lambda *_: field.step)
    assert set(dict(mean_lines(field, 2, np.ones(2), {0, other.step}))) == {0}


def test_many_channels_add_up_where_the_ways_meet(monkeypatch):
    """Samples are as large as they are left to be, and 40 000 products of two add up."""
    many, largest = 40_000, 0.99 * 2.0**16
    middle = Recorded(Tape(), 0, 1).convolve(Kernel(np.full((1, many, 1), largest), (0,)))
    end = middle.convolve(Kernel(np.full((many, 1, 1), largest), (0,)))
    monkeypatch.setattr(lines, "_meeting", lambda *_: middle.step)
    found = dict(mean_lines(end, 1, np.ones(1), {0}))[0]
    exact = np.log2(many * largest**2)
    assert np.log2(found.values.item()) + found.exponent == pytest.approx(exact, rel=1e-15)


def test_the_impulse_alone_is_its_own_line():
    found = dict(mean_lines(Recorded(Tape(), 0, 1), 2, ENDS, {0}))
    assert np.ldexp(found[0].values, found[0].exponent).tolist() == [0.5]
    assert convolution.impulse(1).start == found[0].start


@pytest.mark.parametrize("change", [lambda f: f.decimate(2), lambda f: f.fold(4, "zeros")])
def test_what_units_do_not_all_see_alike_is_refused(change):
    end = change(Recorded(Tape(), 0, 1).convolve(LAST)).placed()
    with pytest.raises(EngineError, match="transposed"):
        dict(mean_lines(end, OUT, np.ones(WIDE), {0}))
