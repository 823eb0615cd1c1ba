"""
Figure 2: the activation does not matter here
=============================================

The paper's Figure 2 compares ReLU, tanh and sigmoid in a stack of 20 layers of 3×3 convolutions
with random weights. Here it is again, 20 runs each, beside the theory.

An activation multiplies the gradient at every place by its slope there. On average that scales
all places alike. In a stack without skips it changes how large the gradient is, by many powers of
ten, and not where it goes.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import network_erf
from erf_theory.network import Activation, Chain, Conv
from erf_theory.verdict.reproduction import reproduce

found = reproduce([20], runs=20, variants=["random", "relu", "tanh", "sigmoid"])

fig, axes = plt.subplots(2, 4, figsize=(8, 4.2), layout="constrained")
for column, case in zip(axes.T, found.cases, strict=True):
    for ax, erf, name in zip(
        column,
        (case.measured, case.theory),
        ("measured", "theory"),
        strict=True,
    ):
        ax.imshow(erf.values / erf.values.max(), cmap="cividis", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_title(f"{case.variant}, {name}", fontsize=9)
fig.colorbar(ax.images[0], ax=axes, label="gradient / its maximum", shrink=0.8)
fig.set_label(
    "Two rows of four heat maps, 41 by 41 pixels: measured above, theory below, for random "
    "weights without activation, with ReLU, tanh and sigmoid. All eight show the same round "
    "spot; the measured ones are slightly grainy."
)

# %%
# The four predictions are one and the same map:

first, *others = [case.theory for case in found.cases]
for other in others:
    assert abs(other.values - first.values).max() < 1e-15
for case in found.cases:
    print(
        f"{case.variant:8}: size {case.theory.size():.2f} px in theory, {case.measured.size():.2f} "
        f"measured; the maps differ by {case.total_variation:.1%}"
    )
    assert abs(case.measured.size() / case.theory.size() - 1) < 0.04

# %%
# What differs is the strength of the gradient. The mass of its mean square, all pixels together,
# for He's weights, which are made for ReLUs and keep it at 1/16 there:

masses = {}
for case in found.cases:
    between = [] if case.variant == "random" else [Activation(case.variant)]
    layer = Conv(32, 32, 3, padding=1)
    stack = Chain([layer, *[*between, layer] * 19])
    masses[case.variant] = network_erf(stack).log_mass / np.log(10)
    print(f"{case.variant:8}: 10^{masses[case.variant]:.1f}")
assert abs(10 ** masses["relu"] - 1 / 16) < 1e-12
assert masses["sigmoid"] < masses["relu"] < masses["tanh"] < masses["random"]
