"""CuPy: what it is asked for, what comes back, and what is said where it is missing."""

from types import SimpleNamespace

import array_api_strict
import numpy as np
import pytest

from erf_theory.empirical import cupy_backend
from erf_theory.empirical.measure import measure_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv

NET = Chain([Conv(2, 3, 3), Activation("gelu"), Conv(3, 2, 3, stride=2)], 1)


def stand_in(monkeypatch, *, gpu):
    """Strict arrays of the standard in place of CuPy's."""
    cuda = SimpleNamespace(is_available=lambda: gpu)
    cupy = SimpleNamespace(cuda=cuda, asnumpy=np.from_dlpack, __version__="0")
    modules = {"cupy": cupy, "array_api_compat.cupy": array_api_strict}
    monkeypatch.setattr(cupy_backend, "import_module", modules.__getitem__)


def test_without_cupy_it_says_what_to_do(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(cupy_backend, "import_module", missing)
    with pytest.raises(ErfTheoryError, match=r"CuPy is not installed here.*pip install.*numpy"):
        measure_erf(NET, backend="cupy", samples=2)


def test_without_a_gpu_it_says_what_to_do(monkeypatch):
    stand_in(monkeypatch, gpu=False)
    with pytest.raises(ErfTheoryError, match=r"finds no GPU: see that `nvidia-smi`.*numpy"):
        measure_erf(NET, backend="cupy", samples=2)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_arrays_go_there_and_come_back(monkeypatch, dtype):
    stand_in(monkeypatch, gpu=True)
    found, other = (
        measure_erf(NET, backend=b, dtype=dtype, samples=5, rng=0) for b in ("cupy", "numpy")
    )
    assert found.call == other.call
    assert found.blocks == pytest.approx(other.blocks, rel=1e-12 if dtype == "float64" else 1e-4)


@pytest.mark.gpu
def test_a_gpu_measures_the_same():
    found, other = (measure_erf(NET, backend=b, samples=200, rng=0) for b in ("cupy", "numpy"))
    assert found.blocks == pytest.approx(other.blocks, rel=1e-9)
