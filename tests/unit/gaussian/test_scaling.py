"""The √n law: what is exact, how fast the rest is reached, and what is refused."""

import json
from fractions import Fraction
from importlib.metadata import version
from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.archive import DEFINITIONS
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.lengths import LENGTHS
from erf_theory.gaussian.scaling import sqrt_scaling
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf, variance_erf

TAPS = st.integers(2, 9)
DEPTHS = st.lists(st.integers(1, 300), min_size=2, max_size=5, unique=True)
DEEP = st.integers(100, 2000).map(lambda n: [n, 2 * n])
KERNELS = st.lists(st.integers(1, 50), min_size=2, max_size=6)
KINDS = ["amplitude", "energy", "rms"]


@given(TAPS, DEPTHS, st.integers(1, 3), st.sampled_from(["amplitude", "energy"]))
def test_the_law_of_the_standard_deviation_is_exact(k, depths, ndim, kind):
    scaling = sqrt_scaling(k, depths, ndim=ndim, kind=kind)
    assert scaling.is_exact
    assert scaling.variance == Fraction(k * k - 1, 12)
    expected = np.sqrt(np.sort(depths) * (k * k - 1) / 12)
    assert scaling.predicted == pytest.approx(expected, rel=1e-14)
    assert scaling.values == pytest.approx(expected, rel=1e-12)
    assert scaling.growth.exponent == pytest.approx(0.5, abs=1e-12)
    assert scaling.growth(scaling.depths) == pytest.approx(expected, rel=1e-12)


@given(KERNELS, st.integers(1, 60), st.sampled_from(["amplitude", "energy"]))
def test_it_is_the_second_moment_of_the_map(taps, n, kind):
    scaling = sqrt_scaling(None, [n, n + 1], kernel=taps, kind=kind)
    line = np.array(taps, dtype=float)
    for depth, predicted in zip(scaling.depths, scaling.predicted, strict=True):
        map_ = np.ones(1)
        for _ in range(depth):
            map_ = np.convolve(map_, line / line.sum())
        x = np.arange(len(map_))
        assert predicted**2 == pytest.approx(map_ @ x**2 - (map_ @ x) ** 2, rel=1e-9)
    assert scaling.values == pytest.approx(scaling.predicted, rel=1e-12)


@given(TAPS, DEEP)
def test_the_root_map_has_twice_the_variance_in_the_limit(k, depths):
    """std/(√2 s) = 1 + g₄/(4n) + O(1/n²), from the first term of Edgeworth's series."""
    scaling = sqrt_scaling(k, depths, kind="rms")
    first = -0.3 * (k * k + 1) / (k * k - 1) / scaling.depths
    assert not scaling.is_exact
    assert scaling.ratio == pytest.approx(1 + first, abs=5 / depths[0] ** 2)


@given(TAPS, DEEP, st.integers(1, 3))
def test_participation_tends_to_its_limit_as_one_over_n(k, depths, ndim):
    """2√π s·(1 − g₄/(16n)) + O(1/n²), from T(2n, k, n(k−1)) by Edgeworth's first term."""
    scaling = sqrt_scaling(k, depths, measure="participation", ndim=ndim)
    first = 3 / 40 * (k * k + 1) / (k * k - 1) / scaling.depths
    assert scaling.ratio == pytest.approx(1 + first, abs=1 / depths[0] ** 2)
    std = np.sqrt(scaling.depths * (k * k - 1) / 12)
    assert scaling.predicted == pytest.approx(2 * sqrt(pi) * std)


@given(TAPS, DEEP, st.sampled_from(KINDS))
def test_the_half_width_tends_to_its_limit_as_one_over_n(k, depths, kind):
    """At most 0.31·(k²+1)/(k²−1)/n for the map, 0.35/s² more for lines between the pixels."""
    scaling = sqrt_scaling(k, depths, measure="half_width", kind=kind)
    bound = (0.31 * (k * k + 1) + 0.35 * 12) / (k * k - 1) / scaling.depths
    assert np.all(abs(scaling.ratio - 1) < bound)


def edgeworth(k, depths, factor):
    """A factor times |g₄|/(24n): by how much the first term of the series moves a length."""
    return factor * 0.05 * (k * k + 1) / (k * k - 1) / depths


@given(TAPS, DEEP, st.sampled_from(KINDS))
def test_sizes_in_one_dimension_are_steps_of_a_pixel(k, depths, kind):
    """Edgeworth: the line z = √(2 ln 22) moves by a factor z² − 6 for the map, 2z² − 6 for rms."""
    scaling = sqrt_scaling(k, depths, measure="size", kind=kind)
    bound = 1 + scaling.predicted * edgeworth(k, scaling.depths, 6.5)
    assert np.all(scaling.values % 1 == 0)
    assert np.all(abs(scaling.values - scaling.predicted) < bound)


@given(TAPS, DEEP, st.sampled_from(KINDS))
def test_sizes_in_the_plane_count_the_pixels_of_a_disc(k, depths, kind):
    """Gauss: a disc of radius r holds πr² pixels, give or take 2√2·πr."""
    scaling = sqrt_scaling(k, depths, measure="size", ndim=2, kind=kind)
    radius = scaling.predicted / sqrt(pi)
    assert np.all(abs(scaling.ratio**2 - 1) < 2 * sqrt(2) / radius + 3 / scaling.depths)


@given(TAPS, DEEP, st.integers(1, 3), st.sampled_from(KINDS))
def test_radii_are_off_by_half_a_pixel(k, depths, ndim, kind):
    """Edgeworth: quantiles z ≤ 2.43 move by a factor z² − 3 for the map, 2z² for rms."""
    scaling = sqrt_scaling(k, depths, measure="radius", ndim=ndim, kind=kind)
    bound = 0.5 + scaling.predicted * edgeworth(k, scaling.depths, 12)
    assert np.all(abs(scaling.values - scaling.predicted) < bound)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("measure", LENGTHS)
def test_the_share_falls_as_the_root(measure, kind):
    scaling = sqrt_scaling(3, [1000, 4000, 16_000], measure=measure, kind=kind, ndim=2)
    assert scaling.theoretical_rf.tolist() == [2001, 8001, 32_001]
    assert scaling.share == pytest.approx(scaling.values / scaling.theoretical_rf, rel=1e-15)
    assert scaling.share_law * np.sqrt(scaling.depths) == pytest.approx(scaling.coefficient / 2)
    assert scaling.share == pytest.approx(scaling.share_law, rel=0.02)
    assert scaling.growth.exponent == pytest.approx(0.5, abs=0.005)
    assert scaling.shrink.exponent == pytest.approx(-0.5, abs=0.005)


MAPS = {
    "amplitude": lambda n, **given: theoretical_erf(3, n, **given),
    "energy": lambda n, **given: variance_erf(3, n, **given),
    "rms": lambda n, **given: variance_erf(3, n, **given).rms(),
}


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("measure", LENGTHS)
def test_values_are_the_measures_of_the_maps(measure, kind, ndim):
    scaling = sqrt_scaling(3, [9, 4], measure=measure, kind=kind, ndim=ndim)
    maps = [MAPS[kind](n, ndim=ndim) for n in (4, 9)]
    assert scaling.values.tolist() == [LENGTHS[measure].of(erf) for erf in maps]
    assert (scaling.measure, scaling.kind, scaling.ndim) == (measure, kind, ndim)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("measure", LENGTHS)
def test_two_layers_in_one_are_two_layers(measure, kind):
    pair = sqrt_scaling(None, [3, 9], kernel=[1, 2, 1], measure=measure, kind=kind)
    single = sqrt_scaling(2, [6, 18], measure=measure, kind=kind)
    assert pair.variance == 2 * single.variance == Fraction(1, 2)
    assert pair.values == pytest.approx(single.values, rel=1e-12)
    assert pair.predicted == pytest.approx(single.predicted, rel=1e-14)
    assert pair.share_law == pytest.approx(single.share_law, rel=1e-14)


@pytest.mark.parametrize("taps", [[9, 1], [0, 9, 1], Kernel([9, 1], origin=(-5,))])
def test_a_mean_that_wanders_off_changes_no_length(taps):
    for measure in LENGTHS:
        left = sqrt_scaling(None, [200, 400], kernel=taps, measure=measure)
        right = sqrt_scaling(2, [200, 400], kernel=[1, 9], measure=measure)
        assert left.values == pytest.approx(right.values, rel=1e-9)
        assert left.theoretical_rf.tolist() == [201, 401]


def test_depths_come_in_any_order_and_each_counts_once():
    scaling = sqrt_scaling(3, iter([40, 5, np.int64(10), 5]))
    assert scaling.depths.tolist() == [5, 10, 40]
    assert scaling.call == "sqrt_scaling(3, [5, 10, 40])"


@pytest.mark.parametrize(
    ("depths", "text"),
    [
        ([5], "two different depths"),
        ([5, 5], "two different depths"),
        ([], "two different depths"),
        ([0, 5], "of 1 layer or more, not \\[0, 5\\]"),
        ([5, -1], "1 layer or more"),
        ([5, 2.5], "whole numbers, not \\[5, 2.5\\]"),
        (["5", "10"], "whole numbers"),
        (5, "whole numbers, not 5"),
    ],
)
def test_depths_without_growth_are_refused(depths, text):
    with pytest.raises(ErfTheoryError, match=text):
        sqrt_scaling(3, depths)


@pytest.mark.parametrize(
    ("k", "options", "text"),
    [
        (1, {}, "give two taps or more"),
        (0, {}, "k is 1 or more"),
        (None, {}, "give k"),
        (3, {"measure": "area"}, "std, size, radius, participation, half_width, not 'area'"),
        (3, {"kind": "sum"}, "amplitude, energy, rms, not 'sum'"),
        (3, {"ndim": 4}, "1, 2 or 3"),
        (None, {"kernel": [0, 2, 0]}, "give two taps or more"),
        (None, {"kernel": [1, -3, 1]}, "signs"),
        (None, {"kernel": [1, -3, 1], "kind": "energy"}, "signs"),
        (None, {"kernel": [1, 0, 1]}, "taps 2 pixels apart leave holes"),
        (None, {"kernel": [1, 0, 0, 1, 0, 0, 5]}, "taps 3 pixels apart"),
        (None, {"kernel": [[1, 2], [2, 1]], "ndim": 2}, "1-D"),
        (2, {"kernel": [1, 2, 1]}, "disagree"),
        (None, {"kernel": [1, 1000, 1], "measure": "radius"}, "radius of 1 layers is 0 px"),
    ],
)
def test_what_has_no_law_is_refused(k, options, text):
    with pytest.raises(ErfTheoryError, match=text):
        sqrt_scaling(k, [1, 5], **options)


@pytest.mark.parametrize("taps", [[1, 0, 1, 1], [0, 3, 1, 0]])
def test_zeros_that_leave_no_holes_are_taps(taps):
    scaling = sqrt_scaling(None, [100, 200], kernel=taps, measure="size")
    assert scaling.ratio == pytest.approx(1, abs=0.1)


CALLS = [
    sqrt_scaling(3, [5, 10, 20]),
    sqrt_scaling(2, [5, 10], measure="size", ndim=2, kind="rms"),
    sqrt_scaling(None, [1, 2, 3], kernel=[1, 2.5], measure="half_width"),
    sqrt_scaling(4, range(1, 100), measure="participation", kind="energy"),
]


@pytest.mark.parametrize("scaling", CALLS[:3])
def test_its_call_makes_it_again(scaling):
    again = eval(scaling.call, {"sqrt_scaling": sqrt_scaling})  # noqa: S307
    assert again.to_dict() == scaling.to_dict()


def test_a_long_call_is_cut():
    assert CALLS[3].call.startswith("sqrt_scaling(4, [1, 2, 3,")
    assert len(CALLS[3].call) < 140


@pytest.mark.parametrize("scaling", CALLS)
def test_a_file_holds_the_table_and_what_made_it(scaling, tmp_path):
    scaling.save(tmp_path / "scaling.json")
    text = (tmp_path / "scaling.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=pytest.fail)
    assert record["format"] == "erf_theory.Scaling/1"
    assert record["package"] == f"erf_theory {version('erf-theory')}"
    assert (record["call"], record["kind"]) == (scaling.call, scaling.kind)
    assert record["definition"] == DEFINITIONS[scaling.kind]
    for name in ("depths", "values", "predicted", "ratio", "theoretical_rf", "share", "share_law"):
        assert record[name] == getattr(scaling, name).tolist()
    for name, law in (("growth", 0.5), ("shrink", -0.5)):
        fit = getattr(scaling, name)
        interval = None if fit.interval is None else list(fit.interval)
        expected = {"interval": interval, "confidence": 0.95, "law": law}
        assert record[name] == {"exponent": fit.exponent, **expected}
    assert float(Fraction(record["variance_per_layer"])) == float(scaling.variance)
    assert record["exact"] == (scaling.measure == "std")


@pytest.mark.parametrize("scaling", CALLS)
def test_the_table_says_what_was_found(scaling):
    title, head, *rows = scaling.lines()
    assert title[1] == f"{scaling.ndim}-D {scaling.kind} {scaling.measure} of {scaling.call}"
    assert head == ("layers", scaling.measure, "√n law", "ratio", "field", "share", "1/√n law")
    table, facts = rows[: len(scaling.depths)], dict(rows[len(scaling.depths) :])
    columns = [
        scaling.depths,
        scaling.values,
        scaling.predicted,
        scaling.ratio,
        scaling.theoretical_rf,
        scaling.share,
        scaling.share_law,
    ]
    said = np.array(table, dtype=float)
    assert said == pytest.approx(np.stack(columns, axis=1), rel=6e-4)
    assert facts["growth as power of n"] == str(scaling.growth)
    assert facts["share as power of n"] == str(scaling.shrink)
    assert facts["√n law"] == ("exact" if scaling.is_exact else "limit of many layers")
    lines = repr(scaling).splitlines()
    assert lines[0] == title[1]
    assert [tuple(line.split("  ")[1:]) for line in lines[len(table) + 2 :]] == [
        (f"{name}: {text}",) for name, text in facts.items()
    ]
    assert len({len(line) for line in lines[1 : len(table) + 2]}) == 1


@pytest.mark.parametrize("scaling", CALLS)
def test_it_shows_itself_in_a_notebook(scaling, tmp_path):
    html = scaling._repr_html_()
    assert html.count("<tr>") == len(scaling.lines()) - 1
    assert html.count("<td colspan='6'>") == 4
    assert "data:image/png;base64," in html
    scaling.save_figure(tmp_path / "scaling.svg")
    assert scaling.call[:40] in (tmp_path / "scaling.svg").read_text(encoding="utf-8")


def test_the_picture_is_given_the_table():
    scaling = CALLS[0]
    figure = scaling.plot()
    for ax, points, law in zip(
        figure.axes,
        (scaling.values, scaling.share),
        (scaling.predicted, scaling.share_law),
        strict=True,
    ):
        drawn = [line.get_ydata() for line in ax.lines]
        assert any(np.array_equal(y, points) for y in drawn)
        assert any(np.array_equal(y, law) for y in drawn)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any(str(scaling.growth) in name for name in names)
    assert any(str(scaling.shrink) in name for name in names)


def test_arrays_are_read_only():
    for array in (CALLS[0].depths, CALLS[0].values, CALLS[0].theoretical_rf):
        assert not array.flags.writeable
