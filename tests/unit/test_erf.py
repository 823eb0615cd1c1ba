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
def test_everything_shows_itself(make, tmp_path):
    erf = make()
    assert erf.call in repr(erf)
    assert "std" in repr(erf)
    assert erf._repr_png_().startswith(b"\x89PNG")
    html = erf._repr_html_()
    assert "<table>" in html
    assert "data:image/png;base64," in html
    erf.save_figure(tmp_path / "erf.svg")
    assert "erf_theory" in (tmp_path / "erf.svg").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("name", [n for n in RESULTS if n not in {"rms", "own rms", "profile"}])
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
    assert "no measures" in repr(theoretical_erf(3, 60, stride=2))


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
        (lambda _: theoretical_erf(3, 2, kernel=[1, -3, 1]).rms(), "has no root"),
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
