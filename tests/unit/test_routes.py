"""Every route to a map against exact fractions: right within its own stated error, or a refusal."""

from fractions import Fraction
from functools import cache
from math import log

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError, ErfTheoryError, MapTooLargeError
from erf_theory.kernel import Kernel
from erf_theory.routes import LOGS, SHARES, integers
from erf_theory.theory import theoretical_erf

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], origin=(-1,))
TINY = np.finfo(float).tiny


def run(taps, times, step=1):
    return lambda field: field.convolve(Kernel(taps), step, times)


def far_dilation(field):
    """theory.md, section 4: the gap to the concave majorant is 30, so a contour is off by 9e-3."""
    return field.convolve(BOX, 1, 30).convolve(BOX, 100)


def residual(field):
    for _ in range(12):
        field = field + field.convolve(SKEW, 1, 2).scale(Fraction(1, 1000))
    return field


def unequal(field):
    return field.convolve(BOX, 1, 9).expand(2).convolve(SKEW, 3, 5).expand(3).convolve(BOX, 1, 40)


def almost_equal(field):
    twice = field.convolve(SKEW @ SKEW, 1, 15).convolve(Kernel([1, 1e-12]))
    return field.convolve(SKEW, 1, 30) + twice.scale(-1)


def faint_phase(field):
    """Only paths with an odd number of taps of 1e-20 end where the upsampling looks."""
    return field.convolve(Kernel([1, 1e-20, 1], origin=(-1,)), 1, 9).decimate(2)


def opposite(field):
    return field.convolve(Kernel([1, 1]), 1, 100).convolve(Kernel([1, -1]), 1, 100)


def plane(field):
    cross = Kernel([[0, 1, 0], [2, 1, 3], [0, 5, 0]], origin=(-1, -1))
    field = field.expand((2, 3))
    return field.convolve(cross, (1, 2), 5) + field.convolve(cross, 1, 3)


PROGRAMS = {
    "nothing": (lambda field: field, 1),
    "uniform": (run([1, 1, 1], 60), 1),
    "asymmetric": (run([1, 2, 5], 200), 1),
    "far tails": (run([3, 1], 800), 1),
    "holes": (run([1, 0, 0, 1, 1], 50), 1),
    "floats": (run([0.9, 0.2, 1e-5], 100), 1),
    "tiny tap": (run([1, 1e-20, 1], 300), 1),
    "far dilation": (far_dilation, 1),
    "far and long": (lambda f: f.convolve(BOX, 1, 2500).convolve(BOX, 600), 1),
    "residual": (residual, 1),
    "unequal": (unequal, 1),
    "difference": (run([1, -1], 400), 1),
    "second difference": (run([1, -2, 1], 2000), 1),
    "sharpening": (run([-1, 3, -1], 300), 1),
    "cancelling": (run([1, 1, -1], 6000), 1),
    "signed floats": (run([0.1, 0.7, -0.3], 400), 1),
    "opposite": (opposite, 1),
    "almost equal": (almost_equal, 1),
    "faint phase": (faint_phase, 1),
    "plane": (plane, 2),
    "signed plane": (run([[1, -2], [0, 3]], 12), 2),
    "cube": (run(np.arange(8).reshape(2, 2, 2) - 3, 5), 3),
}


@cache
def exact_shares(program, ndim):
    """Integer numerators in the shape of the map, and the sum of their magnitudes."""
    return integers(program, extent_of(program, ndim))[:2]


def log_ratio(a, b):
    """Logarithm of the magnitude of a fraction of integers of any length."""
    shift = b.bit_length() - abs(a).bit_length()
    scaled = Fraction(abs(a) << max(shift, 0), b << max(-shift, 0))
    return log(scaled) - shift * log(2)


@pytest.mark.parametrize(("program", "ndim"), PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("engine", SHARES)
def test_values_are_within_the_stated_error_or_refused(program, ndim, engine):
    numerators, total = exact_shares(program, ndim)
    exact = np.array([n / total for n in numerators.flat]).reshape(numerators.shape)
    extent = extent_of(program, ndim)
    try:
        found = SHARES[engine](program, extent)
    except EngineError:
        return
    assert found.engine == engine
    assert found.values.shape == extent.shape
    assert np.sum(np.abs(found.values)) == pytest.approx(1, abs=1e-12)
    off = np.abs(found.values - exact)
    if found.error:
        assert np.max(off) <= found.error
    else:
        normal = np.abs(exact) >= TINY
        assert np.max(off[normal] / np.abs(exact[normal])) <= 1e-10
        assert np.all(off[~normal] <= TINY)


@pytest.mark.parametrize(("program", "ndim"), PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("engine", LOGS)
def test_logs_are_within_the_stated_error_or_refused(program, ndim, engine):
    numerators, total = exact_shares(program, ndim)
    try:
        found = LOGS[engine](program, extent_of(program, ndim))
    except EngineError:
        return
    sign = np.array([(n > 0) - (n < 0) for n in numerators.flat]).reshape(numerators.shape)
    assert found.engine == engine
    assert np.array_equal(found.sign, sign)
    assert np.array_equal(found.values > -np.inf, sign != 0)
    exact = np.array([log_ratio(n, total) for n in numerators.flat if n])
    slack = 4 * np.finfo(float).eps * (1 + np.max(np.abs(exact)))
    assert np.max(np.abs(found.values[sign != 0] - exact)) <= found.error + slack
    assert found.error < 1e-8


REFUSALS = {
    ("far dilation", "contour"): "log-concave; the balls engine can",
    ("tiny tap", "contour"): "log-concave; the balls engine can",
    ("difference", "contour"): "non-negative kernels",
    ("plane", "contour"): "contour engine",
    ("faint phase", "contour"): "contour|saddle",
    ("cancelling", "convolution"): "cancellation .* multinomial and balls",
    ("almost equal", "convolution"): "cancellation .* multinomial and balls",
    ("almost equal", "dtft"): "cancellation .* multinomial and balls",
    ("faint phase", "dtft"): "cancellation .* multinomial and balls",
}


@pytest.mark.parametrize(("case", "message"), REFUSALS.items(), ids=map("-".join, REFUSALS))
def test_what_an_engine_cannot_give_is_refused_with_one_that_can(case, message):
    program, ndim = PROGRAMS[case[0]]
    with pytest.raises(EngineError, match=message):
        SHARES[case[1]](program, extent_of(program, ndim))


REFUSED = {
    "convolution": {"cancelling", "signed floats", "opposite", "almost equal"},
    "dtft": {"almost equal", "faint phase"},
    "contour": set(PROGRAMS)
    - {"nothing", "uniform", "asymmetric", "far tails", "holes", "floats", "residual", "unequal"},
    "multinomial": set(),
    "balls": set(),
}


@pytest.mark.parametrize("engine", SHARES)
def test_nothing_is_refused_that_can_be_given(engine):
    refused = set()
    for name, (program, ndim) in PROGRAMS.items():
        try:
            SHARES[engine](program, extent_of(program, ndim))
        except EngineError:
            refused.add(name)
    assert refused == REFUSED[engine]


def test_logs_of_a_transform_are_refused():
    program, _ = PROGRAMS["uniform"]
    with pytest.raises(EngineError, match="below its rounding"):
        LOGS["dtft"](program, extent_of(program, 1))


@pytest.mark.parametrize("engine", SHARES)
def test_the_norm_is_the_sum_of_magnitudes(engine):
    program = run([0.5, 3, 0.25], 500)
    norm = SHARES[engine](program, extent_of(program, 1)).log_norm
    assert norm == pytest.approx(500 * log(3.75), rel=1e-13)


@pytest.mark.parametrize("engine", SHARES)
def test_a_map_of_nothing_is_refused(engine):
    program = run([0, 0], 3)
    with pytest.raises(ErfTheoryError):
        SHARES[engine](program, extent_of(program, 1))


@pytest.mark.parametrize("engine", SHARES)
def test_a_map_that_does_not_fit_is_refused(engine):
    program = run([1, 1], 10**12)
    with pytest.raises(MapTooLargeError):
        SHARES[engine](program, extent_of(program, 1))


def test_integers_are_in_lowest_terms():
    numerators, total, log_norm = integers(
        run([2, Fraction(4, 3)], 2), extent_of(run([1, 1], 2), 1)
    )
    assert (numerators.tolist(), total) == ([9, 12, 4], 25)
    assert log_norm == pytest.approx(2 * log(10 / 3))


TAPS = st.one_of(
    st.lists(st.integers(-4, 6), min_size=1, max_size=5),
    st.lists(st.integers(0, 6), min_size=1, max_size=5),
    st.lists(st.floats(-2, 2, allow_subnormal=False), min_size=1, max_size=4),
)
LAYER = st.tuples(TAPS, st.integers(1, 3), st.integers(0, 40), st.integers(1, 2))


def stacked(layers):
    """Runs of layers, each after a stride of its own."""

    def backward(field):
        for taps, step, times, stride in layers:
            field = field.expand(stride).convolve(Kernel(taps), step, times)
        return field

    return backward


@given(st.lists(LAYER, min_size=1, max_size=3))
def test_random_stacks_are_within_the_stated_error_or_refused(layers):
    program = stacked(layers)
    assume(any(np.any(Kernel(taps).taps != 0) for taps, *_ in layers))
    assume(all(np.any(Kernel(taps).taps != 0) or not times for taps, _, times, _ in layers))
    for engine in SHARES:
        test_values_are_within_the_stated_error_or_refused(program, 1, engine)
        test_logs_are_within_the_stated_error_or_refused(program, 1, engine)


def test_a_large_plane_is_within_the_stated_error():
    """The transform of the plane against an outer product of lines right to the last digits."""
    n, line = 700, np.array([1.0, 2.0, 1.0])
    program = run(np.outer(line, line), n)
    found = SHARES["dtft"](program, extent_of(program, 2))
    exact = theoretical_erf(None, n, kernel=line).values
    assert 0 < found.error < 1e-14
    assert np.max(np.abs(found.values - np.outer(exact, exact))) <= found.error


@pytest.mark.parametrize("engine", sorted(SHARES))
def test_a_map_of_zeros_is_told_as_one(engine):
    program = run([0, 0], 2)
    with pytest.raises(ErfTheoryError, match="0 everywhere"):
        SHARES[engine](program, extent_of(program, 1))
