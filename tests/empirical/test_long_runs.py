"""Runs that are killed, and runs that are long: in processes of their own."""

import subprocess
import sys
import time

import numpy as np
import pytest

from erf_theory.empirical.checkpoints import read_checkpoint
from erf_theory.empirical.measure import measure_erf
from erf_theory.network import Activation, Chain, Conv

NETWORK = 'Chain([Conv(4, 4, 3), Activation("relu"), Conv(4, 4, 3)], 1)'
NET = Chain([Conv(4, 4, 3), Activation("relu"), Conv(4, 4, 3)], 1)
IMPORTS = (
    "from erf_theory.empirical.measure import measure_erf\n"
    "from erf_theory.network import Activation, Chain, Conv\n"
)
PEAK = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def killed(code, seconds):
    """Whether a process was killed, so long after it is ready, before it was done."""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        process.kill()
    return process.returncode == -9


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path, times):
    path, kills, rng = tmp_path / "run.npz", times(3, 20), np.random.default_rng()
    samples = 8000 * kills
    code = (
        f"{IMPORTS}measure_erf({NETWORK}, samples=2)\nprint('ready', flush=True)\n"
        f"measure_erf({NETWORK}, samples={samples}, rng=0, checkpoint={str(path)!r})"
    )
    moments, done = [], []
    while len(done) < kills or done[-1] == 0:
        moment = rng.uniform(0, 0.4)
        moments.append(moment)
        assert killed(code, moment), f"the moments {moments} are too late for this machine"
        saved = read_checkpoint(path)
        done.append(0 if saved is None else saved.samples)
    assert done == sorted(done)
    assert 0 < done[-1] < samples
    found = measure_erf(NET, samples=samples, rng=0, checkpoint=path)
    whole = measure_erf(NET, samples=samples, rng=0)
    for name in ("blocks", "magnitudes", "amplitudes", "counts"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)), (name, moments)


@pytest.mark.parametrize("more", ["", ", target_error=1e-9, checkpoint='run.npz'"])
def test_memory_does_not_grow_with_the_samples(more, tmp_path):
    network = NETWORK.replace("3)", "33)")
    peaks = []
    for samples in (100, 10_000):
        code = f"{IMPORTS}measure_erf({network}, samples={samples}, rng=0{more})\n{PEAK}"
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=tmp_path)
        peaks.append(int(done.stdout))
    few, many = peaks
    assert many < few + 4096, "KiB: 10 000 samples have 15 MiB of numbers"
