"""For tests of one's own layers and theories: random networks, and an assertion.

Needs Hypothesis: ``pip install "erf-theory[testing]"``.
"""

from erf_theory.testing.assertion import assert_agrees
from erf_theory.testing.graphs import networks, stacks, units
from erf_theory.testing.parts import layers
from erf_theory.testing.taps import kernels

__all__ = ["assert_agrees", "kernels", "layers", "networks", "stacks", "units"]
