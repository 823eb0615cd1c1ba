"""All engines on the same random programs, against the definition, with their refusals counted."""

import re
from collections import Counter
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines import (
    balls,
    contour,
    convolution,
    cumulants,
    dtft,
    multinomial,
    support,
    symbolic,
)
from erf_theory.engines.extent import extent_of
from erf_theory.engines.tape import recorded
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.maps import ProgramMap
from tests.laws.programs import FRACTIONS, INTEGERS, POSITIVE, SIGNED, programs, repeated
from tests.laws.twin import Paths, by_place

EPS = 2.0**-52


def exact_log(ratio):
    """Logarithm of a fraction's magnitude, to 40 digits."""
    with mpmath.workdps(40):
        return mpmath.log(mpmath.mpf(abs(ratio.numerator)) / ratio.denominator)


def assert_logs(found, log_norm, sign, paths, most):
    """Logarithms by place, with signs; -inf exactly where the field is 0."""
    assert paths.samples.keys() <= found.keys()
    for at, log in found.items():
        exact = paths.values.get(at, Fraction(0))
        assert sign[at] == (exact > 0) - (exact < 0)
        if exact == 0:
            assert log == -np.inf
        else:
            assert abs(exact_log(exact) - log_norm - mpmath.mpf(float(log))) <= most


def by_convolution(program, ndim, paths):
    field, lost = convolution.run(program, ndim), convolution.absolute_error(program, ndim)
    found, bound = by_place(field.values, field.start), by_place(lost.values, lost.start)
    scale, unit = Fraction(2) ** field.exponent, Fraction(2) ** lost.exponent
    assert paths.samples.keys() <= found.keys() == bound.keys()
    for at, value in found.items():
        exact = paths.values.get(at, 0)
        error = Fraction(bound[at]) * unit
        assert abs(Fraction(value) * scale - exact) <= error
        assert error <= EPS * 1000 * paths.sizes.get(at, 0)


def by_dtft(program, ndim, paths):
    found = dtft.run(program, ndim)
    values = by_place(found.values, found.start)
    assert paths.samples.keys() <= values.keys()
    with mpmath.workdps(40):
        scale = mpmath.exp(found.log_scale)
        rounding = EPS * (2 + abs(found.log_scale))
        for at, value in values.items():
            exact = paths.values.get(at, Fraction(0))
            size = mpmath.mpf(exact.numerator) / exact.denominator / scale
            assert abs(value - size) <= found.error + rounding * abs(size)


def by_contour(program, _, paths):
    found = contour.run(program)
    logs = by_place(found.values, (found.start,))
    sign = {at: int(log > -np.inf) for at, log in logs.items()}
    assert_logs(logs, 0, sign, paths, found.error + EPS * abs(found.total) + 1e-300)
    assert found.error < 1e-8


def by_integers(program, ndim, paths):
    exact = program(multinomial.impulse(ndim))
    found = by_place(exact.numerators, exact.start)
    assert paths.samples.keys() <= found.keys()
    for at, numerator in found.items():
        assert Fraction(numerator, exact.denominator) == paths.values.get(at, 0)


def by_balls(program, ndim, paths):
    found = balls.log_map(program, ndim)
    logs, sign = by_place(found.log_abs, found.start), by_place(found.sign, found.start)
    assert found.error < 1e-12
    assert_logs(logs, 0, sign, paths, found.error)


def by_support(program, ndim, paths):
    found = program(support.impulse(ndim))
    places = {x for (_, x), inside in by_place(found.mask, found.start).items() if inside}
    assert paths.support <= places
    if extent_of(program, ndim).nonnegative:
        assert paths.support == places


def by_symbols(program, ndim, paths):
    terms = program(symbolic.impulse(ndim)).terms()
    found = {at: Fraction(int(v.p), int(v.q)) for at, v in terms.items()}
    assert found == {x: value for (_, x), value in paths.values.items() if value}


ENGINES = {
    "convolution": by_convolution,
    "dtft": by_dtft,
    "contour": by_contour,
    "multinomial": by_integers,
    "balls": by_balls,
    "support": by_support,
    "symbolic": by_symbols,
}


MAY_REFUSE = {
    "contour": r"too far from log-concave|a kernel that is 0 everywhere",
}
"""What an engine may refuse of the programs that it is given here; the others give all."""

LINES = [(name, taps, 1) for name in ENGINES for taps in ("positive", "signed")]
PLANES = [(name, taps, ndim) for name, taps, _ in LINES for ndim in (2, 3) if name != "contour"]
CASES = [case for case in LINES + PLANES if case[:2] != ("contour", "signed")]


@pytest.mark.parametrize(("engine", "taps", "ndim"), CASES)
def test_engines_agree_with_all_paths(engine, taps, ndim):
    seen = Counter()
    tap = POSITIVE if taps == "positive" else SIGNED

    @given(programs(tap, ndim, decimate=engine != "contour"))
    def look(program):
        try:
            ENGINES[engine](program, ndim, program(Paths.impulse(ndim)))
            seen["agrees"] += 1
        except EngineError as refusal:
            if not re.search(MAY_REFUSE.get(engine, "never"), str(refusal)):
                raise
            seen["refuses"] += 1

    look()
    assert seen["agrees"] > 2 * seen["refuses"], seen


@pytest.mark.parametrize(("engine", "ndim"), sorted({case[::2] for case in CASES}))
def test_records_of_programs_agree_with_all_paths(engine, ndim):
    seen = Counter()
    exact = st.one_of(INTEGERS, FRACTIONS)

    @given(repeated(programs(exact, ndim, decimate=engine != "contour", depth=1), ndim))
    def look(program):
        try:
            ENGINES[engine](recorded(program, ndim), ndim, program(Paths.impulse(ndim)))
            seen["agrees"] += 1
        except EngineError as refusal:
            if not re.search(MAY_REFUSE.get(engine, "never"), str(refusal)):
                raise
            seen["refuses"] += 1

    look()
    assert seen["agrees"] > 2 * seen["refuses"], seen


@pytest.mark.parametrize("taps", [POSITIVE, SIGNED], ids=["positive", "signed"])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_moments_agree_with_all_paths(ndim, taps):
    @given(programs(taps, ndim, decimate=False))
    def look(program):
        values = {x: v for (_, x), v in program(Paths.impulse(ndim)).values.items()}
        mass = sum(values.values())
        assert float(program(cumulants.impulse(ndim, 0)).mass) == pytest.approx(
            float(mass), rel=1e-9, abs=1e-12 * float(sum(map(abs, values.values())))
        )
        try:
            found = program(cumulants.impulse(ndim)).mean
        except EngineError as refusal:
            if not re.search("mass 0|add up to 0|nearly|no mass", str(refusal)):
                raise
            return
        for axis, mean in enumerate(found):
            exact = sum(v * x[axis] for x, v in values.items()) / mass
            spread = sum(abs(v * x[axis]) for x, v in values.items()) / abs(mass)
            assert float(mean) == pytest.approx(float(exact), abs=1e-9 * float(1 + spread))

    look()


@given(programs(POSITIVE, 1))
def test_the_automatic_choice_agrees_with_all_paths(program):
    values = program(Paths.impulse(1)).values
    total = sum(values.values())
    if total == 0:
        with pytest.raises(ErfTheoryError, match="0 everywhere"):
            _ = ProgramMap(program, 1).shares
        return
    chosen = ProgramMap(program, 1)
    (start,) = chosen.start
    for i, (share, log) in enumerate(zip(chosen.shares.values, chosen.logs.values, strict=True)):
        exact = values.get((0, (start + i,)), Fraction(0)) / total
        assert share == pytest.approx(float(exact), rel=1e-10, abs=0)
        assert (log == -np.inf) == (exact == 0)
        if exact:
            assert float(abs(exact_log(exact) - log)) <= 1e-9
