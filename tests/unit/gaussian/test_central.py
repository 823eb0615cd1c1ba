"""The middle of a deep law from its cumulants: only where it is better, and with its error."""

from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx

from erf_theory.gaussian import central
from erf_theory.gaussian.central import refined
from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.gaussian.line import line_of
from erf_theory.theory import theoretical_erf, variance_erf

DEEP = 60_000
FAINT = Fraction(1, 3300)
TAPS = [1, FAINT, 1, FAINT, 1]


def striped():
    """Layers that nearly leave every second place empty: stripes of 3e-11 are left of it."""
    return theoretical_erf(None, DEEP, kernel=TAPS)


def striped_density_error():
    """sup |p − φ/s|·s of it, which is near the middle: a recurrence in balls."""
    with ctx.workprec(256):
        taps = [arb(Fraction(tap).numerator) / Fraction(tap).denominator for tap in TAPS]
        total, middle = sum(taps), 2 * DEEP
        shares = deque([arb(0)] * 3 + [1 / total**DEEP], 4)
        for t in range(1, middle + 1):
            rows = zip(range(1, 5), taps[1:], reversed(shares), strict=True)
            shares.append(sum(((DEEP + 1) * j - t) * tap * c for j, tap, c in rows) / t)
        variance = DEEP * (8 + 2 * taps[1]) / total
        heights = [variance.sqrt() * share for share in list(shares)[:0:-1]]
        normal = [(-arb(x * x) / (2 * variance)).exp() / (2 * arb.pi()).sqrt() for x in range(3)]
        return max(abs(float(h - g)) for h, g in zip(heights, normal, strict=True))


def test_what_is_beside_the_peak_counts_as_error():
    found = distance_to_normal(striped())
    true = striped_density_error()
    assert abs(found.density_error - true) <= found.errors["density_error"]


def test_without_it_the_claim_would_be_false(monkeypatch):
    monkeypatch.setattr(central, "_beside_the_peak", lambda *_: 0.0)
    found = distance_to_normal(striped())
    assert abs(found.density_error - striped_density_error()) > found.errors["density_error"]


def test_a_series_that_the_logarithms_contradict_is_not_taken(monkeypatch):
    erf = theoretical_erf(3, DEEP)
    line = line_of(erf)
    assert refined(line, erf) is not line
    series = central.series_of
    monkeypatch.setattr(
        central,
        "series_of",
        lambda cumulant, order: series(lambda r: cumulant(r) * (1 + (r == 4)), order),
    )
    assert refined(line, erf) is line


@pytest.mark.parametrize("erf", [theoretical_erf(3, 1000), variance_erf(3, DEEP).rms()])
def test_logarithms_that_tell_enough_and_roots_are_left_alone(erf):
    line = line_of(erf)
    assert refined(line, erf) is line


def test_asymmetric_layers_agree_on_both_routes(monkeypatch):
    erf = theoretical_erf(None, 30_000, kernel=[5, 3, 1])
    rough = distance_to_sampled_normal(erf)
    monkeypatch.setattr(central, "_ENOUGH", 0.0)
    fine = distance_to_sampled_normal(erf)
    for metric, value in rough.values.items():
        assert abs(value - fine[metric]) <= rough.errors[metric] + fine.errors[metric], metric
    assert np.sum(list(fine.digits.values())) > np.sum(list(rough.digits.values()))
