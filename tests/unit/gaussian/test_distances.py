"""Distances to the normal law: beside their definitions, beside scipy, and what is refused."""

import json
from math import inf, isfinite
from sys import float_info

import mpmath as mp
import numpy as np
import pytest
from scipy import stats

from erf_theory.architectures import network_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.gaussian.metrics import JOINT, METRICS, digits_of, text_of
from erf_theory.network import Chain, Conv
from erf_theory.theory import theoretical_erf, variance_erf
from tests.references.normal_twin import Twin

UNEQUAL = Chain([Conv(1, 1, 3, stride=2), Conv(1, 1, 5, dilation=2), Conv(1, 1, 2)], ndim=1)
NOTHING = Chain([Conv(1, 1, 2, weights=[[[0, 0]]])], ndim=1)
ERFS = {
    "one layer of two taps": lambda: theoretical_erf(2, 1),
    "five layers": lambda: theoretical_erf(3, 5),
    "more taps": lambda: theoretical_erf(7, 4),
    "asymmetric": lambda: theoretical_erf(None, 6, kernel=[5, 0, 2, 1]),
    "holes": lambda: theoretical_erf(3, 6, dilation=2),
    "far from normal": lambda: theoretical_erf(None, 3, kernel=[1, 0, 0, 0, 0, 0, 1, 50]),
    "unequal layers": lambda: network_erf(UNEQUAL),
    "random weights": lambda: variance_erf(3, 9, weight_variance=[0.1, 0.7, 0.2]),
}
COMPARE = {"normal": distance_to_normal, "sampled normal": distance_to_sampled_normal}


@pytest.fixture(scope="module", params=ERFS)
def case(request):
    erf = ERFS[request.param]()
    return erf, Twin([int(n) for n in erf.exact()[0]])


@pytest.mark.parametrize("reference", COMPARE)
def test_distances_are_their_definitions_within_their_error(case, reference):
    erf, twin = case
    found = COMPARE[reference](erf)
    assert found.values
    for metric, value in found.values.items():
        true = twin.distance(reference, metric)
        assert abs(value - true) <= found.errors[metric], metric
        assert found.digits[metric] >= 9, metric
        assert COMPARE[reference](erf, metric) == value == getattr(found, metric)


@pytest.mark.parametrize("reference", COMPARE)
def test_enclosures_hold_the_definitions(case, reference):
    erf, twin = case
    for metric, enclosure in COMPARE[reference](erf, certified=True).items():
        true = twin.distance(reference, metric)
        assert mp.mpf(enclosure.low) <= true <= mp.mpf(enclosure.high), metric
        assert enclosure.high - enclosure.low <= 4e-16 * enclosure.high, metric


@pytest.mark.parametrize("n", [1, 10, 101])
def test_two_taps_are_binomial(n):
    erf = theoretical_erf(2, n)
    places, mean, std = np.arange(n + 1), n / 2, n**0.5 / 2
    law = stats.binom(n, 0.5)
    normal = stats.norm(mean, std)
    after, before = law.cdf(places), law.cdf(places - 1)
    gaps = np.abs(np.concatenate([after, before]) - np.tile(normal.cdf(places), 2))
    assert distance_to_normal(erf, "kolmogorov") == pytest.approx(np.max(gaps), rel=1e-12)
    wide = np.arange(-int(5 * n**0.5) - 5, n + int(5 * n**0.5) + 6)
    q = normal.pdf(wide) / np.sum(normal.pdf(wide))
    p = law.pmf(wide)
    sampled = distance_to_sampled_normal(erf)
    assert sampled.total_variation == pytest.approx(np.abs(p - q).sum() / 2, rel=1e-10)
    assert sampled.kullback_leibler == pytest.approx(stats.entropy(p, q), rel=1e-9, abs=1e-15)
    assert sampled.chi_square == pytest.approx(np.sum((p - q) ** 2 / q), rel=1e-9)
    w1 = stats.wasserstein_distance(wide, wide, p, q) / std
    assert sampled.wasserstein1 == pytest.approx(w1, rel=1e-10)


@pytest.mark.parametrize("ndim", [2, 3])
def test_products_are_what_the_whole_map_says(ndim):
    axes = [theoretical_erf(None, 3, kernel=taps) for taps in ([3, 1, 2], [1, 0, 1], [2, 1])]
    lines = [Twin([int(n) for n in erf.exact()[0]]) for erf in axes[:ndim]]
    p, q = (outer([np.array(getattr(line, law)) for line in lines]) for law in "pq")
    kernel = np.array([3, 1, 2]).reshape(-1, *[1] * (ndim - 1))
    kernel = kernel * np.array([1, 0, 1]).reshape(-1, *[1] * (ndim - 2))
    kernel = kernel * np.array([2, 1]) if ndim == 3 else kernel
    erf = theoretical_erf(None, 3, ndim=ndim, kernel=padded(kernel))
    assert len(erf.factors) == ndim
    check_joint(distance_to_sampled_normal(erf), p, q, np.prod([float(x.step) for x in lines]))


def outer(parts):
    found = parts[0]
    for part in parts[1:]:
        found = np.multiply.outer(found, part)
    return found.astype(np.float64)


def padded(kernel):
    """The same taps in a cube."""
    side = max(kernel.shape)
    return np.pad(kernel, [(0, side - size) for size in kernel.shape])


def check_joint(found, p, q, step):
    assert list(found.values) == [name for name in METRICS if name in JOINT]
    inside = p > 0
    assert found.total_variation == pytest.approx(np.abs(p - q).sum() / 2, rel=1e-9)
    assert found.hellinger**2 == pytest.approx(((p**0.5 - q**0.5) ** 2).sum() / 2, rel=1e-9)
    divergence = (p[inside] * np.log(p[inside] / q[inside])).sum()
    assert found.kullback_leibler == pytest.approx(divergence, rel=1e-9)
    assert found.chi_square == pytest.approx(((p - q)[q > 0] ** 2 / q[q > 0]).sum(), rel=1e-9)
    assert found.density_error == pytest.approx(np.abs(p - q).max() / step, rel=1e-9)


QUINCUNX = [[1, 0, 2], [0, 3, 0], [1, 0, 1]]
PLAIN = [[1, 2, 0], [1, 1, 1], [0, 1, 4]]


@pytest.mark.parametrize(("kernel", "span"), [(QUINCUNX, 2), (PLAIN, 1)])
def test_planes_are_compared_on_their_own_lattice(kernel, span):
    erf = theoretical_erf(None, 4, ndim=2, kernel=kernel)
    assert len(erf.factors) == 1
    size, far = erf.shape[0], 25
    p = np.pad(erf.values, far)
    x, y = np.meshgrid(*[np.arange(size + 2 * far) - (size - 1) / 2 - far] * 2, indexing="ij")
    places = np.stack([x - erf.mean[0], y - erf.mean[1]])
    inverse = np.linalg.inv(erf.covariance)
    q = np.exp(-np.einsum("iab,ij,jab->ab", places, inverse, places) / 2)
    q[(x + y + size) % span == (size + 1) % span if span == 2 else p < 0] = 0
    q /= q.sum()
    assert np.all(q[p > 0] > 0)
    found = distance_to_sampled_normal(erf)
    assert found.span == span
    check_joint(found, p, q, span / np.sqrt(np.linalg.det(erf.covariance)))
    density = distance_to_normal(erf)
    assert density.density_error == pytest.approx(found.density_error, rel=0.02)
    assert list(density.values) == ["density_error"]


def test_a_separable_map_agrees_with_itself_in_one_piece():
    from erf_theory.gaussian import divergences
    from erf_theory.gaussian.plane import plane_of

    erf = theoretical_erf(3, 15, ndim=2)
    plane = plane_of(erf.__class__((Outer(erf),), erf.kind, erf.call))
    found = distance_to_sampled_normal(erf)
    for metric, ask in divergences.SAMPLED.items():
        assert found[metric] == pytest.approx(ask(plane)[0], rel=1e-9), metric


class Outer:
    """A separable map, as one factor."""

    nonnegative = True

    def __init__(self, erf):
        self.start = sum((f.start for f in erf.factors), ())
        self.shape, self.covariance = erf.shape, erf.covariance
        self.erf = erf

    @property
    def logs(self):
        from erf_theory.routes import Logs

        return Logs(self.erf.log_values, self.erf.sign, 1e-14, "outer")

    def cumulant(self, order, axis):
        return self.erf.factors[axis].cumulant(order, 0)


def test_an_axis_is_its_profile():
    erf = theoretical_erf(None, 4, ndim=2, kernel=PLAIN)
    found = distance_to_normal(erf, axis=1)
    assert found.values == distance_to_normal(erf.profile(1)).values
    enclosed = distance_to_normal(erf, "wasserstein1", axis=1, certified=True)
    assert abs(enclosed.mid - found.wasserstein1) <= found.errors["wasserstein1"]
    with pytest.raises(ErfTheoryError, match="2 axes: ask for one of them with axis=0"):
        distance_to_normal(erf, "wasserstein1")
    with pytest.raises(ErfTheoryError, match="on one axis, and the map has 2"):
        distance_to_normal(erf, certified=True)
    with pytest.raises(ErfTheoryError, match="axes 0 to 1, not 2"):
        distance_to_normal(erf, axis=2, certified=True)


@pytest.mark.parametrize("metric", ["total_variation", "hellinger", "chi_square"])
@pytest.mark.parametrize("certified", [True, False])
def test_a_lattice_and_a_density_are_singular(metric, certified):
    with pytest.raises(ErfTheoryError, match="ask distance_to_sampled_normal"):
        distance_to_normal(theoretical_erf(3, 5), metric, certified=certified)
    with pytest.raises(ErfTheoryError, match="ask distance_to_sampled_normal"):
        getattr(distance_to_normal(theoretical_erf(3, 5)), metric)


@pytest.mark.parametrize("compare", COMPARE.values())
@pytest.mark.parametrize("certified", [True, False])
def test_what_is_no_law_or_has_no_spread_is_refused(compare, certified):
    with pytest.raises(ErfTheoryError, match="a map with signs is no law"):
        compare(theoretical_erf(None, 3, kernel=[1, -1, 1]), certified=certified)
    with pytest.raises(ErfTheoryError, match="a single point"):
        compare(theoretical_erf(1, 5), certified=certified)
    with pytest.raises(ErfTheoryError, match="0 everywhere"):
        compare(network_erf(NOTHING, kind="amplitude"), certified=certified)
    with pytest.raises(ErfTheoryError, match="no distance 'tv': choose one of kolmogorov"):
        compare(theoretical_erf(3, 5), "tv", certified=certified)


def test_maps_without_a_density_on_the_plane_are_refused():
    line = theoretical_erf(None, 3, ndim=2, kernel=np.eye(3, dtype=int))
    with pytest.raises(ErfTheoryError, match="its covariance is singular"):
        distance_to_sampled_normal(line)
    with pytest.raises(ErfTheoryError, match="a single point"):
        distance_to_sampled_normal(theoretical_erf(None, 3, ndim=2, kernel=[[0, 0], [1, 1]]))


def test_samples_have_distances_but_no_certificate():
    root = variance_erf(3, 20).rms()
    found = distance_to_sampled_normal(root)
    assert found.digits["kullback_leibler"] >= 6
    with pytest.raises(ErfTheoryError, match="known by its samples"):
        distance_to_sampled_normal(root, certified=True)


def test_a_fat_tail_has_a_chi_square_beyond_doubles():
    erf = theoretical_erf(None, 1, kernel=[1e-9, *[0] * 30, 1, 1, 1])
    found = distance_to_sampled_normal(erf)
    assert found.chi_square == inf
    assert isfinite(found.kullback_leibler)
    assert json.loads(json.dumps(found.to_dict()))["values"]["chi_square"] is None


def test_a_result_tells_what_it_is():
    found = distance_to_sampled_normal(theoretical_erf(3, 100))
    assert found.lines()[0][1].endswith("distances to its sampled normal")
    assert "total_variation 0.000875208: ½ Σ |p − q|" in repr(found)
    record = found.to_dict()
    assert record["call"] == "theoretical_erf(3, 100)"
    assert record["values"] == dict(found.values)
    assert record["digits"] == found.digits
    assert found.span == 1
    assert found.std == pytest.approx([(200 / 3) ** 0.5])
    with pytest.raises(TypeError):
        found.values["kolmogorov"] = 0


def test_digits_are_those_that_an_error_leaves():
    assert [digits_of(1.0, e) for e in (0, 1e-3, 2e-3, 2.0)] == [15, 3, 2, 0]
    assert text_of(0.123456789, 3) == "0.123"
    assert text_of(0.1, 0) == "0.1 (no digit holds)"


@pytest.mark.parametrize("certified", [False, True])
@pytest.mark.parametrize("distance", [distance_to_normal, distance_to_sampled_normal])
@pytest.mark.parametrize("wrong", [None, [1, 2, 1], [theoretical_erf(3, 5)]])
def test_only_a_map_has_a_distance(wrong, distance, certified):
    with pytest.raises(ErfTheoryError, match="asked of one ERF, not of"):
        distance(wrong, certified=certified)


@pytest.mark.parametrize("certified", [False, True])
def test_a_metric_is_a_name(certified):
    with pytest.raises(ErfTheoryError, match="there is no distance"):
        distance_to_normal(theoretical_erf(3, 5), ["kolmogorov"], certified=certified)


def test_an_enclosure_beyond_all_doubles_is_one_at_once():
    """χ² of a share of 1e-16 a million standard deviations away is about exp(1e16)."""
    erf = theoretical_erf(None, 3, kernel=[0.033311740399329666, 1.558117956831412e-17], dilation=2)
    found = distance_to_sampled_normal(erf, "chi_square", certified=True)
    assert (found.low, found.high) == (float_info.max, inf)
    assert distance_to_sampled_normal(erf, "chi_square") == inf


@pytest.mark.parametrize("distance", [distance_to_normal, distance_to_sampled_normal])
@pytest.mark.parametrize(
    ("taps", "n"),
    [
        ([3.738192282976226e-09, 0.0020051645243490414], 1),
        ([0.4758009365623517, 1.7092803123605398e-12], 3),
        ([1.783411200437614e-05, 0.40201237355914904], 5),
        ([5.1401060533662055e-08, 0.07660744992506546, 3.1858365664925078e-09], 1),
    ],
)
def test_errors_of_peaked_laws_are_as_large_as_they_say(taps, n, distance):
    erf = theoretical_erf(None, n, kernel=taps, dilation=3)
    found, certain = distance(erf), distance(erf, certified=True)
    for name, value in found.values.items():
        assert value == inf or abs(value - certain[name].mid) <= found.errors[name], name
