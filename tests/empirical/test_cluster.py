"""The same call on a cluster: the same bits."""

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

from erf_theory.empirical.measure import measure_erf
from erf_theory.network import Activation, Chain, Conv

NET = Chain([Conv(8, 8, 3), Activation("relu"), Conv(8, 8, 3)])


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    "goal", [{"samples": 300}, {"samples": 9000, "target_error": 0.08}], ids=str
)
@pytest.mark.parametrize("checkpoint", [False, True])
def test_dask_gives_the_same_bits(goal, checkpoint, tmp_path):
    usual = measure_erf(NET, **goal, rng=0)
    path = tmp_path / "run.npz" if checkpoint else None
    with joblib.parallel_config(backend="dask"):
        found = measure_erf(NET, **goal, rng=0, checkpoint=path)
    for name in ("blocks", "magnitudes", "amplitudes", "counts"):
        assert np.array_equal(getattr(found, name), getattr(usual, name)), name
    assert found.call == usual.call
