"""Programs as maps: who is asked, who is asked next, and that nobody is asked too early."""

from fractions import Fraction
from math import log

import numpy as np
import pytest

from erf_theory import maps
from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError, ErfTheoryError, MapTooLargeError
from erf_theory.kernel import Kernel
from erf_theory.maps import ENGINES, ProgramMap
from erf_theory.routes import integers
from erf_theory.theory import theoretical_erf

BOX, SKEW = Kernel.uniform(3), Kernel([1, 2, 5], origin=(-1,))


def run(taps, times):
    kernel = Kernel(taps)
    return lambda field: field.convolve(kernel, 1, times)


def far_dilation(field):
    """theory.md, section 4: a contour is off by 9e-3 here."""
    return field.convolve(BOX, 1, 30).convolve(BOX, 100)


def long_far_dilation(field):
    return field.convolve(BOX, 1, 2500).convolve(BOX, 600)


def upsampled(field):
    return field.convolve(SKEW, 1, 3).decimate(2).convolve(BOX)


CHOICES = {
    "short line": (run([1, 1, 1], 20), 1, "convolution", "convolution"),
    "far tails": (run([1, 1, 1], 2000), 1, "convolution", "contour"),
    "long line": (run([1, 2, 5], 5000), 1, "contour", "contour"),
    "far dilation": (far_dilation, 1, "convolution", "convolution"),
    "long far dilation": (long_far_dilation, 1, "convolution", "balls"),
    "tiny tap": (run([1, 1e-20, 1], 300), 1, "convolution", "convolution"),
    "long tiny tap": (run([1, 1e-20, 1], 3000), 1, "convolution", "balls"),
    "signs": (run([1, -2, 1], 50), 1, "dtft", "balls"),
    "upsampled": (upsampled, 1, "convolution", "convolution"),
    "plane": (run([[1, 0], [1, 1]], 9), 2, "convolution", "convolution"),
    "signed plane": (run([[1, 0], [-1, 1]], 9), 2, "dtft", "balls"),
}


@pytest.mark.parametrize(("program", "ndim", "values", "logs"), CHOICES.values(), ids=CHOICES)
def test_the_fastest_engine_whose_answer_is_right_is_taken(program, ndim, values, logs):
    map_ = ProgramMap(program, ndim)
    assert (map_.shares.engine, map_.logs.engine) == (values, logs)


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "long tiny tap"])
def test_what_is_taken_is_right(name):
    program, ndim = CHOICES[name][:2]
    map_ = ProgramMap(program, ndim)
    numerators, total, log_norm = integers(program, extent_of(program, ndim))
    exact = np.array([n / total for n in numerators.flat]).reshape(numerators.shape)
    normal = np.abs(exact) >= np.finfo(float).tiny
    off, error = np.abs(map_.shares.values - exact), map_.shares.error
    assert np.max(off[normal] - 1e-10 * np.abs(exact[normal])) <= error
    logs = np.log(np.abs(exact[normal]))
    assert map_.logs.values[normal] == pytest.approx(logs, abs=1e-9)
    assert map_.shares.log_norm == pytest.approx(log_norm, rel=1e-12, abs=1e-12)


def test_a_tap_of_1e_20_is_not_lost_in_six_thousand_pixels():
    """theory.md, section 4: garbage on the contours; the definition adds what is positive."""
    program = CHOICES["long tiny tap"][0]
    automatic, convolved = ProgramMap(program, 1), ProgramMap(program, 1, "convolution")
    values = convolved.shares.values
    normal = values > np.finfo(float).tiny
    assert automatic.shares.values[normal] == pytest.approx(values[normal], rel=1e-10, abs=0)
    odd = normal[1::2]
    assert np.any(odd)
    logs = np.log(values[1::2][odd])
    assert automatic.logs.values[1::2][odd] == pytest.approx(logs, abs=1e-9)


@pytest.mark.parametrize("engine", ["auto", "contour"])
@pytest.mark.parametrize("n", [1, 2, 9, 2048, 3001])
@pytest.mark.parametrize("taps", [(1, 3, 1), (1, 5, 1), (1, 1, 1), (2, 3, 2), (0.1, 0.8, 0.1)])
def test_both_halves_of_a_symmetric_map_are_read(taps, n, engine):
    """Also where the mean, in the middle, is rounded to just below it."""
    erf = theoretical_erf(None, n, kernel=taps, engine=engine)
    expected = theoretical_erf(None, n, kernel=taps, engine="convolution").values
    normal = expected > np.finfo(float).tiny
    assert erf.values[normal] == pytest.approx(expected[normal], rel=1e-10, abs=0)
    assert np.array_equal(erf.log_values, erf.log_values[::-1])


@pytest.mark.parametrize("engine", [engine for engine in ENGINES if engine != "auto"])
def test_an_engine_that_is_asked_for_answers_alone(engine):
    map_ = ProgramMap(run([1, 1, 1], 20), 1, engine)
    assert map_.shares.engine == engine
    if engine == "dtft":
        with pytest.raises(EngineError, match="logarithms below its rounding"):
            _ = map_.logs
    else:
        assert map_.logs.engine == engine


def test_an_engine_that_is_asked_for_has_no_substitute():
    with pytest.raises(EngineError, match="log-concave"):
        _ = ProgramMap(far_dilation, 1, "contour").shares


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("fast", "no engine 'fast': choose one of auto, convolution, dtft, contour, multinomial"),
        ("", "no engine ''"),
        ("symbolic", "see symbolic_erf"),
        ("cumulants", "see std, covariance and cumulant"),
        ("support", "see theoretical_rf"),
        ("saddle", "the contour engine uses"),
    ],
)
def test_what_gives_no_map_is_refused(engine, message):
    with pytest.raises(ErfTheoryError, match=message):
        ProgramMap(run([1, 1], 2), 1, engine)


def test_refusals_lead_on_and_other_errors_do_not(monkeypatch):
    asked = []

    def refusing(name, error):
        def route(_program, _extent):
            asked.append(name)
            raise error(name)

        return route

    monkeypatch.setitem(maps.SHARES, "contour", refusing("contour", EngineError))
    found = ProgramMap(run([1, 1, 1], 5000), 1)
    assert (found.shares.engine, asked) == ("convolution", ["contour"])
    monkeypatch.setitem(maps.SHARES, "contour", refusing("contour", MapTooLargeError))
    with pytest.raises(MapTooLargeError):
        _ = ProgramMap(run([1, 1, 1], 5000), 1).shares


def test_nothing_is_computed_before_it_is_asked_for_nor_twice(monkeypatch):
    asked = []

    def counted(name, route):
        def look(program, extent):
            asked.append(name)
            return route(program, extent)

        return look

    for table in (maps.SHARES, maps.LOGS):
        for name, route in list(table.items()):
            monkeypatch.setitem(table, name, counted(name, route))
    erf = theoretical_erf(3, 20, ndim=3)
    assert (erf.shape, erf.theoretical_rf, erf.log_mass) == ((41,) * 3, (41,) * 3, 60 * log(3))
    assert erf.std == pytest.approx((40 / 3) ** 0.5)
    assert asked == []
    for _ in range(2):
        assert (erf.values.shape, erf.log_values.shape) == ((41,) * 3,) * 2
    assert asked == ["convolution", "convolution"]


@pytest.mark.parametrize(
    ("program", "ndim", "low", "shape"),
    [
        (run([0, 1, 0, 2, 0], 5), 1, (5,), (11,)),
        (run([[0, 0, 0], [0, 1, 2]], 2), 2, (2, 2), (1, 3)),
        (run([1, -1], 4), 1, (0,), (5,)),
        (lambda f: f.convolve(Kernel([1, 0, 0, 1]), 1, 2).decimate(2), 1, (0,), (4,)),
        (lambda f: f.convolve(Kernel([1, 1])) + f.convolve(Kernel([-1, 1])), 1, (1,), (1,)),
    ],
)
def test_the_box_of_the_support_is_without_the_rim_of_zeros(program, ndim, low, shape):
    assert ProgramMap(program, ndim).support_box == (low, shape)


@pytest.mark.parametrize("factor", [2, Fraction(2, 9), 0.1])
def test_a_factor_scales_the_mass_and_nothing_else(factor):
    plain = ProgramMap(run([1, 2, 5], 4), 1)
    scaled = ProgramMap(run([1, 2, 5], 4), 1, factor=factor, times=3)
    assert np.array_equal(scaled.shares.values, plain.shares.values)
    assert np.array_equal(scaled.logs.values, plain.logs.values)
    assert scaled.exact[1] == plain.exact[1]
    assert float(scaled.mass) == pytest.approx(8**4 * float(factor) ** 3, rel=1e-14)
    assert scaled.shares.log_norm == pytest.approx(scaled.log_mass, abs=1e-13)
    assert scaled.cumulant(2, 0) == pytest.approx(plain.cumulant(2, 0))


def recurrence(taps, n):
    """Coefficients of a power of a polynomial from its derivative (Euler), in integers."""
    found = [taps[0] ** n]
    for t in range(1, n * (len(taps) - 1) + 1):
        terms = range(1, min(t, len(taps) - 1) + 1)
        total = sum(((n + 1) * j - t) * taps[j] * found[t - j] for j in terms)
        found.append(total // (t * taps[0]))
    return found


@pytest.mark.parametrize("n", [100, 800, 3000])
@pytest.mark.parametrize("taps", [(1, 2, 5), (3, 1), (1, 1, 1), (1, 0, 7)])
def test_every_normal_double_and_every_logarithm_is_right(taps, n):
    exact, total = recurrence(taps, n), sum(taps) ** n
    erf, shares = theoretical_erf(None, n, kernel=taps), np.array([v / total for v in exact])
    normal = shares >= np.finfo(float).tiny
    assert erf.values[normal] == pytest.approx(shares[normal], rel=1e-10, abs=0)
    assert np.all(erf.values[~normal] <= np.finfo(float).tiny)
    logs = [log(v) - n * log(sum(taps)) if v else -np.inf for v in exact]
    assert erf.log_values.tolist() == pytest.approx(logs, abs=1e-9)
