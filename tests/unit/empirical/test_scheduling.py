"""Batches on one grid, and results that do not know who computed them."""

from itertools import pairwise

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.scheduling import batches, is_boundary
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv

NET = Chain([Conv(8, 8, 3), Activation("relu"), Conv(8, 8, 3), Activation("tanh"), Conv(8, 8, 3)])
PARTS = ("blocks", "magnitudes", "amplitudes", "counts")


def assert_same(one, other):
    for name in PARTS:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.call == other.call


@given(st.integers(0, 300), st.integers(1, 300), st.integers(1, 64))
def test_batches_go_on_from_any_boundary(stop, more, most):
    whole = list(batches(0, stop + more, most))
    assert [i for batch in whole for i in batch] == list(range(stop + more))
    assert max(map(len, whole)) <= most
    for before, batch in pairwise(whole):
        assert is_boundary(before.stop, most)
        assert list(batches(batch.start, stop + more, most)) == whole[whole.index(batch) :]
    assert not any(is_boundary(i, most) for batch in whole for i in batch[1:])


@pytest.mark.parametrize(
    "goal", [{"samples": 150}, {"samples": 5000, "target_error": 0.1}], ids=str
)
def test_results_are_the_same_bits_for_any_number_of_workers(goal):
    usual = measure_erf(NET, **goal, rng=0)
    assert usual.samples == goal["samples"] or 64 <= usual.samples < 1000
    for workers in (2, 3, -1):
        assert_same(measure_erf(NET, **goal, rng=0, n_jobs=workers), usual)
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert_same(measure_erf(NET, **goal, rng=0), usual)


@pytest.mark.parametrize("backend", ["sequential", "multiprocessing"])
def test_backends_that_hand_on_nothing_before_all_is_done_get_rounds(backend):
    goal = {"samples": 1000, "target_error": 0.1}
    usual = measure_erf(NET, **goal, rng=0)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        assert not joblib.parallel.get_active_backend()[0].supports_return_generator
        assert_same(measure_erf(NET, **goal, rng=0), usual)


@pytest.mark.torch
def test_torch_gives_the_same_bits_for_any_number_of_workers():
    usual, parallel = (
        measure_erf(NET, backend="torch", samples=70, rng=0, n_jobs=n) for n in (1, 2)
    )
    assert_same(usual, parallel)


@pytest.mark.parametrize("n_jobs", [0, 1.5, "two"])
def test_numbers_of_workers_that_make_no_sense_are_refused(n_jobs):
    with pytest.raises(ErfTheoryError, match=f"number of workers, or -1 .*, not {n_jobs!r}"):
        measure_erf(NET, n_jobs=n_jobs)


def test_an_error_of_a_worker_is_the_same_error():
    network = Chain([Conv(4, 4, 3, init=1e60)] * 12, 1)
    with pytest.raises(ErfTheoryError, match="beyond doubles"):
        measure_erf(network, samples=200, rng=0, n_jobs=2)
