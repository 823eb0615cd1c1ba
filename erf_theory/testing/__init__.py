"""For tests of one's own layers and theories: random networks, and an assertion.

Needs Hypothesis: ``pip install "erf-theory[testing]"``.
"""

from erf_theory.testing.assertion import assert_agrees
from erf_theory.testing.kernels import kernels
from erf_theory.testing.layers import layers
from erf_theory.testing.networks import networks, stacks, units

__all__ = ["assert_agrees", "kernels", "layers", "networks", "stacks", "units"]
