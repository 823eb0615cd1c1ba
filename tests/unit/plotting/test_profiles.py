"""The 1-D figure: what is drawn on its two axes, and what it is called."""

from math import log

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.patches import StepPatch
from scipy.stats import norm

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import profile_figure

LEVEL = 0.0455


def line_of(ax, label):
    (line,) = (line for line in ax.lines if line.get_label().startswith(label))
    return line.get_data()


def test_a_profile_has_a_linear_and_a_logarithmic_axis(binomial):
    x, values, given = binomial(10)
    figure = profile_figure(x, values, threshold=LEVEL, title="ten layers", **given)
    linear, tails = figure.axes
    assert [ax.get_title() for ax in figure.axes] == ["linear axis", "logarithmic axis"]
    assert {ax.get_xlabel() for ax in figure.axes} == {
        "offset from the unit's centre (input pixels)"
    }
    assert (linear.get_ylabel(), tails.get_ylabel()) == ("normalised map",) * 2
    assert figure.get_suptitle() == "ten layers"
    assert np.array_equal(line_of(linear, "ERF"), (x, values))


def test_the_legend_of_a_profile_says_what_is_counted(binomial, labels):
    x, values, given = binomial(10)
    counted = np.sum(values > LEVEL * values.max())
    assert labels(profile_figure(x, values, threshold=LEVEL, label="ten", **given)) == [
        "ten",
        "Gaussian (std 1.581 px)",
        f"above 4.55 % of the maximum ({counted} px)",
        "theoretical receptive field (11 px)",
    ]


def test_the_pixels_above_the_threshold_are_shaded(binomial):
    x, values, given = binomial(10)
    shaded, plain = (profile_figure(x, values, threshold=t, **given).axes[0] for t in (LEVEL, None))
    (cells,) = (patch for patch in shaded.patches if isinstance(patch, StepPatch))
    above = values > LEVEL * values.max()
    assert np.array_equal(cells.get_data().values[above], values[above])
    assert np.array_equal(np.isnan(cells.get_data().values), ~above)
    assert np.array_equal(cells.get_data().edges, np.append(x, 6) - 0.5)
    assert not plain.patches


@pytest.mark.parametrize("mean", [0.0, 2.5])
def test_the_gaussian_is_the_normal_density(mean, binomial, gaussian_of):
    x, values, given = binomial(10)
    figure = profile_figure(x, values, **given | {"mean": mean, "std": 1.5})
    (at, linear), (tails_at, tails) = map(gaussian_of, figure.axes)
    assert linear == pytest.approx(norm.pdf(at, mean, 1.5), rel=1e-12)
    assert tails * log(10) == pytest.approx(norm.logpdf(tails_at, mean, 1.5), rel=1e-12)
    assert (tails_at[0], tails_at[-1]) == given["extent"]
    assert mean in at


@pytest.mark.parametrize("std", [0.0, np.nan])
def test_a_map_without_width_has_no_gaussian(std, labels):
    figure = profile_figure([0], [1.0], mean=0, std=std, extent=(-0.5, 0.5))
    assert labels(figure) == ["ERF", "theoretical receptive field (1 px)"]
    assert figure.axes[1].get_ylim() == (-1, 1)


def test_a_map_of_zeros_has_no_gaussian(labels):
    figure = profile_figure([0, 1], [0.0, 0.0], mean=0, std=1.0, extent=(-0.5, 1.5))
    assert labels(figure) == ["ERF", "theoretical receptive field (2 px)"]


def test_a_signed_map_lies_between_two_gaussians(signed):
    x, values, given = signed(100)
    linear, tails = profile_figure(x, values, **given | {"std": 5.0}).axes
    above, below = (line for line in linear.lines if line.get_color() == "#D55E00")
    assert above.get_ydata() == pytest.approx(norm.pdf(above.get_xdata(), 0, 5), rel=1e-12)
    assert np.array_equal(below.get_ydata(), -above.get_ydata())
    assert above.get_ydata().max() == pytest.approx(abs(values).max(), rel=0.01)
    assert sum(line.get_color() == "#D55E00" for line in tails.lines) == 1


def test_both_axes_mark_the_theoretical_receptive_field(binomial):
    x, values, given = binomial(10)
    for ax in profile_figure(x, values, **given).axes:
        edges = [line.get_xdata()[0] for line in ax.lines if line.get_color() == "#555555"]
        assert edges == [-5.5, 5.5]


def test_a_wide_field_is_zoomed_on_the_linear_axis_only(binomial):
    x, values, given = binomial(1000)
    linear, tails = profile_figure(x, values, **given).axes
    low, high = linear.get_xlim()
    seen = (x >= low) & (x <= high)
    assert values[~seen].max() < 1e-3 * values.max()
    assert 6 * given["std"] < high - low < 12 * given["std"]
    assert linear.get_title().endswith(" of 1001 px")
    assert tails.get_xlim() == pytest.approx((-530.53, 530.53))


def test_few_samples_are_stems_and_many_are_a_line(binomial):
    for n, stems in ((20, 1), (1000, 0)):
        x, values, given = binomial(n)
        linear = profile_figure(x, values, **given).axes[0]
        assert sum(isinstance(c, LineCollection) for c in linear.collections) == stems
        style = next(line for line in linear.lines if line.get_label() == "ERF").get_linestyle()
        assert style == ("None" if stems else "-")


def test_tails_far_below_the_smallest_double_are_drawn(binomial):
    x, values, given = binomial(20_000)
    tails = profile_figure(x, values, **given).axes[1]
    height = tails.lines[0].get_ydata()
    assert values.min() == 0
    assert height == pytest.approx(given["log_values"] / log(10), rel=1e-15)
    assert tails.get_ylim()[0] < height.min() < -6000
    assert tails.yaxis.get_major_formatter()(-4000) == "$10^{-4000}$"


def test_exact_zeros_are_gaps_between_markers():
    values = np.array([0.25, 0, 0.5, 0, 0.25])
    figure = profile_figure(np.arange(-2, 3), values, mean=0, std=2**0.5, extent=(-2.5, 2.5))
    markers, line = figure.axes[1].lines[:2]
    assert markers.get_xdata().tolist() == [-2, 0, 2]
    assert np.array_equal(np.isnan(line.get_ydata()), values == 0)
    assert figure.axes[1].get_ylim()[0] > -1


def test_a_signed_map_tells_its_signs_apart(signed, labels):
    x, values, given = signed(8)
    figure = profile_figure(x, values, **given)
    linear, tails = figure.axes
    assert labels(figure)[:2] == ["ERF, positive", "ERF, negative"]
    for i, part in enumerate([values > 0, values < 0]):
        assert np.array_equal(linear.lines[i].get_data(), (x[part], values[part]))
        assert 10 ** tails.lines[i].get_ydata() == pytest.approx(abs(values[part]), rel=1e-13)
    assert len({line.get_marker() for line in linear.lines[:2]}) == 2
    assert linear.get_ylim()[0] < values.min()
    assert tails.get_ylabel() == "normalised map (magnitude)"


def test_signs_can_be_given_where_values_underflow(signed):
    x, values, given = signed(4000)
    sign = (-1) ** np.arange(x.size)
    tails = profile_figure(x, values, sign=sign, **given).axes[1]
    assert [line.get_xdata().size for line in tails.lines[:2]] == [2001, 2000]


def test_a_short_logarithmic_axis_names_twos_and_fives(binomial):
    x, values, given = binomial(5)
    axis = profile_figure(x, values, **given).axes[1].yaxis
    named = {round(10**y, 3): axis.get_minor_formatter()(y) for y in axis.get_minorticklocs()}
    assert named[0.05] == r"$5\times10^{-2}$"
    assert named[0.2] == r"$2\times10^{-1}$"
    assert named[0.03] == ""


@pytest.mark.parametrize("n", [1, 20, 100_000])
def test_all_of_it_is_inside_the_figure(n, binomial, overhang):
    x, values, given = binomial(n)
    title = "a title of many words " * 9
    figure = profile_figure(x, values, threshold=LEVEL, title=title, **given)
    assert overhang(figure) == 0
    figure.text(0.5, 0.5, "much too long " * 99)
    assert overhang(figure) > 1


@pytest.mark.parametrize(
    ("arrays", "shape"),
    [
        ({"values": [1]}, r"\(1,\)"),
        ({"log_values": [0, 0, 0]}, r"\(3,\)"),
        ({"sign": [[1, 1]]}, r"\(1, 2\)"),
        ({"offsets": [], "values": []}, r"\(0,\)"),
    ],
)
def test_arrays_that_do_not_fit_the_offsets_are_refused(arrays, shape):
    given = {"offsets": [0, 1], "values": [1, 1], "mean": 0, "std": 1, "extent": (0, 1)}
    with pytest.raises(ErfTheoryError, match=f"map of shape {shape} does not fit offsets"):
        profile_figure(**given | arrays)
