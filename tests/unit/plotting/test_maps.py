"""The 2-D and 3-D figures: pixels, outline, frame, marginal profiles, inset, planes."""

import numpy as np
import pytest
from scipy.stats import norm

from erf_theory.errors import ErfTheoryError
from erf_theory.plotting import map_figure, volume_figure

LEVEL = 0.0455


def heat(line, other=None, **changes):
    """A map figure of an outer product; its marginals are the lines."""
    (x, p, first), (y, q, second) = line, other or line
    given = {key: (second[key], first[key]) for key in ("mean", "std", "extent")}
    given |= {"profiles": (q, p), "threshold": LEVEL} | changes
    return map_figure((y, x), np.outer(q, p), **given)


def outline(ax):
    """The levels of the contour on an axis and the area that it goes around."""
    (contour,) = (c for c in ax.collections if hasattr(c, "levels"))
    rings = [polygon for path in contour.get_paths() for polygon in path.to_polygons()]
    areas = [np.sum(p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]) / 2 for p in rings]
    return contour.levels, abs(sum(areas))


def test_a_map_is_drawn_at_its_offsets_with_rows_downwards(binomial):
    wide, tall = binomial(12), binomial(7)
    main = heat(wide, tall).axes[0]
    (image,) = main.images
    assert np.array_equal(image.get_array(), np.outer(tall[1], wide[1]))
    assert list(image.get_extent()) == [-6.5, 6.5, 4.0, -4.0]
    assert main.yaxis_inverted()
    assert (main.get_xlabel(), main.get_ylabel()) == ("x offset (px)", "y offset (px)")
    assert image.get_cmap().name == "cividis"
    assert image.get_clim() == (0, image.get_array().max())


def test_the_frame_is_the_theoretical_receptive_field(binomial):
    main = heat(binomial(12), binomial(7)).axes[0]
    ground, frame = main.patches
    assert {p.get_bbox().bounds for p in (ground, frame)} == {(-6.5, -4.0, 13.0, 8.0)}
    assert ground.get_facecolor() == main.images[0].to_rgba(0)
    assert not frame.get_fill()


def spread(line, step):
    """A line with its places apart, zeros in between, as a map's axis."""
    values = np.zeros((line.size - 1) * step + 1)
    values[::step] = line
    half = (values.size - 1) // 2
    edge = (-half - 0.5, half + 0.5)
    return np.arange(values.size) - half, values, {"mean": 0, "std": 2.0 * step, "extent": edge}


def test_the_outline_goes_around_the_pixels_above_the_threshold(binomial):
    line = binomial(8)[1]
    image = np.outer(line, line)
    levels, area = outline(heat(spread(line, 1)).axes[0])
    assert levels == [LEVEL * image.max()]
    assert area == pytest.approx(np.sum(image > LEVEL * image.max()), rel=1e-12)


def gaps_filled(pixels):
    """Every pixel between two of its row or column, again and again."""
    filled = pixels.copy()
    for _ in range(pixels.size):
        for lines in (filled, filled.T):
            for line in lines:
                if line.any():
                    first, last = np.flatnonzero(line)[[0, -1]]
                    line[first : last + 1] = True
    return filled


@pytest.mark.parametrize("step", [2, 3])
def test_the_outline_of_a_grid_of_pixels_goes_around_all_of_them(step, binomial, labels):
    _, line, _ = spread(binomial(24)[1], step)
    figure = heat(spread(binomial(24)[1], step))
    above = np.outer(line, line) > LEVEL * line.max() ** 2
    _, area = outline(figure.axes[0])
    assert area == pytest.approx(gaps_filled(above).sum(), rel=1e-12)
    assert area > 2 * above.sum()
    assert f"around those above 4.55 % of the maximum ({above.sum()} px)" in labels(figure)


def test_two_parts_of_a_map_have_two_outlines(binomial):
    line = np.concatenate([binomial(6)[1], np.zeros(9), binomial(6)[1]])
    main = heat(spread(line, 1)).axes[0]
    above = np.outer(line, line) > LEVEL * line.max() ** 2
    assert outline(main)[1] == pytest.approx(above.sum(), rel=1e-12)


def test_nothing_above_the_threshold_has_no_outline(binomial, labels):
    figure = heat(binomial(8), threshold=1.0)
    assert not figure.axes[0].collections
    assert "above 100 % of the maximum (0 px)" in labels(figure)


def test_the_profiles_beside_a_map_are_the_given_ones(binomial, gaussian_of):
    wide, tall = binomial(12), binomial(7)
    figure = heat(wide, tall, note="std 1.7 px")
    _, upper, right, bar = figure.axes
    for ax, (x, line, given), across in ((upper, wide, 0), (right, tall, 1)):
        assert {tuple(patch.get_data().values) for patch in ax.patches} == {tuple(line)}
        assert np.array_equal(ax.patches[0].get_data().edges, np.append(x, -x[0] + 1) - 0.5)
        curve = gaussian_of(ax)
        assert curve[1 - across] == pytest.approx(norm.pdf(curve[across], 0, given["std"]))
    assert bar.get_ylabel() == "normalised map"
    assert "std 1.7 px" in [text.get_text() for text in figure.texts]


def test_the_legend_of_a_map_names_every_line_once(binomial, labels):
    wide, tall = binomial(12), binomial(7)
    image = np.outer(wide[1], tall[1])
    assert labels(heat(wide, tall)) == [
        f"above 4.55 % of the maximum ({np.sum(image > LEVEL * image.max())} px)",
        "theoretical receptive field (8 × 13 px)",
        "marginal profile",
        "Gaussian, same mean and std",
    ]


def test_a_signed_map_diverges_from_zero(binomial, signed):
    main = heat(signed(8)).axes[0]
    (image,) = main.images
    assert image.get_cmap().name == "PuOr"
    low, high = image.get_clim()
    assert -low == high == abs(image.get_array()).max()
    assert outline(main)[1] == pytest.approx(outline(heat(binomial(8)).axes[0])[1])


@pytest.mark.parametrize(("mean", "left", "bottom"), [(0, 0.61, 0.05), (350, 0.05, 0.61)])
def test_a_small_erf_is_shown_larger_in_an_empty_corner(mean, left, bottom):
    x = np.arange(-500, 501)
    values = norm.pdf(x, mean, 8.0)
    line = (x, values, {"mean": mean, "std": 8.0, "extent": (-500.5, 500.5)})
    main = heat(line).axes[0]
    (inset,) = main.child_axes
    assert inset.get_xlim()[0] < mean - 20 < mean + 20 < inset.get_xlim()[1]
    assert np.mean(inset.get_xlim()) == np.mean(inset.get_ylim()) == mean
    assert inset.get_xlim() == pytest.approx(inset.get_ylim()[::-1])
    assert outline(inset)[1] == pytest.approx(outline(main)[1])
    main.figure.draw_without_rendering()
    corner = main.transAxes.inverted().transform(inset.get_window_extent().p0)
    assert corner == pytest.approx((left, bottom))


def test_a_large_erf_needs_no_inset(binomial):
    assert not heat(binomial(20)).axes[0].child_axes


@pytest.mark.parametrize("n", [0, 7, 100])
def test_pixels_are_square_in_every_panel(n, binomial):
    figure = heat(binomial(12), (*binomial(n)[:2], binomial(n)[2] | {"std": 1.0}))
    figure.draw_without_rendering()
    main, upper, right, _ = figure.axes
    box = main.get_window_extent()
    across, down = np.diff(main.get_xlim())[0], -np.diff(main.get_ylim())[0]
    assert box.width / across == pytest.approx(box.height / down)
    assert upper.get_window_extent().intervalx == pytest.approx(box.intervalx)
    assert right.get_window_extent().intervaly == pytest.approx(box.intervaly)


def test_a_volume_has_three_planes_of_one_scale(binomial, labels):
    z, y, x = (binomial(n) for n in (4, 7, 12))
    pairs = [(y, x), (z, x), (z, y)]
    planes = [np.outer(rows[1], columns[1]) for rows, columns in pairs]
    extent = [line[2]["extent"] for line in (z, y, x)]
    figure = volume_figure((z[0], y[0], x[0]), planes, extent=extent, threshold=LEVEL, title="3-D")
    *panels, bar = figure.axes
    assert [ax.get_title() for ax in panels] == ["sum over z", "sum over y", "sum over x"]
    assert [ax.get_ylabel()[0] + ax.get_xlabel()[0] for ax in panels] == ["yx", "zx", "zy"]
    top = max(plane.max() for plane in planes)
    for ax, plane, (rows, columns) in zip(panels, planes, pairs, strict=True):
        assert np.array_equal(ax.images[0].get_array(), plane)
        assert ax.images[0].get_clim() == (0, top)
        assert list(ax.images[0].get_extent()) == [*columns[2]["extent"], *rows[2]["extent"][::-1]]
        assert outline(ax)[1] == pytest.approx(np.sum(plane > LEVEL * plane.max()))
    assert bar.get_ylabel() == "normalised map"
    assert labels(figure) == [
        "above 4.55 % of the panel's maximum",
        "theoretical receptive field (5 × 8 × 13 px)",
    ]


@pytest.mark.parametrize(("wide", "tall"), [(20, 20), (0, 30), (30, 0), (1000, 1000)])
def test_all_of_a_map_is_inside_the_figure(wide, tall, binomial, overhang):
    title = "a title of many words " * 5
    figure = heat(binomial(wide), binomial(tall), title=title, note="std 15.8 px\nsize 78.9 px")
    assert overhang(figure) == 0


def test_all_of_a_volume_is_inside_the_figure(binomial, overhang):
    x, values, given = binomial(300)
    given = {"extent": (given["extent"],) * 3, "threshold": LEVEL}
    figure = volume_figure((x,) * 3, (np.outer(values, values),) * 3, **given)
    assert overhang(figure) == 0


@pytest.mark.parametrize(
    ("arrays", "shape"),
    [
        ({"values": [[1], [1]]}, r"\(2, 1\)"),
        ({"values": [1, 1]}, r"\(2,\)"),
        ({"profiles": ([1, 1], [1, 1])}, r"\(2,\)"),
    ],
)
def test_arrays_that_do_not_fit_the_offsets_are_refused(arrays, shape):
    given = {"offsets": ([0], [0, 1]), "values": [[1, 1]], "profiles": ([1], [1, 1])}
    given |= {"mean": (0, 0), "std": (1, 1), "extent": ((0, 1), (0, 2)), "threshold": LEVEL}
    with pytest.raises(ErfTheoryError, match=f"map of shape {shape} does not fit offsets"):
        map_figure(**given | arrays)


def test_planes_in_another_order_are_refused():
    planes = [np.ones((1, 2)), np.ones((1, 3)), np.ones((2, 3))]
    given = {"extent": ((0, 1), (0, 2), (0, 3)), "threshold": LEVEL}
    with pytest.raises(ErfTheoryError, match=r"map of shape \(1, 2\) does not fit"):
        volume_figure(([0], [0, 1], [0, 1, 2]), planes, **given)
