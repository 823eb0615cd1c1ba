"""
From all ones to a Gaussian
===========================

Take a stack of n convolutions whose taps are all 1. The gradient of an output by an input pixel
then *counts*: it is the number of ways to walk from the one to the other, a step per layer. With
two taps a layer goes one pixel on or stays, and the numbers of ways are those of Pascal's
triangle.
"""

from itertools import pairwise
from math import comb

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import theoretical_erf

for n in range(6):
    ways, _ = theoretical_erf(2, n).exact()
    print(f"{n} layers of two taps:", *ways)
    assert list(ways) == [comb(n, t) for t in range(n + 1)]

# %%
# With three taps there are three steps, and every number is the sum of three above it: the
# trinomial triangle. With k taps the numbers are those of (1 + z + … + z^(k−1))^n, and add up to
# kⁿ.

rows = [theoretical_erf(3, n).exact()[0] for n in range(6)]
for n, ways in enumerate(rows):
    print(f"{n} layers of three taps:", *ways)
    assert sum(ways) == 3**n
for above, below in pairwise(rows):
    assert list(below) == [sum(above[max(t - 2, 0) : t + 1]) for t in range(len(below))]

# %%
# Divided by their sum these numbers are a law of chance: that of n throws of a die with k faces,
# added up. So the central limit theorem holds, and the shape tends to a Gaussian with the
# variance n(k² − 1)/12, whatever k is. Here the pixels stand at their distance from the centre in
# standard deviations, and are stretched by it, so that all of them can be compared with one
# curve.

fig, axes = plt.subplots(2, 4, figsize=(8, 4), layout="constrained", sharex=True, sharey=True)
z = np.linspace(-4, 4, 201)
for row, k in zip(axes, (2, 3), strict=True):
    for ax, n in zip(row, (1, 3, 9, 27), strict=True):
        erf = theoretical_erf(k, n)
        assert abs(erf.std**2 - n * (k**2 - 1) / 12) < 1e-12
        ax.plot(z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), color="#D55E00", linewidth=1)
        x, y = erf.offsets[0] / erf.std, erf.values * erf.std
        ax.vlines(x, 0, y, color="#0072B2", linewidth=1)
        ax.plot(x, y, "o", color="#0072B2", markersize=3)
        ax.set_title(f"{k} taps, {n} layer{'s' * (n > 1)}", fontsize=10)
axes[0, 0].set(xlim=(-4, 4), ylim=(0, 0.55))
fig.supxlabel("distance from the centre / std", fontsize=10)
fig.supylabel("std · share", fontsize=10)
fig.set_label(
    "Two rows of four panels: the shares of the pixels as stems beside the bell curve, for "
    "two taps and for three, and 1, 3, 9 and 27 layers. With one layer the stems are equally "
    "high; with 9 they follow the curve, with 27 their tips lie on it."
)

# %%
# How far are they from the curve? The largest difference shrinks as 1/n, so tenfold depth is one
# more digit:

for k in (2, 3):
    gaps = {}
    for n in (10, 100, 1000):
        erf = theoretical_erf(k, n)
        curve = np.exp(-((erf.offsets[0] / erf.std) ** 2) / 2) / np.sqrt(2 * np.pi)
        gaps[n] = abs(erf.values * erf.std - curve).max()
    print(f"{k} taps:", ", ".join(f"{gap:.6f} for {n} layers" for n, gap in gaps.items()))
    assert abs(gaps[10] / gaps[100] - 10) < 0.5
    assert abs(gaps[100] / gaps[1000] - 10) < 0.1
