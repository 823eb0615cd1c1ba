"""What all tests share: how long they look, and what they need to run."""

import os
import signal
from importlib.util import find_spec

import pytest
from hypothesis import settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers stand side by side; threads of each would only be in the way of the others'.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

from erf_theory.network import Layer

settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None, derandomize=True)


def pytest_addoption(parser):
    parser.addoption(
        "--thorough",
        action="store_true",
        help="draw 1000 examples of every law instead of 50, and repeat experiments more often",
    )


def pytest_configure(config):
    settings.load_profile("thorough" if config.getoption("thorough") else "quick")
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item):
    for marker, missing in MISSING.items():
        if item.get_closest_marker(marker) and (what := missing()):
            pytest.skip(what)


def missing_gpu():
    """What a test on a GPU lacks here; nothing where it can run."""
    if find_spec("cupy") is None:
        return "needs CuPy, which is not installed here"
    from cupy import cuda

    return None if cuda.is_available() else "needs a GPU, and CuPy finds none here"


def missing_torch():
    """What a test of PyTorch lacks here; nothing where it can run."""
    return None if find_spec("torch") else "needs PyTorch, which is not installed here"


MISSING = {"gpu": missing_gpu, "torch": missing_torch}


@pytest.fixture
def times(request):
    """How often an experiment is repeated: the first number, or with --thorough the second."""
    return lambda quick, thorough: thorough if request.config.getoption("thorough") else quick


class Unknown(Layer):
    """A layer that no rule is written for."""

    def out_of(self, *channels):
        return channels[0]


@pytest.fixture
def unknown_layer():
    return Unknown()
