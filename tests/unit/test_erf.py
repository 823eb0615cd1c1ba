import json
from fractions import Fraction
from math import log

import numpy as np
import pytest

from erf_theory.erf import ERF
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.theory import theoretical_erf, variance_erf

TURNED = [[0, 1, 0], [2, 1, 3], [0, 5, 0]]
RESULTS = {
    "line": lambda: theoretical_erf(3, 20),
    "even": lambda: theoretical_erf(2, 7),
    "signed": lambda: theoretical_erf(3, 9, kernel=[1, -3, 1]),
    "no mass": lambda: theoretical_erf(3, 4, kernel=[1, -2, 1]),
    "negative mass": lambda: theoretical_erf(2, 3, kernel=[1, -2]),
    "floats": lambda: theoretical_erf(3, 6, kernel=[0.1, 0.7, 0.2]),
    "plane": lambda: theoretical_erf(3, 5, ndim=2),
    "own plane": lambda: theoretical_erf(3, 5, ndim=2, kernel=TURNED),
    "volume": lambda: theoretical_erf(2, 4, ndim=3),
    "strided": lambda: theoretical_erf(3, 4, stride=2, dilation=2),
    "impulse": lambda: theoretical_erf(3, 0, ndim=2),
    "energy": lambda: variance_erf(3, 8, weight_variance=0.1),
    "rms": lambda: variance_erf(3, 6, ndim=2).rms(),
    "own rms": lambda: variance_erf(3, 3, ndim=2, weight_variance=TURNED).rms(),
    "profile": lambda: theoretical_erf(3, 5, ndim=2, kernel=TURNED).profile(1),
    "own profile": lambda: variance_erf(3, 4, ndim=2, weight_variance=3).profile(1),
}
every_result = pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)


@every_result
def test_files_bring_everything_back(make, tmp_path):
    erf = make()
    erf.save(tmp_path / "erf.json")
    back = ERF.load(tmp_path / "erf.json")
    for name in ("values", "log_values", "sign"):
        assert np.array_equal(getattr(back, name), getattr(erf, name))
    assert (back.log_mass, back.kind, back.call) == (erf.log_mass, erf.kind, erf.call)
    assert back.frame == erf.frame
    assert float(back.mass) == pytest.approx(float(erf.mass), rel=1e-14)
    for name, value in erf.summary().items():
        if value is not None:
            assert back.summary()[name] == pytest.approx(value, rel=1e-9, abs=1e-9)
    with pytest.raises(EngineError, match="known by its samples"):
        back.exact()


@every_result
def test_values_are_normalised_and_read_only(make):
    erf = make()
    assert np.sum(np.abs(erf.values)) == pytest.approx(1, abs=1e-12)
    assert erf.values.shape == erf.shape == tuple(map(len, erf.offsets))
    assert np.array_equal(np.asarray(erf), erf.values)
    inside = erf.sign != 0
    assert np.exp(erf.log_values[inside]) == pytest.approx(np.abs(erf.values[inside]), rel=1e-9)
    assert np.array_equal(np.isneginf(erf.log_values), ~inside)
    with pytest.raises(ValueError, match="read-only"):
        erf.values[0] = 1
    assert float(np.sum(erf.values)) * np.exp(erf.log_norm) == pytest.approx(
        float(erf.mass), rel=1e-9, abs=1e-9
    )


@every_result
def test_records_are_json_with_provenance(make):
    record = json.loads(json.dumps(make().to_dict(), allow_nan=False))
    assert record["package"].startswith("erf_theory ")
    assert record["call"]
    assert record["definition"]
    assert record["exactness"] == "exact"


@every_result
def test_moments_are_those_of_the_values(make):
    erf = make()
    weights = np.abs(erf.values)
    for axis, x in enumerate(erf.offsets):
        others = tuple(i for i in range(erf.ndim) if i != axis)
        line = weights.sum(axis=others)
        mean = float(line @ x)
        assert erf.mean[axis] == pytest.approx(mean, abs=1e-10)
        assert float(erf.cumulant(2, axis)) == pytest.approx(line @ (x - mean) ** 2, abs=1e-9)
        assert float(erf.cumulant(3, axis)) == pytest.approx(line @ (x - mean) ** 3, abs=1e-8)
    assert erf.std**2 == pytest.approx(np.trace(erf.covariance) / erf.ndim, abs=1e-12)


def pixels(erf, centre):
    """The definition of every measure: magnitudes with their distances from a centre."""
    weights = np.abs(erf.values)
    middle = [float(np.sum(weights * g)) if centre == "mean" else 0.0 for g in grids(erf)]
    steps = [np.abs(g - m) for g, m in zip(grids(erf), middle, strict=True)]
    square = np.maximum.reduce(np.broadcast_arrays(*steps))
    return weights, {"square": square, "disc": np.sqrt(sum(s**2 for s in steps))}


def grids(erf):
    return np.meshgrid(*erf.offsets, indexing="ij")


@every_result
@pytest.mark.parametrize("centre", ["unit", "mean"])
@pytest.mark.parametrize("shape", ["square", "disc"])
def test_radii_are_the_smallest_that_hold_their_share(make, shape, centre):
    erf = make()
    weights, distances = pixels(erf, centre)
    for share in (0.03, 0.2, 0.5, 0.77, 0.99):
        radius = erf.radius(share, shape, centre)
        assert np.min(np.abs(distances[shape] - radius)) < 1e-9
        assert np.sum(weights[distances[shape] <= radius + 1e-9]) >= share - 1e-9
        assert np.sum(weights[distances[shape] < radius - 1e-9]) < share + 1e-9


@every_result
def test_sizes_and_squares_count_pixels(make):
    erf = make()
    weights, distances = pixels(erf, "unit")
    peak, sides = weights.max(), np.round(2 * distances["square"]) + 1
    for level in (0.9545, 0.83, 0.37):
        count = np.count_nonzero(weights > (1 - level) * peak)
        assert erf.size(level) == pytest.approx(count ** (1 / erf.ndim), rel=1e-12)
    for share in (0.2, 0.31, 0.52, 0.985):
        side = next(s for s in np.unique(sides) if np.sum(weights[sides <= s]) > share + 1e-12)
        assert erf.area_ratio(share, 50) == pytest.approx(side**erf.ndim / 50**erf.ndim, rel=1e-12)
        box = np.prod(erf.theoretical_rf)
        assert erf.area_ratio(share) == pytest.approx(side**erf.ndim / box, rel=1e-12)
    assert erf.participation() == pytest.approx(1 / np.sum(weights**2), rel=1e-12)


@every_result
def test_profiles_sum_over_the_other_axes(make):
    erf = make()
    for axis in range(erf.ndim):
        others = tuple(i for i in range(erf.ndim) if i != axis)
        line = erf.profile(axis)
        summed = np.abs(erf.values).sum(axis=others)
        assert np.abs(line.values) == pytest.approx(summed, abs=1e-14)
        assert np.array_equal(line.offsets[0], erf.offsets[axis])
        assert erf.profile(axis - erf.ndim).call == f"{erf.call}.profile({axis - erf.ndim})"
        assert erf.half_width(axis) == line.half_width()
        first, last = np.flatnonzero(summed)[[0, -1]]
        assert line.frame[0] == erf.frame[axis]
        assert erf.frame[axis] == pytest.approx(erf.offsets[axis][[first, last]] + [-0.5, 0.5])


@pytest.mark.parametrize("name", [n for n, make in RESULTS.items() if make().kind == "energy"])
def test_rms_maps_are_roots_of_the_energy(name):
    erf = RESULTS[name]()
    rms, roots = erf.rms(), np.sqrt(erf.values)
    assert rms.values == pytest.approx(roots / roots.sum(), rel=1e-12, abs=0)
    assert rms.log_mass == pytest.approx(erf.log_mass / 2 + np.log(roots.sum()), abs=1e-11)
    assert float(rms.mass) == pytest.approx(np.exp(rms.log_mass), rel=1e-12)
    assert (rms.kind, rms.call) == ("rms", f"{erf.call}.rms()")


def test_rms_maps_look_wider_by_the_root_of_two():
    erf = variance_erf(3, 3000)
    assert erf.rms().std == pytest.approx(2**0.5 * erf.std, rel=1e-3)


@pytest.mark.parametrize("variance", [10, 1e-9])
def test_a_root_may_have_a_mass_that_no_double_holds(variance):
    rms = variance_erf(3, 10_000, weight_variance=variance).rms()
    assert rms.log_mass == pytest.approx(5000 * log(variance * 3), rel=1e-3)
    with pytest.raises(ErfTheoryError, match="ask for log_mass"):
        _ = rms.mass


def test_arrays_are_made_as_numpy_asks():
    erf = theoretical_erf(3, 4, ndim=2)
    assert np.asarray(erf) is erf.values
    assert np.asarray(erf, dtype=np.float32).dtype == np.float32
    copy = np.array(erf)
    copy[0] = 1
    assert erf.values[0, 0] == pytest.approx(3.0**-8, rel=1e-13)
    for array in (erf.values, erf.log_values, erf.sign, erf.covariance, *erf.offsets):
        assert not array.flags.writeable


def test_cumulants_stay_exact():
    erf = theoretical_erf(None, 4, kernel=[1, 2, 5], ndim=2)
    one = [Fraction(3, 2) - 1, Fraction(1, 2)]
    assert (erf.cumulant(1, -1), erf.cumulant(2)) == (4 * one[0], 4 * one[1])
    assert erf.covariance.tolist() == [[2, 0], [0, 2]]
    assert all(isinstance(erf.cumulant(r), int | Fraction) for r in range(1, 7))


def test_a_width_that_no_double_holds_is_refused():
    erf = theoretical_erf(3, 2000, stride=2)
    assert isinstance(erf.cumulant(2), int | Fraction)
    for ask in (lambda: erf.std, lambda: erf.covariance, erf.summary):
        with pytest.raises(ErfTheoryError):
            ask()


SAMPLED = {"rms", "own rms", "profile"}


@pytest.mark.parametrize("name", [name for name in RESULTS if name not in SAMPLED])
def test_exact_numbers_equal_the_values(name):
    erf = RESULTS[name]()
    numerators, denominator = erf.exact()
    assert sum(abs(int(n)) for n in numerators.flat) == denominator
    exact = [float(Fraction(int(n), denominator)) for n in numerators.flat]
    atol = erf.error + 1e-15
    assert np.allclose(erf.values.ravel(), exact, rtol=1e-10, atol=atol)


def test_signs_of_masses():
    assert theoretical_erf(3, 4, kernel=[1, -2, 1]).mass == 0
    assert theoretical_erf(3, 4, kernel=[1, -2, 1]).log_mass == -np.inf
    assert theoretical_erf(2, 3, kernel=[1, -2]).mass == -1


def test_area_ratios():
    erf = theoretical_erf(3, 5)
    assert erf.area_ratio(0.5) == 3 / 11
    assert erf.area_ratio(0.5, image_size=100) == 3 / 100
    plane = theoretical_erf(3, 5, ndim=2)
    assert plane.area_ratio(0.98) == (2 * 4 + 1) ** 2 / 121
    scaled = np.log10(plane.values * 3.0**10 + 1)
    wide = [
        side
        for side in range(1, 12, 2)
        if scaled[5 - side // 2 : 6 + side // 2, 5 - side // 2 : 6 + side // 2].sum()
        > 0.5 * scaled.sum()
    ]
    assert plane.area_ratio(0.5, log=True) == wide[0] ** 2 / 121


def test_exactness_and_reasons():
    erf = theoretical_erf(3, 5)
    assert (erf.exactness, erf.reasons, erf.error) == ("exact", (), 0)
    guess = ERF(erf.factors, "energy", "a guess", ("lags were dropped",))
    assert guess.exactness == "approximate"
    assert "lags were dropped" in repr(guess)


def test_measures_do_not_need_the_map():
    erf = theoretical_erf(3, 10**6, ndim=3)
    assert erf.theoretical_rf == (2 * 10**6 + 1,) * 3
    assert erf.std == pytest.approx((2e6 / 3) ** 0.5, rel=1e-14)
    assert erf.log_mass == pytest.approx(3e6 * log(3), rel=1e-14)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda erf: erf.size(1), "level lies between"),
        (lambda erf: erf.size(float("nan")), "level lies between"),
        (lambda erf: erf.radius(0), "above 0 and at most 1"),
        (lambda erf: erf.radius(0.5, shape="cube"), "shape is one of square, disc"),
        (lambda erf: erf.radius(0.5, centre="edge"), "centre is one of unit, mean"),
        (lambda erf: erf.area_ratio(1), "at least 0 and below 1"),
        (lambda erf: erf.area_ratio(0.5, image_size=0), "at least one pixel"),
        (lambda erf: erf.cumulant(0), "start at order 1"),
        (lambda erf: erf.profile(2), "axes 0 to 0, not 2"),
        (lambda erf: erf.save_figure("erf.gif"), "png"),
        (lambda erf: erf.rms(), "of kind amplitude: ask variance_erf"),
        (lambda _: variance_erf(3, 2).rms().rms(), "of kind rms"),
        (lambda erf: erf.area_ratio(0.5, image_size=2.5), r"2\.5 is no whole number"),
        (lambda erf: erf.area_ratio(0.5, image_size=[5, 5]), "2 entries for 1 axes"),
        (lambda erf: erf.area_ratio("a"), "is a number, not 'a'"),
        (lambda erf: erf.radius("a"), "is a number, not 'a'"),
        (lambda erf: erf.size("a"), "is a number, not 'a'"),
        (lambda erf: erf.cumulant(2.5), r"a whole number, not 2\.5"),
        (lambda erf: erf.cumulant(2, 0.0), r"a whole number, not 0\.0"),
        (lambda erf: erf.profile(0.0), r"a whole number, not 0\.0"),
        (lambda erf: erf.half_width("x"), "a whole number, not 'x'"),
    ],
)
def test_nonsense_is_refused(ask, message):
    with pytest.raises(ErfTheoryError, match=message):
        ask(theoretical_erf(3, 5))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "other"}'])
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ErfTheoryError, match=r"no JSON|no saved ERF"):
        ERF.load(path)
