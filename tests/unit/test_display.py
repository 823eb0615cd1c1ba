"""What an ERF says of itself and what it gives to the pictures."""

import re
from base64 import b64decode
from html import unescape
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from erf_theory import plotting
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.theory import theoretical_erf, variance_erf

TURNED = [[0, 1, 0], [2, 1, 3], [0, 5, 0]]
SHOWN = {
    "impulse": lambda: theoretical_erf(3, 0),
    "impulse in a volume": lambda: theoretical_erf(3, 0, ndim=3),
    "pointwise": lambda: theoretical_erf(1, 5, ndim=2),
    "even": lambda: theoretical_erf(2, 1),
    "signed": lambda: theoretical_erf(3, 9, kernel=[1, -3, 1]),
    "signed plane": lambda: theoretical_erf(2, 5, kernel=[1, -1], ndim=2),
    "strided": lambda: theoretical_erf(3, 4, stride=2, dilation=3),
    "flat": lambda: theoretical_erf(3, 9, kernel=[1, 1, 1], stride=3),
    "far": lambda: theoretical_erf(3, 100_000),
    "large plane": lambda: theoretical_erf(3, 3000, ndim=2),
    "large volume": lambda: theoretical_erf(3, 1500, ndim=3),
    "rms": lambda: variance_erf(3, 6, ndim=2).rms(),
    "own volume": lambda: theoretical_erf(None, 3, kernel=np.arange(8).reshape(2, 2, 2), ndim=3),
}
shown = pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)


@pytest.fixture
def given(monkeypatch):
    """What the pictures are given: positions and named arguments of each call."""
    calls = []
    for name in ("profile_figure", "map_figure", "volume_figure"):
        original = getattr(plotting, name)

        def draw(*arrays, original=original, **named):
            calls.append((arrays, named))
            return original(*arrays, **named)

        monkeypatch.setattr(plotting, name, draw)
    return calls


@shown
def test_it_shows_itself_in_a_notebook(make):
    erf = make()
    html = erf._repr_html_()
    image = re.search(r"src='data:image/png;base64,([^']+)'", html)[1]
    with Image.open(BytesIO(b64decode(image))) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 200
        assert erf.call in picture.text["Description"]
    cells = re.findall(r"<tr><th[^>]*>([^<]*)</th><td>([^<]*)</td></tr>", html)
    assert [(unescape(a), unescape(b)) for a, b in cells] == erf.lines()[1:]


@shown
def test_the_text_says_the_measures(make):
    erf = make()
    title, *rows = erf.lines()
    said = dict(rows)
    assert title[1] == f"{erf.ndim}-D {erf.kind} ERF of {erf.call}"
    assert said["theoretical receptive field"].split(" px")[0].split(" × ") == [
        str(m) for m in erf.theoretical_rf
    ]
    for name, value in (("std", erf.std), ("size", erf.size()), ("half width", erf.half_width())):
        assert float(said[name].split()[0]) == pytest.approx(value, rel=1e-3, abs=1e-12)
    assert float(said["log mass"]) == pytest.approx(erf.log_mass, rel=1e-5)
    assert said["theory"] == "exact"
    assert ("rounding error" in said) == (erf.error > 0)
    assert repr(erf).splitlines()[0] == title[1]
    assert all(f"{name} {text}" in repr(erf) for name, text in rows)


@pytest.mark.parametrize("name", [name for name, make in SHOWN.items() if make().ndim > 1])
def test_a_picture_is_given_the_map_or_its_middle(name, given):
    erf = SHOWN[name]()
    erf.plot()
    (((offsets, drawn), named),) = given
    assert named["title"] == f"{erf.ndim}-D {erf.kind} ERF of {erf.call}"
    assert named["extent"] == erf.frame
    assert named["threshold"] == pytest.approx(1 - 0.9545)
    kept = [np.isin(x, k) for x, k in zip(erf.offsets, offsets, strict=True)]
    assert all(
        np.sum(k) == m or np.sum(k) > 20 * erf.std for k, m in zip(kept, erf.shape, strict=True)
    )
    sums = [np.abs(erf.profile(axis).values)[k] for axis, k in enumerate(kept)]
    planes = (
        [(drawn, (0, 1))] if erf.ndim == 2 else zip(drawn, ((1, 2), (0, 2), (0, 1)), strict=True)
    )
    for plane, (i, j) in planes:
        assert plane.shape == (len(offsets[i]), len(offsets[j]))
        assert np.abs(plane).sum(axis=1) == pytest.approx(sums[i], abs=1e-12)
        assert np.abs(plane).sum(axis=0) == pytest.approx(sums[j], abs=1e-12)
    for axis, line in enumerate(named.get("profiles", [])):
        assert np.abs(line) == pytest.approx(sums[axis], abs=1e-14)


@pytest.mark.parametrize("name", [name for name, make in SHOWN.items() if make().ndim == 1])
def test_a_line_is_drawn_as_it_is(name, given):
    erf = SHOWN[name]()
    erf.plot()
    (((offsets, values), named),) = given
    assert offsets is erf.offsets[0]
    assert values is erf.values
    assert named["log_values"] is erf.log_values
    assert named["sign"] is erf.sign
    assert named["extent"] == erf.frame[0]
    assert named["mean"] == erf.mean[0]
    assert (
        np.isnan(named["std"]) if not erf.is_nonnegative else named["std"] == pytest.approx(erf.std)
    )


def test_planes_of_a_volume_are_sums_over_the_third_axis(given):
    for make in (SHOWN["own volume"], lambda: theoretical_erf(None, 2, kernel=[1, 2], ndim=3)):
        make().plot()
    for erf, (arrays, _) in zip(
        (SHOWN["own volume"](), theoretical_erf(None, 2, kernel=[1, 2], ndim=3)), given, strict=True
    ):
        for axis, plane in enumerate(arrays[1]):
            assert plane == pytest.approx(erf.values.sum(axis=axis), abs=1e-15)


def test_reasons_are_said_and_cannot_break_the_page():
    erf = theoretical_erf(3, 2)
    guess = ERF(erf.factors, "energy", "net(<b>)", ("lags <script> were dropped", "so & so"))
    assert ("theory", "approximate") in guess.lines()
    assert [text for name, text in guess.lines() if name == "because"] == list(guess.reasons)
    html = guess._repr_html_()
    assert "<script>" not in html
    assert "<b>net(&lt;b&gt;)" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("erf", "refused"),
    [
        (theoretical_erf(3, 60, stride=2), {"size", "half width"}),
        (theoretical_erf(3, 10**12), {"size", "half width"}),
        (theoretical_erf(3, 3000, stride=2), {"std", "size", "half width"}),
        (theoretical_erf(3, 3, dilation=10**5000), {"std", "size", "half width"}),
        (
            theoretical_erf(2, 9, kernel=[1, -1], engine="contour"),
            {"theoretical receptive field", "size", "half width"},
        ),
    ],
)
def test_what_is_refused_says_why_and_the_rest_is_there(erf, refused):
    _, *rows = erf.lines()
    said = {part for names, text in rows if "refused: " in text for part in names.split(", ")}
    assert said == refused
    names = {"theoretical receptive field", "std", "size", "half width", "log mass", "theory"}
    given = {name for name, text in rows if "refused: " not in text}
    assert given == names - refused
    assert "refused: " in repr(erf)
    with pytest.raises(ErfTheoryError):
        erf.summary()


@pytest.mark.parametrize(
    ("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_files_are_the_same_every_time_and_know_their_call(suffix, head, tmp_path):
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    for path in (first, second):
        theoretical_erf(3, 7, ndim=2).save_figure(path)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().startswith(head)
    assert suffix == "pdf" or b"theoretical_erf(3, 7, ndim=2)" in first.read_bytes()
