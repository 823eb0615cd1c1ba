"""The verdict on a Gaussian limit: who is near, who never will be, and what the limit is then."""

import json
from math import exp, pi, sqrt

import numpy as np
import pytest
from scipy import stats

from erf_theory import gaussian_limit, network_erf, theoretical_erf, variance_erf, zoo
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.axislimit import NEAR, axis_limit
from erf_theory.gaussian.limit import GaussianLimit
from erf_theory.network import Activation, Chain, Conv, Identity, Residual

BLOCK = Residual(Chain([Conv(8, 8, 3), Activation("relu"), Conv(8, 8, 3)]), Identity())


def dilated(k, dilations):
    return Chain([Conv(4, 4, k, dilation=d) for d in dilations], ndim=1)


STERN = "the law of Stern's diatomic numbers, singular"
WAVENET = [2**i for i in range(10)]
VERDICTS = {
    "plain stack": (theoretical_erf(3, 20), "yes", "20 equal steps"),
    "plain plane": (theoretical_erf(3, 20, ndim=2), "yes", "20 equal steps"),
    "shallow stack": (theoretical_erf(3, 2), "not yet", "about 4 would do"),
    "skewed stack": (theoretical_erf(None, 5, kernel=[1, 9]), "not yet", "would do"),
    "one layer": (theoretical_erf(3, 1), "no", "one step carries 100 %"),
    "residual stack": (Chain([BLOCK] * 16, ndim=1), "yes", "16 equal steps"),
    "wavenet, one block": (
        dilated(2, WAVENET),
        "no",
        "the limit is uniform (excess kurtosis -1.2)",
    ),
    "wavenet, two blocks": (dilated(2, WAVENET * 2), "no", "the sum of 2 ladders, each uniform"),
    "wavenet, three blocks": (dilated(2, WAVENET * 3), "yes", "the limit is Irwin-Hall 3"),
    "tcn": (dilated(3, WAVENET), "no", STERN),
    "pyramid": (theoretical_erf(3, 8, stride=2), "no", STERN),
    "pyramid of 4 taps": (
        theoretical_erf(4, 8, stride=2),
        "no",
        "self-similar law, with a density",
    ),
    "cantor": (theoretical_erf(2, 8, stride=3), "no", "a Cantor set of dimension 0.631"),
    "gridded": (theoretical_erf(3, 20, dilation=2), "yes", "on a lattice of span 2"),
    "zoo wavenet": (zoo.wavenet(), "no", "one step carries 100 %"),
    "zoo tcn": (zoo.tcn(), "no", "one step carries 100 %"),
    "zoo resnet50": (zoo.resnet50(), "yes", "the 4 largest carry 96"),
    "zoo vgg16": (zoo.vgg16(), "yes", "18 steps"),
    "zoo unet": (network_erf(zoo.unet(), ndim=1), "no", "it is no sum of layers"),
    "root": (variance_erf(3, 50).rms(), "yes", "it is no sum of layers"),
    "huge stack": (theoretical_erf(3, 10**7), "yes", "by the bound of Berry and Esseen"),
    "huge pyramid": (theoretical_erf(3, 400, stride=2), "no", STERN),
    "airy": (theoretical_erf(None, 300, kernel=[3, 6, -1]), "no", "the limit is Airy"),
    "quartic": (theoretical_erf(None, 300, kernel=[-1, 4, 10, 4, -1]), "no", "exp(-xi^4)"),
    "oscillating": (theoretical_erf(None, 90, kernel=[-1, 2, -1]), "no", "oscillating at 3.142"),
    "beats": (theoretical_erf(None, 90, kernel=[2, 4, -3, 4, 2]), "no", "beats of Gaussian and"),
    "signs, gaussian": (theoretical_erf(None, 90, kernel=[-1, 8, 1, 8, 1]), "yes", "largest at 0"),
    "signs, shallow": (theoretical_erf(None, 2, kernel=[-1, 8, 1, 8, 1]), "not yet", "off by"),
}


@pytest.mark.parametrize("name", VERDICTS)
def test_verdicts(name):
    of, answer, words = VERDICTS[name]
    found = gaussian_limit(of)
    assert found.verdict.split(": ")[0] == answer
    assert (found.answer, found.applies) == (answer, answer == "yes")
    assert words in found.verdict
    assert found.verdict in repr(found)


@pytest.mark.parametrize(("taps", "needed"), [([1, 1, 1], 3), ([1] * 5, 3), ([1, 9], 314)])
def test_the_number_of_layers_that_would_do(taps, needed):
    for n in (2, 5):
        axis = axis_limit(theoretical_erf(None, n, kernel=taps), 0)
        if axis.answer == "not yet":
            assert axis.steps_needed == pytest.approx(needed, rel=0.35)
    assert axis_limit(theoretical_erf(None, needed, kernel=taps), 0).distance < 1.15 * NEAR


def test_mean_and_covariance_are_the_maps():
    erf = theoretical_erf(2, 30, ndim=2, kernel=[[1, 2], [0, 5]])
    found = gaussian_limit(erf)
    assert found.mean == erf.mean
    assert found.covariance == pytest.approx(erf.covariance)
    assert [axis.answer for axis in found.axes] == ["yes", "not yet"]
    assert found.verdict.startswith("axis 0: yes: ")
    assert "axis 1, distance" in dict(found.lines())


def test_density_and_distribution():
    erf = theoretical_erf(3, 60)
    found, x = gaussian_limit(erf), erf.offsets[0]
    assert found.density(x) == pytest.approx(stats.norm(0, sqrt(40)).pdf(x), rel=1e-12)
    assert found.density(0.0) == pytest.approx(1 / sqrt(80 * pi))
    assert found.cdf(x) == pytest.approx(stats.norm(0, sqrt(40)).cdf(x), rel=1e-12)
    assert abs(erf.values - found.density(x)).max() < 1e-3 * erf.values.max() * 4
    assert found.density(np.zeros((2, 3))).shape == found.cdf(np.zeros((2, 3))).shape == (2, 3)


def test_density_and_distribution_in_the_plane():
    erf = theoretical_erf(2, 30, ndim=2, kernel=[[1, 2], [0, 5]])
    found, x = gaussian_limit(erf), np.array([[3.0, 11.0], [4.0, 12.5]])
    gaussian = stats.multivariate_normal(erf.mean, erf.covariance)
    assert found.density(x) == pytest.approx(gaussian.pdf(x))
    assert found.cdf(x) == pytest.approx(gaussian.cdf(x), abs=1e-4)
    assert found.density(x[0]).shape == ()
    with pytest.raises(ErfTheoryError, match="do not fit 2 axes"):
        found.density([1.0, 2.0, 3.0])
    with pytest.raises(ErfTheoryError, match="do not fit 2 axes"):
        found.cdf(0.0)


def test_lattices():
    found = gaussian_limit(theoretical_erf(2, 5, dilation=3))
    [lattice] = found.lattice
    assert (lattice.span, found.axes[0].offset) == (3, 1.5)
    assert "(gridding)" in found.verdict
    signed = gaussian_limit(theoretical_erf(None, 8, kernel=[1, 0, -1, 0], dilation=3))
    assert signed.lattice[0].span == 6
    held = np.flatnonzero(theoretical_erf(None, 8, kernel=[1, 0, -1, 0], dilation=3).sign)
    assert float(signed.lattice[0].last - signed.lattice[0].first) == held[-1] - held[0]


def test_the_gaussian_of_taps_with_signs_has_their_signed_moments():
    kernel, n = [-1, 8, 1, 8, 1], 200
    erf = theoretical_erf(None, n, kernel=kernel)
    found = gaussian_limit(erf)
    values = erf.values / erf.values.sum()
    mean = values @ erf.offsets[0]
    assert found.mean[0] == pytest.approx(mean, abs=1e-9)
    assert found.covariance[0, 0] == pytest.approx(values @ (erf.offsets[0] - mean) ** 2)
    assert abs(values - found.density(erf.offsets[0])).max() < 0.01 * values.max()


def test_another_limit_has_no_gaussian():
    found = gaussian_limit(theoretical_erf(None, 90, kernel=[3, 6, -1]))
    assert np.isnan(found.mean).all()
    for ask in (found.density, found.cdf):
        with pytest.raises(ErfTheoryError, match="there is no Gaussian: no: the taps have signs"):
            ask(0.0)
    assert found.to_dict()["covariance"] is None


def test_a_network_with_given_weights_is_asked_for_its_amplitude():
    taps = [[[3.0, 6.0, -1.0]]]
    linear = Chain([Conv(1, 1, 3, weights=taps)] * 60, ndim=1)
    assert gaussian_limit(linear).axes[0].attractor.name == "Airy"
    gated = Chain([Conv(1, 1, 3, weights=taps), Activation("relu")] * 60, ndim=1)
    assert gaussian_limit(gated).kind == "energy"


def test_shares():
    weights = gaussian_limit(theoretical_erf(3, 6, stride=2)).axes[0].weights
    parts = 4.0 ** np.arange(6)[::-1] / sum(4.0 ** np.arange(6))
    assert (weights.steps, weights.few) == (6, 3)
    assert weights.largest == pytest.approx(parts[0])
    assert weights.share == pytest.approx(sum(parts[:3]))
    assert gaussian_limit(theoretical_erf(3, 20)).axes[0].weights.few == 19


def test_the_threshold_parts_equal_layers_from_ladders():
    """What the documentation of `NEAR` says."""
    for k in (2, 3, 5, 7):
        assert axis_limit(theoretical_erf(k, 4), 0).distance < NEAR
        assert axis_limit(theoretical_erf(k, 2), 0).distance > NEAR
        assert axis_limit(network_erf(dilated(k, WAVENET)), 0).distance > 2.8 * NEAR
    assert axis_limit(theoretical_erf(3, 3), 0).distance == pytest.approx(0.0085, abs=5e-5)


def test_record_and_picture(tmp_path):
    found = gaussian_limit(theoretical_erf(2, 8, stride=2))
    found.save(tmp_path / "limit.json")
    record = json.loads((tmp_path / "limit.json").read_text())
    assert record["format"] == "erf_theory.GaussianLimit/1"
    assert record["call"] == "gaussian_limit(theoretical_erf(2, 8, stride=2))"
    assert record["verdict"] == found.verdict
    assert record["axes"][0]["ladder"]["limit"] == "uniform"
    for name, of in (("a", found), ("b", gaussian_limit(VERDICTS["airy"][0]))):
        of.save_figure(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        json.dumps(of.to_dict(), allow_nan=False)
        assert "<table>" in of._repr_html_()


def test_errors():
    with pytest.raises(ErfTheoryError, match="standard deviation is 0"):
        gaussian_limit(theoretical_erf(1, 5))
    with pytest.raises(ErfTheoryError, match="5 kinds of layers with signs"):
        gaussian_limit(theoretical_erf(None, 5, kernel=[-1, 12, -2], stride=2))
    with pytest.raises(ErfTheoryError, match="no product of one kernel per axis"):
        gaussian_limit(theoretical_erf(None, 5, kernel=[[1, -2], [0, 3]], ndim=2))
    signed = [Conv(1, 1, 3, weights=[[taps]]) for taps in ([1.0, -3.0, 1.0], [2.0, 1.0, -1.0])]
    with pytest.raises(ErfTheoryError, match="2 kinds of layers with signs"):
        gaussian_limit(Chain(signed, ndim=1))
    with pytest.raises(ErfTheoryError, match="single tap with signs"):
        gaussian_limit(theoretical_erf(None, 5, kernel=[0, -2, 0]))
    with pytest.raises(ErfTheoryError, match="not of int"):
        gaussian_limit(3)


def test_the_uniform_law_is_as_far_as_it_is_known_to_be():
    """sup|F − Φ| of a uniform variable: where √12 z = 1 … by the derivative, φ(z) = 1/√12."""
    z = sqrt(-2 * np.log(sqrt(2 * pi / 12)))
    assert exp(-z * z / 2) / sqrt(2 * pi) == pytest.approx(1 / sqrt(12))
    expected = abs(z / sqrt(12) + 0.5 - stats.norm.cdf(z))
    edge = stats.norm.cdf(-sqrt(3))
    found = gaussian_limit(dilated(2, [2**i for i in range(14)]))
    assert isinstance(found, GaussianLimit)
    assert found.axes[0].distance == pytest.approx(max(expected, edge), abs=1e-4)
