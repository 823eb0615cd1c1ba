"""What an engine says of its own error holds on long random stacks; refusals are counted."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from erf_theory.engines import balls, contour, convolution, dtft, multinomial
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.maps import ProgramMap
from tests.laws.programs import FAINT, POSITIVE, SIGNED, stacks

EPS = 2.0**-52


def exact_values(program):
    """The samples as fractions."""
    field = program(multinomial.impulse(1))
    return [Fraction(int(n), field.denominator) for n in field.numerators]


def shares_and_error(program):
    """Logarithms of the shares, which balls prove, and how far they may be off."""
    found = balls.log_map(program, 1)
    top = np.max(found.log_abs)
    total = top + np.log(np.sum(np.exp(found.log_abs - top)))
    return found.log_abs - total, found.error + 4 * EPS * max(1, abs(total))


@pytest.mark.parametrize(
    ("taps", "least"), [(POSITIVE, 0.4), (FAINT, 0.3)], ids=["positive", "faint"]
)
def test_contours_are_right_to_their_estimate_or_refuse(taps, least):
    seen = Counter()

    @given(stacks(taps))
    def look(program):
        exact, slack = shares_and_error(program)
        try:
            found = contour.run(program)
        except EngineError as refusal:
            assert "log-concave" in str(refusal)  # noqa: PT017
            seen["refused"] += 1
            return
        seen["right"] += 1
        inside = exact > -np.inf
        assert np.array_equal(found.values > -np.inf, inside)
        off = np.abs(found.values[inside] - found.total - exact[inside])
        assert np.max(off) <= found.error + slack
        assert found.error <= 1e-8

    look()
    assert seen["right"] >= least * seen.total(), seen


@pytest.mark.parametrize("taps", [POSITIVE, FAINT], ids=["positive", "faint"])
def test_values_above_the_floor_of_a_contour_are_right(taps):
    @given(stacks(taps))
    def look(program):
        exact, slack = shares_and_error(program)
        try:
            found = contour.run(program, floor=-30.0)
        except EngineError:
            return
        needed = exact > -30
        off = np.abs(found.values[needed] - found.total - exact[needed])
        assert np.max(off) <= found.error + slack

    look()


@pytest.mark.parametrize("taps", [POSITIVE, FAINT], ids=["positive", "faint"])
def test_the_automatic_choice_is_right(taps):
    @given(stacks(taps))
    def look(program):
        exact, slack = shares_and_error(program)
        logs = ProgramMap(program, 1).logs
        inside = exact > -np.inf
        assert np.array_equal(logs.values > -np.inf, inside)
        off = np.abs(logs.values[inside] - exact[inside])
        assert np.max(off) <= logs.error + slack
        assert logs.error < 1e-8
        shares = ProgramMap(program, 1).shares.values
        normal = exact > np.log(np.finfo(float).tiny)
        assert shares[normal] == pytest.approx(np.exp(exact[normal]), rel=1e-10, abs=0)

    look()


def test_transforms_are_right_to_their_estimate():
    @given(stacks(SIGNED, decimate=True))
    def look(program):
        found = dtft.run(program, 1)
        power = round(found.log_scale / np.log(2))
        unit = np.exp(found.log_scale - power * np.log(2))
        pairs = zip(found.values, exact_values(program), strict=True)
        off = [abs(float(x / Fraction(2) ** power) / unit - value) for value, x in pairs]
        rounding = 2 * EPS * (2 + abs(found.log_scale)) * np.max(np.abs(found.values))
        assert max(off) <= found.error + rounding

    look()


def test_samples_are_right_to_their_bound():
    @given(stacks(SIGNED, decimate=True))
    def look(program):
        try:
            found, bound = convolution.run(program, 1), convolution.absolute_error(program, 1)
        except EngineError as refusal:
            assert "far below the rest of the map" in str(refusal)  # noqa: PT017
            return
        scale, unit = Fraction(2) ** found.exponent, Fraction(2) ** bound.exponent
        triples = zip(found.values, bound.values, exact_values(program), strict=True)
        for value, most, exact in triples:
            assert abs(Fraction(value) * scale - exact) <= Fraction(most) * unit

    look()


@pytest.mark.parametrize("taps", [SIGNED, FAINT], ids=["signed", "faint"])
def test_shares_are_right_to_their_estimate(taps):
    @given(stacks(taps, decimate=True))
    def look(program):
        exact = exact_values(program)
        norm = sum(map(abs, exact))
        if norm == 0:
            with pytest.raises(ErfTheoryError, match="0 everywhere"):
                _ = ProgramMap(program, 1).shares
            return
        found = ProgramMap(program, 1).shares
        expected = np.array([float(x / norm) for x in exact])
        relative = 1e-10 * np.abs(expected) if found.error == 0 else 4 * EPS
        assert np.all(np.abs(found.values - expected) <= found.error + relative)

    look()
