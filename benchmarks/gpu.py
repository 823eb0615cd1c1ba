"""``python -m benchmarks.gpu``: CuPy beside NumPy, on a machine that has an NVIDIA GPU.

Both backends measure the same samples. They must agree with each other to rounding, and with the
theory to the measurement's own error, before anything is timed.
"""

from __future__ import annotations

from functools import partial

from benchmarks.measure import agree, near
from benchmarks.row import FULL, Ratio
from benchmarks.table import line, machine
from erf_theory import network_erf
from erf_theory.empirical.cupy_backend import import_cupy
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, MaxPool, Network

__all__ = ["main"]

NETWORKS: dict[str, Network] = {
    "10 layers 3×3, 32 channels": Chain([Conv(32, 32, 3)] * 10, ndim=2),
    "20 layers 3×3, 64 channels": Chain([Conv(64, 64, 3)] * 20, ndim=2),
}
CURVED: Network = Chain([Conv(8, 8, 3), Activation("gelu"), MaxPool(2)] * 3, ndim=2)
ROUNDING = {"float64": 1e-9, "float32": 1e-3}


def main() -> None:
    """Compare, then time; it ends with status 1 where there is no GPU, or they disagree."""
    try:
        cupy = import_cupy()
    except ErfTheoryError as error:
        raise SystemExit(f"benchmarks.gpu has nothing to run on: {error}") from None
    print(cupy.cuda.runtime.getDeviceProperties(0)["name"].decode(), "beside", machine())
    agree(_measured(CURVED, "cupy", "float64", 64), _measured(CURVED, "numpy", "float64", 64))
    for said, network in NETWORKS.items():
        near(network_erf(network, ndim=2), _measured(network, "cupy", "float64", 256))
        for dtype in ROUNDING:
            print(line(_row(said, network, dtype).outcome(FULL)), flush=True)


def _row(said: str, network: Network, dtype: str) -> Ratio:
    ours, theirs = (partial(_measured, network, b, dtype, 64) for b in ("cupy", "numpy"))
    check = partial(agree, rounding=ROUNDING[dtype])
    work = f"CuPy backend: {said}, 64 seeds, {dtype}"
    return Ratio(work, "the NumPy backend, one thread", 1, ours, theirs, check)


def _measured(network: Network, backend: str, dtype: str, samples: int) -> Measurement:
    return measure_erf(
        network, backend=backend, dtype=dtype, samples=samples, rng=0, progress=False
    )


if __name__ == "__main__":
    main()
