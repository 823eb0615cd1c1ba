"""
What happens at the border
==========================

Convolutions are padded so that the image keeps its size. What the padding holds decides where the
influence of a unit near the border goes: it gets lost in zeros, comes in again on the other side,
or is thrown back by a mirror. Each case is a formula with mirror images, like that of a lamp
between walls: put copies of the map f without borders at the right places, and add them up.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import network_erf, theoretical_erf
from erf_theory.network import Chain, Conv, Pad

size, depth, unit = 21, 12, 2
free = theoretical_erf(3, depth).values


def f(distance: int) -> float:
    """The map without borders."""
    return free[distance + depth] if abs(distance) <= depth else 0.0


def images(border: str, x: int) -> float:
    """The sum over mirror images: what the unit sees of pixel x."""
    total = 0.0
    for m in range(-3, 4):
        if border == "zeros":
            total += f(unit - x + 2 * m * (size + 1)) - f(unit + x + 2 + 2 * m * (size + 1))
        elif border == "circular":
            total += f(unit - x + m * size)
        elif border == "replicate":
            total += f(unit - x + 2 * m * size) + f(unit + x + 1 + 2 * m * size)
        else:
            total += f(unit - x + 2 * m * (size - 1))
            if 0 < x < size - 1:
                total += f(unit + x + 2 * m * (size - 1))
    return total


pixels = np.arange(size)
fig, axes = plt.subplots(2, 2, figsize=(8, 4.8), layout="constrained", sharex=True, sharey=True)
for ax, border in zip(axes.flat, ("zeros", "circular", "replicate", "reflect"), strict=True):
    stack = Chain([Pad(1, border), Conv(8, 8, 3)] * depth, ndim=1)
    erf = network_erf(stack, image_size=size, unit=unit)
    kept = np.exp(erf.log_mass - network_erf(stack).log_mass)
    formula = np.array([images(border, x) for x in pixels])
    ax.bar(pixels, kept * erf.values, color="#56B4E9", label="with this border")
    places = np.arange(unit - depth, unit + depth + 1)
    ax.plot(places, free, color="black", linewidth=1, label="without border")
    ax.plot(pixels, formula, "o", color="#D55E00", markersize=3, label="mirror images")
    ax.axvspan(-11, -0.5, color="#DDDDDD")
    ax.set_title(f"{border}: {kept:.0%} of the energy stays", fontsize=10)
    gap = abs(kept * erf.values - formula).max()
    print(f"{border:9}: {kept:.4f} stays; formula and theory differ by {gap:.0e}")
    assert gap < 1e-12
    assert (kept < 0.71) if border == "zeros" else abs(kept - 1) < 1e-12
axes[0, 0].set(xlim=(-11, 20.5))
for ax in axes[1]:
    ax.set_xlabel("pixel of the image; grey: outside")
fig.supylabel("share of the energy", fontsize=10)
fig.legend(
    *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
)
fig.set_label(
    "Four panels for a unit at the third pixel. Zeros: the bars fall to the border and sum to"
    " 70 percent. Circular: what would lie outside appears at the other end. Replicate and "
    "reflect: it is folded back, and raises the pixels near the border. The dots of the "
    "formula lie on all bars."
)

# %%
# Zero padding is the usual one. It *kills* ways: a unit in the corner of an image gets less
# gradient than one in the middle, and so learns less from it. How much is left depends on the
# depth:

for layers in (3, 12, 48):
    stack = Chain([Conv(8, 8, 3, padding=1)] * layers, ndim=1)
    kept = [
        np.exp(
            network_erf(stack, image_size=101, unit=place).log_mass - network_erf(stack).log_mass
        )
        for place in (0, 10, 50)
    ]
    print(
        f"{layers:2} layers: {kept[0]:.0%} stays at the border, {kept[1]:.0%} ten pixels in, "
        f"{kept[2]:.0%} in the middle"
    )
    assert kept == sorted(kept)
