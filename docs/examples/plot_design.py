"""
What a field of 60 pixels costs
===============================

Deep, dilated and strided networks of 3×3 convolutions and depthwise networks with large kernels,
all with an effective receptive field of 60 pixels and without gridding: their weights, and the
multiplications for every pixel of an image. Filled points are on the Pareto front of both costs
and of the distance of the outputs.

As a script, it saves the picture: ``python docs/examples/plot_design.py design.png``.
"""

import sys

from erf_theory import design_front, design_network

front = design_front(60)
print(front)
if len(sys.argv) > 1:
    front.save_figure(sys.argv[1])
front

# %%
# The dilated one is a box: taps at distances 1, 3, 9 and 27 tile the plane.

design_network(60, families="dilated")
