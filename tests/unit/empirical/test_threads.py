"""Threads of the numerical libraries: one inside, and afterwards as many as before."""

from threading import Thread

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.threads import one_thread
from erf_theory.network import Chain, Conv

NET = Chain([Conv(1, 1, 3)], 1)


def blas():
    np.linalg.norm(np.ones((2, 2)) @ np.ones((2, 2)))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_there_is_one_inside_and_as_many_as_before_outside():
    with threadpool_limits(2):
        assert blas() == {2}
        with one_thread():
            assert blas() == {1}
        measure_erf(NET, samples=2)
        assert blas() == {2}


def test_threads_that_sample_at_once_see_one_each():
    seen = []

    def work():
        for _ in range(20):
            with one_thread():
                seen.append(blas())

    before, workers = blas(), [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen == [{1}] * 80
    assert blas() == before


@pytest.mark.torch
def test_pytorch_too():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread():
        assert torch.get_num_threads() == 1
    measure_erf(NET, samples=2, backend="torch")
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
