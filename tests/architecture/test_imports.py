"""What is loaded, and when: new processes that import, compute and then look."""

import json
import subprocess
import sys

import pytest

HEAVY = {"click", "flint", "joblib", "matplotlib", "mpmath", "rich", "scipy", "sympy", "torch"}
LIGHT = [
    "import erf_theory",
    "import erf_theory; erf_theory.theoretical_erf(3, 20).values",
    "from erf_theory import sqrt_scaling; sqrt_scaling(3, [5, 10], kind='rms').ratio",
    "from erf_theory import Kernel; Kernel.uniform(3) ** 20",
    "from erf_theory.activations import nonlinearity; nonlinearity('tanh').mean(1.0)",
]


def loaded(statement):
    """The heavy libraries that a new process has loaded after a statement."""
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return HEAVY & set(json.loads(done.stdout))


@pytest.mark.parametrize("statement", LIGHT)
def test_the_plain_use_loads_nothing_heavy(statement):
    assert loaded(statement) == set()


@pytest.mark.torch
@pytest.mark.parametrize("statement", LIGHT)
def test_torch_stays_out_where_it_is_installed(statement):
    assert "torch" in loaded("import torch")
    assert "torch" not in loaded(statement)


def test_a_heavy_import_is_seen():
    assert {"mpmath", "sympy"} <= loaded("import sympy")
