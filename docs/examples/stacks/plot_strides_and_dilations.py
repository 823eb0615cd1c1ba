"""
Strides against dilations, at equal cost
========================================

Two ways to see more without more layers. A stride of 2 keeps every second output, so that later
layers walk in double steps. A dilation spreads the taps and keeps all outputs. Which sees
further? For the same number of layers: neither. For the same work: the strides.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import network_erf
from erf_theory.network import Chain, Conv

strided = Chain([Conv(1, 1, 3, stride=2)] * 4)
dilated = Chain([Conv(1, 1, 3, dilation=2**level) for level in range(4)])
same = network_erf(strided), network_erf(dilated)
print(f"field of both: {same[0].theoretical_rf}, std {same[0].std:.2f} and {same[1].std:.2f} px")
assert np.array_equal(same[0].values, same[1].values)

# %%
# Layer for layer a unit of both sees exactly the same: the taps behind a stride are as far apart
# as those of a dilation. What differs is how many units there are. A layer behind l strides has
# only every 2ˡ-th output on both axes, a share 4⁻ˡ of the work:


def work(network: Chain) -> float:
    """Multiplications per pixel of the image, in units of one 3×3 layer at full size."""
    outputs = np.cumprod([1 / layer.stride**2 for layer in network.parts])
    return float(outputs.sum())


print(f"work: {work(strided):.2f} for strides, {work(dilated):.2f} for dilations")
assert work(dilated) == 4
assert work(strided) < 0.34

# %%
# Now spend the work of four layers on strides as well: two layers at full size, four at half and
# 16 at a quarter of it.

one, half = Conv(1, 1, 3), Conv(1, 1, 3, stride=2)
deep = Chain([one, one, half, *[one] * 3, half, *[one] * 15])
assert work(deep) == work(dilated) == 4
plain = Chain([one] * 4)
stacks = {"plain": plain, "dilations 1, 2, 4, 8": dilated, "strides": deep}

fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
looks = (("#009E73", ":"), ("#E69F00", "--"), ("#0072B2", "-"))
for (name, network), (colour, line) in zip(stacks.items(), looks, strict=True):
    erf = network_erf(network, ndim=1)
    ax.stairs(
        erf.values,
        np.append(erf.offsets[0] - 0.5, erf.offsets[0][-1] + 0.5),
        color=colour,
        linestyle=line,
        linewidth=1.5,
        label=f"{len(network.parts)} layers, {name}",
    )
    print(
        f"{name:20}: {len(network.parts):2} layers, work {work(network):.0f}, "
        f"field {erf.theoretical_rf[0]:3} px, std {erf.std:.2f} px"
    )
ax.set(xlabel="pixels from the unit", ylabel="share of the influence", xlim=(-45, 45))
ax.legend(frameon=False)
fig.set_label(
    "Profiles of three stacks of equal work: a narrow peak for plain layers, a jagged hill of"
    " 31 pixels for dilations, and a smooth bell, nearly twice as wide, for strides."
)
assert network_erf(deep).std > 1.7 * network_erf(dilated).std

# %%
# The price of strides: the deep stack has an output for every fourth pixel only. Where an output
# is needed for every pixel, dilations keep it, or an upsampling must bring it back.

print(f"distance of neighbouring outputs: {np.prod([x.stride for x in deep.parts])} px")
