"""Checkpoints: what goes on, what is refused, and that a refused file stays as it is."""

import os
import signal

import numpy as np
import pytest

from erf_theory.activations import nonlinearity
from erf_theory.empirical import checkpoints, scheduling
from erf_theory.empirical.checkpoints import read_checkpoint
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv

WEIGHTS = np.random.default_rng(0).standard_normal((2, 2, 3))
NET = Chain([Conv(2, 2, 3), Activation("relu"), Conv(2, 2, 3)], 1)
GIVEN = Chain([Conv(2, 2, 3, weights=WEIGHTS), Activation("relu")], 1)
IMAGES = np.random.default_rng(1).standard_normal((3, 2, 9))


def measure(network=NET, **named):
    return measure_erf(network, **{"samples": 200, "rng": 5} | named)


def assert_same(one, other):
    for name in ("blocks", "magnitudes", "amplitudes", "counts"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.call == other.call


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


@pytest.fixture
def batches(monkeypatch):
    """Numbers of the samples of every batch that was computed."""
    rows, seen = scheduling._rows, []

    def spied(experiment, seed, batch):
        seen.append(batch)
        return rows(experiment, seed, batch)

    monkeypatch.setattr(scheduling, "_rows", spied)
    return seen


@pytest.mark.parametrize("few", [10, 32, 64, 100, 128])
def test_more_samples_go_on_from_fewer(path, few, batches):
    part = measure(samples=few, checkpoint=path)
    assert_same(part, measure(samples=few))
    batches.clear()
    assert_same(measure(checkpoint=path), measure())
    assert batches[0].start == few // 32 * 32
    batches.clear()
    assert_same(measure(checkpoint=path), measure(checkpoint=path))
    assert batches == [range(192, 200)] * 2


def test_a_target_that_is_reached_stays_reached(path, batches):
    whole = measure(samples=10**5, target_error=0.2)
    assert_same(measure(samples=10**5, target_error=0.2, checkpoint=path), whole)
    batches.clear()
    assert_same(measure(samples=10**5, target_error=0.2, checkpoint=path), whole)
    assert batches == []


@pytest.mark.parametrize("after", [1, 3, 5])
def test_an_interrupt_returns_what_there_is_and_the_next_run_goes_on(path, after, monkeypatch):
    rows, whole = scheduling._rows, measure()

    def interrupted(experiment, seed, batch):
        if batch.start >= 32 * after:
            signal.raise_signal(signal.SIGINT)
        return rows(experiment, seed, batch)

    with monkeypatch.context() as patched:
        patched.setattr(scheduling, "_rows", interrupted)
        found = measure(checkpoint=path)
        assert found.interrupted
        assert "interrupted after" in repr(found)
        assert found.samples == 32 * after
        assert np.array_equal(found.blocks, measure(samples=32 * after).blocks)
    assert_same(measure(checkpoint=path), whole)
    assert not whole.interrupted


def test_an_interrupt_before_two_samples_is_one(path, monkeypatch):
    monkeypatch.setattr(scheduling, "_rows", lambda *_: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        measure(checkpoint=path)
    assert not path.exists()


@pytest.mark.parametrize("seed", [None, 7, np.random.SeedSequence([3, 4], spawn_key=(1, 2))])
def test_without_a_seed_that_of_the_file_is_taken(path, seed):
    first = measure(rng=seed, samples=64, checkpoint=path)
    again = measure(rng=None, samples=64, checkpoint=path)
    assert_same(first, again)
    assert_same(measure(rng=seed or read_checkpoint(path).seed, samples=64, checkpoint=path), first)


@pytest.mark.parametrize("network", [NET, GIVEN], ids=["random", "given"])
def test_images_and_directions_belong_to_the_experiment(path, network):
    named = {"network": network, "images": IMAGES, "direction": [1, 0.1]}
    measure(**named, samples=70, checkpoint=path)
    assert_same(measure(**named, checkpoint=path), measure(**named))


@pytest.mark.parametrize(
    ("named", "what"),
    [
        ({"rng": 6}, "seed"),
        ({"unit": 1}, "unit"),
        ({"backend": "torch"}, "backend"),
        ({"images": IMAGES}, "images"),
        ({"direction": [1, 0]}, "direction"),
        ({"images": IMAGES, "rng": np.random.SeedSequence(5, spawn_key=(0,))}, "seed and images"),
        ({"network": Chain([Conv(2, 2, 3), Activation("tanh"), Conv(2, 2, 3)], 1)}, "network"),
        ({"network": GIVEN}, "network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_experiment_is_refused_and_the_file_stays(path, named, what):
    measure(checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(ErfTheoryError, match=f"another experiment, which differs in {what}: name"):
        measure(**named, checkpoint=path)
    assert path.read_bytes() == before
    with pytest.raises(ErfTheoryError, match="has 192 samples, more than 100: ask for as many"):
        measure(samples=100, checkpoint=path)
    assert path.read_bytes() == before


def test_given_weights_are_told_apart_by_their_numbers(path):
    measure(network=GIVEN, checkpoint=path)
    other = WEIGHTS.copy()
    other[1, 1, 2] = np.nextafter(other[1, 1, 2], 9)
    with pytest.raises(ErfTheoryError, match="differs in network"):
        measure(
            network=Chain([Conv(2, 2, 3, weights=other), Activation("relu")], 1), checkpoint=path
        )


def test_another_version_is_refused(path, monkeypatch):
    measure(checkpoint=path)
    monkeypatch.setattr(checkpoints, "version", lambda _: "9.9")
    with pytest.raises(ErfTheoryError, match="differs in packages"):
        measure(checkpoint=path)


def refused(path, content):
    path.write_bytes(content)
    try:
        read_checkpoint(path)
    except ErfTheoryError:
        with pytest.raises(ErfTheoryError, match="no checkpoint of measure_erf, or it is damaged"):
            measure(checkpoint=path)
        assert path.read_bytes() == content
        return True
    return False


def test_every_damaged_file_is_refused_or_holds_the_same(path, times):
    measure(samples=192, checkpoint=path)
    content, whole = path.read_bytes(), measure()
    rng = np.random.default_rng(0)
    for cut in rng.integers(0, len(content), times(20, 200)):
        assert refused(path, content[:cut])
    count = 0
    for place in rng.integers(0, len(content), times(60, 2000)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << rng.integers(8)
        if refused(path, bytes(flipped)):
            count += 1
        else:
            path.write_bytes(flipped)
            assert_same(measure(checkpoint=path), whole)
    assert count > times(60, 2000) / 2


@pytest.mark.parametrize("kind", ["text", "empty", "archive", "sums alone"])
def test_foreign_files_are_refused(path, kind):
    match kind:
        case "text":
            path.write_text("my thesis")
        case "empty":
            path.touch()
        case "archive":
            np.savez(path, values=np.ones(3))
        case "sums alone":
            np.savez(path, sums=np.ones((64, 16)), fingerprint="{}", digest="0")
    assert refused(path, path.read_bytes())


def test_places_that_cannot_be_written_are_refused_before_any_work(tmp_path, batches):
    with pytest.raises(ErfTheoryError, match=r"cannot be written: .*none is no folder"):
        measure(checkpoint=tmp_path / "none" / "run.npz")
    with pytest.raises(ErfTheoryError, match="cannot be read: Is a directory"):
        measure(checkpoint=tmp_path)
    assert batches == []


def test_a_failed_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    measure(samples=64, checkpoint=path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ErfTheoryError, match=r"run.npz cannot be written: No space left on device"):
        measure(checkpoint=path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_activation_without_a_name_cannot_be_told_from_others(path):
    network = Chain([Conv(2, 2, 3), Activation(nonlinearity(np.square, np.sign)), Conv(2, 2, 3)], 1)
    with pytest.raises(ErfTheoryError, match="only an activation by name"):
        measure(network=network, checkpoint=path)
    assert not path.exists()
