"""
Neighbours in a U-Net: phases
=============================

A U-Net halves its image four times and doubles it again. On the lowest level 16 output pixels
share one unit, so what an output pixel sees depends on where it stands in a grid of 16 pixels:
its *phase*. Its skips are there to repair that. How well do they do it?

First the bare bones: convolutions and pools down, transposed convolutions up, no skips. All 16
pixels of a group see exactly the same, wherever they stand.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import network_erf, receptive_field, zoo
from erf_theory.network import Chain, Conv, ConvTranspose, MaxPool

down = [Conv(32, 32, 3, padding=1), MaxPool(2)] * 4
bare = Chain(down + [ConvTranspose(32, 32, 2, stride=2)] * 4)
unet = zoo.unet()
units = np.arange(40)


def seen(net: Chain) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """First and last pixel of the field, and the mean of the map, for every output pixel."""
    geometry, output = receptive_field(net), net.nodes[-1].name
    regions = [geometry.region(output, (unit, unit)) for unit in units]
    maps = [network_erf(net, ndim=1, unit=unit) for unit in units]
    first = np.array([region.start[0] for region in regions])
    last = first + [region.shape[0] - 1 for region in regions]
    return first, last, (first + last) / 2 + [erf.mean[0] for erf in maps]


same = [network_erf(bare, ndim=1, unit=unit).values for unit in range(16)]
assert all(np.array_equal(one, same[0]) for one in same)
places = {"no skips": seen(bare), "U-Net": seen(unet)}

fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained", sharex=True, sharey=True)
for ax, (name, (first, last, mean)) in zip(axes, places.items(), strict=True):
    ax.fill_between(
        units, first - 0.5, last + 0.5, step="mid", color="#BBDDEE", label="theoretical field"
    )
    ax.plot(units, units, color="black", linestyle=":", label="the output pixel itself")
    ax.plot(units, mean, color="#0072B2", drawstyle="steps-mid", label="mean of the map")
    ax.set(title=name, xlabel="output pixel")
axes[0].set_ylabel("input pixel")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
fig.set_label(
    "Input pixels seen by the output pixels 0 to 39. Without skips, field and mean of the map"
    " are a staircase with steps of 16 pixels. In the U-Net the edges of the field still jump"
    " by 16, but the mean lies on the straight line of the output pixel."
)

# %%
# In the U-Net the edges of the theoretical field still jump by 16 pixels at certain places, but
# almost no gradient comes from there. The mean of the map follows the pixel:

for name, (first, _, mean) in places.items():
    print(f"{name:8}: fields start at {sorted(set(first.tolist()))}")
    print(f"{name:8}: the mean is up to {abs(mean - units).max():.2f} px from the pixel itself")
assert abs(places["no skips"][2] - units).max() == 7.5
assert abs(places["U-Net"][2] - units).max() < 0.05

# %%
# What is left of the phases in the U-Net are small differences of the width, for each way to
# double the image:

for up in ("transposed", "nearest", "linear"):
    stds = [network_erf(zoo.unet(up), ndim=1, unit=unit).std for unit in range(16)]
    print(f"{up:10}: std {min(stds):.3f} to {max(stds):.3f} px")
    assert max(stds) / min(stds) < 1.01
