"""The measured energy against a direct computation, sample by sample."""

import numpy as np
import pytest

from erf_theory.empirical import described, experiment
from erf_theory.empirical.draws import draw
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.plan import plan
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.network import Activation, Chain, Conv

NETS = {
    "line": Chain([Conv(2, 3, 3, padding=1), Activation("relu"), Conv(3, 2, 2)], 1),
    "plane": Chain([Conv(1, 4, (2, 3)), Activation("relu"), Conv(4, 2, (3, 1), groups=2)], 2),
}
LINEAR = Chain([Conv(1, 1, 3, init=1)], 1)


def matrix(conv, weights, length):
    """The weights of a 1-D convolution as a matrix, entry by entry."""
    places = (length - conv.size) // conv.stride + 1
    found = np.zeros((conv.out_channels, places, conv.in_channels, length))
    for out, place, channel, tap in np.ndindex(
        conv.out_channels, places, conv.in_channels, conv.size
    ):
        found[out, place, channel, conv.stride * place + tap] = weights[out, channel, tap]
    return found.reshape(conv.out_channels * places, conv.in_channels * length)


def one_by_one(network, samples, seed):
    """Every sample's g² over the input's channels, by matrices: y = B·relu(A·x), g = B·D·A."""
    first, _, second = network.parts
    length = (second.size - 1) + first.size
    for i in range(samples):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i,)))
        drawn = draw(plan(network), rng)
        x = drawn.measured.images.ravel()
        inner = matrix(first, drawn.weights[0], length)
        outer = matrix(second, drawn.weights[2], second.size)
        gradient = drawn.direction @ outer * (inner @ x > 0) @ inner
        yield np.mean(gradient.reshape(first.in_channels, length) ** 2, axis=0)


@pytest.mark.parametrize("samples", [2, 7, 64, 150])
def test_mean_and_standard_error(samples):
    found = measure_erf(NETS["line"], samples=samples, rng=5)
    every = np.array(list(one_by_one(NETS["line"], samples, 5)))
    assert found.mean == pytest.approx(every.mean(axis=0), rel=1e-12)
    assert found.samples == samples
    assert found.start == (-1,)
    assert found.mass == pytest.approx(every.sum() / samples)
    groups = [every[first::64] for first in range(min(64, samples))]
    assert found.blocks == pytest.approx(np.array([g.mean(axis=0) for g in groups]), rel=1e-12)
    assert found.counts.tolist() == [len(g) for g in groups]
    if samples <= 64:
        direct = every.std(axis=0, ddof=1) / samples**0.5
        assert found.standard_error == pytest.approx(direct, rel=1e-10)


def test_the_standard_error_is_the_spread_of_means():
    found = [measure_erf(LINEAR, samples=96, rng=seed) for seed in range(60)]
    spread = np.std([one.mean for one in found], axis=0, ddof=1)
    ratio = np.mean([one.standard_error for one in found], axis=0) / spread
    assert np.all(np.abs(ratio - 1) < 0.4), "false alarms: 1 in 10 000 per place"


@pytest.mark.parametrize("network", NETS.values(), ids=NETS)
@pytest.mark.parametrize("most", [1, 300, 5000])
def test_a_seed_gives_the_same_numbers_whatever_the_batch_is(network, most, monkeypatch):
    usual = measure_erf(network, samples=200, rng=1)
    monkeypatch.setattr(experiment, "_MOST_NUMBERS", most)
    again = measure_erf(network, samples=200, rng=1)
    assert np.array_equal(usual.blocks, again.blocks)
    assert usual.call == again.call
    assert not np.array_equal(usual.blocks, measure_erf(network, samples=200, rng=2).blocks)


def test_a_sample_is_the_same_whatever_their_number():
    few, more = (measure_erf(LINEAR, samples=n, rng=3).blocks for n in (20, 60))
    assert np.array_equal(few, more[:20])
    assert len({row.tobytes() for row in more}) == 60


def test_a_generator_gives_a_seed_that_the_call_tells():
    rng = np.random.default_rng(8)
    first, second = (measure_erf(NETS["line"], samples=4, rng=rng) for _ in range(2))
    assert not np.array_equal(first.blocks, second.blocks)
    assert np.array_equal(
        second.blocks,
        measure_erf(
            NETS["line"], samples=4, rng=int(second.call.rpartition("rng=")[2][:-1])
        ).blocks,
    )
    fresh = [measure_erf(NETS["line"], samples=4) for _ in range(2)]
    assert not np.array_equal(fresh[0].blocks, fresh[1].blocks)


def test_the_call_is_read_back():
    found = measure_erf(NETS["plane"], samples=5, rng=9)
    names = {"Activation": Activation, "Chain": Chain, "Conv": Conv, "measure_erf": measure_erf}
    assert np.array_equal(eval(found.call, names).blocks, found.blocks)  # noqa: S307
    assert repr(found).startswith(f"Measurement of {found.call}: mass {found.mass:.4g}, ")


@pytest.mark.parametrize(("inner", "outer", "groups"), [(1, 1, 1), (3, 5, 1), (6, 4, 2)])
@pytest.mark.parametrize("init", [2, [1, 0, 4]])
def test_one_convolution_has_its_variances_exactly(inner, outer, groups, init):
    conv = Conv(inner, outer, 3, groups=groups, init=init)
    found = measure_erf(Chain([conv], 1), samples=4000, rng=0)
    expected = np.broadcast_to(init, 3) / groups
    off = found.mean - expected
    assert np.all(off[expected == 0] == 0)
    spread = 2 / inner * (1 + 2 * groups / outer) + 2 / outer
    error = expected * (spread / 4000) ** 0.5
    assert np.all(np.abs(off) <= 4.5 * error), "false alarms: 1 in 20 000 per case"
    assert found.standard_error == pytest.approx(error, rel=0.4)


WEIGHTS = [
    np.random.default_rng(0).standard_normal((4, 2, 3)),
    np.random.default_rng(1).standard_normal((3, 4, 2)),
]
GIVEN = Chain([Conv(2, 4, 3, weights=WEIGHTS[0]), Conv(4, 3, 2, weights=WEIGHTS[1])], 1)


def given_gradients():
    """∂y_o/∂x_c at every place, tap by tap: shape (channels out, channels in, places)."""
    found = np.zeros((3, 2, 4))
    for a, b in np.ndindex(3, 2):
        found[:, :, a + b] += WEIGHTS[1][:, :, b] @ WEIGHTS[0][:, :, a]
    return found


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_given_weights_and_a_direction_leave_no_chance(n_jobs):
    direction = [1.0, 0.0, -2.0]
    found = measure_erf(GIVEN, samples=70, direction=direction, rng=0, n_jobs=n_jobs)
    exact = np.tensordot(direction, given_gradients(), 1)
    assert found.mean == pytest.approx(np.mean(exact**2, axis=0), rel=1e-12)
    assert found.magnitude.mean == pytest.approx(np.mean(np.abs(exact), axis=0), rel=1e-12)
    assert found.amplitude.mean == pytest.approx(np.mean(exact, axis=0), rel=1e-12)
    assert found.relative_error < 1e-12
    assert f"direction={direction}" in found.call


def test_given_weights_meet_random_directions():
    found = measure_erf(GIVEN, samples=6400, rng=0)
    energy = np.mean(given_gradients() ** 2, axis=(0, 1))
    off = (found.mean - energy) / found.standard_error
    assert np.all(np.abs(off) < 5), "false alarms: 1 in 50 000"
    assert np.all(found.standard_error < 0.06 * energy)
    off = found.amplitude.mean / found.amplitude.standard_error
    assert np.all(np.abs(off) < 5), "the mean over directions is 0"
    assert np.all(found.magnitude.mean > 10 * found.amplitude.standard_error)


@pytest.mark.parametrize("network", NETS.values(), ids=NETS)
def test_magnitudes_and_amplitudes_of_every_sample(network, monkeypatch):
    seen, gradients = [], described.BACKENDS["numpy"]

    def spied(what, batch):
        seen.append(gradients(what, batch))
        return seen[-1]

    monkeypatch.setattr(described, "BACKENDS", {"numpy": spied})
    found = measure_erf(network, samples=40, rng=0)
    every = np.concatenate(seen)
    assert found.magnitudes == pytest.approx(np.abs(every).mean(axis=1), rel=1e-12)
    assert found.amplitudes == pytest.approx(every.mean(axis=1), rel=1e-12, abs=1e-12)
    assert found.blocks == pytest.approx((every**2).mean(axis=1), rel=1e-12)


@pytest.mark.parametrize("target", [0.3, 0.1])
def test_it_stops_at_the_first_64_that_are_good_enough(target):
    found = measure_erf(NETS["line"], samples=10**5, target_error=target, rng=0)
    assert found.samples % 64 == 0
    assert found.relative_error <= target
    for samples in range(64, found.samples, 64):
        assert measure_erf(NETS["line"], samples=samples, rng=0).relative_error > target
    capped = measure_erf(NETS["line"], samples=found.samples - 1, target_error=target, rng=0)
    assert capped.samples == found.samples - 1


def test_the_unit_s_own_place_is_0():
    assert measure_erf(NETS["plane"], samples=2, rng=0).mean.shape == (4, 3)
    assert measure_erf(NETS["plane"], samples=2, rng=0).start == (0, 0)
    moved = Chain([Conv(1, 1, 3, padding=2), Conv(1, 1, 3, stride=2, padding=1)], 1)
    assert measure_erf(moved, samples=2, rng=0).start == (-3,)


def test_progress_counts_the_samples():
    for samples in (10, 150):
        seen = []
        measure_erf(NETS["line"], samples=samples, rng=0, progress=seen.append)
        assert seen == sorted(set(seen))
        assert seen[-1] == samples


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"backend": "abacus"}, "no backend 'abacus': choose numpy"),
        ({"samples": 1}, "number of samples is 2 or more, not 1"),
        ({"samples": 2.5}, "number of samples is a whole number, not 2.5"),
        ({"rng": -1}, "seed is 0 or more, not -1"),
        ({"rng": "seed"}, "seed is a whole number, not 'seed'"),
        ({"target_error": 0}, "a target error is a positive number, as 0.02, not 0"),
        ({"target_error": float("nan")}, "a positive number, as 0.02, not nan"),
        ({"direction": [1]}, "one finite number for each of 2 output channels, not \\[1.0\\]"),
        ({"direction": [1, float("inf")]}, "one finite number for each"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(named, message):
    with pytest.raises(ErfTheoryError, match=message):
        measure_erf(NETS["line"], **named)


def test_what_would_not_fit_is_refused_before_any_work():
    for network in (Chain([Conv(10**6, 10**6, 3)], 1), Chain([Conv(1, 1, 3, stride=2)] * 60, 1)):
        with pytest.raises(MapTooLargeError, match=r"GiB.* fewer channels or a smaller network"):
            measure_erf(network)


def test_gradients_beyond_doubles_are_refused():
    network = Chain([Conv(4, 4, 3, init=1e60)] * 12, 1)
    with pytest.raises(ErfTheoryError, match="beyond doubles: give the weights less variance"):
        measure_erf(network, samples=4, rng=0)


def test_gradients_that_all_die_have_mass_0():
    blocks = np.zeros((2, 3))
    dead = Measurement(blocks, np.array([1, 1]), (0,), "a call")
    assert dead.mass == 0
    assert repr(dead) == "Measurement of a call: mass 0, standard error of a pixel 0 on average"


def test_a_layer_that_nobody_knows_is_refused_by_name(unknown_layer):
    with pytest.raises(ErfTheoryError, match="Unknown"):
        measure_erf(Chain([unknown_layer], 1))
