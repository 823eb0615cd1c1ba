import json
from math import pi, sqrt

import numpy as np
import pytest

from erf_theory import convergence, network_erf, theoretical_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.bounds import berry_esseen
from erf_theory.gaussian.convergence import departure
from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.gaussian.leading import LEADING
from erf_theory.network import Activation, Chain, Conv, MaxPool, Norm, Residual, Upsample

PRE = Residual(Chain([Norm("batch"), Activation("relu"), Conv(16, 16, 3, padding=1)]), ndim=1)
COARSE = Chain([MaxPool(2), Conv(8, 8, 3, padding=1), Upsample(2)], 1)
CASES = [(against, metric) for against, metrics in LEADING.items() for metric in metrics]


@pytest.mark.parametrize(("against", "metric"), CASES)
@pytest.mark.parametrize("taps", [2, 3, 5, 7, (1, 2, 5), (3, 1), (1, 0, 4, 0, 2)])
def test_leading_terms_are_reached(taps, against, metric):
    """Within 1 % at n = 1000, as the theory's constants; taps with holes leave a span of 2."""
    k, kernel = (taps, None) if isinstance(taps, int) else (None, taps)
    found = convergence(k, [250, 1000], metric=metric, against=against, kernel=kernel)
    assert found.ratio[1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_the_constants_of_the_theory(k):
    g = 6 * (k**2 + 1) / (5 * (k**2 - 1))
    depths = [500, 1000]

    def found(metric):
        return float(convergence(k, depths, metric=metric).values[1])

    sharp = sqrt(3 / (2 * pi * (k**2 - 1)))
    assert sqrt(1000) * found("kolmogorov") == pytest.approx(sharp, rel=0.01)
    assert 1000**2 * found("kl") == pytest.approx(g**2 / 48, rel=0.01)
    assert 1000**2 * found("chi2") == pytest.approx(g**2 / 24, rel=0.01)
    assert 1000 * found("tv") == pytest.approx(2.80060 * g / 48, rel=0.01)
    std = sqrt(1000 * (k**2 - 1) / 12)
    assert found("w1") == pytest.approx(1 / (4 * std), rel=0.01)
    assert 1000 * found("density_error") == pytest.approx(g / 8 / sqrt(2 * pi), rel=0.01)


def test_it_is_made_of_the_distances():
    found = convergence(3, [20, 5, 5], metric="tv")
    assert found.depths.tolist() == [5, 20]
    for n, value in zip(found.depths, found.values, strict=True):
        erf = theoretical_erf(3, int(n))
        assert value == distance_to_sampled_normal(erf, "total_variation")
    beside = convergence(3, [5, 20])
    assert beside.values[1] == distance_to_normal(theoretical_erf(3, 20), "kolmogorov")
    assert beside.bounds[1] == berry_esseen(theoretical_erf(3, 20)).bound
    assert np.all(np.isnan(found.bounds))


def test_the_fitted_powers():
    depths = [100, 200, 400, 800]
    for metric, power in (("kolmogorov", -0.5), ("tv", -1), ("kl", -2), ("w1", -0.5)):
        found = convergence(3, depths, metric=metric)
        assert found.fit.exponent == pytest.approx(power, abs=0.02)
        assert found.exponent == pytest.approx(power, abs=1e-9)
    skewed = convergence(None, depths, metric="kl", kernel=[1, 2, 5])
    assert skewed.exponent == pytest.approx(-1, abs=1e-9)


def test_a_block_is_repeated():
    found = convergence(PRE, [4, 16])
    deep = network_erf(Chain([PRE] * 16, 1))
    assert found.values[1] == distance_to_normal(deep, "kolmogorov")
    assert found.kind == "energy"
    assert np.all(found.bounds > found.values)


def test_planes_are_looked_at_along_one_axis():
    plain = convergence(3, [4, 16])
    plane = convergence(Chain([Conv(8, 8, 3)], 2), [4, 16])
    np.testing.assert_allclose(plane.values, plain.values, rtol=1e-12)


def test_maps_that_are_no_sums_have_no_bound():
    found = convergence(COARSE, [1, 2])
    assert np.all(np.isnan(found.bounds))
    assert found.to_dict()["bounds"] == [None, None]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1, [5, 10], {}), "standard deviation is 0"),
        ((None, [5, 10], {"kernel": [1, -2, 1]}), "with signs is no law"),
        ((3, [5], {}), "at least two different depths"),
        ((None, [5, 10], {"kernel": [[1, 2], [2, 1]]}), r"a kernel of shape \(2, 2\) has 2"),
        ((3, [5, 10], {"metric": ["tv"]}), "no metric"),
        ((3, [5, 10], {"metric": "euclid"}), "no metric 'euclid': choose one of"),
        ((3, [5, 10], {"metric": "tv", "against": "normal"}), "compare with the sampled normal"),
        ((3, [5, 10], {"against": "cauchy"}), "compared with normal or sampled normal"),
        ((PRE, [5, 10], {"kernel": [1, 1]}), "a block has its own kernels"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, text):
    k, depths, options = arguments
    with pytest.raises(ErfTheoryError, match=text):
        convergence(k, depths, **options)


def test_the_span_of_a_map_with_holes():
    law = departure(theoretical_erf(None, 50, kernel=[1, 0, 1]))
    assert law.span == pytest.approx(2 / sqrt(50))


@pytest.mark.parametrize(
    "made",
    [
        lambda: convergence(3, [5, 10], metric="tv"),
        lambda: convergence(None, [5, 10], kernel=[1, 2, 5], against="sampled normal"),
    ],
)
def test_its_call_makes_it_again(made):
    found = made()
    again = eval(found.call, {"convergence": convergence})  # noqa: S307
    assert again.values.tolist() == found.values.tolist()
    assert again.call == found.call


def test_it_shows_itself(tmp_path):
    found = convergence(3, [5, 10, 20])
    found.save(tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())
    assert record["values"] == found.values.tolist()
    assert record["rate"]["law"] == pytest.approx(-0.5)
    assert record["call"] == "convergence(3, [5, 10, 20])"
    assert "bound" in repr(found)
    assert "<table>" in found._repr_html_()
    figure = found.plot()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "bound" in labels
    assert "leading term, power -0.5" in labels


def test_arrays_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        convergence(3, [5, 10]).values[0] = 1
