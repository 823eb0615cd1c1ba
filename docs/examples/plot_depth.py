"""
The share that is used shrinks with depth
=========================================

The theoretical receptive field grows with the depth n, the effective one with its root.
"""

from matplotlib import pyplot as plt

from erf_theory import theoretical_erf

figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
for n, style in ((5, "-"), (20, "--"), (80, ":")):
    erf = theoretical_erf(3, n)
    half = erf.theoretical_rf[0] / 2
    axes.plot(erf.offsets[0] / half, erf.values / erf.values.max(), style, label=f"n = {n}")
axes.set_xlabel("offset / half of the theoretical receptive field")
axes.set_ylabel("influence / maximum")
axes.legend(frameon=False)
figure.set_label(
    "Influence over the offset as a share of half the theoretical receptive field, from -1 to 1: "
    "three bells that get narrower from 5 to 20 to 80 layers."
)
