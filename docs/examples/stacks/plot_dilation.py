"""
How dilation breaks the Gaussian
================================

A Gaussian needs many steps of about equal length. Dilation makes them unequal: taps 1, 2, 4, 8, …
pixels apart. However deep such a stack is, its last layer reaches as far as all the others
together and carries three quarters of the variance, and the shape never becomes a bell. Three
things can happen instead.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import ERF, gaussian_limit, network_erf
from erf_theory.network import Chain, Conv


def erf_of(k: int, dilations: Sequence[int]) -> ERF:
    """The map of layers with k equal taps and the given dilations, on one axis."""
    return network_erf(Chain([Conv(1, 1, k, dilation=d) for d in dilations], ndim=1))


uniform = erf_of(2, [1, 2, 4, 8, 16, 32])
stern = erf_of(3, [1, 2, 4, 8, 16])
holes = erf_of(3, [2, 2, 2, 2, 2, 2, 2, 2])

fig, axes = plt.subplots(1, 3, figsize=(8.4, 3), layout="constrained")
for ax, erf, title in (
    (axes[0], uniform, "two taps, dilations\n1, 2, 4, 8, 16, 32"),
    (axes[1], stern, "three taps, dilations\n1, 2, 4, 8, 16"),
    (axes[2], holes, "three taps, dilation\n2 in all 8 layers"),
):
    x = erf.offsets[0]
    gaussian = np.exp(-((x / erf.std) ** 2) / 2) / (erf.std * np.sqrt(2 * np.pi))
    ax.vlines(x, 0, erf.values, color="#0072B2", linewidth=1.5, label="map")
    ax.plot(x, gaussian, color="#D55E00", linestyle="--", label="Gaussian of its variance")
    ax.set(title=title, xlabel="pixels from the unit", ylim=(0, None))
axes[0].set_ylabel("share of the influence")
fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
fig.set_label(
    "Three maps as stems beside Gaussians of their variance. Left, 64 equal stems: a box. "
    "Middle, a jagged hill with a self-similar pattern. Right, a bell, but every other pixel "
    "is zero, so its stems are twice as high as the Gaussian."
)

# %%
# **Exactly uniform.** With k taps and the dilations 1, k, k², … every pixel has exactly one way
# to the output: its digits in base k. WaveNet's layers have two taps and dilations 1, 2, 4, … ,
# 512.

ways, total = uniform.exact()
print(f"{len(ways)} pixels, each with {set(ways.tolist())} of {total}")
assert set(ways.tolist()) == {1}
assert total == 2**6 == len(ways)
wavenet = erf_of(2, [2**level for level in range(10)])
assert set(wavenet.exact()[0].tolist()) == {1}

# %%
# **Stern's numbers.** With three taps and the same dilations the ways overlap, and their numbers
# are Stern's diatomic numbers: s(2t) = s(t), s(2t + 1) = s(t) + s(t + 1). They are jagged at
# every scale.


def stern_number(t: int) -> int:
    """Stern's diatomic sequence 0, 1, 1, 2, 1, 3, 2, 3, …"""
    if t < 2:
        return t
    return stern_number(t // 2) + (stern_number(t // 2 + 1) if t % 2 else 0)


ways = stern.exact()[0].tolist()
print(*ways[:32])
last, all_layers = 16**2, sum(4**level for level in range(5))
assert 0.75 < last / all_layers < 0.76
assert ways[:32] == [stern_number(t + 1) for t in range(32)]
assert ways == ways[::-1]

# %%
# **Gridding.** With the same dilation 2 in every layer there is a Gaussian, but only on every
# other pixel. The others have no way to the output at all. One layer with dilation 1 fills all
# holes.

print(f"{np.mean(holes.values == 0):.0%} of the field are holes")
assert (holes.values[1::2] == 0).all()
filled = erf_of(3, [1, 2, 2, 2, 2, 2, 2, 2])
assert (filled.values > 0).all()
print(f"std {holes.std:.2f} px with holes, {filled.std:.2f} px without")

# %%
# The package says so by itself, and why:

for erf in (uniform, stern, holes, filled):
    print("-", gaussian_limit(erf).verdict)
