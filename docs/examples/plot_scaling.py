"""
Growth with the root of the depth
=================================

The effective receptive field grows as √n, its share of the theoretical one shrinks as 1/√n: the
laws of the paper's Figure 3, from theory. An experiment that averages magnitudes of gradients
measures the root mean square.

As a script, it saves the picture: ``python docs/examples/plot_scaling.py scaling.png``.
"""

import sys

from erf_theory import sqrt_scaling

depths = [5, 10, 20, 40, 80]
for kind in ("amplitude", "rms"):
    print(sqrt_scaling(3, depths, measure="size", ndim=2, kind=kind))

# %%
# The paper's size in pixels, of the root mean square:

scaling = sqrt_scaling(3, depths, measure="size", ndim=2, kind="rms")
if len(sys.argv) > 1:
    scaling.save_figure(sys.argv[1])
scaling
