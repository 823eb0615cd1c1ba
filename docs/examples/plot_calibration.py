"""
Is a p-value what it says?
==========================

A verdict is worth its false-alarm rate. Here 200 experiments on a narrow linear stack, whose
energies have heavy tails, are judged by the true theory, and by one whose weights have 10 % more
variance. Where the theory is true, the p-value of the map must be uniform: its distribution lies
on the diagonal.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import crosscheck, measure_erf, network_erf
from erf_theory.network import Chain, Conv

stack = Chain([Conv(4, 4, 3)] * 4, ndim=1)
more = Chain([Conv(4, 4, 3, init=1.1 * 2 / 12)] * 4, ndim=1)
found = [measure_erf(stack, samples=100, rng=seed, progress=False) for seed in range(200)]

fig, ax = plt.subplots(figsize=(4.5, 3.5), layout="constrained")
levels = np.arange(1, 201) / 200
for network, name, colour, marker in (
    (stack, "the truth", "#0072B2", "o"),
    (more, "10 % more variance", "#D55E00", "^"),
):
    theory = network_erf(network)
    p = sorted(crosscheck(theory, one).p_value for one in found)
    ax.plot(p, levels, color=colour, marker=marker, markersize=3, markevery=20, label=name)
    print(f"{name}: {np.mean(np.array(p) < 0.05):.1%} rejected at 5 %")
ax.plot([0, 1], [0, 1], color="#555555", linestyle="--", linewidth=0.9, label="uniform")
ax.set(xlabel="p of the map", ylabel="share of experiments with less", xlim=(0, 1), ylim=(0, 1))
ax.legend(frameon=False)
fig.set_label(
    "Share of experiments over the p of the map. The true theory follows the diagonal; the one "
    "with 10 % more variance lies far above it at small p."
)

# %%
# The verdict of one experiment in two dimensions, as it shows itself:

plane = Chain([Conv(12, 12, 3, padding=1)] * 3)
crosscheck(network_erf(plane), measure_erf(plane, samples=200, rng=0, progress=False)).plot()
