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


TABLE = (
    "from erf_theory import layer_table; from erf_theory.network import Chain, Conv; "
    "layer_table(Chain([Conv(1, 2, 3{weights})], 1))"
)
RANDOM = {
    f"erf_theory.{name}"
    for name in ("derived", "erf", "maps", "propagation.energy", "propagation.forward")
}


def modules(statement):
    """What a new process has loaded after a statement."""
    code = f"import json, sys; {statement}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("statement", LIGHT)
def test_the_plain_use_loads_nothing_heavy(statement):
    assert modules(statement).isdisjoint(HEAVY)


def test_a_table_of_given_weights_loads_nothing_for_random_ones():
    assert modules(TABLE.format(weights=", weights=[[[1, 2, 1]]] * 2")).isdisjoint(RANDOM)
    assert modules(TABLE.format(weights="")) >= RANDOM


@pytest.mark.torch
@pytest.mark.parametrize("statement", LIGHT)
def test_torch_stays_out_where_it_is_installed(statement):
    assert "torch" in modules("import torch")
    assert "torch" not in modules(statement)


def test_a_heavy_import_is_seen():
    assert {"mpmath", "sympy"} <= modules("import sympy")


def test_modules_that_load_late_are_there_when_they_are_named():
    graph, files = "network.graph.Chain", "network.files.load"
    assert modules(f"from erf_theory import network; {graph}; {files}") >= {
        "erf_theory.network.graph",
        "erf_theory.network.files",
    }
