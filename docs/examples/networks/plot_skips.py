"""
A skip connection is a mixture of depths
========================================

A residual block adds its input to what its convolution makes of it. On the way back the gradient
has a choice at every block: through the convolution, or past it. So a chain of n blocks is many
stacks at once, of 0, 1, 2, … n convolutions. How many convolutions a way goes through follows the
binomial law, like n throws of a bent coin, and the effective receptive field is narrower than
that of n convolutions in a row.
"""

from math import comb

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import network_erf, variance_erf
from erf_theory.network import Chain, Conv, Residual

n, channels = 16, 8


def residual(r: float) -> Chain:
    """A chain of blocks whose convolution multiplies the energy by r."""
    conv = Conv(channels, channels, 3, padding=1, init=r / (3 * channels))
    return Chain([Residual(conv)] * n, ndim=1)


ratios = {0.25: ("#009E73", ":"), 1: ("#0072B2", "-"), 4: ("#E69F00", "--")}
fig, (depths, maps) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for r, (colour, line) in ratios.items():
    p = r / (1 + r)
    share = [comb(n, m) * p**m * (1 - p) ** (n - m) for m in range(n + 1)]
    depths.plot(share, line, color=colour, marker="o", markersize=3, label=f"r = {r}")
    erf = network_erf(residual(r))
    maps.plot(erf.offsets[0], erf.values, line, color=colour)

    mixture = np.zeros(2 * n + 1)
    for m in range(n + 1):
        mixture[n - m : n + m + 1] += share[m] * variance_erf(3, m).values
    assert abs(erf.values - mixture).max() < 1e-14
plain = variance_erf(3, n)
maps.plot(plain.offsets[0], plain.values, color="black", linewidth=0.9, label="no skips")
depths.set(xlabel="convolutions on the way", ylabel="share of the energy")
maps.set(xlabel="pixels from the unit", ylabel="share of the energy")
fig.legend(loc="outside lower center", ncols=4, frameon=False)
fig.set_label(
    "Left, binomial laws of the number of convolutions out of 16, with their peaks at 3, 8 "
    "and 13 for r = 0.25, 1 and 4. Right, the maps: the smaller r, the narrower and higher "
    "the peak; all are narrower than the bell without skips."
)

# %%
# Here r is how strong the branch is: the energy that goes through the convolution, for each unit
# of energy that goes past it. The code above compares every map with the mixture, pixel by pixel.
# The widths follow the simple formula of a mixture, n · r/(1 + r) · 2/3 for the variance:

for r in ratios:
    erf = network_erf(residual(r))
    print(f"r = {r:4}: {n * r / (1 + r):4.1f} convolutions on average, std {erf.std:.3f} px")
    assert abs(erf.std**2 - n * r / (1 + r) * 2 / 3) < 1e-12
    assert erf.std < plain.std
print(f"no skips: {n:4.1f} convolutions, std {plain.std:.3f} px")

# %%
# The theoretical receptive field does not know any of this. It is the same for all:

fields = {network_erf(residual(r)).theoretical_rf for r in ratios} | {plain.theoretical_rf}
print("theoretical receptive field:", *fields)
assert fields == {(2 * n + 1,)}
